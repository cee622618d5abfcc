//! The Gauss-Newton step: the inner solve at the final hyperparameters, and how much of it is taken.
//!
//! A fraction `s` of the step solves the relaxed rows
//!
//! ```text
//! L_k u = L_k u^k − s F(u^k),    L_k = F'(u^k),
//! ```
//!
//! with all conditions and observations as they are: for `s = 1` the Gauss-Newton step, for `s → 0` the iterate itself, re-expressed by
//! the kernel. Only right-hand sides change with `s`, so one factorisation serves all fractions, and the solution stays one kernel
//! expansion. Backtracking (Nocedal and Wright 2006, algorithm 3.1) halves `s` until the nonlinear residual at the collocation points
//! falls. The first step from the zero function is always taken whole, since that function ignores the boundary.

use hyperpde_gp::{GpError, Posterior, RowBlock};
use hyperpde_kernels::Kernel;

use crate::error::BilevelError;
use crate::iterate::change;
use crate::linearisation::About;
use crate::settings::StepControl;
use crate::system::System;

/// Relative decrease of the residual, per fraction of the step, that counts as progress.
const DECREASE: f64 = 1e-3;
/// A step that changes the unknowns by less than this (relative) is taken whole: its residual is a matter of the nugget and of rounding.
const SMALL: f64 = 1e-6;
/// Halvings of a step at most.
const HALVINGS: i32 = 10;

/// A solved step: the function, its latents at the collocation points and its nonlinear residual there.
pub(crate) struct Step<K: Kernel> {
    pub posterior: Posterior<K>,
    pub latents: Vec<Vec<f64>>,
    residual: f64,
    pub fraction: f64,
}

/// What a step is solved from.
pub(crate) struct Advance<'a, K: Kernel> {
    pub system: &'a System,
    pub about: About<'a>,
    /// The equations' rows about it.
    pub pde: &'a [RowBlock],
    pub kernels: &'a [K],
    pub control: StepControl,
    /// Gauss-Newton step, from 1, for messages.
    pub gauss_newton: usize,
}

impl<K: Kernel> Advance<'_, K> {
    /// The whole step, or as much of it as makes the residual smaller.
    pub fn controlled(&self) -> Result<Step<K>, BilevelError> {
        if self.control == StepControl::Full {
            return self.whole();
        }
        let residuals = self.residual(self.about.unknowns)?;
        let now = norm(&residuals);
        let mut step = self.whole()?;
        if change(&step.latents, self.about.unknowns).0 <= SMALL {
            return Ok(step);
        }
        let whole = step.posterior.rhs().to_vec();
        let mut best: Option<(f64, f64)> = None;
        for _ in 0..HALVINGS {
            if step.residual <= (1.0 - DECREASE * step.fraction) * now {
                return Ok(step);
            }
            if step.residual.is_finite() && best.is_none_or(|(smallest, _)| step.residual < smallest) {
                best = Some((step.residual, step.fraction));
            }
            let half = 0.5 * step.fraction;
            step = self.shorten(step, half, &whole, &residuals)?;
        }
        // Nothing goes down: the kernel may have changed, or the iterate may be as good as the nugget allows.
        match best {
            Some((smallest, fraction)) if smallest < step.residual => self.shorten(step, fraction, &whole, &residuals),
            _ => Ok(step),
        }
    }

    /// A given fraction of the step, without control.
    pub fn fraction(&self, fraction: f64) -> Result<Step<K>, BilevelError> {
        let step = self.whole()?;
        if fraction == 1.0 {
            return Ok(step);
        }
        let residuals = self.residual(self.about.unknowns)?;
        let whole = step.posterior.rhs().to_vec();
        self.shorten(step, fraction, &whole, &residuals)
    }

    fn whole(&self) -> Result<Step<K>, BilevelError> {
        let collocation = self.about.collocation;
        let problem = self.system.inner_problem(self.pde, collocation, &collocation.observations, &[])?;
        self.measure(problem.solve(self.kernels).map_err(|e| self.failed(e))?, 1.0)
    }

    /// A fraction of the step in place of another; `whole` are the right-hand sides of all of it.
    fn shorten(&self, step: Step<K>, fraction: f64, whole: &[f64], residuals: &[f64]) -> Result<Step<K>, BilevelError> {
        let mut rhs = whole.to_vec();
        // The PDE's rows come first, equation by equation, as the residuals do.
        for (b, f) in rhs.iter_mut().zip(residuals) {
            *b += (1.0 - fraction) * f;
        }
        self.measure(step.posterior.with_rhs(rhs).map_err(|e| self.failed(e))?, fraction)
    }

    fn measure(&self, posterior: Posterior<K>, fraction: f64) -> Result<Step<K>, BilevelError> {
        let latents = posterior.latents(0).map_err(|e| self.failed(e))?;
        let residual = match self.control {
            StepControl::Full => f64::NAN,
            // A residual that can't be evaluated is as bad as one that grows.
            StepControl::Backtracking => self.residual(&latents).map_or(f64::INFINITY, |r| norm(&r)),
        };
        Ok(Step { posterior, latents, residual, fraction })
    }

    /// Every failure of a solve or of its solution, with its place: it may be mended by other hyperparameters.
    fn failed(&self, source: GpError) -> BilevelError {
        BilevelError::Step { gauss_newton: self.gauss_newton, outer: 0, source }
    }

    fn residual(&self, unknowns: &[Vec<f64>]) -> Result<Vec<f64>, BilevelError> {
        self.system.residual(&self.about.collocation.interior, unknowns)
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}
