//! The flags that every example binary accepts, and what each of them may be.

use std::path::PathBuf;

use hyperpde_bilevel::{ObjectiveKind, OptimizerKind, StepControl};
use hyperpde_config::{MAX_COUNT, RunSettings};
use hyperpde_pde::Sampler;
use hyperpde_run::Plan;

use crate::error::CliError;
use crate::target::TargetFlags;

/// The flags common to all example binaries; flatten it with `#[command(flatten)]`.
///
/// A flag with a default of its own in each problem is an `Option`; [`CommonFlags::resolve`] fills the gaps.
#[derive(Debug, Clone, clap::Args)]
pub struct CommonFlags {
    /// Where to compute, and in which precision.
    #[command(flatten)]
    pub target: TargetFlags,
    /// Seed of the samples, the batches and the initial weights [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Collocation points inside the domain [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub interior: Option<usize>,
    /// Collocation points on the boundary, initial line included [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub boundary: Option<usize>,
    /// Points of the validation pool [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub validation: Option<usize>,
    /// Validation points drawn per Gauss-Newton step, at most the pool [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub batch: Option<usize>,
    /// Gauss-Newton steps [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub gauss_newton_steps: Option<usize>,
    /// Updates of the kernel per Gauss-Newton step; 0 keeps the initial kernel [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_count_or_zero, allow_negative_numbers = true)]
    pub outer_steps: Option<usize>,
    /// Relative nugget on the diagonal of the Gram matrix [default: the problem's]
    #[arg(long, value_name = "X", value_parser = parse_nugget, allow_hyphen_values = true)]
    pub nugget: Option<f64>,
    /// Learning rate of the kernel's optimizer [default: the problem's]
    #[arg(long, value_name = "X", value_parser = parse_learning_rate, allow_hyphen_values = true)]
    pub learning_rate: Option<f64>,
    /// What the outer loss is, such as published, validation or leave-one-out: see `hyperpde list` [default: the experiment's]
    #[arg(long, value_name = "NAME")]
    pub objective: Option<ObjectiveKind>,
    /// Optimizer of the kernel: adam, or lbfgs for a handful of hyperparameters [default: the experiment's]
    #[arg(long, value_name = "NAME")]
    pub optimizer: Option<OptimizerKind>,
    /// Gauss-Newton steps: full, or backtracking where the residual would grow [default: the experiment's]
    #[arg(long, value_name = "NAME")]
    pub step_control: Option<StepControl>,
    /// How points are spread: uniform, latin-hypercube, halton or sobol [default: the experiment's]
    #[arg(long, value_name = "NAME", value_parser = parse_sampler)]
    pub sampler: Option<Sampler>,
    /// Also solve with the initial hyperparameters wherever the learned ones are tried, and search for the constant length scales
    /// with the smallest error, where the experiment says how; takes longer than learning
    #[arg(long)]
    pub baselines: bool,
    /// Write the figures into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the report as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Show no progress and no messages below a warning
    #[arg(long)]
    pub quiet: bool,
}

impl CommonFlags {
    /// The plan of this run: each flag that was given, else what the experiment's own plan says.
    ///
    /// # Errors
    /// As [`CommonFlags::resolve`].
    pub fn plan(&self, own: Plan) -> Result<Plan, CliError> {
        Ok(Plan {
            settings: self.resolve(&own.settings)?,
            target: self.target.over(own.target),
            sampler: self.sampler.unwrap_or(own.sampler),
            baselines: self.baselines,
            out: self.out.clone(),
            json: self.json.clone(),
            ..own
        })
    }

    /// The settings of this run: each flag that was given, else the value in `defaults`.
    ///
    /// A default batch larger than a pool that the user made smaller shrinks to the pool.
    ///
    /// # Errors
    /// [`CliError::Input`] when `--batch` asks for more points than the validation pool holds.
    pub fn resolve(&self, defaults: &RunSettings) -> Result<RunSettings, CliError> {
        let validation = self.validation.unwrap_or(defaults.validation);
        let batch = match self.batch {
            Some(batch) if batch > validation => {
                return Err(CliError::Input(format!(
                    "--batch {batch} asks for more points than the validation pool of {validation} holds: \
                     lower --batch or raise --validation"
                )));
            }
            Some(batch) => batch,
            None => defaults.batch.min(validation),
        };
        let objective = self.objective.unwrap_or(defaults.objective);
        let gauss_newton_steps = self.gauss_newton_steps.unwrap_or(defaults.gauss_newton_steps);
        Ok(RunSettings {
            seed: self.seed.unwrap_or(defaults.seed),
            interior: self.interior.unwrap_or(defaults.interior),
            boundary: self.boundary.unwrap_or(defaults.boundary),
            validation,
            batch,
            gauss_newton_steps,
            outer_steps: self.outer_steps.unwrap_or(defaults.outer_steps),
            // A short run must learn too.
            warm_up: defaults.warm_up.min(gauss_newton_steps / 3),
            nugget: self.nugget.unwrap_or(defaults.nugget),
            learning_rate: self.learning_rate.unwrap_or(defaults.learning_rate),
            objective,
            // The tolerance is in the units of the objective that it was chosen for.
            loss_tolerance: if objective == defaults.objective { defaults.loss_tolerance } else { 0.0 },
            optimizer: self.optimizer.unwrap_or(defaults.optimizer),
            step_control: self.step_control.unwrap_or(defaults.step_control),
            // What has no flag.
            ..*defaults
        })
    }
}

fn parse_sampler(text: &str) -> Result<Sampler, String> {
    text.parse().map_err(|_| match Sampler::names() {
        [others @ .., last] => format!("must be {} or {last}", others.join(", ")),
        [] => String::new(),
    })
}

pub(crate) fn parse_seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("must be a whole number from 0 to {}", u64::MAX))
}

fn parse_count(text: &str) -> Result<usize, String> {
    count_from(1, text)
}

fn parse_count_or_zero(text: &str) -> Result<usize, String> {
    count_from(0, text)
}

fn count_from(least: usize, text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (least..=MAX_COUNT).contains(&count) => Ok(count),
        _ => Err(format!("must be a whole number from {least} to {MAX_COUNT}")),
    }
}

fn parse_nugget(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        // A nugget of 1 already weighs as much as the kernel itself.
        Ok(nugget) if (0.0..=1.0).contains(&nugget) => Ok(nugget),
        _ => Err("must be a number from 0 to 1, such as 1e-10".to_owned()),
    }
}

fn parse_learning_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err("must be a finite number above 0, such as 1e-2".to_owned()),
    }
}
