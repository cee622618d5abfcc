//! A verdict as plain text.

use std::fmt;

use super::{Outcome, Verdict};

impl fmt::Display for Verdict {
    /// The outcome with its estimate, each finding as a line, and what to try.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "verdict: {}", self.outcome.name())?;
        let estimate = self.worst_estimate();
        if estimate.is_finite() {
            write!(f, ", estimated relative error {estimate:.1e}")?;
        }
        writeln!(f)?;
        let width = self.findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
        for finding in &self.findings {
            let mark = if finding.outcome == Outcome::Solved { ' ' } else { '!' };
            writeln!(
                f,
                "{mark} {:<width$}  {:>8.1e} of {:.0e}  {}",
                finding.name, finding.value, finding.bar, finding.sentence
            )?;
        }
        let mut told = Vec::new();
        for finding in self.complaints() {
            if !told.contains(&finding.advice) {
                writeln!(f, "{}: {}", finding.name, finding.advice)?;
                told.push(finding.advice.clone());
            }
        }
        Ok(())
    }
}
