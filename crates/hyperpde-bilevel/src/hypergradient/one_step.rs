//! The published hypergradient: through the linear solve, with the iterate held fixed.

use hyperpde_kernels::tensor_to_vec;

use super::{Hypergradient, OuterProblem, OuterValue};
use crate::error::BilevelError;

/// `L(θ) = Σ_terms objective(solve about u^k at θ)` and its derivative with `u^k` a constant (arXiv 2510.05568): one solve and its adjoint
/// per term.
///
/// At convergence of Gauss-Newton it leaves out `μᵀ ∂G/∂θ` of the iteration `u⁺ = G(u, θ)`; that part is small where the residual or its
/// curvature is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OneStep;

impl Hypergradient for OneStep {
    fn name(&self) -> &'static str {
        "one-step"
    }

    fn evaluate(&self, outer: &dyn OuterProblem) -> Result<OuterValue, BilevelError> {
        let (mut loss, mut statistics) = outer.objective(0)?;
        for term in 1..outer.terms() {
            let (more, info) = outer.objective(term)?;
            loss = loss + more;
            if info.condition > statistics.condition {
                statistics = info;
            }
        }
        let value = tensor_to_vec(loss.clone())?.first().copied().unwrap_or(f64::NAN);
        Ok(OuterValue { value, gradient: outer.gradient(&loss)?, statistics })
    }
}
