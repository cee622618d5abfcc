//! A run, one step at a time: begin a Gauss-Newton step, take its outer steps, advance.
//!
//! Each of the three computes first and changes the run last, so that after an error the run is where it was: with other hyperparameters
//! ([`Bilevel::set_theta`]) it can go on.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use hyperpde_gp::{Posterior, RowBlock};
use hyperpde_kernels::{Kernel, Points};
use hyperpde_pde::{Collocation, Fold, PdeError, Problem, Sampler, seeded};
use rand_chacha::ChaCha8Rng;

use crate::batches::Batches;
use crate::error::BilevelError;
use crate::events::{Clock, Event, Outcome};
use crate::hyperparameters::Hyperparameters;
use crate::iterate::Iterate;
use crate::linearisation::Scoring;
use crate::linearity;
use crate::optimizer::Optimizer;
use crate::record::{Observer, Termination};
use crate::refine::Refiner;
use crate::settings::BilevelSettings;
use crate::stage::Stage;
use crate::state::State;
use crate::system::System;

/// Streams of the run's seed that are not used for sampling points.
const BATCH_STREAM: u64 = 1 << 32;
const MONITOR_STREAM: u64 = BATCH_STREAM + 1;

/// A bilevel run, one step at a time.
pub struct Bilevel<K: Kernel> {
    pub(crate) system: System,
    /// Whether the equations are linear, as far as has been seen.
    pub(crate) linear: bool,
    pub(crate) settings: BilevelSettings,
    pub(crate) hyper: Hyperparameters<K>,
    pub(crate) state: State<K>,
    /// The Gauss-Newton step in progress.
    pub(crate) stage: Option<Stage>,
    pub(crate) optimizer: Box<dyn Optimizer>,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) clock: Clock,
    pub(crate) batches: Batches,
    pub(crate) scoring: Scoring,
    pub(crate) refiner: Option<Box<dyn Refiner<K>>>,
    pub(crate) monitor: Option<Points>,
}

impl<K: Kernel> Bilevel<K> {
    /// A run that starts from the zero function; see [`Bilevel::with_start`].
    ///
    /// # Arguments
    /// * `problem`, `collocation` - what is solved, and the points it is solved on.
    /// * `kernels` - one per field; on an autodiff device if anything is to be learned.
    ///
    /// # Errors
    /// [`BilevelError::Setting`] for settings out of range, such as a batch larger than the validation pool;
    /// [`BilevelError::Untracked`] if there are outer steps and no kernel has anything to learn.
    pub fn init(
        problem: &Problem,
        collocation: Collocation,
        kernels: Vec<K>,
        settings: BilevelSettings,
    ) -> Result<Self, BilevelError> {
        settings.check(&collocation)?;
        let system = System::new(problem, kernels.len(), &settings)?;
        let hyper = Hyperparameters::new(kernels, settings.retries)?;
        if settings.outer_steps > 0 && !hyper.are_tracked() {
            return Err(BilevelError::Untracked);
        }
        let monitor = if settings.monitor > 0 {
            let mut rng = seeded(settings.seed, MONITOR_STREAM);
            let points = Sampler::Uniform.interior(problem.geometry(), settings.monitor, &mut rng);
            Some(points.map_err(PdeError::from)?)
        } else {
            None
        };
        Ok(Self {
            linear: linearity::at(&system, &collocation.interior),
            state: State::zero(collocation, system.unknowns.len()),
            system,
            hyper,
            stage: None,
            optimizer: settings.optimizer.build(settings.learning_rate, &settings.optimizer_constants),
            rng: seeded(settings.seed, BATCH_STREAM),
            clock: Clock { started: Instant::now(), before: 0.0 },
            batches: Batches::Random,
            scoring: Scoring::default(),
            refiner: None,
            monitor,
            settings,
        })
    }

    /// Starts from a solution in place of the zero function, such as one on other points or of a neighbouring problem (continuation).
    /// Its kernels may differ from those of the run.
    ///
    /// # Errors
    /// [`BilevelError::Gp`] if it can't be evaluated at the collocation points, as with too few fields or too rough a kernel.
    pub fn with_start(mut self, start: Arc<Posterior<K>>) -> Result<Self, BilevelError> {
        let iterate = Iterate::Solved(start);
        self.state.at_collocation = iterate.at(&self.system.unknowns, &self.state.collocation.interior)?;
        self.state.iterate = iterate;
        Ok(self)
    }

    /// Another optimizer than the settings name.
    ///
    /// # Errors
    /// [`BilevelError::Setting`] for a run that has taken steps: the optimizer's memory of them would be lost. A run goes on from a
    /// snapshot with another optimizer through [`Bilevel::restore_with`].
    pub fn with_optimizer(mut self, optimizer: impl Optimizer + 'static) -> Result<Self, BilevelError> {
        if self.state.gauss_newton > 0 || self.stage.is_some() {
            let expected = "it is chosen before the first step; restore_with takes one for a run that goes on";
            let value = optimizer.name().to_owned();
            return Err(BilevelError::Setting { name: "optimizer", value, expected: expected.into() });
        }
        self.optimizer = Box::new(optimizer);
        Ok(self)
    }

    /// Given batches in place of random ones.
    pub fn with_batches(mut self, batches: Batches) -> Self {
        self.batches = batches;
        self
    }

    /// Further rows that the outer loss scores at every step, for example held-out observations, with the weight of their squares
    /// ([`hyperpde_pde::misfit_weight`]). An objective that scores every row over its own size does not look at the weight.
    pub fn with_scored_rows(mut self, rows: RowBlock, weight: f64) -> Self {
        self.scoring.extra.push((rows, weight));
        self
    }

    /// Cross-validation over the observations: the outer loss gets one term per fold, whose inner solve fits the fold's first part and
    /// which scores its second; the equations' part of the loss is the mean over folds. The iterate itself fits all observations, those
    /// of the collocation; they reach a term that holds them out through the point of linearisation only.
    pub fn with_folds(mut self, folds: Vec<Fold>) -> Self {
        self.scoring.folds = folds;
        self
    }

    /// Other points between Gauss-Newton steps.
    pub fn with_refiner(mut self, refiner: impl Refiner<K> + 'static) -> Self {
        self.refiner = Some(Box::new(refiner));
        self
    }

    /// Rows of the inner system: PDE rows and all conditions and observations.
    pub fn rows(&self) -> usize {
        self.system.rows(&self.state.collocation)
    }

    /// Hyperparameters as they are now, flat.
    pub fn theta(&self) -> &[f64] {
        &self.hyper.theta
    }

    /// Replaces the hyperparameters, for example to try a point of one's own between steps.
    ///
    /// # Errors
    /// [`BilevelError::Kernel`] if the length does not fit.
    pub fn set_theta(&mut self, theta: &[f64]) -> Result<(), BilevelError> {
        self.hyper.set(theta)
    }

    /// The points that the iterate was solved on.
    pub fn collocation(&self) -> &Collocation {
        &self.state.collocation
    }

    /// The iterate's unknowns at the collocation points, `[unknowns][n]`, the nugget's share included.
    pub fn iterate(&self) -> &[Vec<f64>] {
        &self.state.at_collocation
    }

    /// Whether the equations are linear: seen from their rows about different functions, the iterates among them.
    pub fn is_linear(&self) -> bool {
        self.linear
    }

    /// Ends the run here: further steps do nothing, and a snapshot says that it was stopped.
    pub fn stop(&mut self) {
        self.state.termination = Some(Termination::Stopped);
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// As [`Bilevel::step`].
    pub fn run(mut self, observer: &mut dyn Observer<K>) -> Result<Outcome<K>, BilevelError> {
        loop {
            match self.step()? {
                Event::Outer(record) => observer.outer(&record),
                Event::GaussNewton(record, posterior) => {
                    if let ControlFlow::Break(()) = observer.gauss_newton(&record, &posterior) {
                        self.stop();
                    }
                }
                Event::Done(termination) => return self.terminate(termination),
            }
        }
    }

    fn terminate(self, termination: Termination) -> Result<Outcome<K>, BilevelError> {
        let State { iterate, recipe, best, gauss_newton, .. } = self.state;
        let (Iterate::Solved(last), Some(recipe)) = (iterate, recipe) else {
            return Err(BilevelError::Setting {
                name: "Gauss-Newton steps",
                value: "0".into(),
                expected: "at least one step must have been taken".into(),
            });
        };
        let best = best.map_or_else(|| last.clone(), |best| best.posterior);
        let kernels = self.hyper.kernels;
        let linear = self.linear;
        Ok(Outcome { last, recipe, best, kernels, termination, linear, gauss_newton_steps: gauss_newton })
    }
}
