//! What a run tells its observers.

use std::fmt;
use std::ops::ControlFlow;

use hyperpde_gp::Posterior;
use hyperpde_kernels::Kernel;
use serde::{Deserialize, Serialize};

/// One outer step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OuterRecord {
    /// Gauss-Newton step, from 1.
    pub gauss_newton: usize,
    /// Outer step within it, from 1.
    pub outer: usize,
    /// Loss before the update.
    pub loss: f64,
    /// Euclidean norm of its gradient.
    pub gradient_norm: f64,
    /// Relative jitter the factorisation needed, 0 for none.
    pub jitter: f64,
    /// Estimate of the condition number of the system.
    pub condition: f64,
    /// Whether training had to go back from a failed solve to get here.
    pub backed_off: bool,
    /// Seconds the step took.
    pub seconds: f64,
}

/// One Gauss-Newton step, after its inner solve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GaussNewtonRecord {
    /// Gauss-Newton step, from 1.
    pub gauss_newton: usize,
    /// Outer steps taken in it.
    pub outer_steps: usize,
    /// Loss at its end, if any was evaluated.
    pub loss: Option<f64>,
    /// Relative change of the iterate at the collocation points, `‖u^{k+1} − u^k‖/‖u^{k+1}‖`.
    pub increment: f64,
    /// Fraction of the Gauss-Newton step that was taken, 1 for all of it.
    pub fraction: f64,
    /// Root mean square of the nonlinear residual of `u^{k+1}` at independent points, if there are any.
    pub residual: Option<f64>,
    /// Named hyperparameters.
    pub hyperparameters: Vec<(String, f64)>,
    /// Seconds since the run began.
    pub seconds: f64,
}

/// Watches a run; every method has a default that does nothing.
pub trait Observer<K: Kernel> {
    /// After each outer step.
    fn outer(&mut self, record: &OuterRecord) {
        let _ = record;
    }

    /// After each Gauss-Newton step; `Break` ends the run.
    fn gauss_newton(&mut self, record: &GaussNewtonRecord, posterior: &Posterior<K>) -> ControlFlow<()> {
        let _ = (record, posterior);
        ControlFlow::Continue(())
    }
}

/// Watches nothing.
impl<K: Kernel> Observer<K> for () {}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Termination {
    /// All Gauss-Newton steps were taken.
    StepsTaken,
    /// The iterate stopped changing.
    Converged,
    /// The equations are linear and the kernel was not learned: one step is exact.
    Linear,
    /// Learning gained nothing more: see [`crate::BilevelSettings::gain_tolerance`].
    NothingToGain,
    /// An observer ended it, or [`crate::Bilevel::stop`].
    Stopped,
}

impl Termination {
    /// Its name in reports and snapshots.
    pub fn name(self) -> &'static str {
        match self {
            Self::StepsTaken => "steps-taken",
            Self::Converged => "converged",
            Self::Linear => "linear",
            Self::NothingToGain => "nothing-to-gain",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    #[test]
    fn the_name_of_a_termination_is_the_one_that_files_hold() {
        let all = [
            Termination::StepsTaken,
            Termination::Converged,
            Termination::Linear,
            Termination::NothingToGain,
            Termination::Stopped,
        ];
        for termination in all {
            let name: StrDeserializer<'_, Error> = termination.name().into_deserializer();
            assert_eq!(Termination::deserialize(name), Ok(termination));
        }
    }
}
