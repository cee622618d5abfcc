//! Warnings in the log of a run.

/// Start of a warning as a line of a log. A [`crate::Host`] that writes a log writes warnings so.
pub const WARNING: &str = "warn: ";

/// Most warnings that are taken; a run that warns at every step says nothing new after that.
pub const MOST_WARNINGS: usize = 200;

/// The warnings in the text of a log, each once.
#[must_use]
pub fn warnings_in(log: &str) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    for text in log.lines().filter_map(|line| line.strip_prefix(WARNING)) {
        if warnings.len() < MOST_WARNINGS && warnings.iter().all(|w| w != text) {
            warnings.push(text.to_owned());
        }
    }
    warnings
}
