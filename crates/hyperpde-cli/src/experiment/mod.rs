//! What every example binary does with a problem and a kernel: solve, learn, solve again, score, draw, report.

mod baseline;
mod cloud;
mod output;
mod solve;
mod spread;
mod watch;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use hyperpde_bilevel::{Bilevel, BilevelSettings};
use hyperpde_gp::{Posterior, RowBlock};
use hyperpde_kernels::{AnyKernel, Kernel, KernelError, Points, parameters};
use hyperpde_pde::{Collocation, Problem, Sampler};
use serde_json::json;

use crate::report::{KernelState, LargerCloud};
use crate::{CliError, CommonFlags, PerField, RunReport, RunSettings, peak_rss_mb};

use baseline::ConstantScales;
use cloud::{Cloud, CloudPlan, sampling};
use output::Output;
use solve::Solved;
use spread::Spread;
use watch::Watch;

/// Builds one kernel per field from the seed of the run.
pub type KernelBuilder<K> = Box<dyn Fn(u64, &Device) -> Result<Vec<K>, KernelError>>;
/// Builds one kernel per field from constant length scales.
type ConstantBuilder = Box<dyn Fn(&[f64], &Device) -> Result<Vec<AnyKernel>, KernelError>>;
/// Named scalar fields that belong to learned kernels, such as length scales, at given points.
pub type KernelFields<K> = Box<dyn Fn(&[K], &Points) -> Result<Vec<(String, Vec<f64>)>, KernelError>>;

/// A problem with the kernel that is learned on it.
pub struct Experiment<K: Kernel> {
    problem: Problem,
    kernels: KernelBuilder<K>,
    kernel_fields: Option<KernelFields<K>>,
    clouds: Vec<CloudPlan>,
    constant: Option<ConstantScales>,
    sampler: Sampler,
    scored: ScoredData,
    settings: RunSettings,
}

/// Observations that the outer loss scores, each square over its noise variance.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ScoredData {
    None,
    /// This fraction, which the inner solve then does not fit.
    HeldOut(f64),
    /// All, in turn: cross-validation with this many folds.
    Folds(usize),
    /// The same that the inner solve fits.
    Fitted,
}

/// An experiment with whatever kernel.
pub trait Runnable {
    /// See [`Experiment::run`].
    ///
    /// # Errors
    /// As there.
    fn run(&self, flags: &CommonFlags) -> Result<RunReport, CliError>;

    /// See [`Experiment::fingerprint`].
    ///
    /// # Errors
    /// As there.
    fn fingerprint(&self, flags: &CommonFlags) -> Result<String, CliError>;
}

impl<K: Kernel> Runnable for Experiment<K> {
    fn run(&self, flags: &CommonFlags) -> Result<RunReport, CliError> {
        Experiment::run(self, flags)
    }

    fn fingerprint(&self, flags: &CommonFlags) -> Result<String, CliError> {
        Experiment::fingerprint(self, flags)
    }
}

impl<K: Kernel> Experiment<K> {
    /// An experiment; `kernels` builds one kernel per field from the run's seed.
    pub fn new(problem: Problem, kernels: impl Fn(u64, &Device) -> Result<Vec<K>, KernelError> + 'static) -> Self {
        Self {
            settings: RunSettings::of(problem.defaults()),
            problem,
            kernels: Box::new(kernels),
            kernel_fields: None,
            clouds: Vec::new(),
            constant: None,
            sampler: Sampler::Uniform,
            scored: ScoredData::None,
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
        self.clouds.push(CloudPlan::Larger);
        self
    }

    /// Also solves on new points with the learned kernel frozen: this many where the flags leave the numbers of points, and
    /// in proportion where they change them.
    #[must_use]
    pub fn with_fresh_cloud(mut self, interior: usize, boundary: usize) -> Self {
        self.clouds.push(CloudPlan::Fresh { interior, boundary });
        self
    }

    /// Also solves other problems with the same fields, on new points each, with the learned kernel frozen.
    #[must_use]
    pub fn with_transfers(mut self, problems: impl IntoIterator<Item = Problem>) -> Self {
        self.clouds.extend(problems.into_iter().map(|p| CloudPlan::Transfer(Box::new(p))));
        self
    }

    /// With `--baselines`, also looks for the constant length scales, each in `range`, that give the smallest error on the last
    /// cloud of this problem; `build` makes the kernels from them.
    #[must_use]
    pub fn with_constant_scales<const N: usize>(
        mut self,
        names: [&str; N],
        range: RangeInclusive<f64>,
        build: impl Fn(&[f64], &Device) -> Result<Vec<AnyKernel>, KernelError> + 'static,
    ) -> Self {
        let names = names.into_iter().map(str::to_owned).collect();
        self.constant = Some(ConstantScales { names, range, build: Box::new(build) });
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
        self.scored = ScoredData::HeldOut(fraction);
        self
    }

    /// Cross-validation over the observations in place of [`Experiment::with_held_out`]: see [`Bilevel::with_folds`].
    #[must_use]
    pub fn with_folds(mut self, count: usize) -> Self {
        self.scored = ScoredData::Folds(count);
        self
    }

    /// The outer loss scores the observations that the inner solve fits, each square over its noise variance, as published for the
    /// Darcy problem. Hyperparameters that fit the noise look good to such a loss.
    #[must_use]
    pub fn with_scored_fit(mut self) -> Self {
        self.scored = ScoredData::Fitted;
        self
    }

    /// Runs the experiment as the flags say, and writes figures and JSON where asked.
    ///
    /// # Errors
    /// [`CliError::Input`] for flags that don't fit the problem, [`CliError::Numerical`] if learning or a solve with the learned
    /// kernel fails, [`CliError::Io`] or [`CliError::Figure`] for output that can't be written.
    pub fn run(&self, flags: &CommonFlags) -> Result<RunReport, CliError> {
        let started = Instant::now();
        let (settings, bilevel) = self.settings(flags)?;
        let device = flags.backend.device().map_err(|e| CliError::Input(e.to_string()))?;
        // Before the work, not after it: a folder that can't be made should cost nothing.
        for folder in flags.out.iter().map(PathBuf::as_path).chain(flags.json.iter().filter_map(|file| file.parent())) {
            std::fs::create_dir_all(folder).map_err(|e| CliError::io("create the folder", folder, e))?;
        }
        let sampler = flags.sampler.unwrap_or(self.sampler);
        let collocation = self.problem.sample(&settings.sizes(), sampler, settings.seed).map_err(sampling)?;
        let initial = (self.kernels)(settings.seed, &device.clone().autodiff())
            .map_err(|e| CliError::numerical("building the kernels", e))?;
        let mut report = RunReport::new(self.problem.name(), flags.backend, flags.precision, &settings);
        report.settings.insert("sampler".into(), json!(sampler));
        let training = Cloud { name: "training", problem: &self.problem, collocation };
        if let Some(before) = self.initial(&training, &initial, &bilevel) {
            report.set_initial_errors(&before.errors);
            report.clouds.push(training.errors(KernelState::Initial, &before));
        }

        let learning = Instant::now();
        let solution = self.learn(&training.collocation, initial.clone(), &bilevel, flags.quiet, &mut report)?;
        let learned = solution.kernels().to_vec();
        report.seconds_learn = learning.elapsed().as_secs_f64();

        let after = training.solve(&learned, &bilevel, Some(&solution))?;
        report.set_errors(&after.errors);
        report.clouds.push(training.errors(KernelState::Learned, &after));
        let spread = Spread::of(&self.problem, &after)?;
        report.coverage_2sd = PerField(spread.coverage.clone());
        self.describe_kernels(&learned, &mut report)?;
        let mut clouds = Vec::new();
        for (index, plan) in self.clouds.iter().enumerate() {
            let cloud = plan.points(index, &training, &settings, &self.settings, sampler)?;
            let start = (!matches!(plan, CloudPlan::Transfer(_))).then_some(&solution);
            let errors = cloud.errors(KernelState::Learned, &cloud.solve(&learned, &bilevel, start)?);
            if matches!(plan, CloudPlan::Larger) {
                report.larger_cloud = Some(LargerCloud::from(&errors));
            }
            report.clouds.push(errors);
            clouds.push(cloud);
        }
        report.seconds_total = started.elapsed().as_secs_f64();
        report.peak_rss_mb = peak_rss_mb();

        if flags.baselines {
            self.baselines(&training, &clouds, &initial, &bilevel, &device, &mut report)?;
        }
        // The numbers first: they stay if a figure can't be drawn.
        let folder_report = flags.out.as_ref().map(|folder| folder.join("report.json"));
        for file in folder_report.iter().chain(&flags.json) {
            report.write_json(file)?;
        }
        if let Some(folder) = &flags.out {
            let output = Output { problem: &self.problem, collocation: &training.collocation, spread: &spread };
            let kernel_fields = match &self.kernel_fields {
                Some(fields) => fields(&learned, self.problem.test_grid().points())
                    .map_err(|e| CliError::numerical("evaluating the kernel's fields", e))?,
                None => Vec::new(),
            };
            output.write(folder, &after.predictions, kernel_fields, &report)?;
        }
        Ok(report)
    }

    /// All that the numbers of a run depend on, as text: settings, kernels, points and the version. Two runs with the same text
    /// give the same report, but for times.
    ///
    /// # Errors
    /// As [`Experiment::run`] for flags that don't fit and kernels that can't be built.
    pub fn fingerprint(&self, flags: &CommonFlags) -> Result<String, CliError> {
        let (settings, bilevel) = self.settings(flags)?;
        let device = flags.backend.device().map_err(|e| CliError::Input(e.to_string()))?;
        let building = |e| CliError::numerical("building the kernels", e);
        let kernels = (self.kernels)(settings.seed, &device).map_err(building)?;
        let names: Vec<String> = kernels.iter().map(Kernel::name).collect();
        let theta = parameters(&kernels).map_err(building)?;
        let clouds: Vec<String> = self.clouds.iter().map(CloudPlan::describe).collect();
        let constant = self.constant.as_ref().map(|c| (&c.names, &c.range));
        Ok(format!(
            "{} {} {} {} {settings:?} {bilevel:?} {:?} {:?} {names:?} {theta:?} {clouds:?} {} {constant:?}",
            env!("CARGO_PKG_VERSION"),
            self.problem.name(),
            flags.backend,
            flags.precision,
            flags.sampler.unwrap_or(self.sampler),
            self.scored,
            flags.baselines,
        ))
    }

    fn settings(&self, flags: &CommonFlags) -> Result<(RunSettings, BilevelSettings), CliError> {
        let settings = flags.resolve(&self.settings)?;
        let bilevel = settings.apply(BilevelSettings::published(self.problem.defaults(), settings.seed));
        Ok((settings, bilevel))
    }

    /// A solve with the initial kernel. It may well fail, which is no failure of the run.
    fn initial(&self, cloud: &Cloud<'_>, kernels: &[K], settings: &BilevelSettings) -> Option<Solved<K>> {
        cloud
            .solve(kernels, settings, None)
            .inspect_err(|e| {
                let problem = cloud.problem.name();
                log::warn!("{problem} can't be solved with the initial hyperparameters: {}", e.full_message());
            })
            .ok()
    }

    /// The best solution on the way, with the learned kernels it was solved with; history and counts in `report`.
    fn learn(
        &self,
        collocation: &Collocation,
        kernels: Vec<K>,
        settings: &BilevelSettings,
        quiet: bool,
        report: &mut RunReport,
    ) -> Result<Arc<Posterior<K>>, CliError> {
        let mut watch = Watch::new(&self.problem, settings, quiet);
        // Learning sees the observations but those held out; the solves before and after fit all of them.
        let all = collocation.observations.clone();
        let (mut inner, mut scored, mut folds) = (all.clone(), Vec::new(), Vec::new());
        match self.scored {
            ScoredData::None => {}
            ScoredData::HeldOut(fraction) => {
                (inner, scored) = collocation.split_observations(fraction, settings.seed)?;
            }
            ScoredData::Folds(count) => folds = collocation.observation_folds(count, settings.seed)?,
            ScoredData::Fitted => scored = all.into_iter().map(RowBlock::regularised).collect(),
        }
        let learned_on = Collocation { observations: inner, ..collocation.clone() };
        let mut run = Bilevel::init(&self.problem, learned_on, kernels, settings.clone())
            .map_err(|e| CliError::Input(e.to_string()))?
            .with_folds(folds);
        for rows in scored {
            let variance = rows.noise_variance();
            run = run.with_scored_rows(rows, if variance > 0.0 { 1.0 / variance } else { 1.0 });
        }
        report.rows = run.rows();
        let outcome = run.run(&mut watch).map_err(|e| CliError::numerical("learning the kernel", e))?;
        report.outer_steps = watch.outer_steps();
        report.history = watch.finish();
        // With observations the equation's residual alone does not tell which iterate is best: a smooth one that ignores the data has
        // the smallest.
        Ok(if self.problem.observations().is_empty() { outcome.best } else { outcome.last })
    }

    /// The solves that the learned kernel is compared with; they count neither in the run's time nor in its memory.
    fn baselines(
        &self,
        training: &Cloud<'_>,
        clouds: &[Cloud<'_>],
        initial: &[K],
        settings: &BilevelSettings,
        device: &Device,
        report: &mut RunReport,
    ) -> Result<(), CliError> {
        let started = Instant::now();
        for cloud in clouds {
            if let Some(solved) = self.initial(cloud, initial, settings) {
                report.clouds.push(cloud.errors(KernelState::Initial, &solved));
            }
        }
        if let Some(scales) = &self.constant {
            let own = clouds.iter().rfind(|c| c.problem.name() == self.problem.name()).unwrap_or(training);
            if let Some((constant, errors)) = scales.best(own, settings, device)? {
                report.constant = Some(constant);
                report.clouds.push(errors);
            }
        }
        report.seconds_baselines = Some(started.elapsed().as_secs_f64());
        Ok(())
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
}
