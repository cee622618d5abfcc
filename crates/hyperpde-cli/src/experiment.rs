//! What every example binary does with a problem and a kernel: solve, learn, solve again, score, draw, report.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use hyperpde_bilevel::{Bilevel, BilevelError, BilevelSettings, GaussNewtonRecord, Observer, Outcome, OuterRecord};
use hyperpde_gp::Posterior;
use hyperpde_kernels::{Kernel, KernelError, Points, parameters};
use hyperpde_pde::{Collocation, PdeError, Problem, Sampler};
use serde_json::json;

use crate::figures::{FieldData, FigureData};
use crate::html::Page;
use crate::report::LargerCloud;
use crate::{
    CliError, CommonFlags, FieldErrors, NamedArray, RunProgress, RunReport, RunSettings, StepLine, StepRecord, figures,
    html, peak_rss_mb, take_warnings, write_arrays,
};

/// Gauss-Newton steps of the solves with a frozen kernel, and the relative change at which they stop.
const FROZEN_STEPS: usize = 30;
const FROZEN_TOLERANCE: f64 = 1e-7;

/// Builds one kernel per field from the seed of the run.
pub type KernelBuilder<K> = Box<dyn Fn(u64, &Device) -> Result<Vec<K>, KernelError>>;
/// Named scalar fields that belong to learned kernels, such as length scales, at given points.
pub type KernelFields<K> = Box<dyn Fn(&[K], &Points) -> Result<Vec<(String, Vec<f64>)>, KernelError>>;

/// A problem with the kernel that is learned on it.
pub struct Experiment<K: Kernel> {
    problem: Problem,
    kernels: KernelBuilder<K>,
    kernel_fields: Option<KernelFields<K>>,
    larger_cloud: bool,
    sampler: Sampler,
    held_out: f64,
    settings: RunSettings,
}

/// The posterior of a frozen solve with its errors.
struct Solved<K: Kernel> {
    posterior: std::sync::Arc<Posterior<K>>,
    errors: Vec<FieldErrors>,
    predictions: Vec<Vec<f64>>,
}

impl<K: Kernel> Experiment<K> {
    /// An experiment; `kernels` builds one kernel per field from the run's seed.
    pub fn new(problem: Problem, kernels: impl Fn(u64, &Device) -> Result<Vec<K>, KernelError> + 'static) -> Self {
        Self {
            settings: RunSettings::of(problem.defaults()),
            problem,
            kernels: Box::new(kernels),
            kernel_fields: None,
            larger_cloud: false,
            sampler: Sampler::Uniform,
            held_out: 0.0,
        }
    }

    /// Also draws scalar fields that belong to the kernels.
    #[must_use]
    pub fn with_kernel_fields(
        mut self,
        fields: impl Fn(&[K], &Points) -> Result<Vec<(String, Vec<f64>)>, KernelError> + 'static,
    ) -> Self {
        self.kernel_fields = Some(Box::new(fields));
        self
    }

    /// Also solves on collocation points and validation pool together, with the learned kernel frozen.
    #[must_use]
    pub fn with_larger_cloud(mut self) -> Self {
        self.larger_cloud = true;
        self
    }

    /// How points are spread unless the flags say otherwise; uniform if not called.
    #[must_use]
    pub fn with_sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Changes the settings that hold where the flags say nothing, such as the optimizer.
    #[must_use]
    pub fn with_settings(mut self, change: impl FnOnce(RunSettings) -> RunSettings) -> Self {
        self.settings = change(self.settings);
        self
    }

    /// Holds a fraction of the observations out of the inner solve; the outer loss scores them, each square over its noise variance.
    #[must_use]
    pub fn with_held_out(mut self, fraction: f64) -> Self {
        self.held_out = fraction;
        self
    }

    /// Runs the experiment as the flags say, prints the table, and writes figures and JSON where asked.
    ///
    /// # Errors
    /// [`CliError::Input`] for flags that don't fit the problem, [`CliError::Numerical`] if learning or the final solve fails,
    /// [`CliError::Io`] or [`CliError::Figure`] for output that can't be written.
    pub fn run(&self, flags: &CommonFlags) -> Result<RunReport, CliError> {
        let started = Instant::now();
        let settings = flags.resolve(&self.settings)?;
        let device = flags.backend.device().map_err(|e| CliError::Input(e.to_string()))?;
        let bilevel = settings.apply(BilevelSettings::published(self.problem.defaults(), settings.seed));
        // Before the work, not after it: a folder that can't be made should cost nothing.
        for folder in flags.out.iter().map(PathBuf::as_path).chain(flags.json.iter().filter_map(|file| file.parent())) {
            std::fs::create_dir_all(folder).map_err(|e| CliError::io("create the folder", folder, e))?;
        }
        let sampler = flags.sampler.unwrap_or(self.sampler);
        let collocation = self.problem.sample(&settings.sizes(), sampler, settings.seed).map_err(|e| match e {
            // Too few points for the problem's faces or observations: the flags say how many.
            PdeError::Sampling(why) => CliError::Input(why),
            other => CliError::numerical("sampling points", other),
        })?;
        let kernels = (self.kernels)(settings.seed, &device.autodiff())
            .map_err(|e| CliError::numerical("building the kernels", e))?;
        let mut report = RunReport::new(self.problem.name(), flags.backend, flags.precision, &settings);
        report.settings.insert("sampler".into(), json!(sampler));

        let before = match self.frozen(&collocation, &kernels, &bilevel) {
            Ok(solved) => Some(solved),
            Err(e) => {
                log::warn!("with the initial hyperparameters the problem can't be solved: {}", e.full_message());
                None
            }
        };
        let learning = Instant::now();
        let mut watch = Watch::new(self, &bilevel, flags.quiet);
        // Learning sees the observations but those held out; the solves before and after fit all of them.
        let (inner, held_out) = collocation.split_observations(self.held_out, settings.seed)?;
        let learned_on = Collocation { observations: inner, ..collocation.clone() };
        let mut run = Bilevel::init(&self.problem, learned_on, kernels, bilevel.clone())
            .map_err(|e| CliError::Input(e.to_string()))?;
        for rows in held_out {
            let variance = rows.noise_variance();
            run = run.with_scored_rows(rows, if variance > 0.0 { 1.0 / variance } else { 1.0 });
        }
        report.rows = run.rows();
        let outcome = run.run(&mut watch).map_err(|e| CliError::numerical("learning the kernel", e))?;
        report.seconds_learn = learning.elapsed().as_secs_f64();
        // With observations the equation's residual alone does not tell which iterate is best: a smooth one that ignores the data has
        // the smallest.
        let learned =
            if self.problem.observations().is_empty() { outcome.best.kernels() } else { outcome.last.kernels() };
        report.outer_steps = watch.outer_steps;
        report.history = watch.finish();

        let after = self.frozen(&collocation, learned, &bilevel)?;
        report.set_errors(&after.errors);
        if let Some(before) = &before {
            report.set_initial_errors(&before.errors);
        }
        self.describe_kernels(learned, &mut report)?;
        if self.larger_cloud {
            let larger = self.enlarged(&collocation)?;
            let solved = self.frozen(&larger, learned, &bilevel)?;
            let boundary = larger.boundary.iter().map(hyperpde_gp::RowBlock::len).sum();
            report.larger_cloud = Some(LargerCloud::new(larger.interior.len(), boundary, &solved.errors));
        }
        report.seconds_total = started.elapsed().as_secs_f64();
        report.peak_rss_mb = peak_rss_mb();
        // The numbers first: they stay if a figure can't be drawn.
        let folder_report = flags.out.as_ref().map(|folder| folder.join("report.json"));
        for file in folder_report.iter().chain(&flags.json) {
            report.write_json(file)?;
        }
        if let Some(folder) = &flags.out {
            self.draw(folder, &collocation, &after, learned, &report)?;
        }
        Ok(report)
    }

    /// Gauss-Newton with frozen kernels, to convergence.
    fn frozen(
        &self,
        collocation: &Collocation,
        kernels: &[K],
        settings: &BilevelSettings,
    ) -> Result<Solved<K>, CliError> {
        let steps = FROZEN_STEPS.max(settings.gauss_newton_steps);
        let settings = BilevelSettings { monitor: 0, ..settings.clone().frozen(steps, FROZEN_TOLERANCE) };
        let kernels = kernels.iter().map(burn::module::Module::valid).collect();
        let solve = |c: Collocation| -> Result<Outcome<K>, BilevelError> {
            Bilevel::init(&self.problem, c, kernels, settings)?.run(&mut ())
        };
        let outcome =
            solve(collocation.clone()).map_err(|e| CliError::numerical("solving with the kernel frozen", e))?;
        let (errors, predictions) = self.score(&outcome.last)?;
        Ok(Solved { posterior: outcome.last, errors, predictions })
    }

    /// Errors of every scored quantity on the test grid (none without a reference), and the predictions `[fields][n]`.
    fn score(&self, posterior: &Posterior<K>) -> Result<(Vec<FieldErrors>, Vec<Vec<f64>>), CliError> {
        let grid = self.problem.test_grid().points();
        let failed = |e: hyperpde_gp::GpError| CliError::numerical("evaluating the solution", e);
        let predictions = (0..self.problem.fields().len())
            .map(|f| posterior.values(f, grid).map_err(failed))
            .collect::<Result<Vec<_>, _>>()?;
        let Some(reference) = self.problem.reference() else {
            return Ok((Vec::new(), predictions));
        };
        let truth = reference.evaluate(grid).map_err(|e| CliError::numerical("evaluating the reference", e))?;
        let errors =
            self.problem.errors(&predictions, &truth).map_err(|e| CliError::numerical("scoring the solution", e))?;
        let errors =
            errors.into_iter().map(|(field, e)| FieldErrors { field, linf: e.linf, rmse: e.rmse, rel_l2: e.rel_l2 });
        Ok((errors.collect(), predictions))
    }

    /// Collocation points and validation pool together, with the same boundary points.
    fn enlarged(&self, collocation: &Collocation) -> Result<Collocation, CliError> {
        let interior = Points::concat(&[&collocation.interior, &collocation.pool])
            .map_err(|e| CliError::numerical("joining points", e))?;
        Ok(Collocation { interior, ..collocation.clone() })
    }

    fn describe_kernels(&self, learned: &[K], report: &mut RunReport) -> Result<(), CliError> {
        let several = learned.len() > 1;
        for (kernel, field) in learned.iter().zip(self.problem.fields()) {
            let key = |name: &str| if several { format!("{field}.{name}") } else { name.to_owned() };
            let count = parameters(kernel).map_err(|e| CliError::numerical("reading the kernel", e))?.len();
            report.hyperparameters.insert(key("kernel"), json!(kernel.name()));
            report.hyperparameters.insert(key("parameters"), json!(count));
            for (name, value) in kernel.summary() {
                report.hyperparameters.insert(key(&name), json!(value));
            }
        }
        Ok(())
    }

    /// Points of the test grid, and for each field solution, standard deviation and reference on it.
    fn write_solution(
        &self,
        path: &Path,
        after: &Solved<K>,
        truth: Option<&[Vec<f64>]>,
        deviations: &[Vec<f64>],
    ) -> Result<(), CliError> {
        let grid = self.problem.test_grid();
        let points = grid.points();
        let mut arrays = vec![NamedArray::new("points", [points.len(), points.dim()], points.as_slice().to_vec())];
        for (f, name) in self.problem.fields().iter().enumerate() {
            arrays.push(NamedArray::new(name.as_str(), grid.shape(), after.predictions[f].clone()));
            arrays.push(NamedArray::new(format!("{name}.deviation"), grid.shape(), deviations[f].clone()));
            if let Some(truth) = truth {
                arrays.push(NamedArray::new(format!("{name}.reference"), grid.shape(), truth[f].clone()));
            }
        }
        write_arrays(path, &arrays)
    }

    fn draw(
        &self,
        folder: &Path,
        collocation: &Collocation,
        after: &Solved<K>,
        kernels: &[K],
        report: &RunReport,
    ) -> Result<(), CliError> {
        let grid = self.problem.test_grid();
        let truth = match self.problem.reference() {
            Some(reference) => Some(
                reference.evaluate(grid.points()).map_err(|e| CliError::numerical("evaluating the reference", e))?,
            ),
            None => None,
        };
        let history = figures::history(&folder.join("history"), &report.history)?;
        let mut deviations = Vec::new();
        for f in 0..self.problem.fields().len() {
            let value = hyperpde_kernels::Operator::identity(self.problem.domain().dim());
            let variance = after
                .posterior
                .variance(f, &value, grid.points())
                .map_err(|e| CliError::numerical("evaluating the posterior variance", e))?;
            deviations.push(variance.iter().map(|v| v.sqrt()).collect::<Vec<f64>>());
        }
        self.write_solution(&folder.join("solution.safetensors"), after, truth.as_deref(), &deviations)?;
        let kernel_fields = match &self.kernel_fields {
            Some(fields) => {
                fields(kernels, grid.points()).map_err(|e| CliError::numerical("evaluating the kernel's fields", e))?
            }
            None => Vec::new(),
        };
        let fields = self.problem.fields().iter().enumerate().map(|(f, name)| FieldData {
            name,
            solution: &after.predictions[f],
            reference: truth.as_ref().map(|t| t[f].as_slice()),
            deviation: &deviations[f],
        });
        let data = FigureData { grid, collocation, fields: fields.collect(), kernel_fields };
        let drawn = figures::solution_set(folder, &data)?;
        let page = Page { report, history: history.as_ref(), figures: &drawn, warnings: &take_warnings() };
        html::write_report(&folder.join("report.html"), &page)
    }
}

/// Progress and history of a run.
struct Watch<'a, K: Kernel> {
    experiment: &'a Experiment<K>,
    progress: Option<RunProgress>,
    history: Vec<StepRecord>,
    started: Instant,
    outer_steps: usize,
    residual: Option<f64>,
    error: Option<f64>,
}

impl<'a, K: Kernel> Watch<'a, K> {
    fn new(experiment: &'a Experiment<K>, settings: &BilevelSettings, quiet: bool) -> Self {
        let progress = RunProgress::new(settings.gauss_newton_steps, quiet).with_outer_steps(settings.outer_steps);
        Self {
            experiment,
            progress: Some(progress),
            history: Vec::new(),
            started: Instant::now(),
            outer_steps: 0,
            residual: None,
            error: None,
        }
    }

    fn line(&mut self, step: StepLine) {
        if let Some(progress) = &mut self.progress {
            progress.update(&step);
        }
        self.history.push(StepRecord { step, seconds: self.started.elapsed().as_secs_f64() });
    }

    fn finish(mut self) -> Vec<StepRecord> {
        if let Some(progress) = self.progress.take() {
            progress.finish(&format!("learned in {} outer steps", self.outer_steps));
        }
        std::mem::take(&mut self.history)
    }
}

impl<K: Kernel> Observer<K> for Watch<'_, K> {
    fn outer(&mut self, record: &OuterRecord) {
        self.outer_steps += 1;
        self.line(StepLine {
            gauss_newton: record.gauss_newton,
            outer: record.outer,
            loss: Some(record.loss),
            residual: self.residual,
            error: self.error,
        });
    }

    fn gauss_newton(&mut self, record: &GaussNewtonRecord, posterior: &Posterior<K>) -> ControlFlow<()> {
        self.residual = record.residual;
        // The error is only shown: a failure to score must not end a run that goes on well.
        self.error = self
            .experiment
            .score(posterior)
            .ok()
            .and_then(|(errors, _)| errors.iter().map(|e| e.linf).reduce(f64::max));
        self.line(StepLine {
            gauss_newton: record.gauss_newton,
            outer: record.outer_steps,
            loss: record.loss,
            residual: self.residual,
            error: self.error,
        });
        ControlFlow::Continue(())
    }
}
