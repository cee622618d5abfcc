//! What became of one problem.

use hyperpde_run::RunReport;
use hyperpde_run::verdict::{ERROR, Outcome, Verdict};
use serde::Serialize;

/// A run that is called solved may have at most this many times the error that it estimates.
pub const SILENT: f64 = 10.0;
/// A run is right if its error is below this share of the bar for a solved one, whatever its target.
const RIGHT: f64 = 0.1;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "ended", rename_all = "kebab-case")]
pub enum Ended {
    /// With an answer and a verdict on it.
    Answer {
        /// What the run says of itself.
        verdict: Verdict,
        /// Relative L2 error against the exact solution, the largest over the scores.
        error: Option<f64>,
        /// The same before learning, where that was solved.
        before: Option<f64>,
        /// Share of true values inside two standard deviations, the smallest over the scores.
        within_2sd: Option<f64>,
        /// Wall time of the process.
        seconds: f64,
        /// Peak memory, MiB.
        memory_mb: Option<f64>,
    },
    /// Ended at the limit.
    NoAnswer {
        /// The limit in seconds.
        limit: f64,
    },
    /// With an error and a reason.
    Refused {
        /// Exit status and last message.
        why: String,
        /// Wall time of the process.
        seconds: f64,
    },
}

impl Ended {
    /// From the report of a run; one without a verdict can't be, since this program wrote it.
    pub(super) fn of(report: &RunReport, seconds: f64) -> Self {
        let largest = |column: &hyperpde_run::PerField| {
            let values = column.0.iter().map(|(_, v)| *v);
            values.reduce(|a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) })
        };
        let Some(verdict) = report.verdict.clone() else {
            return Self::Refused { why: "the report has no verdict".into(), seconds };
        };
        Self::Answer {
            verdict,
            error: largest(&report.rel_l2),
            before: report.rel_l2_initial.as_ref().and_then(largest),
            within_2sd: report.coverage_2sd.0.iter().map(|(_, share)| *share).reduce(f64::min),
            seconds,
            memory_mb: report.peak_rss_mb,
        }
    }
}

/// A problem with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name.
    pub problem: String,
    /// Relative L2 error to reach, if there is one.
    pub target: Option<f64>,
    /// What became of it.
    #[serde(flatten)]
    pub ended: Ended,
}

impl Row {
    /// A row.
    #[must_use]
    pub fn new(problem: &str, target: Option<f64>, ended: Ended) -> Self {
        Self { problem: problem.to_owned(), target, ended }
    }

    /// Called solved, with an error above `SILENT` times the estimate.
    #[must_use]
    pub fn is_silent_failure(&self) -> bool {
        match &self.ended {
            Ended::Answer { verdict, error: Some(error), .. } if verdict.outcome == Outcome::Solved => {
                // An error that is not a number fails too.
                !matches!(error.partial_cmp(&(SILENT * verdict.worst_estimate())), Some(order) if order.is_le())
            }
            _ => false,
        }
    }

    /// An answer whose error is at its target, or a tenth of what a solved run may have.
    #[must_use]
    pub fn is_right(&self) -> bool {
        let bar = (RIGHT * ERROR.solved).max(self.target.unwrap_or(0.0));
        matches!(&self.ended, Ended::Answer { error: Some(error), .. } if *error <= bar)
    }

    /// Right, and not called solved.
    #[must_use]
    pub fn is_false_alarm(&self) -> bool {
        self.is_right() && matches!(&self.ended, Ended::Answer { verdict, .. } if verdict.outcome != Outcome::Solved)
    }

    /// Whether the target is reached.
    #[must_use]
    pub fn reached(&self) -> bool {
        matches!((&self.ended, self.target), (Ended::Answer { error: Some(e), .. }, Some(target)) if *e <= target)
    }

    /// The row as a line of Markdown.
    #[must_use]
    pub fn line(&self) -> String {
        let number = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.1e}"));
        let target = number(self.target);
        match &self.ended {
            Ended::Answer { verdict, error, before, within_2sd, seconds, memory_mb } => {
                let why: Vec<String> = verdict.complaints().map(|f| format!("{} {:.1e}", f.name, f.value)).collect();
                format!(
                    "| {} | {} | {} | {} | {target} | {} | {} | {seconds:.1} | {} | {} |",
                    self.problem,
                    verdict.outcome.name(),
                    number(*error),
                    number(Some(verdict.worst_estimate()).filter(|e| e.is_finite())),
                    number(*before),
                    within_2sd.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
                    memory_mb.map_or_else(|| "-".to_owned(), |m| format!("{m:.0}")),
                    why.join(", ")
                )
            }
            Ended::NoAnswer { limit } => {
                format!(
                    "| {} | no answer in {limit:.0} s | - | - | {target} | - | - | {limit:.1} | - | |",
                    self.problem
                )
            }
            Ended::Refused { why, seconds } => {
                let why = why.replace('|', "\\|");
                format!("| {} | refused | - | - | {target} | - | - | {seconds:.1} | - | {why} |", self.problem)
            }
        }
    }
}
