//! The hypergradient through the fixed point of Gauss-Newton.

use super::{Hypergradient, OneStep, OuterProblem, OuterValue, add};
use crate::error::BilevelError;

/// `L(θ)` about the fixed point `u = G(u, θ)` of Gauss-Newton, and its derivative by the implicit function theorem,
///
/// ```text
/// dL/dθ = ∂L/∂θ + (∂G/∂θ)ᵀ μ,    μ = ∂L/∂u + (∂G/∂u)ᵀ μ
/// ```
///
/// The fixed point is approached from `u^k`, and `μ` by iteration of its equation, which converges as fast as Gauss-Newton does: `∂G/∂u` is that iteration's rate.
/// For objectives of predictions alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Implicit {
    /// Gauss-Newton steps at most.
    pub steps: usize,
    /// Terms of the series for `μ` at most. One that is cut short is that of as many unrolled steps.
    pub terms: usize,
    /// Relative change at which either ends.
    pub tolerance: f64,
}

impl Default for Implicit {
    /// Up to 20 steps and 20 terms, to 1e-9.
    fn default() -> Self {
        Self { steps: 20, terms: 20, tolerance: 1e-9 }
    }
}

impl Hypergradient for Implicit {
    fn name(&self) -> &'static str {
        "implicit"
    }

    fn evaluate(&self, outer: &dyn OuterProblem) -> Result<OuterValue, BilevelError> {
        self.from(outer, self.steps)
    }
}

impl Implicit {
    fn from(&self, outer: &dyn OuterProblem, steps: usize) -> Result<OuterValue, BilevelError> {
        if steps > 0 {
            let (next, moved) = outer.advance()?;
            return self.from(next.as_ref(), if moved <= self.tolerance { 0 } else { steps - 1 });
        }
        let mut value = OneStep.evaluate(outer)?;
        let first = outer.by_iterate()?;
        let mut mu = first.clone();
        for _ in 0..self.terms {
            let mut next = first.clone();
            next.add(&outer.pull_back(&mu)?);
            let mut moved = next.clone();
            mu.at_collocation.iter_mut().chain(&mut mu.at_batch).flatten().for_each(|v| *v = -*v);
            moved.add(&mu);
            mu = next;
            if moved.norm() <= self.tolerance * mu.norm() {
                break;
            }
        }
        add(&mut value.gradient, &outer.step_gradient(&mu)?);
        Ok(value)
    }
}
