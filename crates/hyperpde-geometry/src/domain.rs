//! Boxes `Ω = Π_i [a_i, b_i] ⊂ R^d`, in space or in space and time, and their faces.
//!
//! With time, the first coordinate is time and the whole space-time box is solved at once; there is no
//! stepping. Then the face at the first time carries initial conditions and the face at the last time
//! carries none, unless a problem puts a condition there itself.

use serde::{Deserialize, Serialize};

use crate::axis::Axis;
use crate::error::GeometryError;

/// A face of a box: where one coordinate is at an end of its interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Face {
    /// Index of that coordinate.
    pub axis: usize,
    /// Whether it is at its upper end.
    pub upper: bool,
}

impl Face {
    /// The face at the lower end of a coordinate.
    pub fn lower(axis: usize) -> Self {
        Self { axis, upper: false }
    }

    /// The face at the upper end of a coordinate.
    pub fn upper(axis: usize) -> Self {
        Self { axis, upper: true }
    }
}

/// A box in space, or in time and space with time first.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    axes: Vec<Axis>,
    time: bool,
}

impl Domain {
    /// A box in space from `(name, lower, upper)` per coordinate.
    ///
    /// # Errors
    /// [`GeometryError::Domain`] if there are no coordinates, a name is empty or repeated, or an interval is
    /// empty, reversed or not finite.
    pub fn space<N: Into<String>>(axes: impl IntoIterator<Item = (N, f64, f64)>) -> Result<Self, GeometryError> {
        Self::new(axes.into_iter().map(|(n, a, b)| (n.into(), a, b)).collect(), false)
    }

    /// A box in time and space: the time interval first, then the coordinates of space.
    ///
    /// # Errors
    /// As [`Domain::space`]; time needs at least one coordinate of space beside it.
    pub fn space_time<N: Into<String>>(
        time: (N, f64, f64),
        space: impl IntoIterator<Item = (N, f64, f64)>,
    ) -> Result<Self, GeometryError> {
        let axes: Vec<_> = std::iter::once(time).chain(space).map(|(n, a, b)| (n.into(), a, b)).collect();
        if axes.len() < 2 {
            return Err(GeometryError::Domain("a space-time box needs at least one coordinate of space".into()));
        }
        Self::new(axes, true)
    }

    pub(crate) fn new(axes: Vec<(String, f64, f64)>, time: bool) -> Result<Self, GeometryError> {
        if axes.is_empty() {
            return Err(GeometryError::Domain("it needs at least one coordinate".into()));
        }
        for (i, (name, lower, upper)) in axes.iter().enumerate() {
            if name.is_empty() {
                return Err(GeometryError::Domain(format!("coordinate {i} has no name")));
            }
            if axes[..i].iter().any(|(other, _, _)| other == name) {
                return Err(GeometryError::Domain(format!("two coordinates are named '{name}'")));
            }
            if !(lower.is_finite() && upper.is_finite() && lower < upper) {
                return Err(GeometryError::Domain(format!(
                    "the interval of '{name}' is [{lower}, {upper}]: both ends must be finite and the first below the second"
                )));
            }
        }
        let axes = axes.into_iter().map(|(name, lower, upper)| Axis { name, lower, upper }).collect();
        Ok(Self { axes, time })
    }

    /// Number of coordinates `d`, time included.
    pub fn dim(&self) -> usize {
        self.axes.len()
    }

    /// The coordinates, time first if there is time.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Names of the coordinates, `[d]`.
    pub fn names(&self) -> Vec<String> {
        self.axes.iter().map(|a| a.name.clone()).collect()
    }

    /// Whether the first coordinate is time.
    pub fn has_time(&self) -> bool {
        self.time
    }

    /// The faces where conditions are customary: the face of the first time, then for each coordinate of
    /// space its upper and its lower face. The face of the last time is not among them.
    pub fn boundary(&self) -> Vec<Face> {
        let initial = self.time.then(|| Face::lower(0));
        let sides = (usize::from(self.time)..self.dim()).flat_map(|axis| [Face::upper(axis), Face::lower(axis)]);
        initial.into_iter().chain(sides).collect()
    }

    /// Value of the fixed coordinate on a face.
    ///
    /// # Errors
    /// [`GeometryError::Domain`] if the box has no such face.
    pub fn coordinate(&self, face: Face) -> Result<f64, GeometryError> {
        let axis = self.axes.get(face.axis).ok_or_else(|| {
            GeometryError::Domain(format!(
                "there is no face across coordinate {}: the box has {} coordinates",
                face.axis,
                self.dim()
            ))
        })?;
        Ok(if face.upper { axis.upper } else { axis.lower })
    }

    /// The face as an equation, for example `t = 0`.
    ///
    /// # Errors
    /// As [`Domain::coordinate`].
    pub fn face_name(&self, face: Face) -> Result<String, GeometryError> {
        let value = self.coordinate(face)?;
        Ok(format!("{} = {value}", self.axes[face.axis].name))
    }

    /// Whether `x` `[d]` lies in the closed box, up to 1e-9 of each interval's length.
    pub fn contains(&self, x: &[f64]) -> bool {
        x.len() == self.dim()
            && self.axes.iter().zip(x).all(|(a, &v)| {
                let slack = Self::TOLERANCE * a.width();
                v >= a.lower - slack && v <= a.upper + slack
            })
    }

    /// Whether `x` `[d]` lies on a face, up to 1e-9 of each interval's length.
    ///
    /// # Errors
    /// As [`Domain::coordinate`].
    pub fn on_face(&self, face: Face, x: &[f64]) -> Result<bool, GeometryError> {
        let value = self.coordinate(face)?;
        Ok(self.contains(x) && (x[face.axis] - value).abs() <= Self::TOLERANCE * self.axes[face.axis].width())
    }

    const TOLERANCE: f64 = 1e-9;
}
