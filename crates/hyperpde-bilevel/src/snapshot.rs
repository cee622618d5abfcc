//! The state of a run between two Gauss-Newton steps, and a run that goes on from it.
//!
//! A solution is stored as what it was solved from (the iterate it was linearised about, hyperparameters, fraction of the step, points if
//! they were refined) and solved again: the inner solve is deterministic, so a resumed run gives bit for bit the numbers of an
//! uninterrupted one on the same backend and machine, and nothing of size n x n is written.

use std::sync::Arc;

use burn::module::Module;
use hyperpde_gp::Posterior;
use hyperpde_kernels::{Kernel, with_parameters};
use hyperpde_pde::{Collocation, Problem};
use serde::{Deserialize, Serialize};

use crate::bilevel::Bilevel;
use crate::error::BilevelError;
use crate::iterate::Iterate;
use crate::linearity;
use crate::optimizer::{Optimizer, OptimizerSnapshot};
use crate::recipe::SolveSnapshot;
use crate::record::Termination;
use crate::settings::BilevelSettings;
use crate::state::{Best, solve_again};
use crate::system::System;

/// A run between two Gauss-Newton steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Gauss-Newton steps taken.
    pub gauss_newton: usize,
    /// Hyperparameters, flat.
    pub theta: Vec<f64>,
    /// Last hyperparameters whose inner solve succeeded.
    pub safe: Option<Vec<f64>>,
    /// Times that training may still back off.
    pub retries: usize,
    /// Memory of the optimizer.
    pub optimizer: OptimizerSnapshot,
    /// Position in the random stream of the batches.
    pub batch_position: u64,
    /// The iterate.
    pub iterate: SolveSnapshot,
    /// The iterate with the smallest residual and that residual, if it is another.
    pub best: Option<(f64, SolveSnapshot)>,
    /// Gauss-Newton steps in a row, up to now, that gained nothing.
    pub idle: usize,
    /// Seconds spent.
    pub seconds: f64,
    /// Why the run was over, if it was.
    pub termination: Option<Termination>,
}

impl SolveSnapshot {
    /// The solve again, bit for bit on the same backend and machine.
    ///
    /// # Arguments
    /// * `problem`, `collocation`, `settings` - as the run had them that solved; of the settings, nugget and inner solve matter.
    /// * `kernels` - one per field, of the same kinds; their hyperparameters are replaced.
    ///
    /// # Errors
    /// [`BilevelError::Snapshot`] if it does not fit the problem, the points or the kernels, and those of the inner solve.
    pub fn solve<K: Kernel>(
        &self,
        problem: &Problem,
        collocation: Collocation,
        kernels: Vec<K>,
        settings: &BilevelSettings,
    ) -> Result<Posterior<K>, BilevelError> {
        let system = System::new(problem, kernels.len(), settings)?;
        Ok(solve_again(&system, &collocation, &kernels_of(kernels, self)?, self)?.0.without_factor())
    }
}

impl<K: Kernel> Bilevel<K> {
    /// The state of the run; nothing before the first Gauss-Newton step is complete and while one is in progress.
    pub fn snapshot(&self) -> Option<Snapshot> {
        if self.stage.is_some() {
            return None;
        }
        let state = &self.state;
        Some(Snapshot {
            gauss_newton: state.gauss_newton,
            theta: self.hyper.theta.clone(),
            safe: self.hyper.safe.clone(),
            retries: self.hyper.retries,
            optimizer: self.optimizer.save(),
            // The stream is far too short to use more than 64 bits.
            batch_position: u64::try_from(self.rng.get_word_pos()).ok()?,
            iterate: state.recipe.clone()?,
            best: state.best.as_ref().map(|best| (best.residual, best.recipe.clone())),
            idle: state.idle,
            seconds: self.clock.seconds(),
            termination: state.termination,
        })
    }

    /// A run that goes on from a snapshot with the optimizer of the settings; all other arguments as the interrupted run had them, and
    /// what its `with_` methods were given is to be given again.
    ///
    /// # Errors
    /// [`BilevelError::Snapshot`] if the snapshot does not fit the problem, the points or the kernels, [`BilevelError::Optimizer`] if it was
    /// made with another optimizer, and those of [`Bilevel::init`] and of the inner solves.
    pub fn restore(
        problem: &Problem,
        collocation: Collocation,
        kernels: Vec<K>,
        settings: BilevelSettings,
        snapshot: &Snapshot,
    ) -> Result<Self, BilevelError> {
        let optimizer = settings.optimizer.build(settings.learning_rate, &settings.optimizer_constants);
        Self::restore_with(problem, collocation, kernels, settings, snapshot, optimizer)
    }

    /// As [`Bilevel::restore`] with an optimizer of one's own, which takes the memory in the snapshot.
    ///
    /// # Errors
    /// As [`Bilevel::restore`].
    pub fn restore_with(
        problem: &Problem,
        collocation: Collocation,
        kernels: Vec<K>,
        settings: BilevelSettings,
        snapshot: &Snapshot,
        mut optimizer: Box<dyn Optimizer>,
    ) -> Result<Self, BilevelError> {
        let mut run = Self::init(problem, collocation, kernels, settings)?;
        optimizer.load(&snapshot.optimizer)?;
        run.optimizer = optimizer;
        for theta in std::iter::once(&snapshot.theta).chain(&snapshot.safe) {
            check_length(run.hyper.theta.len(), theta.len())?;
        }
        let start = run.state.collocation.clone();
        let again = |recipe: &SolveSnapshot| {
            let kernels = kernels_of(run.hyper.kernels.clone(), recipe)?;
            solve_again(&run.system, &start, &kernels, recipe)
                .map(|(p, latents)| (Arc::new(p.without_factor()), latents))
        };
        let (posterior, latents) = again(&snapshot.iterate)?;
        let points = snapshot.iterate.points.as_ref().map(|points| points.put_into(&start)).transpose()?;
        let points = &points.as_ref().unwrap_or(&start).interior;
        let linear = run.linear && linearity::between(&run.system, points, &snapshot.iterate.about, &latents);
        let best = match &snapshot.best {
            None => None,
            Some((residual, recipe)) => {
                let posterior = if *recipe == snapshot.iterate { posterior.clone() } else { again(recipe)?.0 };
                Some(Best { residual: *residual, posterior, recipe: recipe.clone() })
            }
        };
        run.linear = linear;
        let state = &mut run.state;
        if let Some(points) = &snapshot.iterate.points {
            (state.collocation, state.refined) = (points.put_into(&start)?, true);
        }
        (state.iterate, state.at_collocation) = (Iterate::Solved(posterior), latents);
        (state.recipe, state.best) = (Some(snapshot.iterate.clone()), best);
        (state.gauss_newton, state.termination) = (snapshot.gauss_newton, snapshot.termination);
        state.idle = snapshot.idle;
        if state.termination.is_none() && snapshot.gauss_newton >= run.settings.gauss_newton_steps {
            state.termination = Some(Termination::StepsTaken);
        }
        run.hyper.set(&snapshot.theta)?;
        (run.hyper.safe, run.hyper.retries) = (snapshot.safe.clone(), snapshot.retries);
        run.rng.set_word_pos(u128::from(snapshot.batch_position));
        run.clock.before = snapshot.seconds;
        Ok(run)
    }
}

/// The kernels with the hyperparameters of a recipe.
fn kernels_of<K: Kernel>(kernels: Vec<K>, recipe: &SolveSnapshot) -> Result<Vec<K>, BilevelError> {
    check_length(kernels.iter().map(Module::num_params).sum(), recipe.theta.len())?;
    Ok(with_parameters(kernels, &recipe.theta)?)
}

fn check_length(run: usize, snapshot: usize) -> Result<(), BilevelError> {
    if run == snapshot {
        return Ok(());
    }
    Err(BilevelError::Snapshot(format!("the run has {run} hyperparameters, the snapshot {snapshot}")))
}
