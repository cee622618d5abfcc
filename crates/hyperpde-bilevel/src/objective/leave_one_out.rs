//! Leave-one-out cross-validation over the training rows, from the factor of the whole system.

use burn::tensor::Tensor;
use hyperpde_gp::{Needs, Solve};

use super::{Objective, ObjectiveError, ScoredRows, check_len};
use crate::optimizer::LossRange;

/// The negative log predictive density of every training row given all others, with the amplitude `σ²` at its best.
///
/// With `w = A⁻¹ b` and `d = diag A⁻¹`, row `r` is predicted from the others with error `b_r − μ_{−r} = w_r/d_r` and variance `σ²/d_r`
/// (Rasmussen and Williams 2006, section 5.4.2):
///
/// ```text
/// −log p = Σ_r ½ log(2π σ²/d_r) + ½ w_r²/(σ² d_r)
/// ```
///
/// It is smallest at `σ²_loo = mean_r w_r²/d_r`, where it is, without its constant `½ n (1 + log 2π)`,
///
/// ```text
/// L = ½ n log(mean_r w_r²/d_r) − ½ Σ_r log d_r
/// ```
///
/// No validation points are drawn for it. Of either sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaveOneOut;

impl Objective for LeaveOneOut {
    fn name(&self) -> &'static str {
        "leave-one-out"
    }

    fn needs(&self) -> Needs {
        Needs { weights: true, inverse_diagonal: true, ..Needs::default() }
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
        let d = solve.inverse_diagonal.clone().ok_or_else(missing("the diagonal of the inverse"))?;
        let n = solve.rhs.len();
        check_len(self.name(), "weights", n, w.dims()[0])?;
        check_len(self.name(), "entries of the inverse's diagonal", n, d.dims()[0])?;
        if solve.rhs.iter().all(|b| *b == 0.0) {
            let why =
                "all right-hand sides are zero, so that every amplitude predicts them; take another objective".into();
            return Err(ObjectiveError::Undefined { objective: self.name(), why });
        }
        let amplitude = (w.powi_scalar(2) / d.clone()).mean();
        Ok((amplitude.log() * n as f64 - d.log().sum()) * (0.5 * rows.share))
    }
}
