//! Outer objectives: what a solve of the inner problem is worth, as a differentiable scalar.
//!
//! At every outer step the inner problem (or, with folds, one per fold) is solved at the present hyperparameters `θ`. An [`Objective`] says
//! which of the solve's quantities it [`Objective::needs`] and makes one number of them, the smaller the better. It sees tensors, so burn
//! carries its gradient back through the solve; nobody writes an adjoint. With `A = K + N`, `w = A⁻¹ b` and predictions `p = V w`:
//!
//! | objective | value | needs |
//! |---|---|---|
//! | [`SquaredResidual`], published | `Σ_v weight_v (p_v − s_v)²` | `p` |
//! | [`LeaveOneOut`] | `½ n log mean_r(w_r²/d_r) − ½ Σ_r log d_r`, `d = diag A⁻¹` | `w`, `d` |
//! | [`MarginalLikelihood`] | `½ n log(bᵀw/n) + ½ log det A` | `w`, `log det A` |
//!
//! A new objective is one file: a value that implements [`Objective`], put into `BilevelSettings::objective`.

mod leave_one_out;
mod marginal_likelihood;
mod squared_residual;

use std::fmt::Debug;

use burn::tensor::{Tensor, TensorData};
use hyperpde_gp::{Needs, Solve};
use thiserror::Error;

use crate::optimizer::LossRange;

pub use leave_one_out::LeaveOneOut;
pub use marginal_likelihood::MarginalLikelihood;
pub use squared_residual::SquaredResidual;

/// The rows that a solve is scored on: those of its predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredRows {
    /// Weight of each row's square, `[m]`: 1 for equations (their share with folds), `1/σ²` for observations.
    pub weights: Vec<f64>,
    /// The part of the whole objective that this solve stands for: 1, or `1/F` of `F` folds. It is in the weights of the equations
    /// already; objectives of the solve as a whole multiply by it.
    pub share: f64,
}

/// Failures of an objective.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ObjectiveError {
    /// The solve did not bring what the objective is made of.
    #[error("the objective '{objective}' needs {what}, which the solve did not bring; name it in Objective::needs")]
    Missing {
        /// Name of the objective.
        objective: &'static str,
        /// The quantity.
        what: &'static str,
    },
    /// Arrays of different lengths.
    #[error("the objective '{objective}' got {got} {what}, expected {expected}")]
    Shape {
        /// Name of the objective.
        objective: &'static str,
        /// What there is a wrong number of.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// The value does not exist for this solve.
    #[error("the objective '{objective}' has no value here: {why}")]
    Undefined {
        /// Name of the objective.
        objective: &'static str,
        /// Why, and what to do.
        why: String,
    },
}

/// From what a solve knows to a differentiable scalar, to be minimised over the hyperparameters.
pub trait Objective: Debug + Send + Sync {
    /// Name, for messages and reports.
    fn name(&self) -> &'static str;

    /// The quantities of a solve that [`Objective::value`] takes besides its predictions; a solve brings no others.
    fn needs(&self) -> Needs;

    /// Whether it scores predictions. If not, no validation points are drawn and there are no predictions.
    fn validates(&self) -> bool {
        true
    }

    /// Which values it has: [`LossRange::Positive`] lets optimizers work on its logarithm.
    fn range(&self) -> LossRange;

    /// The value, `[1]`, smaller for better hyperparameters.
    ///
    /// # Arguments
    /// * `solve` - of the inner problem at the present hyperparameters; its tensors carry gradients.
    /// * `rows` - what is scored and with which weights.
    ///
    /// # Errors
    /// [`ObjectiveError`] if the solve does not fit or the value does not exist. A value that is not finite is found by the loop.
    fn value(&self, solve: &Solve, rows: &ScoredRows) -> Result<Tensor<1>, ObjectiveError>;
}

/// Constants `[n]` on the device and with the element type of a tensor.
fn constants(values: &[f64], like: &Tensor<1>) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), (&like.device(), like.dtype()))
}

/// Refuses a wrong number of entries.
fn check_len(objective: &'static str, what: &'static str, expected: usize, got: usize) -> Result<(), ObjectiveError> {
    if expected == got { Ok(()) } else { Err(ObjectiveError::Shape { objective, what, expected, got }) }
}
