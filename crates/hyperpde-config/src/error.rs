//! Faults of a configuration, shown with the line and column they come from.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::input::printable;
use hyperpde_expr::{ExpressionError, nearest};

/// Width to which messages are wrapped; fixed, so that a message does not depend on the terminal.
const WIDTH: usize = 100;

/// A fault of a configuration or of a file that it names.
#[derive(Clone)]
pub struct ConfigError(Box<Fault>);

#[derive(Clone)]
struct Fault {
    message: String,
    source: Option<NamedSource<Arc<str>>>,
    labels: Vec<(Range<usize>, String)>,
    help: Option<String>,
}

impl ConfigError {
    /// A fault without a place, such as a file that can't be read.
    pub fn without_place(message: impl Into<String>) -> Self {
        Self(Box::new(Fault { message: shown(message), source: None, labels: Vec::new(), help: None }))
    }

    /// The same with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(shown(help));
        self
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Line and column of the place, from 1; nothing if there is no place.
    pub fn place(&self) -> Option<(usize, usize)> {
        let (span, _) = self.0.labels.first()?;
        let text: &str = self.0.source.as_ref()?.inner();
        let before = text.get(..span.start)?;
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
    }

    /// The message with the excerpt of the file, as it goes to a terminal; `colour` changes no character that is seen.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler =
            GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false).without_syntax_highlighting();
        let mut out = String::new();
        match handler.render_report(&mut out, &Drawn(self)) {
            Ok(()) => out.trim_matches('\n').to_owned(),
            // Only a place outside the text can fail to be drawn.
            Err(_) => self.0.message.clone(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match (&self.0.source, self.place()) {
            (Some(source), Some((line, column))) => write!(f, " ({}:{line}:{column})", source.name()),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ConfigError {}

/// What miette draws: the message without its place, which the excerpt shows.
#[derive(Debug)]
struct Drawn<'a>(&'a ConfigError);

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.0.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.0.source.as_ref().map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label =
            |(span, text): &(Range<usize>, String)| LabeledSpan::new(Some(text.clone()), span.start, span.len());
        Some(Box::new(self.0.0.labels.iter().map(label)))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.0.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }
}

/// A part of a message, which may quote anything that a file holds.
fn shown(part: impl Into<String>) -> String {
    printable(&part.into()).into_owned()
}

/// The text of a configuration, to which faults point.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: Arc<str>,
}

impl Source {
    /// A text with the name of its file.
    pub fn new(name: impl Into<String>, text: &str) -> Self {
        Self { name: shown(name), text: printable(text).into() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name of its file without folder and extension.
    pub(crate) fn stem(&self) -> String {
        std::path::Path::new(&self.name)
            .file_stem()
            .map_or_else(|| "custom".into(), |s| s.to_string_lossy().into_owned())
    }

    /// A fault at `span` of the text, with a few words to put beside it.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> ConfigError {
        let end = span.end.min(self.text.len());
        ConfigError(Box::new(Fault {
            message: shown(message),
            source: Some(NamedSource::new(&self.name, Arc::clone(&self.text))),
            labels: vec![(span.start.min(end)..end, shown(label))],
            help: None,
        }))
    }

    /// A fault of the whole file.
    pub fn without_place(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::without_place(format!("{} ({})", message.into(), self.name))
    }

    /// A fault inside an expression that stands as a string at `span`.
    pub fn in_expression(&self, span: &Range<usize>, fault: ExpressionError) -> ConfigError {
        let literal = self.text.get(span.clone()).unwrap_or_default();
        let inside = place_in_literal(literal, &fault.span);
        let at = inside.map_or(span.clone(), |r| span.start + r.start..span.start + r.end);
        let error = self.error(at, fault.message, fault.label);
        match fault.help {
            Some(help) => error.with_help(help),
            None => error,
        }
    }

    /// A fault that reading the TOML met.
    pub fn from_toml(&self, fault: &toml::de::Error) -> ConfigError {
        let span = fault.span().unwrap_or(0..0);
        let message = fault.message();
        if let Some((key, known)) = unknown(message, "unknown field `") {
            let at = self.key(&key, &span).unwrap_or(span);
            let help = match nearest(&key, known.iter().map(String::as_str)) {
                Some(close) => format!("did you mean '{close}'?"),
                None => format!("keys here: {}", known.join(", ")),
            };
            return self.error(at, format!("unknown key '{key}'"), "no such key here").with_help(help);
        }
        if let Some((value, known)) = unknown(message, "unknown variant `") {
            let help = match nearest(&value, known.iter().map(String::as_str)) {
                Some(close) => format!("did you mean '{close}'?"),
                None => format!("it may be {}", known.join(", ")),
            };
            return self.error(span, format!("unknown choice '{value}'"), "no such choice").with_help(help);
        }
        if message.starts_with("invalid boolean") {
            let help = "a value is a number, true, false, a text in quotes, an array or a table";
            return self.error(span, "this is no value", "here").with_help(help);
        }
        let words = [
            ("missing field", "missing key"),
            ("usize", "a whole number, 0 or more"),
            ("u64", "a whole number, 0 or more"),
        ];
        let words = words.into_iter().chain([
            ("u8", "a whole number from 0 to 255"),
            ("f64", "a number"),
            ("a sequence", "an array"),
            ("a map", "a table"),
        ]);
        let message = words.fold(message.replace('`', "'"), |text, (from, to)| text.replace(from, to));
        self.error(span, message, "here")
    }

    /// Where `key = ...` stands, looked for inside `near` and then after it: kernels are read in one piece, without places of their own.
    fn key(&self, key: &str, near: &Range<usize>) -> Option<Range<usize>> {
        if self.text.get(near.clone()) == Some(key) {
            return Some(near.clone());
        }
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let places = self.text.match_indices(key).filter(|(i, _)| *i >= near.start).find(|(i, _)| {
            let (before, after) = (&self.text[..*i], &self.text[i + key.len()..]);
            !before.ends_with(word) && after.trim_start_matches([' ', '\t', '"', '\'']).starts_with('=')
        });
        places.map(|(i, _)| i..i + key.len())
    }
}

/// Name and known names of "unknown field `name`, expected one of `a`, `b`".
fn unknown(message: &str, start: &str) -> Option<(String, Vec<String>)> {
    let (name, rest) = message.strip_prefix(start)?.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((name.to_owned(), known))
}

/// Where bytes of a TOML string's value stand in its literal, quotes and escapes counted.
fn place_in_literal(literal: &str, inside: &Range<usize>) -> Option<Range<usize>> {
    let (quote, basic) = match literal.chars().next()? {
        '"' => ("\"", true),
        '\'' => ("'", false),
        _ => return None,
    };
    let long = literal.len() >= 6 && literal.starts_with(&quote.repeat(3));
    let mut at = if long { 3 } else { 1 };
    if long {
        // A line end right after the opening quotes is not part of the value.
        at += if literal[at..].starts_with("\r\n") { 2 } else { usize::from(literal[at..].starts_with('\n')) };
    }
    let (mut value, mut start) = (0, None);
    while let Some(c) = literal[at..].chars().next() {
        if value >= inside.start && start.is_none() {
            start = Some(at);
        }
        if value >= inside.end {
            return Some(start?..at.max(start? + usize::from(inside.is_empty())));
        }
        let (read, written) = if basic && c == '\\' { escape(&literal[at..]) } else { (c.len_utf8(), c.len_utf8()) };
        at += read;
        value += written;
    }
    None
}

/// Bytes that an escape takes in the literal, and in the value.
fn escape(text: &str) -> (usize, usize) {
    let digits = match text.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            let rest = text[1..].trim_start();
            return (text.len() - rest.len(), 0);
        }
        _ => return (2.min(text.len()), 1),
    };
    let code = text.get(2..2 + digits).and_then(|d| u32::from_str_radix(d, 16).ok()).and_then(char::from_u32);
    (2 + digits, code.map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_in_literals() {
        // Literal, bytes of the value, what stands there.
        let cases = [
            (r#""u_t + foo""#, 6..9, "foo"),
            ("'u_t + foo'", 6..9, "foo"),
            ("\"\"\"\nu_t + foo\"\"\"", 6..9, "foo"),
            (r#""\u03bd*foo""#, 3..6, "foo"),
            ("\"\"\"u \\\n   + foo\"\"\"", 4..7, "foo"),
            (r#""ν + foo""#, 5..8, "foo"),
        ];
        for (literal, inside, expected) in cases {
            let at = place_in_literal(literal, &inside).unwrap();
            assert_eq!(&literal[at], expected, "{literal}");
        }
    }
}
