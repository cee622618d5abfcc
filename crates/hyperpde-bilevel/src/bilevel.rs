//! The loop: Gauss-Newton steps outside, optimizer steps on the linearised validation loss inside.
//!
//! At step `k` the equations are linearised about `u^k` on the collocation points and on a fresh batch of validation points. The outer
//! loss scores the linear inner solve `u_θ` on the batch,
//!
//! ```text
//! L(θ) = Σ_v weight_v (Σ c_v ∂^α u_θ(x_v) − rhs_v)² + ρ ‖θ − θ⁰‖²
//! ```
//!
//! its gradient passes through the inner solve (see `hyperpde-gp`), and after the outer steps the inner solve at the final `θ` is
//! `u^{k+1}` (arXiv 2510.05568). [`Bilevel::step`] does one piece of it at a time, [`Bilevel::run`] all of it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::{Tensor, TensorData};
use hyperpde_gp::{GpError, Posterior, RowBlock};
use hyperpde_kernels::{Kernel, Points, gradient, parameters, tensor_to_vec, with_parameters};
use hyperpde_linalg::SolveStatistics;
use hyperpde_pde::{Collocation, Equations, Fold, PdeError, Problem, Sampler, seeded};
use rand_chacha::ChaCha8Rng;

use crate::error::BilevelError;
use crate::iterate::Iterate;
use crate::optimizer::{Optimizer, Progress};
use crate::record::{GaussNewtonRecord, Observer, OuterRecord, Termination};
use crate::settings::BilevelSettings;
use crate::snapshot::SolveSnapshot;
use crate::stage::{OuterTerm, Stage};

/// Streams of the run's seed that are not used for sampling points.
const BATCH_STREAM: u64 = 1 << 32;
const MONITOR_STREAM: u64 = BATCH_STREAM + 1;

/// Where validation batches come from.
#[derive(Clone, Debug, Default)]
pub enum Batches {
    /// A fresh random subset of the pool at each Gauss-Newton step.
    #[default]
    Random,
    /// Given rows of the pool, one list per Gauss-Newton step (the last one is kept).
    Fixed(Vec<Vec<usize>>),
}

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
    pub(crate) equations: Arc<dyn Equations>,
    pub(crate) collocation: Collocation,
    pub(crate) settings: BilevelSettings,
    pub(crate) batches: Batches,
    pub(crate) extra: Vec<(RowBlock, f64)>,
    pub(crate) folds: Vec<Fold>,
    pub(crate) monitor: Option<Points>,
    pub(crate) optimizer: Box<dyn Optimizer>,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) kernels: Vec<K>,
    pub(crate) theta: Vec<f64>,
    /// Where the regulariser pulls to.
    pub(crate) initial_theta: Vec<f64>,
    /// Last parameters whose inner solve succeeded, and whether a retreat to them is in progress.
    pub(crate) safe: Option<Vec<f64>>,
    pub(crate) retries: usize,
    pub(crate) iterate: Iterate<K>,
    pub(crate) at_collocation: Vec<Vec<f64>>,
    pub(crate) stage: Option<Stage>,
    /// How the iterate was solved for, and the same for the best one.
    pub(crate) recipe: Option<SolveSnapshot>,
    pub(crate) gauss_newton: usize,
    pub(crate) best: Option<Best<K>>,
    pub(crate) started: Instant,
    /// Seconds that a resumed run took before.
    pub(crate) seconds_before: f64,
    pub(crate) termination: Option<Termination>,
}

/// The iterate with the smallest residual so far, and how it was solved for.
pub(crate) struct Best<K: Kernel> {
    pub residual: f64,
    pub posterior: Arc<Posterior<K>>,
    pub recipe: SolveSnapshot,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome<K: Kernel> {
    /// The iterate after the last Gauss-Newton step, with its kernels.
    pub last: Arc<Posterior<K>>,
    /// How `last` was solved for: [`SolveSnapshot::solve`] makes it again.
    pub recipe: SolveSnapshot,
    /// The iterate with the smallest nonlinear residual on the independent points (the last one without such points).
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
    /// [`BilevelError::Setting`] for settings out of range, such as a batch larger than the validation pool.
    pub fn init(
        problem: &Problem,
        collocation: Collocation,
        kernels: Vec<K>,
        settings: BilevelSettings,
    ) -> Result<Self, BilevelError> {
        settings.check(collocation.pool.len())?;
        if kernels.len() != problem.fields().len() {
            let expected = format!("one kernel per field: {}", problem.fields().join(", "));
            return Err(BilevelError::Setting { name: "kernels", value: kernels.len().to_string(), expected });
        }
        let monitor = if settings.monitor > 0 {
            let mut rng = seeded(settings.seed, MONITOR_STREAM);
            let points = Sampler::Uniform.interior(problem.geometry(), settings.monitor, &mut rng);
            Some(points.map_err(PdeError::from)?)
        } else {
            None
        };
        let equations = problem.equations().clone();
        let theta = parameters(&kernels)?;
        let at_collocation = vec![vec![0.0; collocation.interior.len()]; equations.unknowns().len()];
        Ok(Self {
            equations,
            collocation,
            batches: Batches::Random,
            extra: Vec::new(),
            folds: Vec::new(),
            monitor,
            optimizer: settings.optimizer.build(settings.learning_rate),
            rng: seeded(settings.seed, BATCH_STREAM),
            initial_theta: theta.clone(),
            theta,
            kernels,
            safe: None,
            retries: settings.retries,
            iterate: Iterate::Zero,
            at_collocation,
            stage: None,
            recipe: None,
            gauss_newton: 0,
            best: None,
            started: Instant::now(),
            seconds_before: 0.0,
            termination: None,
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
        self.at_collocation = iterate.at(&self.equations.unknowns(), &self.collocation.interior)?;
        self.iterate = iterate;
        Ok(self)
    }

    /// Another optimizer than the settings name.
    pub fn with_optimizer(mut self, optimizer: impl Optimizer + 'static) -> Self {
        self.optimizer = Box::new(optimizer);
        self
    }

    /// Given batches in place of random ones.
    pub fn with_batches(mut self, batches: Batches) -> Self {
        self.batches = batches;
        self
    }

    /// Further rows that the outer loss scores at every step, for example held-out observations, with the weight of their squares.
    pub fn with_scored_rows(mut self, rows: RowBlock, weight: f64) -> Self {
        self.extra.push((rows, weight));
        self
    }

    /// Cross-validation over the observations: the outer loss gets one term per fold, whose inner solve fits the fold's first part and
    /// which scores its second; the equations' part of the loss is the mean over folds. The iterate itself fits all observations, those
    /// of the collocation; they reach a term that holds them out through the point of linearisation only.
    pub fn with_folds(mut self, folds: Vec<Fold>) -> Self {
        self.folds = folds;
        self
    }

    /// Rows of the inner system: PDE rows and all conditions and observations.
    pub fn rows(&self) -> usize {
        let count = |blocks: &[RowBlock]| blocks.iter().map(RowBlock::len).sum::<usize>();
        self.equations.equations() * self.collocation.interior.len()
            + count(&self.collocation.boundary)
            + count(&self.collocation.observations)
    }

    /// Hyperparameters as they are now, flat.
    pub fn theta(&self) -> &[f64] {
        &self.theta
    }

    /// Replaces the hyperparameters, for example to try a point of one's own between steps.
    ///
    /// # Errors
    /// [`BilevelError::Kernel`] if the length does not fit.
    pub fn set_theta(&mut self, theta: &[f64]) -> Result<(), BilevelError> {
        self.kernels = with_parameters(self.kernels.clone(), theta)?;
        self.theta = theta.to_vec();
        Ok(())
    }

    /// The iterate's unknowns at the collocation points, `[unknowns][n]`, the nugget's share included.
    pub fn iterate(&self) -> &[Vec<f64>] {
        &self.at_collocation
    }

    /// Advances by one outer step or one inner solve.
    ///
    /// A solve that fails after an update is backed off from: the parameters return to the last good ones and further steps are halved.
    ///
    /// # Errors
    /// [`BilevelError::Step`] for a failure that backing off can't mend, such as one at the initial hyperparameters.
    pub fn step(&mut self) -> Result<Event<K>, BilevelError> {
        if let Some(termination) = self.termination {
            return Ok(Event::Done(termination));
        }
        let mut stage = match self.stage.take() {
            Some(stage) => stage,
            None => self.linearise()?,
        };
        let warming_up = self.gauss_newton <= self.settings.warm_up;
        if stage.finished || warming_up || stage.outer >= self.settings.outer_steps {
            return self.advance(stage);
        }
        let record = self.outer_step(&mut stage)?;
        self.stage = Some(stage);
        Ok(Event::Outer(record))
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
                        self.termination = Some(Termination::Stopped);
                    }
                }
                Event::Done(termination) => return self.terminate(termination),
            }
        }
    }

    fn terminate(self, termination: Termination) -> Result<Outcome<K>, BilevelError> {
        let (Iterate::Solved(last), Some(recipe)) = (self.iterate, self.recipe) else {
            return Err(BilevelError::Setting {
                name: "Gauss-Newton steps",
                value: "0".into(),
                expected: "at least one step must have been taken".into(),
            });
        };
        let best = self.best.map_or_else(|| last.clone(), |best| best.posterior);
        Ok(Outcome { last, recipe, best, kernels: self.kernels, termination, gauss_newton_steps: self.gauss_newton })
    }

    /// Loss, gradient and update. The stopping test is on the current loss, before the update.
    fn outer_step(&mut self, stage: &mut Stage) -> Result<OuterRecord, BilevelError> {
        let start = Instant::now();
        let mut backed_off = false;
        let (loss, gradient, info) = loop {
            match self.loss_and_gradient(stage) {
                Ok(result) => break result,
                Err(error) => {
                    self.back_off(error)?;
                    backed_off = true;
                }
            }
        };
        self.safe = Some(self.theta.clone());
        stage.outer += 1;
        stage.loss = Some(loss);
        let gradient_norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        stage.finished = loss <= self.settings.loss_tolerance
            || self.optimizer.step(&mut self.theta, loss, &gradient) == Progress::Converged;
        Ok(OuterRecord {
            gauss_newton: self.gauss_newton,
            outer: stage.outer,
            loss,
            gradient_norm,
            jitter: info.jitter,
            condition: info.condition,
            backed_off,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    pub(crate) fn loss_and_gradient(
        &mut self,
        stage: &Stage,
    ) -> Result<(f64, Vec<f64>, SolveStatistics), BilevelError> {
        let (gauss_newton, outer) = (self.gauss_newton, stage.outer + 1);
        let not_finite = |what| BilevelError::NonFinite { gauss_newton, outer, what };
        self.kernels = with_parameters(std::mem::take(&mut self.kernels), &self.theta)?;
        let mut total: Option<(Tensor<1>, SolveStatistics)> = None;
        for term in &stage.terms {
            let (loss, info) = self.term_loss(term).map_err(|e| match e {
                GpError::Factorisation { .. } | GpError::NonFinite { .. } => {
                    BilevelError::Step { gauss_newton, outer, source: e }
                }
                other => BilevelError::Gp(other),
            })?;
            total = Some(match total {
                None => (loss, info),
                Some((sum, worst)) => (sum + loss, if info.condition > worst.condition { info } else { worst }),
            });
        }
        let Some((loss, info)) = total else {
            return Err(not_finite("loss"));
        };
        let mut value = tensor_to_vec(loss.clone())?.first().copied().unwrap_or(f64::NAN);
        let mut gradient = gradient(&self.kernels, &loss.backward())?;
        let weight = self.settings.regularisation;
        if weight > 0.0 {
            for ((g, t), t0) in gradient.iter_mut().zip(&self.theta).zip(&self.initial_theta) {
                value += weight * (t - t0).powi(2);
                *g += 2.0 * weight * (t - t0);
            }
        }
        if !value.is_finite() {
            return Err(not_finite("loss"));
        }
        if gradient.iter().any(|g| !g.is_finite()) {
            return Err(not_finite("gradient"));
        }
        Ok((value, gradient, info))
    }

    /// `Σ_v weight_v (p_v − rhs_v)²` of one term.
    fn term_loss(&self, term: &OuterTerm) -> Result<(Tensor<1>, SolveStatistics), GpError> {
        let prediction = term.problem.predict(&self.kernels)?;
        let (device, dtype) = (prediction.values.device(), prediction.values.dtype());
        let constant = |v: &[f64]| Tensor::<1>::from_data(TensorData::new(v.to_vec(), [v.len()]), (&device, dtype));
        let residual = prediction.values - constant(term.problem.validation_rhs());
        Ok(((residual.clone() * residual * constant(&term.weights)).sum(), prediction.info))
    }

    /// Returns to the last parameters that worked and halves further steps, or passes the error on if there is nothing to return to.
    pub(crate) fn back_off(&mut self, error: BilevelError) -> Result<(), BilevelError> {
        let recoverable = matches!(
            error,
            BilevelError::NonFinite { .. }
                | BilevelError::Step { source: GpError::Factorisation { .. } | GpError::NonFinite { .. }, .. }
        );
        match &self.safe {
            Some(safe) if recoverable && self.retries > 0 && *safe != self.theta => {
                log::warn!("{error}; going on more carefully from the last good hyperparameters");
                self.retries -= 1;
                self.optimizer.retreat(&mut self.theta, safe);
                Ok(())
            }
            _ => Err(error),
        }
    }
}
