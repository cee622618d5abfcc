//! The final table of a run as aligned plain text.

/// One line of the final table; a missing entry prints as `-`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableRow {
    /// What the line is about, as in "u after learning".
    pub label: String,
    /// Largest absolute error.
    pub linf: Option<f64>,
    /// Root mean square error.
    pub rmse: Option<f64>,
    /// RMSE divided by the root mean square of the reference.
    pub rel_l2: Option<f64>,
    /// Fraction of the reference's values inside two posterior standard deviations.
    pub coverage: Option<f64>,
    /// Kernel updates taken.
    pub steps: Option<usize>,
    /// Wall time, s.
    pub seconds: Option<f64>,
    /// Peak resident memory, MiB.
    pub memory_mb: Option<f64>,
}

const COLUMNS: usize = 8;
const HEADER: [&str; COLUMNS] =
    ["", "L-infinity", "RMSE", "relative L2", "within 2 sd", "steps", "seconds", "memory (MiB)"];

/// The rows under a header, columns aligned, each line ended by a newline: labels to the left, numbers to the right.
#[must_use]
pub fn table(rows: &[TableRow]) -> String {
    let mut lines: Vec<[String; COLUMNS]> = vec![HEADER.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let mut widths = [0; COLUMNS];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));

    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let mut padded = format!("{:<width$}", line[0], width = widths[0]);
        for (cell, width) in line.iter().zip(widths).skip(1) {
            padded.push_str(&format!("  {cell:>width$}"));
        }
        text.push_str(&padded);
        text.push('\n');
        if index == 0 {
            text.push_str(&rule);
            text.push('\n');
        }
    }
    text
}

fn cells(row: &TableRow) -> [String; COLUMNS] {
    let error = |value: Option<f64>| show(value, |v| format!("{v:.3e}"));
    [
        row.label.clone(),
        error(row.linf),
        error(row.rmse),
        error(row.rel_l2),
        show(row.coverage, |c| format!("{:.1}%", 100.0 * c)),
        show(row.steps, |n| n.to_string()),
        show(row.seconds, |s| format!("{s:.1}")),
        show(row.memory_mb, |m| format!("{m:.0}")),
    ]
}

fn show<T>(value: Option<T>, format: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), format)
}
