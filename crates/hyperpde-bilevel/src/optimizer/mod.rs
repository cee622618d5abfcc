//! Optimizers of the outer problem, on the flat vector of hyperparameters in float64.
//!
//! All work by *ask and tell*: they are told loss and gradient at the point they asked for, and ask for the next one. The loop therefore
//! decides when an evaluation takes place, one evaluation is one outer step whatever the optimizer, and an evaluation that fails can be
//! told too.
//!
//! A new optimizer is one file with its constants and one line in the list here.

mod line_search;
#[macro_use]
mod list;
mod memory;

use serde::{Deserialize, Serialize};

pub use memory::{OptimizerError, OptimizerSnapshot};

optimizers! {
    /// With the learning rate of the settings: published, and right for networks on random batches.
    #[default]
    adam::Adam(AdamSettings) = "for networks on random batches, as published";
    /// For a handful of hyperparameters.
    lbfgs::Lbfgs(LbfgsSettings) = "L-BFGS with a line search, for a handful of hyperparameters";
}

/// What happens to the optimizer's state at a new Gauss-Newton step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerState {
    /// Start afresh, as published: the loss is a new function.
    #[default]
    Reset,
    /// Keep moments and step count.
    Keep,
}

/// Which values a loss may have: an optimizer may work on its logarithm only if they are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossRange {
    /// `L ≥ 0`, over many orders of magnitude: a sum of squares.
    Positive,
    /// Any real number: a log density, whose differences count and not its ratios.
    Real,
}

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
    /// Its name in snapshots: memory of an optimizer of another name is refused.
    fn name(&self) -> &str;

    /// A new loss function begins, with values in `range`; `state` says whether what was learned about the last one still counts.
    fn begin(&mut self, state: OptimizerState, range: LossRange);

    /// Takes loss and gradient at `theta` and moves `theta` to the next point.
    fn step(&mut self, theta: &mut [f64], loss: f64, gradient: &[f64]) -> Progress;

    /// The evaluation at `theta` failed; `safe` is the last point that did not. Moves `theta` to a more careful one.
    fn retreat(&mut self, theta: &mut [f64], safe: &[f64]);

    /// No further evaluation of this loss follows: moves `theta` to where the inner solve is to be made.
    fn settle(&mut self, theta: &mut [f64]) {
        let _ = theta;
    }

    /// What has to be kept between two loss functions so that a run can be resumed. By default nothing but the name.
    fn save(&self) -> OptimizerSnapshot {
        OptimizerSnapshot::of(self.name())
    }

    /// Puts back what [`Optimizer::save`] gave. By default there is nothing to put back.
    ///
    /// # Errors
    /// [`OptimizerError`] for memory of another optimizer or of another shape; the optimizer is then as it was.
    fn load(&mut self, snapshot: &OptimizerSnapshot) -> Result<(), OptimizerError> {
        snapshot.check(self.name(), 0)?;
        snapshot.expect(snapshot.vectors.is_empty(), "no vectors")
    }
}
