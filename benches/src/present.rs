//! Records as text, Markdown and a figure.

use std::fmt::Write as _;
use std::path::Path;

use hyperpde_plot::{FigureError, LinePlot, Series, lines};

use crate::record::{Record, Records};

/// Stages that a figure shows, each the sum of recorded ones; the solves are the smallest part and left to the table. With the step and the two
/// guide lines every line has a colour of its own.
const SHOWN: [(&str, &[&str]); 4] = [
    ("point features", &["point_jets", "feature_backward"]),
    ("assembly", &["training_block", "validation_block"]),
    ("factorisation", &["factorisation"]),
    ("adjoint assembly", &["adjoint_training", "adjoint_validation"]),
];

/// Head of the table that [`line()`] fills.
pub fn head() -> String {
    format!(
        "{:<9} {:>5} {:>9} {:>11} {:>6} {:>9} {:>8} {:>9} {:>9}",
        "problem", "rows", "step ms", "Cholesky ms", "ratio", "floor ms", "exponent", "peak MiB", "before ms"
    )
}

/// A record in one line, beside an earlier one of the same case and size.
pub fn line(record: &Record, before: Option<&Record>) -> String {
    let optional = |v: Option<f64>, digits| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.digits$}"));
    format!(
        "{:<9} {:>5} {:>9.1} {:>11.1} {:>6.1} {:>9.1} {:>8} {:>9} {:>9}",
        record.problem,
        record.rows,
        1e3 * record.step_seconds,
        1e3 * record.cholesky_seconds,
        record.ratio,
        1e3 * record.floor_seconds,
        optional(record.exponent, 2),
        optional(record.peak_rss_mb, 0),
        optional(before.map(|b| 1e3 * b.step_seconds), 1),
    )
}

/// The record of the same case and size.
pub fn same<'a>(records: &'a [Record], record: &Record) -> Option<&'a Record> {
    records.iter().find(|r| r.problem == record.problem && r.rows == record.rows)
}

/// The tables of `docs/performance.md`: steps by size, and for each case its stages at every size.
pub fn markdown(records: &Records, before: &[Record]) -> String {
    let machine = &records.machine;
    let mut out = format!(
        "Peak of this machine, {} threads: {:.0} GFLOP/s (matrix product), {:.2}·10⁹ exponentials per second.\n\n",
        machine.threads, machine.product_gflops, machine.exponentials_per_ns
    );
    out.push_str(
        "| problem | rows | step ms | faer Cholesky ms | ratio | floor ms | step/floor | exponent | peak MiB |",
    );
    out.push_str(if before.is_empty() { "\n" } else { " before ms |\n" });
    out.push_str(&"|---".repeat(if before.is_empty() { 9 } else { 10 }));
    out.push_str("|\n");
    let optional = |v: Option<f64>, digits: usize| v.map_or_else(String::new, |v| format!("{v:.digits$}"));
    for r in &records.steps {
        // Writing to a String can't fail.
        let _ = write!(
            out,
            "| {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {} | {} |",
            r.problem,
            r.rows,
            1e3 * r.step_seconds,
            1e3 * r.cholesky_seconds,
            r.ratio,
            1e3 * r.floor_seconds,
            r.floor_ratio,
            optional(r.exponent, 2),
            optional(r.peak_rss_mb, 0)
        );
        if !before.is_empty() {
            let _ = write!(out, " {} |", optional(same(before, r).map(|b| 1e3 * b.step_seconds), 1));
        }
        out.push('\n');
    }
    for name in cases(&records.steps) {
        out.push_str(&stage_table(name, &of(&records.steps, name)));
    }
    out
}

/// `text` with `tables` between its markers `stages: begin` and `stages: end`; the tables alone for a text without markers.
pub fn fill(text: &str, tables: &str) -> String {
    const BEGIN: &str = "<!-- stages: begin -->";
    const END: &str = "<!-- stages: end -->";
    match (text.split_once(BEGIN), text.split_once(END)) {
        (Some((head, _)), Some((_, tail))) => format!("{head}{BEGIN}\n\n{tables}\n{END}{tail}"),
        _ => tables.to_owned(),
    }
}

/// Milliseconds and share of the peak per stage and size.
fn stage_table(name: &str, records: &[&Record]) -> String {
    let mut out = format!("\n{name}: ms per stage (share of the peak)\n\n| stage |");
    records.iter().for_each(|r| out.push_str(&format!(" {} |", r.rows)));
    out.push_str(&format!("\n|---{}|\n", "|---".repeat(records.len())));
    let stages = records.first().map_or(0, |r| r.stages.len());
    for k in 0..stages {
        let _ = write!(out, "| {} |", records[0].stages[k].stage.replace('_', " "));
        for stage in records.iter().filter_map(|r| r.stages.get(k)) {
            let share = stage.peak_share.map_or_else(String::new, |s| format!(" ({:.0} %)", 100.0 * s));
            let _ = write!(out, " {:.2}{share} |", 1e3 * stage.seconds);
        }
        out.push('\n');
    }
    out
}

/// Draws time against size for one case, both on logarithmic scales, with lines of slope two and three.
///
/// # Errors
/// [`FigureError`] if it can't be drawn or written.
pub fn figure(records: &Records, name: &str, path: &Path) -> Result<(), FigureError> {
    let records = of(&records.steps, name);
    let place = |rows: usize, seconds: f64| ((rows as f64).log10(), 1e3 * seconds);
    let mut series =
        vec![Series::new("whole step", records.iter().map(|r| place(r.rows, r.step_seconds)).collect::<Vec<_>>())];
    for (label, parts) in SHOWN {
        let seconds =
            |r: &Record| r.stages.iter().filter(|s| parts.contains(&s.stage.as_str())).map(|s| s.seconds).sum();
        series.push(Series::new(label, records.iter().map(|r| place(r.rows, seconds(r))).collect()));
    }
    if let Some(last) = records.last() {
        let guide = |power: i32, from: f64| {
            let at = |r: &&Record| place(r.rows, from * (r.rows as f64 / last.rows as f64).powi(power));
            records.iter().map(at).collect::<Vec<_>>()
        };
        series.push(Series::new("n²", guide(2, 0.3 * last.step_seconds)).dashed());
        series.push(Series::new("n³", guide(3, 2.0 * last.step_seconds)).dashed());
    }
    let title = format!("One outer step of {name}, stage by stage");
    lines(
        path,
        &LinePlot {
            title: &title,
            x_label: "log10 of the number of rows",
            y_label: "ms",
            log_y: true,
            series,
            ..LinePlot::default()
        },
    )?;
    Ok(())
}

/// The cases in order of appearance.
pub fn cases(records: &[Record]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for r in records {
        if !names.contains(&r.problem.as_str()) {
            names.push(&r.problem);
        }
    }
    names
}

fn of<'a>(records: &'a [Record], name: &str) -> Vec<&'a Record> {
    records.iter().filter(|r| r.problem == name).collect()
}
