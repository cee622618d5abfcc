//! The numbers a run uses: the flags where given, the problem's defaults elsewhere.

use hyperpde_bilevel::{BilevelSettings, ObjectiveKind, OptimizerKind, StepControl};
use hyperpde_pde::{Defaults, SampleSizes};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::document::{OuterSection, SolverSection, plain};

/// Defines [`RunSettings`] from two lists, so that a setting of the loop is one entry: its documentation, type, and value on a problem with the
/// given defaults.
macro_rules! run_settings {
    ($defaults:ident,
     points { $($(#[$points_doc:meta])* $point:ident: $point_type:ty = $point_default:expr,)* }
     bilevel { $($(#[$loop_doc:meta])* $setting:ident: $loop_type:ty = $loop_default:expr,)* }) => {
        /// Settings of a run, complete. A problem states its defaults as one of these.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        pub struct RunSettings {
            $($(#[$points_doc])* pub $point: $point_type,)*
            $($(#[$loop_doc])* pub $setting: $loop_type,)*
        }

        impl RunSettings {
            /// A problem's published settings, seed 0, with Adam as published, but with Gauss-Newton steps under control: where
            /// [`BilevelSettings::published`] takes full steps, every run of the command and of the examples backtracks unless told otherwise.
            #[must_use]
            pub fn of($defaults: &Defaults) -> Self {
                Self { $($point: $point_default,)* $($setting: $loop_default,)* }
            }

            /// These numbers in place of those in `settings`.
            #[must_use]
            pub fn apply(&self, settings: BilevelSettings) -> BilevelSettings {
                BilevelSettings { $($setting: self.$setting.into(),)* ..settings }
            }
        }
    };
}

run_settings! { defaults,
    points {
        /// Collocation points inside the domain.
        interior: usize = defaults.interior,
        /// Collocation points on the boundary (initial line included).
        boundary: usize = defaults.boundary,
        /// Points of the validation pool.
        validation: usize = defaults.validation,
    }
    bilevel {
        /// Seed of the samples, the batches and the initial weights.
        seed: u64 = 0,
        /// Validation points drawn per Gauss-Newton step.
        batch: usize = defaults.batch,
        /// Gauss-Newton steps.
        gauss_newton_steps: usize = defaults.gauss_newton_steps,
        /// Kernel updates per Gauss-Newton step.
        outer_steps: usize = defaults.outer_steps,
        /// First Gauss-Newton steps without kernel updates, at most a third of the steps that the flags leave.
        warm_up: usize = 0,
        /// Relative nugget on the diagonal of the Gram matrix.
        nugget: f64 = defaults.nugget,
        /// Learning rate of the kernel's optimizer.
        learning_rate: f64 = defaults.learning_rate,
        /// Loss (a plain sum of squares over the batch) at which the updates of a Gauss-Newton step stop early.
        loss_tolerance: f64 = defaults.loss_tolerance,
        /// What the outer loss is.
        #[serde(default)]
        objective: ObjectiveKind = ObjectiveKind::Published,
        /// Optimizer of the kernel.
        optimizer: OptimizerKind = OptimizerKind::Adam,
        /// How far a Gauss-Newton step goes.
        step_control: StepControl = StepControl::Backtracking,
        /// Relative change of the solution at which learning ends early, if the optimizer has nothing left to gain either; 0 never.
        increment_tolerance: f64 = 0.0,
        /// Learning ends when the updates of several Gauss-Newton steps in a row each lower the loss by no more than this share of it; 0 never.
        #[serde(default)]
        gain_tolerance: f64 = 0.0,
        /// How many.
        #[serde(default = "few")]
        gain_steps: usize = few(),
        /// Weight of the regulariser of the hyperparameters; 0 as published.
        regularisation: f64 = 0.0,
    }
}

/// Gauss-Newton steps without a gain, each with a batch of its own, that are no accident.
fn few() -> usize {
    3
}

impl RunSettings {
    /// What a problem that is stated as text starts from: nobody has tuned anything to it. Its objective sees the conditions, its optimizer chooses its
    /// own steps, and learning ends when it gains nothing.
    pub(crate) fn untuned(defaults: &Defaults) -> Self {
        Self {
            outer_steps: 20,
            loss_tolerance: 0.0,
            objective: ObjectiveKind::Validation,
            optimizer: OptimizerKind::Lbfgs,
            gain_tolerance: 1e-2,
            ..Self::of(defaults)
        }
    }

    /// How many points to sample.
    #[must_use]
    pub fn sizes(&self) -> SampleSizes {
        SampleSizes { interior: self.interior, boundary: self.boundary, validation: self.validation }
    }

    /// The numbers that stand in `[solver]`.
    pub(crate) fn solver_section(&self) -> SolverSection {
        SolverSection {
            gauss_newton_steps: plain(self.gauss_newton_steps),
            increment_tolerance: plain(self.increment_tolerance),
            step_control: Some(self.step_control),
            nugget: plain(self.nugget),
            ..SolverSection::default()
        }
    }

    /// The numbers that stand in `[outer]`.
    pub(crate) fn outer_section(&self) -> OuterSection {
        OuterSection {
            steps: plain(self.outer_steps),
            warm_up: plain(self.warm_up),
            batch: plain(self.batch),
            learning_rate: plain(self.learning_rate),
            tolerance: plain(self.loss_tolerance),
            objective: Some(self.objective),
            optimizer: Some(self.optimizer),
            gain_tolerance: plain(self.gain_tolerance),
            gain_steps: plain(self.gain_steps),
            regularisation: plain(self.regularisation),
            ..OuterSection::default()
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
