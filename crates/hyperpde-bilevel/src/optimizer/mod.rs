//! Optimizers of the outer problem, on the flat vector of hyperparameters in float64.
//!
//! All work by *ask and tell*: they are told loss and gradient at the point they asked for, and ask for the next one. The loop therefore
//! decides when an evaluation takes place, one evaluation is one outer step whatever the optimizer, and an evaluation that fails can be
//! told too.

mod adam;
mod lbfgs;
mod line_search;

use serde::{Deserialize, Serialize};

use crate::settings::OptimizerState;

pub use adam::Adam;
pub use lbfgs::Lbfgs;

/// What an optimizer makes of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It wants another evaluation at the new point.
    Continue,
    /// It expects no further progress on this loss.
    Converged,
}

/// Minimises one loss function after another, each a little different from the one before.
pub trait Optimizer: Send {
    /// A new loss function begins; `state` says whether what was learned about the last one still counts.
    fn begin(&mut self, state: OptimizerState);

    /// Takes loss and gradient at `theta` and moves `theta` to the next point.
    fn step(&mut self, theta: &mut [f64], loss: f64, gradient: &[f64]) -> Progress;

    /// The evaluation at `theta` failed; `safe` is the last point that did not. Moves `theta` to a more careful one.
    fn retreat(&mut self, theta: &mut [f64], safe: &[f64]);

    /// No further evaluation of this loss follows: moves `theta` to where the inner solve is to be made.
    fn settle(&mut self, theta: &mut [f64]) {
        let _ = theta;
    }

    /// What has to be kept between two loss functions so that a run can be resumed.
    fn save(&self) -> OptimizerSnapshot {
        OptimizerSnapshot::default()
    }

    /// Puts back what [`Optimizer::save`] gave.
    fn load(&mut self, snapshot: &OptimizerSnapshot) {
        let _ = snapshot;
    }
}

/// Memory of an optimizer between two loss functions, as plain numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OptimizerSnapshot {
    /// Scalars such as step counts and rates, in the optimizer's own order.
    pub scalars: Vec<f64>,
    /// Vectors such as moments, each as long as the hyperparameters.
    pub vectors: Vec<Vec<f64>>,
}

/// An optimizer by name, as configurations and flags choose it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// [`Adam`] with the learning rate of the settings: published, and right for networks on random batches.
    #[default]
    Adam,
    /// [`Lbfgs`]: for a handful of hyperparameters.
    Lbfgs,
}

impl OptimizerKind {
    /// All optimizers.
    pub const ALL: [Self; 2] = [Self::Adam, Self::Lbfgs];

    /// Its name in configurations and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::Lbfgs => "lbfgs",
        }
    }

    /// The optimizer with default constants and this learning rate, where it has one.
    pub fn build(self, learning_rate: f64) -> Box<dyn Optimizer> {
        match self {
            Self::Adam => Box::new(Adam::new(learning_rate)),
            Self::Lbfgs => Box::new(Lbfgs::default()),
        }
    }
}

impl std::str::FromStr for OptimizerKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.name() == text).ok_or_else(|| "must be adam or lbfgs".to_owned())
    }
}
