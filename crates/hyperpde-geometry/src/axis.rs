//! Coordinates with their intervals.

use serde::{Deserialize, Serialize};

/// One coordinate: its name and its interval, in the units of the coordinate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Name, for messages and plots.
    pub name: String,
    /// Lower end `a`.
    pub lower: f64,
    /// Upper end `b > a`.
    pub upper: f64,
}

impl Axis {
    /// The interval `[lower, upper]` of a coordinate.
    pub fn new(name: impl Into<String>, lower: f64, upper: f64) -> Self {
        Self { name: name.into(), lower, upper }
    }

    /// Length `b − a` of the interval.
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }
}
