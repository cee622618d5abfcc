//! A problem with the kernel that is learned on it.

use std::ops::RangeInclusive;

use burn::tensor::Device;
use hyperpde_bilevel::{BilevelSettings, OptimizerState};
use hyperpde_kernels::{AnyKernel, Kernel, KernelError, Points, Precision, parameters};
use hyperpde_pde::{Problem, Sampler};

use hyperpde_config::{Config, RunSettings, Target};
use serde::Serialize;

use super::baseline::ConstantScales;
use super::cloud::CloudPlan;
use super::plan::Plan;
use crate::digest::digest;
use crate::error::RunError;
use crate::host::Host;
use crate::report::RunReport;

/// Builds one kernel per field from the seed of the run.
pub type KernelBuilder<K> = Box<dyn Fn(u64, &Device) -> Result<Vec<K>, KernelError>>;
/// Named scalar fields that belong to learned kernels, such as length scales, at given points.
pub type KernelFields<K> = Box<dyn Fn(&[K], &Points) -> Result<Vec<(String, Vec<f64>)>, KernelError>>;

/// A problem with the kernel that is learned on it.
pub struct Experiment<K: Kernel> {
    pub(super) problem: Problem,
    pub(super) kernels: KernelBuilder<K>,
    pub(super) kernel_fields: Option<KernelFields<K>>,
    pub(super) clouds: Vec<CloudPlan>,
    pub(super) constant: Option<ConstantScales>,
    pub(super) sampler: Sampler,
    pub(super) scored: ScoredData,
    pub(super) settings: RunSettings,
    /// What the settings of a run do not say.
    pub(super) base: BilevelSettings,
    /// Where the experiment came from, if from a configuration.
    pub(super) config: Option<Config>,
}

/// Observations that the outer loss scores, each square over its noise variance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) enum ScoredData {
    None,
    /// This fraction, which the inner solve then does not fit.
    HeldOut(f64),
    /// All, in turn: cross-validation with this many folds.
    Folds(usize),
    /// The same that the inner solve fits.
    Fitted,
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

    /// Also solves on new points with the learned kernel frozen: this many where the plan leaves the numbers of points, and
    /// in proportion where it changes them.
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

    /// With [`Plan::baselines`], also looks for the constant length scales, each in `range`, that give the smallest error on the last
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

    /// How points are spread unless the plan says otherwise; uniform if not called.
    #[must_use]
    pub fn with_sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Changes the settings that hold where the plan says nothing, such as the optimizer.
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

    /// What is solved.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// How the experiment runs unless it is told otherwise.
    pub fn plan(&self) -> Plan {
        Plan {
            settings: self.settings,
            target: self.config.as_ref().map_or_else(Target::default, Config::target),
            sampler: self.sampler,
            learn: true,
            baselines: false,
            out: None,
            json: None,
        }
    }

    /// Digest of all that the numbers of a run depend on: version, settings, kernels, points. Two runs with the same digest give the same report,
    /// but for times.
    ///
    /// # Errors
    /// As [`Experiment::run`] for kernels that can't be built.
    pub fn fingerprint(&self, plan: &Plan) -> Result<String, RunError> {
        let device = plan.target.drafting()?;
        let building = |e| RunError::numerical("building the kernels", e);
        let kernels = (self.kernels)(plan.settings.seed, &device).map_err(building)?;
        let inputs = Inputs {
            version: env!("CARGO_PKG_VERSION"),
            problem: self.problem.name(),
            target: (plan.target.to_string(), plan.target.precision.unwrap_or_default()),
            settings: &plan.settings,
            optimizer_state: self.base.optimizer_state,
            assembly: self.base.solve.assembly.name(),
            sampler: plan.sampler,
            scored: self.scored,
            kernels: kernels.iter().map(Kernel::name).collect(),
            theta: parameters(&kernels).map_err(building)?.iter().map(|v| v.to_bits()).collect(),
            clouds: self.clouds.iter().map(CloudPlan::describe).collect(),
            constant: self.constant.as_ref().map(|c| (&c.names, &c.range)),
            learn: plan.learn,
            baselines: plan.baselines,
        };
        Ok(digest(&serde_json::to_vec(&inputs)?))
    }

    pub(super) fn bilevel(&self, plan: &Plan) -> BilevelSettings {
        plan.settings.apply(self.base.clone())
    }
}

/// What [`Experiment::fingerprint`] is made of. Only values go in here that a run does not change.
#[derive(Serialize)]
struct Inputs<'a> {
    version: &'a str,
    problem: &'a str,
    target: (String, Precision),
    settings: &'a RunSettings,
    optimizer_state: OptimizerState,
    assembly: &'a str,
    sampler: Sampler,
    scored: ScoredData,
    kernels: Vec<String>,
    /// Bits, since JSON has no infinities.
    theta: Vec<u64>,
    clouds: Vec<String>,
    constant: Option<(&'a Vec<String>, &'a RangeInclusive<f64>)>,
    learn: bool,
    baselines: bool,
}

/// An experiment with whatever kernel.
pub trait Runnable {
    /// See [`Experiment::plan`].
    fn plan(&self) -> Plan;

    /// See [`Experiment::run`].
    ///
    /// # Errors
    /// As there.
    fn run(&self, plan: &Plan, host: &dyn Host) -> Result<RunReport, RunError>;

    /// See [`Experiment::fingerprint`].
    ///
    /// # Errors
    /// As there.
    fn fingerprint(&self, plan: &Plan) -> Result<String, RunError>;
}

impl<K: Kernel> Runnable for Experiment<K> {
    fn plan(&self) -> Plan {
        Experiment::plan(self)
    }

    fn run(&self, plan: &Plan, host: &dyn Host) -> Result<RunReport, RunError> {
        Experiment::run(self, plan, host)
    }

    fn fingerprint(&self, plan: &Plan) -> Result<String, RunError> {
        Experiment::fingerprint(self, plan)
    }
}

impl<R: Runnable + ?Sized> Runnable for Box<R> {
    fn plan(&self) -> Plan {
        (**self).plan()
    }

    fn run(&self, plan: &Plan, host: &dyn Host) -> Result<RunReport, RunError> {
        (**self).run(plan, host)
    }

    fn fingerprint(&self, plan: &Plan) -> Result<String, RunError> {
        (**self).fingerprint(plan)
    }
}
