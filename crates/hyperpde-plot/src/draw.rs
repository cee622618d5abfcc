//! Everything that the folder of a run shows.

use std::path::Path;

use hyperpde_run::{Picture, RunReport};

use super::error::FigureError;
use super::history::history;
use super::html::{Page, write_report};
use super::solution::{FieldData, FigureData, solution_set};

/// Draws history and solution of a run and its page `report.html` into `folder`.
///
/// # Errors
/// [`FigureError`] for values that can't be drawn or a file that can't be written.
pub fn draw_run(
    folder: &Path,
    picture: &Picture<'_>,
    report: &RunReport,
    warnings: &[String],
) -> Result<(), FigureError> {
    let history = history(&folder.join("history"), &report.history)?;
    let fields = picture.quantities.iter().map(|q| FieldData {
        name: &q.name,
        file: &q.file,
        solution: &q.estimate,
        reference: q.truth.as_deref(),
        deviation: &q.deviation,
    });
    let data = FigureData {
        grid: picture.problem.test_grid(),
        collocation: picture.collocation,
        fields: fields.collect(),
        kernel_fields: picture.kernel_fields.clone(),
    };
    let drawn = solution_set(folder, &data)?;
    let page = Page { report, history: history.as_ref(), figures: &drawn, warnings };
    Ok(write_report(&folder.join("report.html"), &page)?)
}
