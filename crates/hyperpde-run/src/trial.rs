//! A few evaluations of the outer loss on a small part of the points: whether its gradient is right, and how long a whole run takes.
//!
//! Of an outer step with `n` rows and `m` validation rows, the stages that work on pairs grow with `n²` and `n m`, those on points with `n + m`; the
//! trial times each of them and scales it. The factorisation has `n³/3` operations, at a speed that is measured beside it.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use hyperpde_bilevel::{Bilevel, BilevelError, BilevelSettings, Event, GradientCheck, StepControl};
use hyperpde_gp::{Posterior, RowBlock, SolveSettings, Stage, StageTimes};
use hyperpde_kernels::AnyKernel;
use hyperpde_linalg::{Cholesky, JitterPolicy};
use hyperpde_pde::{Collocation, PdeError, SampleSizes, Sampler, seeded};

use hyperpde_config::{Config, Opened, Target};

use crate::cost::{Size, Tensors, kibibytes};
use crate::error::RunError;
use crate::experiment::solve::FROZEN_STEPS;
use crate::rows::count;

/// Points of the trial at most: inside, on the faces, in the batch, and observations. Fewer where tensor operations assemble.
const POINTS: [usize; 4] = [120, 60, 40, 100];
const TENSOR_POINTS: [usize; 4] = [75, 25, 40, 40];
/// Directions along which the gradient is checked, and where tensor operations assemble.
const DIRECTIONS: usize = 4;
const TENSOR_DIRECTIONS: usize = 1;
/// Points at which the trial's solution is evaluated to see what that takes.
const PROBED: usize = 1000;
/// Deviation up to which a gradient passes: differences of an ill-conditioned system have few digits.
const TOLERANCE: f64 = 1e-3;
/// Size and repetitions of the factorisation that is timed, some hundredths of a second.
const FACTORED: usize = 1024;
const REPEATS: usize = 3;
/// Bytes per second at which a triangular solve reads the factor, slow for a machine of today.
const BANDWIDTH: f64 = 5e9;
/// Lengths of a Gauss-Newton step that backtracking tries at most.
const TRIES: f64 = 12.0;

/// A run on few points, about to begin its second Gauss-Newton step, and what it costs.
pub struct Trial {
    run: Bilevel<AnyKernel>,
    posterior: Option<Arc<Posterior<AnyKernel>>>,
    times: StageTimes,
    rows: usize,
    interior: usize,
    validation: usize,
    tensors: bool,
}

/// What tensor operations hold at once; nothing where the system doesn't tell how much memory the process takes.
pub(crate) fn tensors(config: &Config) -> Result<Option<Tensors>, RunError> {
    // What lies on a GPU is not in this process's memory; on the host the arrays are the same.
    let target = config.target();
    let target = if target.backend.is_host() { target } else { Target::host()? };
    let mut trial = Trial::new(config, true, &target.open()?)?;
    let theta = trial.run.theta().to_vec();
    let (n, m) = (trial.rows as f64, trial.validation as f64);
    let measured = |work: &mut dyn FnMut() -> Result<(), RunError>| -> Result<Option<f64>, RunError> {
        // Forgets the peak so far.
        let reset = fs::write("/proc/self/clear_refs", "5").is_ok();
        let before = status(if reset { "VmRSS:" } else { "VmHWM:" });
        work()?;
        Ok(status("VmHWM:").zip(before).map(|(after, before)| (after - before) / 8.0))
    };
    let learning = measured(&mut || {
        trial.run.outer_loss(&theta).map(|_| ()).map_err(|e| RunError::numerical("trying an outer step", e))
    })?;
    let problem = config.problem();
    let points = Sampler::Uniform.interior(problem.geometry(), PROBED, &mut seeded(0, 0)).map_err(PdeError::from)?;
    let scoring = measured(&mut || match &trial.posterior {
        Some(posterior) => {
            let values = posterior.values(0, &points);
            values.map(|_| ()).map_err(|e| RunError::numerical("trying an evaluation", e))
        }
        None => Ok(()),
    })?;
    let interior = trial.interior as f64;
    let tensors = |(learning, scoring): (f64, f64)| Tensors {
        learning: (learning / (n * n + n * m)).max(1.0),
        scoring: (scoring / (interior * PROBED as f64)).max(1.0),
    };
    Ok(learning.zip(scoring).map(tensors))
}

/// A line of `/proc/self/status` in bytes.
fn status(key: &str) -> Option<f64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, key)
}

impl Trial {
    /// Takes one Gauss-Newton step with the initial hyperparameters; the first linearisation, about zero, would hide nonlinear terms.
    pub fn new(config: &Config, tensors: bool, opened: &Opened) -> Result<Self, RunError> {
        let times = StageTimes::default();
        let most = if tensors { TENSOR_POINTS } else { POINTS };
        let (collocation, scored) = few(config, most)?;
        let own = opened.settings(&config.bilevel_settings());
        let settings = BilevelSettings {
            gauss_newton_steps: 2,
            outer_steps: 1,
            warm_up: 1,
            batch: collocation.pool.len(),
            monitor: 0,
            solve: SolveSettings { times: Some(times.clone()), ..own.solve.clone() },
            ..own
        };
        let doing = "trying the configuration on a few points";
        let failed = |e: BilevelError| RunError::numerical(doing, e);
        let validation = config.problem().equations().equations() * collocation.pool.len() + count(&scored);
        let device = opened.device.clone().autodiff();
        let kernels = config.kernels(config.run_settings().seed, &device).map_err(|e| RunError::numerical(doing, e))?;
        let interior = collocation.interior.len();
        let mut run = Bilevel::init(config.problem(), collocation, kernels, settings).map_err(failed)?;
        for rows in scored {
            let weight = hyperpde_pde::misfit_weight(&rows);
            run = run.with_scored_rows(rows, weight);
        }
        let posterior = loop {
            match run.step().map_err(failed)? {
                Event::GaussNewton(_, posterior) => break Some(posterior),
                Event::Done(_) => break None,
                Event::Outer(_) => {}
            }
        };
        Ok(Self { rows: run.rows(), interior, run, posterior, times, validation, tensors })
    }

    /// The gradient of the outer loss against differences.
    pub fn gradient(&mut self) -> Result<GradientCheck, RunError> {
        let directions = if self.tensors { TENSOR_DIRECTIONS } else { DIRECTIONS };
        self.run.check_gradient(directions).map_err(|e| RunError::numerical("checking the gradient", e))
    }

    /// Rows of the trial.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Seconds of a whole run: every step it may take.
    pub fn seconds(&mut self, config: &Config, full: &Size) -> Result<f64, RunError> {
        let cost = self.cost()?;
        let run = config.run_settings();
        let learning = run.gauss_newton_steps.saturating_sub(run.warm_up) * run.outer_steps * full.terms;
        let solves = run.gauss_newton_steps + 2 * FROZEN_STEPS.max(run.gauss_newton_steps);
        let step = match run.step_control {
            StepControl::Full => cost.solve(full) + cost.latents(full),
            // A shortened step factors once more, and every try evaluates the unknowns.
            StepControl::Backtracking => 2.0 * cost.solve(full) + TRIES * cost.latents(full),
        };
        let each = learning as f64 * cost.outer(full) + solves as f64 * step;
        // The error is shown after every step of learning, and before and after it.
        Ok(each + (run.gauss_newton_steps + 2) as f64 * cost.values(full) + cost.deviations(full))
    }

    fn cost(&mut self) -> Result<Cost, RunError> {
        let theta = self.run.theta().to_vec();
        let mut best: Option<(f64, [f64; Stage::ALL.len()])> = None;
        // The first time pays for memory and threads.
        for _ in 0..REPEATS {
            self.times.take();
            let start = Instant::now();
            self.run.outer_loss(&theta).map_err(|e| RunError::numerical("timing an outer step", e))?;
            let seconds = start.elapsed().as_secs_f64();
            let (stages, _) = self.times.take();
            if best.is_none_or(|(fastest, _)| seconds < fastest) {
                best = Some((seconds, stages));
            }
        }
        let (total, stages) = best.unwrap_or_default();
        let of = |some: &[Stage]| some.iter().map(|s| stages[*s as usize]).sum::<f64>();
        let [forward, adjoint, evaluate, validation, factor] = [
            of(&[Stage::TrainingBlock]),
            of(&[Stage::AdjointTraining]),
            of(&[Stage::ValidationBlock]),
            of(&[Stage::ValidationBlock, Stage::AdjointValidation]),
            of(&[Stage::Factorisation, Stage::Solve, Stage::AdjointSolve]),
        ];
        let (n, m) = (self.rows as f64, self.validation as f64);
        let rest = total - forward - adjoint - validation - factor;
        let cubed = 1.0 / (3.0 * factor_speed()?);
        Ok(if self.tensors {
            // Tensor operations record no stages: all they do is on pairs, a third of it forward, and values take no derivatives at one of the points.
            let pair = total / (n * n + n * m);
            let (forward, adjoint, evaluate) = (pair / 3.0, 2.0 * pair / 3.0, pair / 9.0);
            Cost { forward, adjoint, evaluate, validation: pair, point: 0.0, cubed }
        } else {
            let (square, cross) = (n * n, n * m.max(1.0));
            Cost {
                forward: forward / square,
                adjoint: adjoint / square,
                evaluate: evaluate / cross,
                validation: validation / cross,
                point: rest / (n + m),
                cubed,
            }
        })
    }
}

/// Seconds per pair of rows, forward and backward; per pair with a point of evaluation, and with a validation row, both ways; per point; per `n³`.
struct Cost {
    forward: f64,
    adjoint: f64,
    evaluate: f64,
    validation: f64,
    point: f64,
    cubed: f64,
}

impl Cost {
    /// An inner solve.
    fn solve(&self, size: &Size) -> f64 {
        let n = size.rows as f64;
        self.forward * n * n + self.cubed * n.powi(3) + 8.0 * n * n / BANDWIDTH + self.point * n
    }

    /// The unknowns at the collocation points.
    fn latents(&self, size: &Size) -> f64 {
        let [n, points, unknowns] = [size.rows, size.largest, size.unknowns].map(|count| count as f64);
        self.evaluate * n * points * unknowns
    }

    /// All fields on the test grid.
    fn values(&self, size: &Size) -> f64 {
        let [n, grid, fields] = [size.rows, size.grid, size.fields].map(|count| count as f64);
        self.evaluate * n * grid * fields
    }

    /// Loss and gradient of one term.
    fn outer(&self, size: &Size) -> f64 {
        let (n, m) = (size.rows as f64, size.validation as f64);
        let pairs = (self.forward + self.adjoint) * n * n + self.validation * n * m + self.point * (n + m);
        pairs + self.cubed * n.powi(3) + 16.0 * n * n / BANDWIDTH
    }

    /// Standard deviations of all fields on the test grid: half a triangular solve per point.
    fn deviations(&self, size: &Size) -> f64 {
        let [n, grid, fields] = [size.rows, size.grid, size.fields].map(|count| count as f64);
        self.values(size) + 3.0 * self.cubed * n * n * grid * fields
    }
}

/// Operations per second of a factorisation.
fn factor_speed() -> Result<f64, RunError> {
    let n = FACTORED;
    let mut fastest = f64::INFINITY;
    for _ in 0..REPEATS {
        let mut matrix = vec![0.0; n * n];
        matrix.iter_mut().step_by(n + 1).for_each(|diagonal| *diagonal = 2.0);
        let start = Instant::now();
        Cholesky::factor_symmetric(matrix, n, &JitterPolicy::none())
            .map_err(|e| RunError::numerical("timing a factorisation", e))?;
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    Ok((n as f64).powi(3) / 3.0 / fastest)
}

/// A small draw of the problem, and the observations of it that are held out.
fn few(config: &Config, most: [usize; 4]) -> Result<(Collocation, Vec<RowBlock>), RunError> {
    let (problem, run) = (config.problem(), config.run_settings());
    let simulated = problem.observations().iter().filter(|o| o.points().is_none()).map(|o| o.count()).max();
    let sizes = SampleSizes {
        interior: run.interior.min(most[0].max(simulated.unwrap_or(0))),
        boundary: run.boundary.min(most[1].max(problem.patches().len())),
        validation: run.batch.clamp(1, most[2]),
    };
    let mut collocation = problem.sample(&sizes, config.sampler(), run.seed)?;
    let observed = collocation.observations.iter().map(RowBlock::len).max().unwrap_or(0);
    if observed > most[3] {
        let left_out = 1.0 - most[3] as f64 / observed as f64;
        collocation.observations = collocation.split_observations(left_out, run.seed)?.0;
    }
    let fraction = config.folds().map_or(config.held_out(), |folds| 1.0 / folds as f64);
    let (fitted, scored) = collocation.split_observations(fraction, run.seed)?;
    collocation.observations = fitted;
    Ok((collocation, scored))
}

/// Whether a gradient passes.
#[must_use]
pub fn passes(check: &GradientCheck) -> bool {
    check.deviation <= TOLERANCE
}
