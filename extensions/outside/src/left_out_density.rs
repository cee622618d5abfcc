//! Leave-one-out cross-validation: an outer objective from the weights and the diagonal of the inverse.

use hyperpde::bilevel::{LossRange, Objective, ObjectiveError, ScoredRows};
use hyperpde::burn::tensor::Tensor;
use hyperpde::gp::{Needs, Solve};

/// How badly each row is predicted from all the others: the mean negative log density, with the prior's amplitude at its best.
///
/// Row `r` left out, the others predict it with error `e_r = w_r/d_r` and variance `v_r = s²/d_r`, where `w = A⁻¹ b` and `d = diag A⁻¹`
/// (Rasmussen and Williams 2006, section 5.4.2; Sundararajan and Keerthi 2001). Up to a constant
///
/// ```text
/// L = ½ Σ_r (log v_r + e_r²/v_r − 1),     s² = (1/n) Σ_r e_r² d_r
/// ```
///
/// `s²` is where `L` is smallest, so its own derivative does not count and it is a constant here. The library has the same number as
/// `LeaveOneOut`, put together in another way: either is the other's oracle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOutDensity;

impl Objective for LeftOutDensity {
    fn name(&self) -> &'static str {
        "left-out-density"
    }

    fn needs(&self) -> Needs {
        Needs { weights: true, inverse_diagonal: true, ..Needs::default() }
    }

    /// Training rows are scored, so there is no validation batch.
    fn validates(&self) -> bool {
        false
    }

    fn range(&self) -> LossRange {
        LossRange::Real
    }

    fn value(&self, solve: &Solve, rows: &ScoredRows) -> Result<Tensor<1>, ObjectiveError> {
        let objective = self.name();
        let (Some(w), Some(d)) = (solve.weights.clone(), solve.inverse_diagonal.clone()) else {
            return Err(ObjectiveError::Missing { objective, what: "weights and the diagonal of the inverse" });
        };
        if solve.rhs.iter().all(|b| *b == 0.0) {
            let why = "all right-hand sides are zero, so that every amplitude predicts them".into();
            return Err(ObjectiveError::Undefined { objective, why });
        }
        let error = w / d.clone();
        let square = error.clone() * error;
        let amplitude = (square.clone() * d.clone()).mean().detach();
        let variance = d.recip() * amplitude;
        Ok((variance.clone().log() + square / variance - 1.0).sum() * (0.5 * rows.share))
    }
}
