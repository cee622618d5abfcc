//! Files of a run: the solution as arrays, and its figures.

use std::collections::HashMap;
use std::path::Path;

use hyperpde_pde::{Collocation, Problem};

use super::spread::{Spread, score_deviation};
use crate::figures::{FieldData, FigureData};
use crate::html::Page;
use crate::{CliError, NamedArray, RunReport, figures, html, read_arrays, write_arrays};

/// What the names of the kernels' fields begin with in the file of the solution.
const KERNEL: &str = "kernel.";
/// Name of the array with the points of the test grid.
pub(crate) const POINTS: &str = "points";

/// All that is shown of the last solve on the training cloud, on the test grid.
pub(crate) struct Picture<'a> {
    problem: &'a Problem,
    collocation: &'a Collocation,
    quantities: Vec<Quantity>,
    kernel_fields: Vec<(String, Vec<f64>)>,
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

impl<'a> Picture<'a> {
    /// Of a solution that is not known.
    pub fn new(problem: &'a Problem, collocation: &'a Collocation) -> Self {
        Self { problem, collocation, quantities: Vec::new(), kernel_fields: Vec::new() }
    }

    /// Of the fields `[fields][n]`, their spread, and the fields of the kernels.
    pub(super) fn with_fields(
        mut self,
        predictions: &[Vec<f64>],
        spread: &Spread,
        kernel_fields: Vec<(String, Vec<f64>)>,
    ) -> Result<Self, CliError> {
        self.quantities = self.quantities(predictions, spread)?;
        self.kernel_fields = kernel_fields;
        // A file does not keep the order of its arrays; both ways here must show the same.
        self.kernel_fields.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(self)
    }

    /// Of what [`Picture::write_solution`] wrote.
    pub fn with_solution(mut self, path: &Path) -> Result<Self, CliError> {
        let n = self.problem.test_grid().points().len();
        let unfit = |what: String| CliError::Input(format!("{} does not belong to this run: {what}", path.display()));
        let mut arrays = HashMap::new();
        for array in read_arrays(path)? {
            if array.name != POINTS && array.values.len() != n {
                return Err(unfit(format!("{} has {} values, the test grid {n}", array.name, array.values.len())));
            }
            if let Some(name) = array.name.strip_prefix(KERNEL) {
                self.kernel_fields.push((name.to_owned(), array.values));
            } else {
                arrays.insert(array.name, array.values);
            }
        }
        self.kernel_fields.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, file) in names(self.problem) {
            let mut part = |suffix: &str| arrays.remove(&format!("{name}{suffix}"));
            let (estimate, deviation, truth) = (part(""), part(".deviation"), part(".reference"));
            let (Some(estimate), Some(deviation)) = (estimate, deviation) else {
                return Err(unfit(format!("{name} or its deviation is missing")));
            };
            self.quantities.push(Quantity { name, file, estimate, deviation, truth });
        }
        Ok(self)
    }

    /// Draws figures and a page into `folder`.
    pub fn draw(&self, folder: &Path, report: &RunReport, warnings: &[String]) -> Result<(), CliError> {
        let history = figures::history(&folder.join("history"), &report.history)?;
        let fields = self.quantities.iter().map(|q| FieldData {
            name: &q.name,
            file: &q.file,
            solution: &q.estimate,
            reference: q.truth.as_deref(),
            deviation: &q.deviation,
        });
        let data = FigureData {
            grid: self.problem.test_grid(),
            collocation: self.collocation,
            fields: fields.collect(),
            kernel_fields: self.kernel_fields.clone(),
        };
        let drawn = figures::solution_set(folder, &data)?;
        let page = Page { report, history: history.as_ref(), figures: &drawn, warnings };
        html::write_report(&folder.join("report.html"), &page)
    }

    /// The fields, then the scores that are not fields.
    fn quantities(&self, predictions: &[Vec<f64>], spread: &Spread) -> Result<Vec<Quantity>, CliError> {
        let truth = spread.truth.as_deref();
        let scoring = |e| CliError::numerical("scoring the solution", e);
        let mut all = Vec::new();
        for (f, (name, file)) in names(self.problem).into_iter().enumerate() {
            let score = self.problem.scores().iter().find(|s| s.name() == name);
            let quantity = match (predictions.get(f), score) {
                (Some(estimate), _) => Quantity {
                    estimate: estimate.clone(),
                    deviation: spread.deviations[f].clone(),
                    truth: truth.map(|t| t[f].clone()),
                    name,
                    file,
                },
                (None, Some(score)) => Quantity {
                    estimate: score.evaluate(predictions).map_err(scoring)?,
                    deviation: score_deviation(score, predictions, &spread.deviations)?,
                    truth: truth.map(|t| score.evaluate(t)).transpose().map_err(scoring)?,
                    name,
                    file,
                },
                (None, None) => continue,
            };
            all.push(quantity);
        }
        Ok(all)
    }

    /// Points of the test grid, for each quantity estimate, standard deviation and reference on it, and the kernels' fields.
    pub fn write_solution(&self, path: &Path) -> Result<(), CliError> {
        let grid = self.problem.test_grid();
        let points = grid.points();
        let mut arrays = vec![NamedArray::new(POINTS, [points.len(), points.dim()], points.as_slice().to_vec())];
        for Quantity { name, estimate, deviation, truth, .. } in &self.quantities {
            arrays.push(NamedArray::new(name.as_str(), grid.shape(), estimate.clone()));
            arrays.push(NamedArray::new(format!("{name}.deviation"), grid.shape(), deviation.clone()));
            if let Some(truth) = truth {
                arrays.push(NamedArray::new(format!("{name}.reference"), grid.shape(), truth.clone()));
            }
        }
        for (name, values) in &self.kernel_fields {
            arrays.push(NamedArray::new(format!("{KERNEL}{name}"), grid.shape(), values.clone()));
        }
        write_arrays(path, &arrays)
    }
}

/// Names of the quantities, the fields first, each with its name in file names.
fn names(problem: &Problem) -> Vec<(String, String)> {
    let fields = problem.fields();
    let mut names: Vec<_> = fields.iter().map(|f| (f.clone(), f.clone())).collect();
    for score in problem.scores().iter().filter(|s| fields.iter().all(|f| f != s.name())) {
        let letters: String = score.name().chars().filter(|c| c.is_alphanumeric()).collect();
        names.push((score.name().to_owned(), format!("score_{letters}")));
    }
    names
}
