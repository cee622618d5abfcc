//! What the run is worth, on its page.

use std::fmt::Write as _;

use hyperpde_run::verdict::{Outcome, Verdict};

use super::number::number;
use crate::svg::escape;

/// The outcome in a sentence, and a table of what was looked at, with advice where something is wrong.
pub(super) fn verdict(out: &mut String, verdict: &Verdict) {
    let (estimate, class) =
        (verdict.worst_estimate(), if verdict.outcome == Outcome::Solved { "good" } else { "doubt" });
    // Writing to a String cannot fail.
    let _ = write!(out, "<h2>Verdict</h2>\n<p class=\"verdict {class}\"><b>{}</b>", verdict.outcome.name());
    if estimate.is_finite() {
        let _ = write!(out, ", estimated relative error {}", number(estimate));
    }
    out.push_str(
        "</p>\n<table class=\"findings\">\n<thead><tr><th scope=\"col\"></th><th scope=\"col\">found</th>\
         <th scope=\"col\">at most</th></tr></thead>\n<tbody>\n",
    );
    for finding in &verdict.findings {
        let advice = match finding.advice.as_str() {
            "" => String::new(),
            advice => format!("<br><i>{}</i>", escape(advice)),
        };
        let class = if finding.outcome == Outcome::Solved { "" } else { " class=\"doubt\"" };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><b>{}</b>: {}{advice}</th><td{class}>{}</td><td>{}</td></tr>",
            escape(&finding.name),
            escape(&finding.sentence),
            number(finding.value),
            number(finding.bar)
        );
    }
    out.push_str("</tbody>\n</table>\n");
}
