//! What every example binary and every configuration does with a problem and a kernel: solve, learn, solve again, score, draw, report.

mod baseline;
mod cloud;
mod configured;
mod output;
mod run;
mod solve;
mod spread;
mod watch;

use std::ops::RangeInclusive;

use burn::tensor::Device;
use hyperpde_bilevel::BilevelSettings;
use hyperpde_kernels::{AnyKernel, Kernel, KernelError, Points, parameters};
use hyperpde_pde::{Problem, Sampler};

use crate::config::Config;
use crate::{CliError, CommonFlags, RunReport, RunSettings, Target};

use baseline::ConstantScales;
use cloud::CloudPlan;
pub(crate) use output::{POINTS, Picture};

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
    /// What the settings of a run do not say.
    base: BilevelSettings,
    /// Where the experiment came from, if from a configuration.
    config: Option<Config>,
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
            base: BilevelSettings::published(problem.defaults(), 0),
            config: None,
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

    /// Cross-validation over the observations in place of [`Experiment::with_held_out`]: see [`hyperpde_bilevel::Bilevel::with_folds`].
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

    /// All that the numbers of a run depend on, as text: settings, kernels, points and the version. Two runs with the same text
    /// give the same report, but for times.
    ///
    /// # Errors
    /// As [`Experiment::run`] for flags that don't fit and kernels that can't be built.
    pub fn fingerprint(&self, flags: &CommonFlags) -> Result<String, CliError> {
        let (settings, bilevel) = self.settings(flags)?;
        let target = flags.target.over(Target::default());
        let device = target.drafting()?;
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
            target,
            target.precision.unwrap_or_default(),
            flags.sampler.unwrap_or(self.sampler),
            self.scored,
            flags.baselines,
        ))
    }

    fn settings(&self, flags: &CommonFlags) -> Result<(RunSettings, BilevelSettings), CliError> {
        let settings = flags.resolve(&self.settings)?;
        let bilevel = settings.apply(self.base.clone());
        Ok((settings, bilevel))
    }
}
