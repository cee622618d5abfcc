//! All problems together.

use std::fmt::Write as _;

use hyperpde_run::verdict::Outcome;
use serde::Serialize;

use super::row::{Ended, Row};

/// Counts, and the names of what must not happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Problems.
    pub problems: usize,
    /// Of them solved, doubtful, failed by their own verdict.
    pub solved: usize,
    /// See [`Summary::solved`].
    pub doubtful: usize,
    /// See [`Summary::solved`].
    pub failed: usize,
    /// Ended at the limit, or refused with a reason.
    pub no_answer: usize,
    /// Targets that were reached.
    pub reached: usize,
    /// Called solved with an error above ten times the estimate.
    pub silent_failures: Vec<String>,
    /// Right, and called doubtful or failed.
    pub false_alarms: Vec<String>,
    /// Worse than before learning.
    pub worse_by_learning: Vec<String>,
    /// Median error of the runs that are called solved.
    pub median_error_of_solved: Option<f64>,
}

impl Summary {
    /// Of some rows.
    #[must_use]
    pub fn of(rows: &[Row]) -> Self {
        let with = |outcome: Outcome| {
            rows.iter()
                .filter(|r| matches!(&r.ended, Ended::Answer { verdict, .. } if verdict.outcome == outcome))
                .count()
        };
        let names = |of: &dyn Fn(&Row) -> bool| rows.iter().filter(|r| of(r)).map(|r| r.problem.clone()).collect();
        let worse =
            |row: &Row| matches!(&row.ended, Ended::Answer { error: Some(e), before: Some(before), .. } if e > before);
        let mut errors: Vec<f64> = rows
            .iter()
            .filter_map(|r| match &r.ended {
                Ended::Answer { verdict, error, .. } if verdict.outcome == Outcome::Solved => *error,
                _ => None,
            })
            .collect();
        errors.sort_by(f64::total_cmp);
        Self {
            problems: rows.len(),
            solved: with(Outcome::Solved),
            doubtful: with(Outcome::Doubtful),
            failed: with(Outcome::Failed),
            no_answer: rows.iter().filter(|r| !matches!(r.ended, Ended::Answer { .. })).count(),
            reached: rows.iter().filter(|r| r.reached()).count(),
            silent_failures: names(&Row::is_silent_failure),
            false_alarms: names(&Row::is_false_alarm),
            worse_by_learning: names(&worse),
            median_error_of_solved: errors.get(errors.len() / 2).copied(),
        }
    }
}

/// A table of the rows with the summary below.
#[must_use]
pub fn markdown(rows: &[Row], summary: &Summary) -> String {
    let mut text =
        "| problem | verdict | error | own estimate | target | before learning | within 2 sd | seconds | MiB | why |\n\
                    |---|---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for row in rows {
        text.push_str(&row.line());
        text.push('\n');
    }
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    // Writing to a String can't fail.
    let _ = write!(
        text,
        "\n{} problems: {} solved, {} doubtful, {} failed, {} without an answer; {} targets reached\n\n\
         silent failures (solved, error above ten times the estimate): {}\n\n\
         false alarms (right, but not called solved): {}\n\nworse by learning: {}\n",
        summary.problems,
        summary.solved,
        summary.doubtful,
        summary.failed,
        summary.no_answer,
        summary.reached,
        list(&summary.silent_failures),
        list(&summary.false_alarms),
        list(&summary.worse_by_learning)
    );
    text
}
