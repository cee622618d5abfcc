//! The marginal likelihood of the training rows.

use burn::tensor::Tensor;
use hyperpde_gp::{Needs, Solve};

use super::{Objective, ObjectiveError, ScoredRows, check_len, constants};
use crate::optimizer::LossRange;

/// The negative log density of the right-hand sides under the prior, with the amplitude `σ²` at its best.
///
/// For `b ~ N(0, σ² A)` with `A = K + N` (Rasmussen and Williams 2006, equation 2.30) it is smallest at `σ² = bᵀ w/n`, `w = A⁻¹ b`, where
/// it is, without its constant `½ n (1 + log 2π)`,
///
/// ```text
/// L = ½ n log(bᵀ w/n) + ½ log det A
/// ```
///
/// No validation points are drawn for it. Of either sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarginalLikelihood;

impl Objective for MarginalLikelihood {
    fn name(&self) -> &'static str {
        "marginal-likelihood"
    }

    fn needs(&self) -> Needs {
        Needs { weights: true, log_det: true, ..Needs::default() }
    }

    fn validates(&self) -> bool {
        false
    }

    fn range(&self) -> LossRange {
        LossRange::Real
    }

    fn value(&self, solve: &Solve, rows: &ScoredRows) -> Result<Tensor<1>, ObjectiveError> {
        let missing = |what| move || ObjectiveError::Missing { objective: self.name(), what };
        let w = solve.weights.clone().ok_or_else(missing("weights"))?;
        let log_det = solve.log_det.clone().ok_or_else(missing("the log-determinant"))?;
        let n = solve.rhs.len();
        check_len(self.name(), "weights", n, w.dims()[0])?;
        if solve.rhs.iter().all(|b| *b == 0.0) {
            let why =
                "all right-hand sides are zero, so that every amplitude predicts them; take another objective".into();
            return Err(ObjectiveError::Undefined { objective: self.name(), why });
        }
        let b = constants(&solve.rhs, &w);
        // A product: the gradient of a division by a scalar passes through float32 in burn.
        let amplitude = (w * b).sum() * (1.0 / n as f64);
        Ok((amplitude.log() * n as f64 + log_det) * (0.5 * rows.share))
    }
}
