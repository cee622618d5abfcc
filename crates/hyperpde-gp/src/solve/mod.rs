//! One inner solve on the tape: what it gives to objectives, by the fused stage or by tensors.

mod fused;
mod tensor;

use std::sync::Arc;

use burn::tensor::Tensor;
use hyperpde_kernels::Kernel;
use hyperpde_linalg::SolveStatistics;

use crate::error::GpError;
use crate::setup::Setup;
use crate::system::Plan;

/// What is wanted of a solve besides its predictions. Every `true` costs something, gradients above all: the adjoints of
/// `log_det` and `inverse_diagonal` form `A⁻¹`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// [`Solve::weights`].
    pub weights: bool,
    /// [`Solve::log_det`].
    pub log_det: bool,
    /// [`Solve::inverse_diagonal`].
    pub inverse_diagonal: bool,
    /// [`Solve::scales`] and [`Solve::validation_scales`].
    pub scales: bool,
}

impl Needs {
    /// What one or the other wants.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            weights: self.weights || other.weights,
            log_det: self.log_det || other.log_det,
            inverse_diagonal: self.inverse_diagonal || other.inverse_diagonal,
            scales: self.scales || other.scales,
        }
    }
}

/// A linear inner solve, `A = K + N`, as tensors that are differentiable if the kernels are. What was not asked for is absent.
#[derive(Debug)]
pub struct Solve {
    /// `p = V w` at the validation rows, `[m]`.
    pub predictions: Tensor<1>,
    /// `w = A⁻¹ b`, `[n]`.
    pub weights: Option<Tensor<1>>,
    /// `log det A`, `[1]`.
    pub log_det: Option<Tensor<1>>,
    /// `diag A⁻¹`, `[n]`.
    pub inverse_diagonal: Option<Tensor<1>>,
    /// Prior deviations `√(ℓ ℓ k)` of the training rows, without the nugget, `[n]`.
    pub scales: Option<Tensor<1>>,
    /// Those of the validation rows, `[m]`.
    pub validation_scales: Option<Tensor<1>>,
    /// Right-hand sides `b` of the training rows, `[n]`.
    pub rhs: Vec<f64>,
    /// Right-hand sides of the validation rows, `[m]`.
    pub validation_rhs: Vec<f64>,
    /// What the solver had to do.
    pub statistics: SolveStatistics,
}

/// Predictions `p = V w` at the validation rows.
#[derive(Debug)]
pub struct Prediction {
    /// `p`, `[m]`; differentiable if the kernels are.
    pub values: Tensor<1>,
    /// What the solver had to do.
    pub info: SolveStatistics,
}

/// Solves, by the fused stage if it takes kernels and operators.
pub(crate) fn evaluate<K: Kernel>(setup: &Arc<Setup>, kernels: &[K], needs: Needs) -> Result<Solve, GpError> {
    match Plan::new(setup, kernels)? {
        Some((plan, features)) => fused::evaluate(plan, features, needs),
        None => tensor::evaluate(setup, kernels, needs),
    }
}
