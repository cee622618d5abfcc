//! The tables as Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use super::summary::{CostSummary, ErrorSummary, Summary, Totals};
use hyperpde_cli::clock;

/// The whole file: headings, tables and how to read them.
pub(super) fn document(summary: &Summary, figure: bool) -> String {
    let mut text = format!("# Published experiments, reproduced with HyperPDE {}\n\n", summary.version);
    if summary.quick {
        text.push_str("**Few points and few steps (`--quick`): these errors only show that everything runs.**\n\n");
    }
    text.push_str(
        "Errors are medians over the seeds, in brackets the smallest and the largest; a run that failed counts as infinite. \
         A row passes when its median is at or below the bar: the published error, or less where that is the error of its reference.\n\n",
    );
    text.push_str(&tables(summary));
    if figure {
        text.push_str("\n![Errors, published and ours](table.png)\n");
    }
    text
}

/// The tables alone.
pub(super) fn tables(summary: &Summary) -> String {
    let mut text = String::new();
    table(
        &mut text,
        &[
            "experiment",
            "error",
            "published",
            "bar",
            "ours",
            "",
            "initial hyperparameters",
            "best constant length scales",
            "within 2 sd",
        ],
        summary.errors.iter().map(error_cells),
    );
    text.push('\n');
    table(
        &mut text,
        &[
            "experiment",
            "seeds",
            "learned (median)",
            "best constant",
            "learning (s)",
            "published (s)",
            "ratio",
            "in all (s)",
            "memory (MiB)",
            "updates",
        ],
        summary.costs.iter().map(cost_cells),
    );
    let Totals { runs, failed, passed, missed, seconds, seconds_baselines } = summary.totals;
    let time = |s: f64| clock(Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n{passed} rows pass, {missed} miss. {runs} runs in {}, and {} for the comparisons with initial hyperparameters and constant length scales",
        time(seconds),
        time(seconds_baselines),
    );
    text.push_str(&if failed > 0 { format!("; **{failed} failed**:\n\n") } else { ".\n".to_owned() });
    for cost in &summary.costs {
        for (seed, why) in &cost.failed {
            let _ = writeln!(text, "- {}, seed {seed}: {}", cost.experiment, escaped(why));
        }
    }
    text
}

fn error_cells(row: &ErrorSummary) -> Vec<String> {
    let ours = match (row.median, row.min, row.max) {
        (Some(median), Some(min), Some(max)) if row.values.len() > 1 => {
            format!("**{}** [{}, {}]", error(median), error(min), error(max))
        }
        (Some(median), ..) => format!("**{}**", error(median)),
        _ => "-".to_owned(),
    };
    let initial = match (row.initial, row.published_initial) {
        (None, None) => "-".to_owned(),
        (ours, None) => maybe(ours, error),
        (ours, Some(published)) => format!("{} (published {})", maybe(ours, error), error(published)),
    };
    vec![
        row.label.clone(),
        row.metric.clone(),
        error(row.published),
        error(row.bar),
        ours,
        match row.pass {
            Some(true) => "✓".to_owned(),
            Some(false) => "✗".to_owned(),
            None => String::new(),
        },
        initial,
        maybe(row.constant, error),
        maybe(row.coverage_2sd, |c| format!("{:.0}%", 100.0 * c)),
    ]
}

fn cost_cells(row: &CostSummary) -> Vec<String> {
    let values = |map: &std::collections::BTreeMap<String, f64>| {
        let list: Vec<String> = map.iter().map(|(name, value)| format!("{name} {}", number(*value))).collect();
        if list.is_empty() { "-".to_owned() } else { list.join(", ") }
    };
    let seconds = |s: f64| if s < 10.0 { format!("{s:.1}") } else { format!("{s:.0}") };
    let ratio = row.seconds_learn.zip(row.published_seconds).map(|(ours, theirs)| ours / theirs);
    vec![
        row.experiment.clone(),
        if row.failed.is_empty() {
            row.seeds.len().to_string()
        } else {
            format!("{} of {}", row.seeds.len(), row.seeds.len() + row.failed.len())
        },
        values(&row.learned),
        values(&row.constant),
        maybe(row.seconds_learn, seconds),
        maybe(row.published_seconds, seconds),
        maybe(ratio, |r| format!("{r:.4}")),
        maybe(row.seconds_total, seconds),
        maybe(row.peak_rss_mb, |m| format!("{m:.0}")),
        maybe(row.outer_steps, |n| format!("{n:.0}")),
    ]
}

fn table(text: &mut String, header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let rule = vec!["---"; header.len()];
    for line in [header, &rule] {
        let _ = writeln!(text, "| {} |", line.join(" | "));
    }
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

/// A cell must not end its row or start a column.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn error(value: f64) -> String {
    if value.is_finite() { format!("{value:.2e}") } else { "failed".to_owned() }
}

/// Four significant digits.
fn number(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e4).contains(&value.abs()) {
        let decimals = (3 - value.abs().log10().floor() as i32).max(0) as usize;
        format!("{value:.decimals$}")
    } else {
        format!("{value:.3e}")
    }
}

fn maybe(value: Option<f64>, format: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), format)
}

#[cfg(test)]
mod tests {
    use super::super::record::Outcome;
    use super::super::summary::tests::{record, report, study};
    use super::*;

    #[test]
    fn every_row_has_every_column_and_failures_are_told() {
        let study = study();
        let entries: Vec<_> = study.entries.iter().collect();
        let failed = Outcome::Failed("no | such\nluck".into());
        let records = [record("x", 1, report(5e-4)), record("x", 2, failed), record("x", 3, report(8.04e-4))];
        let text = document(&Summary::new(&study, &entries, &records, true), true);
        let rows: Vec<&str> = text.lines().filter(|l| l.starts_with('|')).collect();
        assert_eq!(rows.len(), 2 + 3 + 2 + 2, "{text}");
        let columns = |row: &str| row.replace("\\|", "").matches('|').count() - 1;
        assert!(rows[..5].iter().all(|r| columns(r) == 9) && rows[5..].iter().all(|r| columns(r) == 10), "{text}");
        let expected = "| X \\| equation | L-infinity of u | 1.00e-3 | 1.00e-3 | **8.04e-4** [5.00e-4, failed] | ✓ | \
                        3.00e-1 (published 5.00e-1) | 2.00e-3 | - |";
        assert_eq!(rows[2], expected);
        assert_eq!(rows[4], "| Y | relative L2 of A | 2.00e-1 | 2.00e-1 | - |  | - (published 5.00e-1) | - | - |");
        let expected = "| x | 2 of 3 | length_scale 0.06520 | l 0.1000 | 4.0 | 100 | 0.0400 | 5.0 | 100 | 50 |";
        assert_eq!(rows[7], expected);
        assert!(text.contains("1 rows pass, 1 miss. 2 runs in 0:10, and 0:04 for"), "{text}");
        assert!(text.contains("**1 failed**:\n\n- x, seed 2: no \\| such luck\n"), "{text}");
        assert!(text.contains("--quick") && text.contains("](table.png)"));
    }

    #[test]
    fn numbers_have_four_digits() {
        let cases = [
            (0.0, "0"),
            (0.200_47, "0.2005"),
            (12.345_6, "12.35"),
            (-1.5, "-1.500"),
            (12_345.0, "1.234e4"),
            (2e-4, "2.000e-4"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
    }
}
