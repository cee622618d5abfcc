//! The numbers a run uses: the flags where given, the problem's defaults elsewhere.

use hyperpde_bilevel::{BilevelSettings, OptimizerKind, StepControl};
use hyperpde_pde::{Defaults, SampleSizes};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{CliError, CommonFlags};

/// Settings of a run, complete. A problem states its defaults as one of these.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RunSettings {
    /// Seed of the samples, the batches and the initial weights.
    pub seed: u64,
    /// Collocation points inside the domain.
    pub interior: usize,
    /// Collocation points on the boundary (initial line included).
    pub boundary: usize,
    /// Points of the validation pool.
    pub validation: usize,
    /// Validation points drawn per Gauss-Newton step.
    pub batch: usize,
    /// Gauss-Newton steps.
    pub gauss_newton_steps: usize,
    /// Kernel updates per Gauss-Newton step.
    pub outer_steps: usize,
    /// First Gauss-Newton steps without kernel updates, at most a third of the steps that the flags leave.
    pub warm_up: usize,
    /// Relative nugget on the diagonal of the Gram matrix.
    pub nugget: f64,
    /// Learning rate of the kernel's optimizer.
    pub learning_rate: f64,
    /// Loss (a plain sum of squares over the batch) at which the updates of a Gauss-Newton step stop early.
    pub loss_tolerance: f64,
    /// Optimizer of the kernel.
    pub optimizer: OptimizerKind,
    /// How far a Gauss-Newton step goes.
    pub step_control: StepControl,
    /// Relative change of the solution at which learning ends early, if the optimizer has nothing left to gain either; 0 never.
    pub increment_tolerance: f64,
    /// Weight of the regulariser of the hyperparameters; 0 as published.
    pub regularisation: f64,
}

impl RunSettings {
    /// A problem's published settings, seed 0, with Adam as published and Gauss-Newton steps under control.
    #[must_use]
    pub fn of(defaults: &Defaults) -> Self {
        Self {
            seed: 0,
            interior: defaults.interior,
            boundary: defaults.boundary,
            validation: defaults.validation,
            batch: defaults.batch,
            gauss_newton_steps: defaults.gauss_newton_steps,
            outer_steps: defaults.outer_steps,
            warm_up: 0,
            nugget: defaults.nugget,
            learning_rate: defaults.learning_rate,
            loss_tolerance: defaults.loss_tolerance,
            optimizer: OptimizerKind::Adam,
            step_control: StepControl::Backtracking,
            increment_tolerance: 0.0,
            regularisation: 0.0,
        }
    }

    /// How many points to sample.
    #[must_use]
    pub fn sizes(&self) -> SampleSizes {
        SampleSizes { interior: self.interior, boundary: self.boundary, validation: self.validation }
    }

    /// These numbers in place of those in `settings`.
    #[must_use]
    pub fn apply(&self, settings: BilevelSettings) -> BilevelSettings {
        BilevelSettings {
            seed: self.seed,
            batch: self.batch,
            gauss_newton_steps: self.gauss_newton_steps,
            outer_steps: self.outer_steps,
            warm_up: self.warm_up,
            nugget: self.nugget,
            learning_rate: self.learning_rate,
            optimizer: self.optimizer,
            step_control: self.step_control,
            increment_tolerance: self.increment_tolerance,
            regularisation: self.regularisation,
            loss_tolerance: self.loss_tolerance,
            ..settings
        }
    }

    /// The settings by name, for the `settings` entry of a report; callers add their own entries.
    #[must_use]
    pub fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            // A struct of plain numbers always becomes an object.
            _ => Map::new(),
        }
    }
}

impl CommonFlags {
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
            loss_tolerance: defaults.loss_tolerance,
            optimizer: self.optimizer.unwrap_or(defaults.optimizer),
            step_control: self.step_control.unwrap_or(defaults.step_control),
            increment_tolerance: defaults.increment_tolerance,
            regularisation: defaults.regularisation,
        })
    }
}
