//! The hypergradient through a few further Gauss-Newton steps.

use super::{Hypergradient, IterateCotangent, OneStep, OuterProblem, OuterValue, add};
use crate::error::BilevelError;

/// `L(θ)` about the iterate that `steps` Gauss-Newton steps at `θ` make from `u^k`, differentiated through all of them (Maclaurin, Duvenaud and Adams, *Gradient-based
/// hyperparameter optimization through reversible learning*, ICML 2015, with steps that need no reversing): `u^k` is a constant.
///
/// With none it is [`OneStep`]; with many, the derivative of the nonlinear loss. Each step costs two solves and three products with covariances more than one of [`OneStep`].
/// For objectives of predictions alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unrolled {
    /// Gauss-Newton steps at `θ`.
    pub steps: usize,
}

impl Hypergradient for Unrolled {
    fn name(&self) -> &'static str {
        "unrolled"
    }

    fn evaluate(&self, outer: &dyn OuterProblem) -> Result<OuterValue, BilevelError> {
        if self.steps == 0 {
            return OneStep.evaluate(outer);
        }
        let (next, _) = outer.advance()?;
        let (mut value, by_next) = unroll(next.as_ref(), self.steps - 1)?;
        add(&mut value.gradient, &outer.step_gradient(&by_next)?);
        Ok(value)
    }
}

/// Value and gradient with so many steps from here, and the cotangent of the iterate here.
fn unroll(outer: &dyn OuterProblem, steps: usize) -> Result<(OuterValue, IterateCotangent), BilevelError> {
    if steps == 0 {
        return Ok((OneStep.evaluate(outer)?, outer.by_iterate()?));
    }
    let (next, _) = outer.advance()?;
    let (mut value, by_next) = unroll(next.as_ref(), steps - 1)?;
    add(&mut value.gradient, &outer.step_gradient(&by_next)?);
    Ok((value, outer.pull_back(&by_next)?))
}
