//! Outer objectives: what a solve of the inner problem is worth, as a differentiable scalar.
//!
//! At every outer step the inner problem (or, with folds, one per fold) is solved at the present hyperparameters `θ`. An [`Objective`] says
//! which of the solve's quantities it [`Objective::needs`] and makes one number of them, the smaller the better. It sees tensors, so burn
//! carries its gradient back through the solve; nobody writes an adjoint. With `A = K + N`, `w = A⁻¹ b` and predictions `p = V w`:
//!
//! | objective | value | needs |
//! |---|---|---|
//! | [`SquaredResidual`], published | `Σ_v weight_v (p_v − s_v)²` | `p` |
//! | [`Validation`] | the same with conditions, each row over its own size | `p` |
//! | [`LeaveOneOut`] | `½ n log mean_r(w_r²/d_r) − ½ Σ_r log d_r`, `d = diag A⁻¹` | `w`, `d` |
//! | [`MarginalLikelihood`] | `½ n log(bᵀw/n) + ½ log det A` | `w`, `log det A` |
//!
//! A new objective is one file: a value that implements [`Objective`], put into `BilevelSettings::objective`; with one line in the list here
//! configurations and flags can name it.

#[macro_use]
mod list;

use std::fmt::Debug;

use burn::tensor::{Tensor, TensorData};
use hyperpde_gp::{Needs, Solve};
use thiserror::Error;

use crate::optimizer::LossRange;

objectives! {
    /// [`SquaredResidual`], published: the equations at validation points.
    #[default]
    squared_residual::SquaredResidual = Published, "published", "squared residual of the equations at validation points, as published";
    /// [`Validation`]: equations, conditions and held-out observations at new points, each over its own size.
    validation::Validation = Validation, "validation", "equations, conditions and held-out data at new points, each over its own size";
    /// [`LeaveOneOut`]: every row predicted from all others.
    leave_one_out::LeaveOneOut = LeaveOneOut, "leave-one-out", "log density of every row given all others";
    /// [`MarginalLikelihood`]: all rows under the prior.
    marginal_likelihood::MarginalLikelihood = MarginalLikelihood, "marginal-likelihood", "log density of all rows under the prior";
}

/// The rows that a solve is scored on: those of its predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredRows {
    /// Weight of each row's square, `[m]`: 1 for equations (their share with folds), `1/σ²` for observations; if conditions are scored,
    /// `1/(m_kind scale²)` for every row (see [`Validation`]).
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

    /// Whether it scores, beside the equations, the conditions at new points, every row over its own size (see [`Validation`]).
    fn scores_conditions(&self) -> bool {
        false
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use hyperpde_kernels::{Backend, tensor_to_vec};
    use hyperpde_linalg::SolveStatistics;

    use super::*;

    /// `A = [[2, 1], [1, 2]]`, `b = [1, 3]`: `w = [−1/3, 5/3]`, `diag A⁻¹ = [2/3, 2/3]`, `det A = 3`; predictions 1 and 2 for 0 and 4.
    fn solve() -> Solve {
        let device = Backend::default().device().unwrap();
        let tensor = |v: &[f64]| {
            Tensor::<1>::from_data(TensorData::new(v.to_vec(), [v.len()]), (&device, burn::tensor::DType::F64))
        };
        Solve {
            predictions: tensor(&[1.0, 2.0]),
            weights: Some(tensor(&[-1.0 / 3.0, 5.0 / 3.0])),
            log_det: Some(tensor(&[3.0f64.ln()])),
            inverse_diagonal: Some(tensor(&[2.0 / 3.0, 2.0 / 3.0])),
            scales: None,
            validation_scales: None,
            rhs: vec![1.0, 3.0],
            validation_rhs: vec![0.0, 4.0],
            statistics: SolveStatistics::direct(0.0, 1, 9.0),
        }
    }

    fn value(objective: &dyn Objective, share: f64) -> Result<f64, ObjectiveError> {
        let rows = ScoredRows { weights: vec![1.0, 0.5], share };
        objective.value(&solve(), &rows).map(|value| tensor_to_vec(value).unwrap()[0])
    }

    #[test]
    fn values_by_hand() {
        // Left out, row 1 is predicted by A₁₂/A₂₂ b₂ = 1.5 with variance 2 − 1/2, row 2 by 0.5 with the same; errors −0.5 and 2.5.
        let amplitude = 0.5 * (0.25 + 6.25) / 1.5;
        let density = |error: f64| 0.5 * (amplitude * 1.5f64).ln() + 0.5 * error * error / (amplitude * 1.5);
        let left_out = density(-0.5) + density(2.5) - 1.0;
        // bᵀ w = 14/3.
        let likelihood = (7.0f64 / 3.0).ln() + 0.5 * 3.0f64.ln();
        let cases: [(&dyn Objective, f64); 3] =
            [(&SquaredResidual, 1.0 + 0.5 * 4.0), (&LeaveOneOut, left_out), (&MarginalLikelihood, likelihood)];
        for (objective, expected) in cases {
            let got = value(objective, 1.0).unwrap();
            assert!((got - expected).abs() < 1e-14, "{}: {got} and {expected}", objective.name());
        }
        // A fold's share is in the weights of squares; other objectives take it themselves.
        assert_eq!(value(&SquaredResidual, 0.5), value(&SquaredResidual, 1.0));
        assert!((value(&LeaveOneOut, 0.5).unwrap() - 0.5 * left_out).abs() < 1e-14);
    }

    #[test]
    fn what_is_missing_or_does_not_fit_is_named() {
        let rows = |n: usize| ScoredRows { weights: vec![1.0; n], share: 1.0 };
        let bare = Solve { weights: None, ..solve() };
        for objective in [&LeaveOneOut as &dyn Objective, &MarginalLikelihood] {
            let error = objective.value(&bare, &rows(2)).unwrap_err();
            assert!(matches!(error, ObjectiveError::Missing { what: "weights", .. }), "{error}");
            let zero = Solve { rhs: vec![0.0; 2], ..solve() };
            assert!(matches!(objective.value(&zero, &rows(2)), Err(ObjectiveError::Undefined { .. })));
        }
        let error = SquaredResidual.value(&solve(), &rows(3)).unwrap_err();
        assert_eq!(error.to_string(), "the objective 'published' got 2 predictions, expected 3");
    }
}
