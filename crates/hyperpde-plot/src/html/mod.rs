//! A run as one web page that needs nothing else: numbers, figures as inline SVG, settings, warnings.
//!
//! The page loads nothing, from the network or from disk, and holds no script. It follows the reader's width and light or dark
//! preference. Every text that comes from outside is escaped.

mod number;
mod verdict;

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value};

use hyperpde_run::{FileError, RunReport, write_atomic};

use crate::figure::{Figure, Inline, InlineWidth};
use crate::svg::escape;
use number::{label, number, optional, seconds, value};

const STYLE: &str = include_str!("style.css");

/// What a page shows.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The run.
    pub report: &'a RunReport,
    /// Its history, if one was drawn.
    pub history: Option<&'a Figure>,
    /// The figures of its solution, in order.
    pub figures: &'a [Figure],
    /// Warnings that were logged.
    pub warnings: &'a [String],
}

/// Writes [`render`] to `path` with [`write_atomic`].
///
/// # Errors
/// [`FileError`] with the path.
pub fn write_report(path: &Path, page: &Page<'_>) -> Result<(), FileError> {
    write_atomic(path, render(page).as_bytes())
}

/// The page as HTML.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let report = page.report;
    let name = escape(&report.problem);
    let kernel = if report.learned() { "a kernel learned by bilevel optimisation" } else { "a given kernel" };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name} – HyperPDE</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{name}</h1>\n<p class=\"soft\">Solved with Gaussian processes and {kernel}</p>\n"
    );
    tiles(&mut out, report);
    if let Some(found) = &report.verdict {
        verdict::verdict(&mut out, found);
    }
    errors(&mut out, report);
    warnings(&mut out, page.warnings);
    if let Some(history) = page.history {
        out.push_str("<h2>History</h2>\n");
        figure(&mut out, history);
    }
    if !page.figures.is_empty() {
        out.push_str("<h2>Solution</h2>\n");
        for drawn in page.figures {
            figure(&mut out, drawn);
        }
    }
    out.push_str("<div class=\"pair\">\n");
    pairs(&mut out, "Learned hyperparameters", &report.hyperparameters);
    pairs(&mut out, "Settings", &report.settings);
    out.push_str("</div>\n");
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<footer>HyperPDE {}, backend {}, {}, seed {}. The numbers are in report.json beside this page.</footer>\n\
         </main>\n</body>\n</html>\n",
        escape(&report.version),
        serialized(&report.backend),
        serialized(&report.precision),
        report.seed
    );
    out
}

/// The text that a report writes for a choice of a fixed set.
fn serialized(choice: &impl serde::Serialize) -> String {
    serde_json::to_value(choice).map_or_else(|_| String::new(), |v| value(&v))
}

fn tile(out: &mut String, main: bool, what: &str, number: &str, note: &str) {
    let class = if main { " class=\"main\"" } else { "" };
    let _ = writeln!(out, "<li{class}><span>{what}</span><b>{number}</b>{note}</li>");
}

/// The numbers to see first.
fn tiles(out: &mut String, report: &RunReport) {
    out.push_str("<ul class=\"tiles\">\n");
    let several = report.linf.0.len() > 1;
    for (index, (field, after)) in report.linf.0.iter().enumerate() {
        let of = if several { format!(" of {}", escape(field)) } else { String::new() };
        let before = report.linf_initial.as_ref().and_then(|all| all.0.get(index)).map(|entry| entry.1);
        let (shown, note) = match before {
            Some(before) => (format!("{} → {}", number(before), number(*after)), change(before, *after)),
            None => (number(*after), String::new()),
        };
        tile(out, true, &format!("largest error{of}"), &shown, &note);
    }
    if let Some(residual) = report.history.iter().filter_map(|s| s.step.residual).reduce(f64::min) {
        tile(out, false, "smallest residual", &number(residual), "");
    }
    let time = if report.learned() { "learning time" } else { "solving time" };
    tile(out, false, time, &seconds(report.seconds_learn), "");
    tile(out, false, "total time", &seconds(report.seconds_total), "");
    if let Some(memory) = report.peak_rss_mb {
        tile(out, false, "peak memory", &format!("{memory:.0}&nbsp;MiB"), "");
    }
    tile(out, false, "rows", &report.rows.to_string(), "");
    tile(out, false, "outer steps", &report.outer_steps.to_string(), "");
    out.push_str("</ul>\n");
}

/// What the numbers before and after an arrow mean; how much smaller an error became, if it did.
fn change(before: f64, after: f64) -> String {
    let times = before / after;
    if times.is_finite() && times >= 1.05 {
        format!("<i class=\"good\">{} times smaller after learning</i>", number(times))
    } else {
        "<i>before → after learning</i>".to_owned()
    }
}

fn errors(out: &mut String, report: &RunReport) {
    out.push_str("<h2>Errors against the reference</h2>\n");
    let rows = report.rows_of_errors();
    if rows.is_empty() {
        out.push_str("<p>This problem has no reference solution, so errors are not known.</p>\n");
        return;
    }
    out.push_str(
        "<table class=\"errors\">\n<thead><tr><th scope=\"col\"></th><th scope=\"col\">L-infinity</th><th scope=\"col\">RMSE</th>\
         <th scope=\"col\">relative L2</th><th scope=\"col\">within 2 sd</th></tr></thead>\n<tbody>\n",
    );
    for row in rows {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&row.label),
            optional(row.linf),
            optional(row.rmse),
            optional(row.rel_l2),
            row.coverage.map_or_else(|| optional(None), |c| format!("{:.0}&nbsp;%", 100.0 * c))
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

fn warnings(out: &mut String, warnings: &[String]) {
    if warnings.is_empty() {
        return;
    }
    out.push_str("<h2>Warnings</h2>\n<ul class=\"warnings\">\n");
    for text in warnings {
        let _ = writeln!(out, "<li>{}</li>", escape(text));
    }
    out.push_str("</ul>\n");
}

fn figure(out: &mut String, figure: &Figure) {
    let parts = |of: fn(&Inline) -> bool| figure.inline.iter().filter(move |part| of(part));
    out.push_str("<figure>\n");
    if parts(|part| part.width == InlineWidth::Any).next().is_some() {
        out.push_str("<div class=\"panels\">\n");
        parts(|part| part.width == InlineWidth::Any).for_each(|part| out.push_str(&part.svg));
        out.push_str("</div>\n");
    }
    for part in parts(|part| part.width != InlineWidth::Any) {
        let class = if part.width == InlineWidth::Wide { "wide" } else { "narrow" };
        let _ = write!(out, "<div class=\"{class}\">\n{}</div>\n", part.svg);
    }
    let _ = writeln!(out, "<figcaption>{}</figcaption>\n</figure>", escape(&figure.caption));
}

fn pairs(out: &mut String, title: &str, entries: &Map<String, Value>) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(out, "<section>\n<h2>{title}</h2>\n<table>\n<tbody>");
    for (name, entry) in entries {
        let _ = writeln!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", label(name), value(entry));
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
}
