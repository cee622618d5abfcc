//! Files of a run: the solution as arrays, and its figures.

use std::path::Path;

use hyperpde_pde::{Collocation, Problem};

use super::spread::{Spread, score_deviation};
use crate::figures::{FieldData, FigureData};
use crate::html::Page;
use crate::{CliError, NamedArray, RunReport, figures, html, take_warnings, write_arrays};

/// What is written about the last solve on the training cloud.
pub(super) struct Output<'a> {
    pub problem: &'a Problem,
    pub collocation: &'a Collocation,
    pub spread: &'a Spread,
}

/// A field, or a score that is not a field, on the test grid.
struct Quantity {
    name: String,
    /// Name in file names.
    file: String,
    estimate: Vec<f64>,
    deviation: Vec<f64>,
    truth: Option<Vec<f64>>,
}

impl Output<'_> {
    /// Writes arrays, figures and a page into `folder`; `predictions` are the fields, `[fields][n]`, `kernel_fields` those of the kernel.
    pub fn write(
        &self,
        folder: &Path,
        predictions: &[Vec<f64>],
        kernel_fields: Vec<(String, Vec<f64>)>,
        report: &RunReport,
    ) -> Result<(), CliError> {
        let history = figures::history(&folder.join("history"), &report.history)?;
        let quantities = self.quantities(predictions)?;
        self.write_solution(&folder.join("solution.safetensors"), &quantities)?;
        let fields = quantities.iter().map(|q| FieldData {
            name: &q.name,
            file: &q.file,
            solution: &q.estimate,
            reference: q.truth.as_deref(),
            deviation: &q.deviation,
        });
        let grid = self.problem.test_grid();
        let data = FigureData { grid, collocation: self.collocation, fields: fields.collect(), kernel_fields };
        let drawn = figures::solution_set(folder, &data)?;
        let page = Page { report, history: history.as_ref(), figures: &drawn, warnings: &take_warnings() };
        html::write_report(&folder.join("report.html"), &page)
    }

    /// The fields, then the scores that are not fields.
    fn quantities(&self, predictions: &[Vec<f64>]) -> Result<Vec<Quantity>, CliError> {
        let fields = self.problem.fields();
        let truth = self.spread.truth.as_deref();
        let mut all = Vec::new();
        for (f, name) in fields.iter().enumerate() {
            all.push(Quantity {
                name: name.clone(),
                file: name.clone(),
                estimate: predictions[f].clone(),
                deviation: self.spread.deviations[f].clone(),
                truth: truth.map(|t| t[f].clone()),
            });
        }
        let scoring = |e| CliError::numerical("scoring the solution", e);
        for score in self.problem.scores().iter().filter(|s| fields.iter().all(|f| f != s.name())) {
            let letters: String = score.name().chars().filter(|c| c.is_alphanumeric()).collect();
            all.push(Quantity {
                name: score.name().to_owned(),
                file: format!("score_{letters}"),
                estimate: score.evaluate(predictions).map_err(scoring)?,
                deviation: score_deviation(score, predictions, &self.spread.deviations)?,
                truth: truth.map(|t| score.evaluate(t)).transpose().map_err(scoring)?,
            });
        }
        Ok(all)
    }

    /// Points of the test grid, and for each quantity estimate, standard deviation and reference on it.
    fn write_solution(&self, path: &Path, quantities: &[Quantity]) -> Result<(), CliError> {
        let grid = self.problem.test_grid();
        let points = grid.points();
        let mut arrays = vec![NamedArray::new("points", [points.len(), points.dim()], points.as_slice().to_vec())];
        for Quantity { name, estimate, deviation, truth, .. } in quantities {
            arrays.push(NamedArray::new(name.as_str(), grid.shape(), estimate.clone()));
            arrays.push(NamedArray::new(format!("{name}.deviation"), grid.shape(), deviation.clone()));
            if let Some(truth) = truth {
                arrays.push(NamedArray::new(format!("{name}.reference"), grid.shape(), truth.clone()));
            }
        }
        write_arrays(path, &arrays)
    }
}
