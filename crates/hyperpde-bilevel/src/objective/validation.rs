//! Equations, conditions and held-out observations at new points, each over its own size.

use burn::tensor::Tensor;
use hyperpde_gp::{Needs, Solve};

use super::squared_residual::weighted_squares;
use super::{Objective, ObjectiveError, ScoredRows};
use crate::optimizer::LossRange;

/// Mean relative squared misfits of all that can be checked at new points, of three kinds with one vote each:
///
/// ```text
/// L = Σ_kind (1/m_kind) Σ_v ((p_v − s_v)/scale_v)²,    kind: equations, conditions, held-out observations
/// ```
///
/// with predictions `p` of the inner solve at `m` rows of a kind and their right-hand sides `s`. The published objective has the first kind only,
/// and in the units of the equations: a function that ignores the conditions pleases it. The scales, one per equation, condition and set of
/// observations, stay fixed during a Gauss-Newton step:
///
/// - *equation*: `rms(Σ_j |c_j q_j| + |b|)` at the batch, the size of the terms that cancel in the linearised row, with `q_j` of the iterate;
/// - *condition*, *observations*: `rms` of the data on the same functional; at least a tenth of the functional's size over the domain,
///   `rms(Σ |c D u|)` of the iterate, and that size if all data are zero. For observations at least their noise.
///
/// These are the sizes that a run is judged by. While the iterate is still zero, the solve with the initial hyperparameters takes its place.
/// Relative misfits of a value are as large as the relative error that they cause or smaller by the well-posedness of the problem, so adding
/// them up makes sense; a row's prior deviation would be no scale, since it moves with the hyperparameters and can be pleased by growing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validation;

impl Objective for Validation {
    fn name(&self) -> &'static str {
        "validation"
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn scores_conditions(&self) -> bool {
        true
    }

    fn range(&self) -> LossRange {
        LossRange::Positive
    }

    fn value(&self, solve: &Solve, rows: &ScoredRows) -> Result<Tensor<1>, ObjectiveError> {
        weighted_squares(self.name(), solve, rows)
    }
}
