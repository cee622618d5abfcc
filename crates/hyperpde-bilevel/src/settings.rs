//! Settings of a bilevel run.

use std::sync::Arc;

use hyperpde_gp::SolveSettings;
use hyperpde_pde::{Collocation, Defaults};
use serde::{Deserialize, Serialize};

use crate::error::BilevelError;
use crate::hypergradient::{Hypergradient, OneStep};
use crate::objective::{Objective, SquaredResidual};
use crate::optimizer::{OptimizerConstants, OptimizerKind, OptimizerState};

/// How far a Gauss-Newton step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepControl {
    /// Always the whole step, as published.
    Full,
    /// The whole step where it makes the nonlinear residual at the collocation points smaller, a fraction of it elsewhere.
    #[default]
    Backtracking,
}

impl StepControl {
    /// Its name in configurations and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Backtracking => "backtracking",
        }
    }
}

impl std::str::FromStr for StepControl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Full, Self::Backtracking].into_iter().find(|c| c.name() == text);
        known.ok_or_else(|| "must be full or backtracking".to_owned())
    }
}

/// Settings of the loop.
#[derive(Clone, Debug)]
pub struct BilevelSettings {
    /// Gauss-Newton steps `K`, at least 1.
    pub gauss_newton_steps: usize,
    /// Outer steps per Gauss-Newton step at most; 0 solves with the kernel as it is.
    pub outer_steps: usize,
    /// First Gauss-Newton steps that take no outer step: while the iterate still moves far, the loss about it says little about the
    /// kernel, and a kernel fitted to it may lead to a spurious solution.
    pub warm_up: usize,
    /// Validation points per Gauss-Newton step, drawn afresh from the pool.
    pub batch: usize,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// No further update in a Gauss-Newton step once its loss is at or below this; of no meaning for objectives that may be negative.
    pub loss_tolerance: f64,
    /// Gauss-Newton ends early once the relative change of the iterate is at or below this and no outer step is left to take; 0 never.
    pub increment_tolerance: f64,
    /// A Gauss-Newton step is idle if its outer steps lower the loss, of the same points, by no more than this share of it (for objectives that may
    /// be negative: by no more than this per row of the system). After [`BilevelSettings::gain_steps`] idle steps in a row learning ends; 0 never.
    pub gain_tolerance: f64,
    /// Idle Gauss-Newton steps in a row after which learning ends, at least 1.
    pub gain_steps: usize,
    /// Nugget `η`.
    pub nugget: f64,
    /// Weight `ρ` of the regulariser `ρ ‖θ − θ⁰‖²` that the outer loss carries, with the initial hyperparameters `θ⁰`; 0 as published. It
    /// decides where the residual can't: along directions in which the loss is flat or all rounding.
    pub regularisation: f64,
    /// How far a Gauss-Newton step goes.
    pub step_control: StepControl,
    /// What the outer loss is.
    pub objective: Arc<dyn Objective>,
    /// How its gradient is taken.
    pub hypergradient: Arc<dyn Hypergradient>,
    /// Optimizer of the outer loss.
    pub optimizer: OptimizerKind,
    /// Constants of the optimizers.
    pub optimizer_constants: OptimizerConstants,
    /// State of the optimizer across Gauss-Newton steps.
    pub optimizer_state: OptimizerState,
    /// Seed of the batches.
    pub seed: u64,
    /// Points, apart from collocation and validation, on which the nonlinear residual is watched.
    pub monitor: usize,
    /// Times that training may back off from a failed inner solve before it gives up.
    pub retries: usize,
    /// Settings of the inner solve.
    pub solve: SolveSettings,
}

impl BilevelSettings {
    /// A problem's published settings.
    pub fn published(defaults: &Defaults, seed: u64) -> Self {
        Self {
            gauss_newton_steps: defaults.gauss_newton_steps,
            outer_steps: defaults.outer_steps,
            warm_up: 0,
            batch: defaults.batch,
            learning_rate: defaults.learning_rate,
            loss_tolerance: defaults.loss_tolerance,
            increment_tolerance: 0.0,
            gain_tolerance: 0.0,
            gain_steps: 3,
            nugget: defaults.nugget,
            regularisation: 0.0,
            step_control: StepControl::Full,
            objective: Arc::new(SquaredResidual),
            hypergradient: Arc::new(OneStep),
            optimizer: OptimizerKind::Adam,
            optimizer_constants: OptimizerConstants::default(),
            optimizer_state: OptimizerState::Reset,
            seed,
            monitor: 500,
            retries: 10,
            solve: SolveSettings::default(),
        }
    }

    /// The same with a frozen kernel: Gauss-Newton only, until the iterate changes by less than `increment_tolerance` (relative).
    pub fn frozen(mut self, gauss_newton_steps: usize, increment_tolerance: f64) -> Self {
        (self.gauss_newton_steps, self.outer_steps, self.increment_tolerance) =
            (gauss_newton_steps, 0, increment_tolerance);
        self
    }

    /// Checks the settings against the points that there are.
    pub(crate) fn check(&self, collocation: &Collocation) -> Result<(), BilevelError> {
        let pool = collocation.pool.len();
        let bad =
            |name, value: String, expected: &str| Err(BilevelError::Setting { name, value, expected: expected.into() });
        if self.gauss_newton_steps == 0 {
            return bad("Gauss-Newton steps", "0".into(), "at least 1");
        }
        if self.gain_steps == 0 {
            return bad("gain steps", "0".into(), "at least 1");
        }
        let validates = self.outer_steps > 0 && self.objective.validates();
        if validates && self.batch == 0 {
            return bad("batch", "0".into(), "at least 1 validation point is needed to learn");
        }
        if validates && self.batch > pool {
            let expected = format!(
                "at most the size of the validation pool, {pool}: sample more validation points or lower the batch"
            );
            return bad("batch", self.batch.to_string(), &expected);
        }
        if validates
            && self.objective.scores_conditions()
            && collocation.boundary_pool.len() != collocation.boundary.len()
        {
            let expected = format!(
                "{} conditions at new points: draw them with Problem::sample and validation points, or fill Collocation::boundary_pool",
                collocation.boundary.len()
            );
            return bad("boundary pool", collocation.boundary_pool.len().to_string(), &expected);
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return bad("learning rate", self.learning_rate.to_string(), "positive and finite");
        }
        for (name, value) in [
            ("loss tolerance", self.loss_tolerance),
            ("increment tolerance", self.increment_tolerance),
            ("gain tolerance", self.gain_tolerance),
            ("nugget", self.nugget),
            ("regularisation", self.regularisation),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return bad(name, value.to_string(), "finite and not negative");
            }
        }
        Ok(())
    }
}
