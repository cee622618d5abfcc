//! The state of a run between two Gauss-Newton steps, and a run that goes on from it.
//!
//! A solution is stored as what it was solved from (the iterate it was linearised about, hyperparameters, fraction of the step) and
//! solved again: the inner solve is deterministic, so a resumed run gives bit for bit the numbers of an uninterrupted one on the same
//! backend and machine, and nothing of size n x n is written.

use std::sync::Arc;

use hyperpde_gp::Posterior;
use hyperpde_kernels::{Kernel, with_parameters};
use hyperpde_pde::{Collocation, Problem};
use serde::{Deserialize, Serialize};

use crate::bilevel::{Best, Bilevel};
use crate::error::BilevelError;
use crate::iterate::Iterate;
use crate::optimizer::OptimizerSnapshot;
use crate::record::Termination;
use crate::settings::BilevelSettings;

/// What one inner solve is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SolveSnapshot {
    /// Unknowns at the collocation points that the equations were linearised about, `[unknowns][n]`.
    pub about: Vec<Vec<f64>>,
    /// Hyperparameters, flat.
    pub theta: Vec<f64>,
    /// Fraction of the Gauss-Newton step.
    pub fraction: f64,
}

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
    /// Seconds spent.
    pub seconds: f64,
    /// Whether the run was over.
    pub finished: bool,
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
        let settings = BilevelSettings { outer_steps: 0, monitor: 0, ..settings.clone() };
        let mut run = Bilevel::init(problem, collocation, kernels, settings)?;
        run.check_fit(self)?;
        run.solve_again(self)
    }
}

impl<K: Kernel> Bilevel<K> {
    /// The state of the run; nothing before the first Gauss-Newton step is complete and while one is in progress.
    pub fn snapshot(&self) -> Option<Snapshot> {
        if self.stage.is_some() {
            return None;
        }
        Some(Snapshot {
            gauss_newton: self.gauss_newton,
            theta: self.theta.clone(),
            safe: self.safe.clone(),
            retries: self.retries,
            optimizer: self.optimizer.save(),
            // The stream is far too short to use more than 64 bits.
            batch_position: u64::try_from(self.rng.get_word_pos()).ok()?,
            iterate: self.recipe.clone()?,
            best: self.best.as_ref().map(|best| (best.residual, best.recipe.clone())),
            seconds: self.seconds_before + self.started.elapsed().as_secs_f64(),
            finished: self.termination.is_some(),
        })
    }

    /// A run that goes on from a snapshot; all other arguments as the interrupted run had them.
    ///
    /// # Errors
    /// [`BilevelError::Snapshot`] if the snapshot does not fit the problem, the points or the kernels, and those of [`Bilevel::init`] and of the
    /// inner solves.
    pub fn restore(
        problem: &Problem,
        collocation: Collocation,
        kernels: Vec<K>,
        settings: BilevelSettings,
        snapshot: &Snapshot,
    ) -> Result<Self, BilevelError> {
        let mut run = Self::init(problem, collocation, kernels, settings)?;
        for solve in std::iter::once(&snapshot.iterate).chain(snapshot.best.iter().map(|(_, best)| best)) {
            run.check_fit(solve)?;
        }
        if snapshot.theta.len() != run.theta.len() {
            return Err(run.misfit(snapshot.theta.len(), &snapshot.iterate));
        }
        if let Some((residual, recipe)) = &snapshot.best {
            let posterior = Arc::new(run.solve_again(recipe)?);
            run.best = Some(Best { residual: *residual, posterior, recipe: recipe.clone() });
        }
        let posterior = match &run.best {
            Some(best) if best.recipe == snapshot.iterate => best.posterior.clone(),
            _ => Arc::new(run.solve_again(&snapshot.iterate)?),
        };
        run.at_collocation = posterior.latents(0)?;
        run.iterate = Iterate::Solved(posterior);
        run.recipe = Some(snapshot.iterate.clone());
        run.gauss_newton = snapshot.gauss_newton;
        (run.safe, run.retries) = (snapshot.safe.clone(), snapshot.retries);
        run.optimizer.load(&snapshot.optimizer);
        run.rng.set_word_pos(u128::from(snapshot.batch_position));
        run.seconds_before = snapshot.seconds;
        run.set_theta(&snapshot.theta)?;
        if snapshot.finished || snapshot.gauss_newton >= run.settings.gauss_newton_steps {
            run.termination = Some(Termination::StepsTaken);
        }
        Ok(run)
    }

    fn check_fit(&self, solve: &SolveSnapshot) -> Result<(), BilevelError> {
        let points = self.collocation.interior.len();
        let about = solve.about.len() == self.at_collocation.len() && solve.about.iter().all(|v| v.len() == points);
        if about && solve.theta.len() == self.theta.len() { Ok(()) } else { Err(self.misfit(solve.theta.len(), solve)) }
    }

    fn misfit(&self, theta: usize, solve: &SolveSnapshot) -> BilevelError {
        BilevelError::Snapshot(format!(
            "the run has {} hyperparameters and {} unknowns at {} collocation points, the snapshot {theta} hyperparameters and {} unknowns at {}",
            self.theta.len(),
            self.at_collocation.len(),
            self.collocation.interior.len(),
            solve.about.len(),
            solve.about.first().map_or(0, Vec::len)
        ))
    }

    fn solve_again(&mut self, recipe: &SolveSnapshot) -> Result<Posterior<K>, BilevelError> {
        self.at_collocation.clone_from(&recipe.about);
        self.kernels = with_parameters(std::mem::take(&mut self.kernels), &recipe.theta)?;
        self.solve_fraction(recipe.fraction)
    }
}
