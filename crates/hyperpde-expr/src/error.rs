//! What is wrong with an expression, and where in its text.

use std::ops::Range;

use thiserror::Error;

/// A fault in an expression; the span counts bytes of its text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong.
    pub message: String,
    /// The part of the text that is meant.
    pub span: Range<usize>,
    /// A few words to put beside that part.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

impl ExpressionError {
    /// A fault at `span`.
    pub fn new(span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { message: message.into(), span, label: label.into(), help: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The candidate closest to `name`, if it is close enough to be a likely slip: at most a third of the letters wrong, or one.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (strsim::osa_distance(name, c), c))
        .filter(|&(distance, _)| distance <= allowed)
        // Of several, one with as many letters: a letter is mistyped more often than left out.
        .min_by_key(|&(distance, c)| (distance, c.chars().count().abs_diff(name.chars().count())))
        .map(|(_, c)| c)
}
