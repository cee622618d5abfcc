//! Where a run stands between two Gauss-Newton steps.

use std::sync::Arc;

use hyperpde_gp::Posterior;
use hyperpde_kernels::{Kernel, Points};
use hyperpde_pde::Collocation;

use crate::advance::{Advance, Step};
use crate::error::BilevelError;
use crate::iterate::{Iterate, change};
use crate::linearisation::About;
use crate::recipe::{PointsSnapshot, SolveSnapshot};
use crate::record::Termination;
use crate::settings::StepControl;
use crate::system::System;

/// An iterate beyond this is taken as divergence.
const DIVERGED: f64 = 1e12;

/// The iterate with all that the next step needs to know of it.
pub(crate) struct State<K: Kernel> {
    /// Gauss-Newton steps taken.
    pub gauss_newton: usize,
    pub iterate: Iterate<K>,
    /// The points that the iterate was solved on.
    pub collocation: Collocation,
    /// Its unknowns there, `[unknowns][n]`, the nugget's share included.
    pub at_collocation: Vec<Vec<f64>>,
    /// Whether a refiner has changed the points.
    pub refined: bool,
    /// How the iterate was solved for.
    pub recipe: Option<SolveSnapshot>,
    pub best: Option<Best<K>>,
    /// Gauss-Newton steps in a row, up to now, that gained nothing.
    pub idle: usize,
    pub termination: Option<Termination>,
}

/// The iterate with the smallest residual so far, and how it was solved for.
pub(crate) struct Best<K: Kernel> {
    pub residual: f64,
    pub posterior: Arc<Posterior<K>>,
    pub recipe: SolveSnapshot,
}

/// What became of a step.
pub(crate) struct Accepted<K: Kernel> {
    pub posterior: Arc<Posterior<K>>,
    /// Fraction of the step that was taken.
    pub fraction: f64,
    /// Relative change of the unknowns.
    pub increment: f64,
    /// Root mean square of the nonlinear residual on the watched points.
    pub residual: Option<f64>,
}

/// Other points, and the iterate's unknowns there.
pub(crate) struct Refined {
    pub collocation: Collocation,
    pub unknowns: Vec<Vec<f64>>,
}

impl<K: Kernel> State<K> {
    /// At the zero function.
    pub fn zero(collocation: Collocation, unknowns: usize) -> Self {
        let at_collocation = vec![vec![0.0; collocation.interior.len()]; unknowns];
        Self {
            gauss_newton: 0,
            iterate: Iterate::Zero,
            collocation,
            at_collocation,
            refined: false,
            recipe: None,
            best: None,
            idle: 0,
            termination: None,
        }
    }

    /// What the next step is linearised about: other points if a refiner gave some.
    pub fn about<'a>(&'a self, refined: Option<&'a Refined>) -> About<'a> {
        match refined {
            Some(refined) => About { collocation: &refined.collocation, unknowns: &refined.unknowns },
            None => About { collocation: &self.collocation, unknowns: &self.at_collocation },
        }
    }

    /// Makes a solved step the iterate; after an error the state is what it was.
    pub fn accept(
        &mut self,
        system: &System,
        step: Step<K>,
        refined: Option<&Refined>,
        theta: &[f64],
        monitor: Option<&Points>,
    ) -> Result<Accepted<K>, BilevelError> {
        let gauss_newton = self.gauss_newton + 1;
        let about = self.about(refined).unknowns.to_vec();
        let (increment, size) = change(&step.latents, &about);
        if size > DIVERGED {
            return Err(BilevelError::Diverged { gauss_newton, size });
        }
        // A shortened step has a factor; the iterate and the best one would each hold on to a matrix.
        let posterior = Arc::new(step.posterior.without_factor());
        // A solution that overflows elsewhere is as bad as one that can't be solved for.
        let failed = |error| match error {
            BilevelError::Gp(source) => BilevelError::from_solve(gauss_newton, 0, source),
            other => other,
        };
        let residual = monitor.map(|points| system.residual_rms(&posterior, points)).transpose().map_err(failed)?;
        if let Some(refined) = refined {
            self.collocation = refined.collocation.clone();
            self.refined = true;
        }
        let points = self.refined.then(|| PointsSnapshot::of(&self.collocation));
        let fraction = step.fraction;
        let recipe = SolveSnapshot { about, theta: theta.to_vec(), fraction, points };
        if let Some(residual) = residual
            && self.best.as_ref().is_none_or(|best| residual < best.residual)
        {
            self.best = Some(Best { residual, posterior: posterior.clone(), recipe: recipe.clone() });
        }
        self.recipe = Some(recipe);
        self.at_collocation = step.latents;
        self.iterate = Iterate::Solved(posterior.clone());
        self.gauss_newton = gauss_newton;
        Ok(Accepted { posterior, fraction, increment, residual })
    }
}

/// Solves a recipe again. `start` are the points that its run began with.
///
/// # Errors
/// [`BilevelError::Snapshot`] if it does not fit, and those of the solve.
pub(crate) fn solve_again<K: Kernel>(
    system: &System,
    start: &Collocation,
    kernels: &[K],
    recipe: &SolveSnapshot,
) -> Result<(Posterior<K>, Vec<Vec<f64>>), BilevelError> {
    let refined = recipe.points.as_ref().map(|points| points.put_into(start)).transpose()?;
    let collocation = refined.as_ref().unwrap_or(start);
    let (points, unknowns) = (collocation.interior.len(), system.unknowns.len());
    if recipe.about.len() != unknowns || recipe.about.iter().any(|v| v.len() != points) {
        return Err(BilevelError::Snapshot(format!(
            "the run has {unknowns} unknowns at {points} collocation points, the snapshot {} unknowns at {}",
            recipe.about.len(),
            recipe.about.iter().map(Vec::len).find(|n| *n != points).unwrap_or(points)
        )));
    }
    let about = About { collocation, unknowns: &recipe.about };
    let pde = system.linearise("pde", &collocation.interior, &recipe.about)?;
    let (control, gauss_newton) = (StepControl::Full, 0);
    let step = Advance { system, about, pde: &pde, kernels, control, gauss_newton }.fraction(recipe.fraction)?;
    Ok((step.posterior, step.latents))
}
