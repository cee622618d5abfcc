//! What a run is worth, told without the exact solution.
//!
//! A residual at the points that were solved on says nothing: there the equations hold by construction. So everything is measured where the
//! solver has not been: the equations and the conditions at **new points**, drawn as the others were from a seed of their own, and the
//! solution against that of the **same kernel on those points**. Besides, the solver tells what it had to do.
//!
//! | finding | value | solved at most | failed above |
//! |---|---|---|---|
//! | [`conditions`] | misfit of the worst condition at new points over the size of its data | [`CONDITIONS`] | |
//! | [`equation`] | residual at new points over the size of its terms | [`EQUATION`] | |
//! | [`implied noise`](noise) | noise that the nugget amounts to, over the size of the solution | [`NOISE`] | |
//! | [`observations`] | mean square misfit over the noise variance | [`OBSERVATIONS`] | |
//! | [`jitter`](solver) | what the factorisation had to add, over the nugget | [`JITTER`] | |
//! | [`convergence`](solver) | relative change in the last Gauss-Newton step | [`CONVERGENCE`] | |
//! | [`error`](mod@error) | estimate of the relative error | [`ERROR`] | |
//!
//! A run is [`Outcome::Solved`] if every value is within its bar, [`Outcome::Failed`] if one is beyond what may be called a solution, and
//! [`Outcome::Doubtful`] between.

pub mod conditions;
pub mod equation;
pub mod error;
pub mod noise;
pub mod observations;
pub mod solver;
mod text;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::per_field::PerField;

pub use conditions::CONDITIONS;
pub use equation::EQUATION;
pub use error::{ERROR, ERROR_WITH_NOISE};
pub use noise::NOISE;
pub use observations::OBSERVATIONS;
pub use solver::{CONVERGENCE, JITTER};

/// What a run is worth; the better one is the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything that was checked holds, and the estimated error is small.
    Solved,
    /// There is an answer, and a reason not to rely on it.
    Doubtful,
    /// There is no answer, or what there is plainly does not meet equations and conditions.
    Failed,
}

impl Outcome {
    /// Exit status of a program whose run ended so: 0, 3, 1.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Self::Solved => 0,
            Self::Doubtful => 3,
            Self::Failed => 1,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Solved => "solved",
            Self::Doubtful => "doubtful",
            Self::Failed => "failed",
        }
    }
}

/// What did its work and solved nothing has nothing to doubt.
impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Solved
    }
}

/// Up to where a value is good, and from where it is hopeless.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// A run whose value is larger is not solved.
    pub solved: f64,
    /// A run whose value is larger has failed; infinity if the value alone never says so.
    pub failed: f64,
}

impl Bar {
    /// The outcome of a value; one that is not a number is the worst.
    #[must_use]
    pub fn judge(self, value: f64) -> Outcome {
        if value <= self.solved {
            Outcome::Solved
        } else if value <= self.failed {
            Outcome::Doubtful
        } else {
            Outcome::Failed
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at, as in "conditions".
    pub name: String,
    /// What was found.
    #[serde(serialize_with = "finite", deserialize_with = "number")]
    pub value: f64,
    /// What it may be at most for a run that is solved.
    pub bar: f64,
    /// What it says on its own.
    pub outcome: Outcome,
    /// The finding in a sentence.
    pub sentence: String,
    /// What to try; empty where nothing is wrong.
    pub advice: String,
}

impl Finding {
    /// Holds a value against its bar. `advice` is told only where the bar is not kept.
    #[must_use]
    pub fn new(name: &str, value: f64, bar: Bar, sentence: String, advice: &str) -> Self {
        let outcome = bar.judge(value);
        let advice = if outcome == Outcome::Solved { String::new() } else { advice.to_owned() };
        Self { name: name.to_owned(), value, bar: bar.solved, outcome, sentence, advice }
    }
}

/// What a run is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The worst of what the findings say.
    pub outcome: Outcome,
    /// Estimated relative error (in the norm of `rel_l2`) per score; nothing where it could not be estimated.
    pub estimate: PerField,
    /// What was looked at.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// From all that was found.
    #[must_use]
    pub fn new(estimate: PerField, findings: Vec<Finding>) -> Self {
        let outcome = findings.iter().map(|f| f.outcome).max().unwrap_or(Outcome::Doubtful);
        Self { outcome, estimate, findings }
    }

    /// The largest estimate over the scores; NaN where there is none.
    #[must_use]
    pub fn worst_estimate(&self) -> f64 {
        let estimates = self.estimate.0.iter().map(|(_, e)| *e);
        estimates.reduce(|a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }).unwrap_or(f64::NAN)
    }

    /// The findings that keep the run from being solved.
    pub fn complaints(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.outcome != Outcome::Solved)
    }
}

/// Root mean square of some numbers, 0 of none.
#[must_use]
pub fn rms(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0.0_f64), |(s, n), v| (s + v * v, n + 1.0));
    (sum / count.max(1.0)).sqrt()
}

/// `part / whole`, with nothing over nothing being nothing.
pub(crate) fn ratio(part: f64, whole: f64) -> f64 {
    if part == 0.0 { 0.0 } else { part / whole }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn finite<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    value.is_finite().then_some(*value).serialize(serializer)
}

/// JSON knows no NaN and no infinity: both were written as `null`.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
