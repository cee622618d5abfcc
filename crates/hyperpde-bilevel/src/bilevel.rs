//! The loop: Gauss-Newton steps outside, optimizer steps on the linearised validation loss inside.
//!
//! At step `k` the equations are linearised about `u^k` on the collocation points and on a fresh batch of validation points. The outer
//! loss scores the linear inner solve `u_θ` on the batch,
//!
//! ```text
//! L(θ) = Σ_v weight_v (Σ c_v ∂^α u_θ(x_v) − rhs_v)²
//! ```
//!
//! its gradient passes through the inner solve (see `hyperpde-gp`), and after the outer steps the inner solve at the final `θ` is
//! `u^{k+1}` (arXiv 2510.05568). [`Bilevel::step`] does one piece of it at a time, [`Bilevel::run`] all of it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::{DType, Tensor, TensorData};
use hyperpde_gp::{GpError, InnerProblem, Posterior, RowBlock};
use hyperpde_kernels::{Kernel, Points, gradient, parameters, tensor_to_vec, with_parameters};
use hyperpde_pde::{Collocation, Equations, Problem, Sampler, seeded};
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use crate::error::BilevelError;
use crate::iterate::{Iterate, change, residual_rms};
use crate::optimizer::{Adam, Optimizer};
use crate::record::{GaussNewtonRecord, Observer, OuterRecord, Termination};
use crate::settings::{BilevelSettings, OptimizerState};

/// Streams of the run's seed that are not used for sampling points.
const BATCH_STREAM: u64 = 1 << 32;
const MONITOR_STREAM: u64 = BATCH_STREAM + 1;
/// An iterate beyond this is taken as divergence.
const DIVERGED: f64 = 1e12;

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
    equations: Arc<dyn Equations>,
    collocation: Collocation,
    settings: BilevelSettings,
    batches: Batches,
    extra: Vec<(RowBlock, f64)>,
    monitor: Option<Points>,
    optimizer: Box<dyn Optimizer>,
    rng: ChaCha8Rng,
    kernels: Vec<K>,
    theta: Vec<f64>,
    /// Last parameters whose inner solve succeeded, and whether a retreat to them is in progress.
    safe: Option<Vec<f64>>,
    retries: usize,
    iterate: Iterate<K>,
    at_collocation: Vec<Vec<f64>>,
    stage: Option<Stage>,
    gauss_newton: usize,
    best: Option<(f64, Arc<Posterior<K>>)>,
    started: Instant,
    termination: Option<Termination>,
}

/// One Gauss-Newton step in progress: the linear problem about the frozen iterate.
struct Stage {
    problem: Arc<InnerProblem>,
    weights: Vec<f64>,
    outer: usize,
    loss: Option<f64>,
    finished: bool,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome<K: Kernel> {
    /// The iterate after the last Gauss-Newton step, with its kernels.
    pub last: Arc<Posterior<K>>,
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
    /// A run that starts from the zero function.
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
            Some(Sampler::Uniform.interior(
                problem.domain(),
                settings.monitor,
                &mut seeded(settings.seed, MONITOR_STREAM),
            )?)
        } else {
            None
        };
        let equations = problem.equations().clone();
        let at_collocation = vec![vec![0.0; collocation.interior.len()]; equations.unknowns().len()];
        Ok(Self {
            equations,
            collocation,
            batches: Batches::Random,
            extra: Vec::new(),
            monitor,
            optimizer: Box::new(Adam::new(settings.learning_rate)),
            rng: seeded(settings.seed, BATCH_STREAM),
            theta: parameters(&kernels)?,
            kernels,
            safe: None,
            retries: settings.retries,
            iterate: Iterate::Zero,
            at_collocation,
            stage: None,
            gauss_newton: 0,
            best: None,
            started: Instant::now(),
            termination: None,
            settings,
        })
    }

    /// Another optimizer than Adam.
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
        if stage.finished || stage.outer >= self.settings.outer_steps {
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
        let Iterate::Solved(last) = self.iterate else {
            return Err(BilevelError::Setting {
                name: "Gauss-Newton steps",
                value: "0".into(),
                expected: "at least one step must have been taken".into(),
            });
        };
        let best = self.best.map_or_else(|| last.clone(), |(_, posterior)| posterior);
        Ok(Outcome { last, best, kernels: self.kernels, termination, gauss_newton_steps: self.gauss_newton })
    }

    /// Freezes the iterate and linearises about it, on the collocation points and on a batch.
    fn linearise(&mut self) -> Result<Stage, BilevelError> {
        self.gauss_newton += 1;
        let unknowns = self.equations.unknowns();
        let interior = &self.collocation.interior;
        let mut training =
            self.equations.linearise(interior, &self.at_collocation)?.rows("pde", &unknowns, interior)?;
        training.extend(self.collocation.boundary.iter().chain(&self.collocation.observations).cloned());
        let (mut validation, mut weights) = (Vec::new(), Vec::new());
        if self.settings.outer_steps > 0 {
            let batch = self.draw_batch()?;
            let values = self.iterate.at(&unknowns, &batch)?;
            validation = self.equations.linearise(&batch, &values)?.rows("validation", &unknowns, &batch)?;
            weights = vec![1.0; validation.iter().map(RowBlock::len).sum()];
            for (rows, weight) in &self.extra {
                weights.extend(vec![*weight; rows.len()]);
                validation.push(rows.clone());
            }
            if self.settings.optimizer_state == OptimizerState::Reset {
                self.optimizer.reset();
            }
        }
        let problem = InnerProblem::new(
            self.kernels.len(),
            training,
            &validation,
            self.settings.nugget,
            self.settings.solve.clone(),
        )?;
        Ok(Stage { problem, weights, outer: 0, loss: None, finished: false })
    }

    fn draw_batch(&mut self) -> Result<Points, BilevelError> {
        let pool = &self.collocation.pool;
        let indices = match &self.batches {
            Batches::Random => sample(&mut self.rng, pool.len(), self.settings.batch).into_vec(),
            Batches::Fixed(lists) => lists.get(self.gauss_newton - 1).or(lists.last()).cloned().unwrap_or_default(),
        };
        Ok(pool.select(&indices)?)
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
        if loss <= self.settings.loss_tolerance {
            stage.finished = true;
        } else {
            self.optimizer.step(&mut self.theta, &gradient);
        }
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

    fn loss_and_gradient(
        &mut self,
        stage: &Stage,
    ) -> Result<(f64, Vec<f64>, hyperpde_linalg::CholeskyInfo), BilevelError> {
        let (gauss_newton, outer) = (self.gauss_newton, stage.outer + 1);
        let not_finite = |what| BilevelError::NonFinite { gauss_newton, outer, what };
        self.kernels = with_parameters(std::mem::take(&mut self.kernels), &self.theta)?;
        let prediction = stage.problem.predict(&self.kernels).map_err(|source| BilevelError::Step {
            gauss_newton,
            outer,
            source,
        })?;
        let device = prediction.values.device();
        let constant =
            |v: &[f64]| Tensor::<1>::from_data(TensorData::new(v.to_vec(), [v.len()]), (&device, DType::F64));
        let residual = prediction.values - constant(stage.problem.validation_rhs());
        let loss = (residual.clone() * residual * constant(&stage.weights)).sum();
        let value = tensor_to_vec(loss.clone())?.first().copied().unwrap_or(f64::NAN);
        let gradient = gradient(&self.kernels, &loss.backward())?;
        if !value.is_finite() {
            return Err(not_finite("loss"));
        }
        if gradient.iter().any(|g| !g.is_finite()) {
            return Err(not_finite("gradient"));
        }
        Ok((value, gradient, prediction.info))
    }

    /// Returns to the last parameters that worked and halves further steps, or passes the error on if there is nothing to return to.
    fn back_off(&mut self, error: BilevelError) -> Result<(), BilevelError> {
        let recoverable = matches!(
            error,
            BilevelError::NonFinite { .. }
                | BilevelError::Step { source: GpError::Factorisation { .. } | GpError::NonFinite { .. }, .. }
        );
        match &self.safe {
            Some(safe) if recoverable && self.retries > 0 && *safe != self.theta => {
                log::warn!("{error}; going back to the last good hyperparameters with half the learning rate");
                self.theta.clone_from(safe);
                self.retries -= 1;
                self.optimizer.reset();
                self.optimizer.damp(0.5);
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// The inner solve at the final hyperparameters: the next iterate.
    fn advance(&mut self, stage: Stage) -> Result<Event<K>, BilevelError> {
        let gauss_newton = self.gauss_newton;
        let posterior = loop {
            self.kernels = with_parameters(std::mem::take(&mut self.kernels), &self.theta)?;
            match stage.problem.solve(&self.kernels) {
                Ok(posterior) => break Arc::new(posterior),
                Err(source) => self.back_off(BilevelError::Step { gauss_newton, outer: 0, source })?,
            }
        };
        let at_collocation = posterior.latents(0)?;
        let (increment, size) = change(&at_collocation, &self.at_collocation);
        if size > DIVERGED {
            return Err(BilevelError::Diverged { gauss_newton, size });
        }
        self.at_collocation = at_collocation;
        self.iterate = Iterate::Solved(posterior.clone());
        let residual = match &self.monitor {
            Some(points) => Some(residual_rms(self.equations.as_ref(), &self.iterate, points)?),
            None => None,
        };
        if let Some(residual) = residual
            && self.best.as_ref().is_none_or(|(best, _)| residual < *best)
        {
            self.best = Some((residual, posterior.clone()));
        }
        let converged = increment <= self.settings.increment_tolerance && self.settings.increment_tolerance > 0.0;
        if converged && (self.settings.outer_steps == 0 || stage.finished) {
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
            residual,
            hyperparameters,
            seconds: self.started.elapsed().as_secs_f64(),
        };
        Ok(Event::GaussNewton(record, posterior))
    }
}
