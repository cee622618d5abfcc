//! The published objective: squared misfits of validation rows.

use burn::tensor::Tensor;
use hyperpde_gp::{Needs, Solve};

use super::{Objective, ObjectiveError, ScoredRows, check_len, constants};
use crate::optimizer::LossRange;

/// `L = Σ_v weight_v (p_v − s_v)²` with predictions `p` of the inner solve at validation rows and their right-hand sides `s` (arXiv
/// 2510.05568). For linearised equations, `p_v − s_v` is the linearised residual of the solution at `x_v`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SquaredResidual;

impl Objective for SquaredResidual {
    fn name(&self) -> &'static str {
        "published"
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn range(&self) -> LossRange {
        LossRange::Positive
    }

    fn value(&self, solve: &Solve, rows: &ScoredRows) -> Result<Tensor<1>, ObjectiveError> {
        weighted_squares(self.name(), solve, rows)
    }
}

/// `Σ_v weight_v (p_v − s_v)²`.
pub(super) fn weighted_squares(
    objective: &'static str,
    solve: &Solve,
    rows: &ScoredRows,
) -> Result<Tensor<1>, ObjectiveError> {
    let predictions = solve.predictions.clone();
    check_len(objective, "predictions", rows.weights.len(), predictions.dims()[0])?;
    let weights = constants(&rows.weights, &predictions);
    let residual = predictions.clone() - constants(&solve.validation_rhs, &predictions);
    Ok((residual.clone() * residual * weights).sum())
}
