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

use std::sync::Arc;

use hyperpde_gp::Posterior;
use hyperpde_kernels::{Kernel, with_parameters};

use crate::bilevel::{Best, Bilevel, Event};
use crate::error::BilevelError;
use crate::iterate::{Iterate, change, residual_rms};
use crate::record::{GaussNewtonRecord, Termination};
use crate::settings::StepControl;
use crate::snapshot::SolveSnapshot;
use crate::stage::Stage;

/// An iterate beyond this is taken as divergence.
const DIVERGED: f64 = 1e12;
/// Relative decrease of the residual, per fraction of the step, that counts as progress.
const DECREASE: f64 = 1e-3;
/// A step that changes the unknowns by less than this (relative) is taken whole: its residual is a matter of the nugget and of rounding.
const SMALL: f64 = 1e-6;
/// Halvings of a step at most.
const HALVINGS: i32 = 10;

/// A solved step: the function, its latents at the collocation points and its nonlinear residual there.
struct Step<K: Kernel> {
    posterior: Posterior<K>,
    latents: Vec<Vec<f64>>,
    residual: f64,
    fraction: f64,
}

impl<K: Kernel> Bilevel<K> {
    /// The inner solve at the final hyperparameters: the next iterate.
    pub(crate) fn advance(&mut self, stage: Stage) -> Result<Event<K>, BilevelError> {
        let gauss_newton = self.gauss_newton;
        if self.settings.outer_steps > 0 {
            self.optimizer.settle(&mut self.theta);
        }
        let step = loop {
            self.kernels = with_parameters(std::mem::take(&mut self.kernels), &self.theta)?;
            match self.controlled_step() {
                Ok(step) => break step,
                Err(error) if self.settings.outer_steps > 0 => self.back_off(error)?,
                Err(error) => return Err(error),
            }
        };
        let (increment, size) = change(&step.latents, &self.at_collocation);
        if size > DIVERGED {
            return Err(BilevelError::Diverged { gauss_newton, size });
        }
        let about = std::mem::replace(&mut self.at_collocation, step.latents);
        let recipe = SolveSnapshot { about, theta: self.theta.clone(), fraction: step.fraction };
        // A shortened step has a factor; the iterate and the best one would each hold on to a matrix.
        let posterior = Arc::new(step.posterior.without_factor());
        self.iterate = Iterate::Solved(posterior.clone());
        let residual = match &self.monitor {
            Some(points) => Some(residual_rms(self.equations.as_ref(), &self.iterate, points)?),
            None => None,
        };
        if let Some(residual) = residual
            && self.best.as_ref().is_none_or(|best| residual < best.residual)
        {
            self.best = Some(Best { residual, posterior: posterior.clone(), recipe: recipe.clone() });
        }
        self.recipe = Some(recipe);
        let still = increment <= self.settings.increment_tolerance && self.settings.increment_tolerance > 0.0;
        if still && step.fraction == 1.0 && (self.settings.outer_steps == 0 || stage.finished) {
            self.termination = Some(Termination::Converged);
        } else if gauss_newton >= self.settings.gauss_newton_steps {
            self.termination = Some(Termination::StepsTaken);
        }
        let mut hyperparameters = Vec::new();
        for (f, kernel) in posterior.kernels().iter().enumerate() {
            let prefix = if self.kernels.len() > 1 { format!("field_{f}.") } else { String::new() };
            hyperparameters.extend(kernel.summary().into_iter().map(|(name, v)| (format!("{prefix}{name}"), v)));
        }
        let record = GaussNewtonRecord {
            gauss_newton,
            outer_steps: stage.outer,
            loss: stage.loss,
            increment,
            fraction: step.fraction,
            residual,
            hyperparameters,
            seconds: self.seconds_before + self.started.elapsed().as_secs_f64(),
        };
        Ok(Event::GaussNewton(record, posterior))
    }

    /// Solves about the iterate, for the whole step or as much of it as makes the residual smaller.
    fn controlled_step(&self) -> Result<Step<K>, BilevelError> {
        let residuals = match (self.settings.step_control, &self.iterate) {
            (StepControl::Full, _) | (_, Iterate::Zero) => return self.whole_step(),
            _ => self.residual_at_collocation(&self.at_collocation)?,
        };
        let now = norm(&residuals);
        let mut step = self.whole_step()?;
        if change(&step.latents, &self.at_collocation).0 <= SMALL {
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
    pub(crate) fn solve_fraction(&self, fraction: f64) -> Result<Posterior<K>, BilevelError> {
        let step = self.whole_step()?;
        if fraction == 1.0 {
            return Ok(step.posterior);
        }
        let residuals = self.residual_at_collocation(&self.at_collocation)?;
        let whole = step.posterior.rhs().to_vec();
        Ok(self.shorten(step, fraction, &whole, &residuals)?.posterior)
    }

    fn whole_step(&self) -> Result<Step<K>, BilevelError> {
        let posterior = self
            .inner_problem(&self.collocation.observations, &[])?
            .solve(&self.kernels)
            .map_err(|source| BilevelError::Step { gauss_newton: self.gauss_newton, outer: 0, source })?;
        self.measure(posterior, 1.0)
    }

    /// A fraction of the step in place of another; `whole` are the right-hand sides of all of it.
    fn shorten(&self, step: Step<K>, fraction: f64, whole: &[f64], residuals: &[f64]) -> Result<Step<K>, BilevelError> {
        let mut rhs = whole.to_vec();
        // The PDE's rows come first, equation by equation, as the residuals do.
        for (b, f) in rhs.iter_mut().zip(residuals) {
            *b += (1.0 - fraction) * f;
        }
        self.measure(step.posterior.with_rhs(rhs)?, fraction)
    }

    fn measure(&self, posterior: Posterior<K>, fraction: f64) -> Result<Step<K>, BilevelError> {
        let latents = posterior.latents(0)?;
        let residual = match self.settings.step_control {
            StepControl::Full => f64::NAN,
            // A residual that can't be evaluated is as bad as one that grows.
            StepControl::Backtracking => self.residual_at_collocation(&latents).map_or(f64::INFINITY, |r| norm(&r)),
        };
        Ok(Step { posterior, latents, residual, fraction })
    }

    /// `F(u)` at the collocation points from the unknowns there, equation by equation.
    fn residual_at_collocation(&self, unknowns: &[Vec<f64>]) -> Result<Vec<f64>, BilevelError> {
        Ok(self.equations.residual(&self.collocation.interior, unknowns)?.concat())
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}
