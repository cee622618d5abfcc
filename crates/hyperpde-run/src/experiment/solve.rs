//! Gauss-Newton with frozen kernels, and the errors of what it finds.

use std::ops::ControlFlow;
use std::sync::Arc;

use hyperpde_bilevel::{Bilevel, BilevelError, BilevelSettings, GaussNewtonRecord, Observer, Outcome, SolveSnapshot};
use hyperpde_gp::Posterior;
use hyperpde_kernels::Kernel;
use hyperpde_pde::{Collocation, FieldErrors, Problem};

use crate::error::RunError;
use crate::host::Host;

/// Gauss-Newton steps of the solves with a frozen kernel, and the relative change at which they stop.
pub(crate) const FROZEN_STEPS: usize = 30;
const FROZEN_TOLERANCE: f64 = 1e-7;

/// The posterior of a frozen solve with its errors.
pub(super) struct Solved<K: Kernel> {
    pub posterior: Arc<Posterior<K>>,
    /// Whether the equations are linear: the last step was exact.
    pub linear: bool,
    /// What makes it again.
    pub recipe: SolveSnapshot,
    /// Per score, none without a reference.
    pub errors: Vec<(String, FieldErrors)>,
    /// Fields on the test grid, `[fields][n]`.
    pub predictions: Vec<Vec<f64>>,
}

/// Settings of Gauss-Newton with frozen kernels, to convergence.
pub(super) fn frozen_settings(settings: &BilevelSettings) -> BilevelSettings {
    settings.clone().frozen(FROZEN_STEPS.max(settings.gauss_newton_steps), FROZEN_TOLERANCE)
}

/// Ends a solve when the host wants an end.
struct Interruptible<'a>(&'a dyn Host);

impl<K: Kernel> Observer<K> for Interruptible<'_> {
    fn gauss_newton(&mut self, _: &GaussNewtonRecord, _: &Posterior<K>) -> ControlFlow<()> {
        if self.0.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Gauss-Newton with frozen kernels, to convergence: from a solution on other points if there is one, else from zero. A problem may
/// have more than one discrete solution, and from zero another may be found than the one that was learned about.
pub(super) fn frozen<K: Kernel>(
    problem: &Problem,
    collocation: &Collocation,
    kernels: &[K],
    settings: &BilevelSettings,
    start: Option<&Arc<Posterior<K>>>,
    host: &dyn Host,
) -> Result<Solved<K>, RunError> {
    let settings = BilevelSettings { monitor: 0, ..frozen_settings(settings) };
    let kernels = kernels.iter().map(burn::module::Module::valid).collect();
    let solve = || -> Result<Outcome<K>, BilevelError> {
        let run = Bilevel::init(problem, collocation.clone(), kernels, settings)?;
        match start {
            Some(start) => run.with_start(start.clone())?,
            None => run,
        }
        .run(&mut Interruptible(host))
    };
    let outcome = solve().map_err(|e| RunError::numerical("solving with the kernel frozen", e))?;
    check(host)?;
    Solved::of(problem, outcome)
}

impl<K: Kernel> Solved<K> {
    /// The last iterate of a solve.
    pub fn of(problem: &Problem, outcome: Outcome<K>) -> Result<Self, RunError> {
        let (errors, predictions) = score(problem, &outcome.last)?;
        let Outcome { last: posterior, recipe, linear, .. } = outcome;
        Ok(Self { posterior, linear, recipe, errors, predictions })
    }
}

/// Errors by name, and predictions `[fields][n]`.
type Scored = (Vec<(String, FieldErrors)>, Vec<Vec<f64>>);

/// Errors of every scored quantity on the test grid (none without a reference), and the predictions `[fields][n]`.
pub(super) fn score<K: Kernel>(problem: &Problem, posterior: &Posterior<K>) -> Result<Scored, RunError> {
    let grid = problem.test_grid().points();
    let failed = |e: hyperpde_gp::GpError| RunError::numerical("evaluating the solution", e);
    let predictions = (0..problem.fields().len())
        .map(|f| posterior.values(f, grid).map_err(failed))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(truth) = truth(problem)? else {
        return Ok((Vec::new(), predictions));
    };
    let errors = problem.errors(&predictions, &truth).map_err(|e| RunError::numerical("scoring the solution", e))?;
    Ok((errors, predictions))
}

/// An error if the host wants an end.
pub(super) fn check(host: &dyn Host) -> Result<(), RunError> {
    if host.interrupted() { Err(RunError::Interrupted { folder: None }) } else { Ok(()) }
}

/// The reference on the test grid, `[fields][n]`.
pub(super) fn truth(problem: &Problem) -> Result<Option<Vec<Vec<f64>>>, RunError> {
    let on_grid = problem.reference().map(|r| r.evaluate(problem.test_grid().points())).transpose();
    on_grid.map_err(|e| RunError::numerical("evaluating the reference", e))
}
