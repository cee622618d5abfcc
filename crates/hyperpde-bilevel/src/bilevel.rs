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

use crate::advance::{Advance, Step};
use crate::batches::Batches;
use crate::error::BilevelError;
use crate::hypergradient::OuterValue;
use crate::hyperparameters::Hyperparameters;
use crate::iterate::Iterate;
use crate::linearisation::{About, Batch, Linearisation, Relative, Scoring};
use crate::optimizer::{LossRange, Optimizer, Progress};
use crate::outer::Outer;
use crate::recipe::SolveSnapshot;
use crate::record::{GaussNewtonRecord, Observer, OuterRecord, Termination};
use crate::refine::{self, Refiner};
use crate::settings::{BilevelSettings, StepControl};
use crate::state::{Refined, State};
use crate::system::System;

/// Streams of the run's seed that are not used for sampling points.
const BATCH_STREAM: u64 = 1 << 32;
const MONITOR_STREAM: u64 = BATCH_STREAM + 1;

/// What a call of [`Bilevel::step`] did.
#[derive(Debug)]
pub enum Event<K: Kernel> {
    /// An outer step.
    Outer(OuterRecord),
    /// The inner solve that ends a Gauss-Newton step.
    GaussNewton(GaussNewtonRecord, Arc<Posterior<K>>),
    /// Nothing: the run is over.
    Done(Termination),
}

/// A bilevel run, one step at a time.
pub struct Bilevel<K: Kernel> {
    pub(crate) system: System,
    pub(crate) settings: BilevelSettings,
    pub(crate) hyper: Hyperparameters<K>,
    pub(crate) state: State<K>,
    /// The Gauss-Newton step in progress.
    pub(crate) stage: Option<Stage>,
    pub(crate) optimizer: Box<dyn Optimizer>,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) clock: Clock,
    batches: Batches,
    scoring: Scoring,
    refiner: Option<Box<dyn Refiner<K>>>,
    monitor: Option<Points>,
}

/// A Gauss-Newton step in progress.
pub(crate) struct Stage {
    linearisation: Linearisation,
    /// Points that a refiner gave for it.
    refined: Option<Refined>,
    /// Outer steps so far.
    outer: usize,
    /// Loss at the last of them.
    loss: Option<f64>,
    /// Whether no further outer step is wanted.
    finished: bool,
}

/// Seconds of a run that may have been interrupted.
pub(crate) struct Clock {
    pub started: Instant,
    /// Seconds before the interruption.
    pub before: f64,
}

impl Clock {
    pub fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome<K: Kernel> {
    /// The iterate after the last Gauss-Newton step, with its kernels.
    pub last: Arc<Posterior<K>>,
    /// How `last` was solved for: [`SolveSnapshot::solve`] makes it again.
    pub recipe: SolveSnapshot,
    /// The iterate with the smallest nonlinear residual on the independent points (the last one without such points). Where observations
    /// decide, take `last`: a smooth function that ignores them has the smallest residual.
    pub best: Arc<Posterior<K>>,
    /// Learned kernels, on the device they came from.
    pub kernels: Vec<K>,
    /// Why it ended.
    pub termination: Termination,
    /// Gauss-Newton steps taken.
    pub gauss_newton_steps: usize,
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

    /// Ends the run here: further steps do nothing, and a snapshot says that it was stopped.
    pub fn stop(&mut self) {
        self.state.termination = Some(Termination::Stopped);
    }

    /// Advances by one outer step or one inner solve.
    ///
    /// A solve that fails after an update is backed off from: the parameters return to the last good ones and further steps are halved.
    ///
    /// # Errors
    /// [`BilevelError::Step`] for a failure that backing off can't mend, such as one at the initial hyperparameters. The run is then where
    /// it was, but for hyperparameters that training has backed off from.
    pub fn step(&mut self) -> Result<Event<K>, BilevelError> {
        if let Some(termination) = self.state.termination {
            return Ok(Event::Done(termination));
        }
        let mut stage = match self.stage.take() {
            Some(stage) => stage,
            None => self.begin()?,
        };
        let warming_up = self.state.gauss_newton < self.settings.warm_up;
        let over = stage.finished || warming_up || stage.outer >= self.settings.outer_steps;
        let event = if over { self.advance(&stage) } else { self.outer_step(&mut stage).map(Event::Outer) };
        if !over || event.is_err() {
            self.stage = Some(stage);
        }
        event
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
        Ok(Outcome { last, recipe, best, kernels, termination, gauss_newton_steps: gauss_newton })
    }

    /// Begins a Gauss-Newton step: asks the refiner, freezes the iterate and linearises about it, on the collocation points and on a batch.
    pub(crate) fn begin(&mut self) -> Result<Stage, BilevelError> {
        let refined = match (&mut self.refiner, &self.state.iterate) {
            (Some(refiner), Iterate::Solved(posterior)) => refiner.refine(posterior, &self.state.collocation)?,
            _ => None,
        };
        let refined = match refined {
            Some(collocation) => {
                refine::check(&self.state.collocation, &collocation)?;
                self.settings.check(&collocation)?;
                let unknowns = self.state.iterate.at(&self.system.unknowns, &collocation.interior)?;
                Some(Refined { collocation, unknowns })
            }
            None => None,
        };
        let about = self.state.about(refined.as_ref());
        let mut rng = self.rng.clone();
        let mut linearisation = Linearisation::of_equations(&self.system, about)?;
        if self.settings.outer_steps > 0 {
            let batch = self.batch(about, &linearisation, &mut rng)?;
            linearisation = linearisation.with_outer_loss(&self.system, about, batch.as_ref(), &self.scoring)?;
        }
        self.rng = rng;
        if self.settings.outer_steps > 0 {
            self.optimizer.begin(self.settings.optimizer_state, self.settings.objective.range());
        }
        Ok(Stage { linearisation, refined, outer: 0, loss: None, finished: false })
    }

    /// New points for the outer loss, if its objective scores any.
    fn batch(
        &self,
        about: About<'_>,
        linearisation: &Linearisation,
        rng: &mut ChaCha8Rng,
    ) -> Result<Option<Batch<K>>, BilevelError> {
        if !self.settings.objective.validates() {
            return Ok(None);
        }
        let (pool, size) = (&about.collocation.pool, self.settings.batch);
        let points = self.batches.draw(pool, size, self.state.gauss_newton + 1, rng)?;
        let unknowns = self.state.iterate.at(&self.system.unknowns, &points)?;
        let relative = if self.settings.objective.scores_conditions() {
            let conditions = about.collocation.boundary_batch(size as f64 / pool.len() as f64, rng)?;
            Some(Relative { conditions, solution: self.sized(about, linearisation)? })
        } else {
            None
        };
        Ok(Some(Batch { points, unknowns, relative }))
    }

    /// A solution to take the sizes of rows from: the iterate, or while that is zero the solve with the hyperparameters as they are.
    fn sized(&self, about: About<'_>, linearisation: &Linearisation) -> Result<Arc<Posterior<K>>, BilevelError> {
        if let Iterate::Solved(posterior) = &self.state.iterate {
            return Ok(posterior.clone());
        }
        let collocation = about.collocation;
        let rows = self.system.inner_problem(&linearisation.pde, collocation, &collocation.observations, &[])?;
        let failed = |error| BilevelError::from_solve(self.state.gauss_newton + 1, 0, error);
        Ok(Arc::new(rows.solve(&self.hyper.kernels).map_err(failed)?.without_factor()))
    }

    /// Outer loss and hypergradient at `theta`, the regulariser included.
    pub(crate) fn outer_value(&self, stage: &Stage, theta: &[f64]) -> Result<OuterValue, BilevelError> {
        let position = (self.state.gauss_newton + 1, stage.outer + 1);
        let objective = self.settings.objective.as_ref();
        let outer =
            Outer { linearisation: &stage.linearisation, objective, kernels: self.hyper.kernels_at(theta)?, position };
        let mut outcome = self.settings.hypergradient.evaluate(&outer)?;
        let OuterValue { value, gradient, .. } = &mut outcome;
        self.hyper.regularise(theta, self.settings.regularisation, value, gradient);
        let (gauss_newton, outer) = position;
        let not_finite = |what| Err(BilevelError::NonFinite { gauss_newton, outer, what });
        if !value.is_finite() {
            return not_finite("loss");
        }
        if gradient.iter().any(|g| !g.is_finite()) {
            return not_finite("gradient");
        }
        Ok(outcome)
    }

    /// Loss, gradient and update. The stopping test is on the current loss, before the update.
    fn outer_step(&mut self, stage: &mut Stage) -> Result<OuterRecord, BilevelError> {
        let start = Instant::now();
        let mut backed_off = false;
        let OuterValue { value: loss, gradient, statistics } = loop {
            match self.outer_value(stage, &self.hyper.theta) {
                Ok(outcome) => break outcome,
                Err(error) => {
                    self.hyper.back_off(error, self.optimizer.as_mut())?;
                    backed_off = true;
                }
            }
        };
        self.hyper.safe = Some(self.hyper.theta.clone());
        stage.outer += 1;
        stage.loss = Some(loss);
        let gradient_norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let small = self.settings.objective.range() == LossRange::Positive && loss <= self.settings.loss_tolerance;
        stage.finished = small || self.optimizer.step(&mut self.hyper.theta, loss, &gradient) == Progress::Converged;
        Ok(OuterRecord {
            gauss_newton: self.state.gauss_newton + 1,
            outer: stage.outer,
            loss,
            gradient_norm,
            jitter: statistics.jitter,
            condition: statistics.condition,
            backed_off,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// The inner solve at the final hyperparameters: the next iterate.
    fn advance(&mut self, stage: &Stage) -> Result<Event<K>, BilevelError> {
        let gauss_newton = self.state.gauss_newton + 1;
        let learns = self.settings.outer_steps > 0;
        if learns {
            self.optimizer.settle(&mut self.hyper.theta);
        }
        let (kernels, accepted) = loop {
            let kernels = self.hyper.kernels_at(&self.hyper.theta)?;
            let accepted = self.solve_step(stage, &kernels).and_then(|step| {
                let (refined, theta) = (stage.refined.as_ref(), &self.hyper.theta);
                self.state.accept(&self.system, step, refined, theta, self.monitor.as_ref())
            });
            match accepted {
                Ok(accepted) => break (kernels, accepted),
                Err(error) if learns => self.hyper.back_off(error, self.optimizer.as_mut())?,
                Err(error) => return Err(error),
            }
        };
        self.hyper.kernels = kernels;
        let tolerance = self.settings.increment_tolerance;
        let still = accepted.increment <= tolerance && tolerance > 0.0;
        if still && accepted.fraction == 1.0 && (!learns || stage.finished) {
            self.state.termination = Some(Termination::Converged);
        } else if gauss_newton >= self.settings.gauss_newton_steps {
            self.state.termination = Some(Termination::StepsTaken);
        }
        let record = GaussNewtonRecord {
            gauss_newton,
            outer_steps: stage.outer,
            loss: stage.loss,
            increment: accepted.increment,
            fraction: accepted.fraction,
            residual: accepted.residual,
            hyperparameters: summary(accepted.posterior.kernels()),
            seconds: self.clock.seconds(),
        };
        Ok(Event::GaussNewton(record, accepted.posterior))
    }

    fn solve_step(&self, stage: &Stage, kernels: &[K]) -> Result<Step<K>, BilevelError> {
        let control = match &self.state.iterate {
            // The zero function ignores the boundary: its residual says nothing.
            Iterate::Zero => StepControl::Full,
            Iterate::Solved(_) => self.settings.step_control,
        };
        let about = self.state.about(stage.refined.as_ref());
        let (pde, gauss_newton) = (&stage.linearisation.pde, self.state.gauss_newton + 1);
        Advance { system: &self.system, about, pde, kernels, control, gauss_newton }.controlled()
    }
}

/// Named hyperparameters, with the field's number if there are several.
fn summary<K: Kernel>(kernels: &[K]) -> Vec<(String, f64)> {
    let mut out = Vec::new();
    for (f, kernel) in kernels.iter().enumerate() {
        let prefix = if kernels.len() > 1 { format!("field_{f}.") } else { String::new() };
        out.extend(kernel.summary().into_iter().map(|(name, v)| (format!("{prefix}{name}"), v)));
    }
    out
}
