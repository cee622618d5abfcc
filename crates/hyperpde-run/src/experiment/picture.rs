//! What is shown of a run, and its file: the solution as arrays.

use std::collections::HashMap;
use std::path::Path;

use hyperpde_pde::{Collocation, Problem};

use crate::arrays::{NamedArray, read_arrays, write_arrays};
use crate::error::RunError;
use hyperpde_config::POINTS;

/// What the names of the kernels' fields begin with in the file of the solution.
const KERNEL: &str = "kernel.";
/// All that is shown of the last solve on the training cloud, on the test grid.
#[derive(Clone, Debug)]
pub struct Picture<'a> {
    /// What was solved; its test grid is where all values are.
    pub problem: &'a Problem,
    /// The points of the solve.
    pub collocation: &'a Collocation,
    /// The fields, then the scores that are not fields.
    pub quantities: Vec<Quantity>,
    /// Named fields that belong to the kernels, such as length scales, `[n]` each, by name.
    pub kernel_fields: Vec<(String, Vec<f64>)>,
}

/// A field, or a score that is not a field, on the test grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// Its name.
    pub name: String,
    /// Name in file names; not all file systems tell `a` from `A`.
    pub file: String,
    /// The solution, `[n]`.
    pub estimate: Vec<f64>,
    /// Posterior standard deviation, `[n]`.
    pub deviation: Vec<f64>,
    /// The reference, `[n]`, if there is one.
    pub truth: Option<Vec<f64>>,
}

impl<'a> Picture<'a> {
    /// Of a solution that is not known.
    pub fn new(problem: &'a Problem, collocation: &'a Collocation) -> Self {
        Self { problem, collocation, quantities: Vec::new(), kernel_fields: Vec::new() }
    }

    /// Of what [`Picture::write_solution`] wrote.
    ///
    /// # Errors
    /// [`RunError::Input`] for a file that belongs to another run, [`RunError::Io`] for one that can't be read.
    pub fn with_solution(mut self, path: &Path) -> Result<Self, RunError> {
        let n = self.problem.test_grid().points().len();
        let unfit = |what: String| RunError::Input(format!("{} does not belong to this run: {what}", path.display()));
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

    /// Points of the test grid, for each quantity estimate, standard deviation and reference on it, and the kernels' fields.
    ///
    /// # Errors
    /// As [`write_arrays`].
    pub fn write_solution(&self, path: &Path) -> Result<(), RunError> {
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
pub(super) fn names(problem: &Problem) -> Vec<(String, String)> {
    let fields = problem.fields();
    let mut names: Vec<_> = fields.iter().map(|f| (f.clone(), f.clone())).collect();
    for score in problem.scores().iter().filter(|s| fields.iter().all(|f| f != s.name())) {
        let letters: String = score.name().chars().filter(|c| c.is_alphanumeric()).collect();
        names.push((score.name().to_owned(), format!("score_{letters}")));
    }
    names
}
