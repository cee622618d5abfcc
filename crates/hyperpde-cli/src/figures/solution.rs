//! The figures of a run: fields on the problem's test grid, and histories.

use std::path::Path;

use hyperpde_kernels::Points;
use hyperpde_pde::{Collocation, TestGrid};

use super::{Axis, FigureError, Heatmap, LinePlot, Series, heatmap, lines, panels};
use crate::StepRecord;

/// Fields on a two-dimensional test grid; the first coordinate is drawn to the right, the second upwards.
pub struct Fields<'a> {
    /// The grid, row-major with the first coordinate slowest.
    pub grid: &'a TestGrid,
    /// The points to draw on error maps.
    pub collocation: &'a Collocation,
}

impl Fields<'_> {
    /// Solution, reference and absolute error with the collocation points on it, side by side.
    ///
    /// # Errors
    /// [`FigureError`] for values that can't be drawn or a file that can't be written.
    pub fn solution(
        &self,
        path: &Path,
        name: &str,
        prediction: &[f64],
        reference: Option<&[f64]>,
    ) -> Result<(), FigureError> {
        let values = self.transposed(prediction);
        let solution_title = format!("solution {name}");
        let Some(reference) = reference else {
            return heatmap(path, &self.map(&solution_title, &values));
        };
        let truth = self.transposed(reference);
        let error: Vec<f64> = values.iter().zip(&truth).map(|(a, b)| (a - b).abs()).collect();
        let range = values.iter().chain(&truth).fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(*v), hi.max(*v)));
        let interior = pairs(&self.collocation.interior);
        let boundary: Vec<(f64, f64)> = self.collocation.boundary.iter().flat_map(|b| pairs(&b.sites()[0])).collect();
        let shown = Heatmap { range: Some(range), ..self.map(&solution_title, &values) };
        let exact = Heatmap { range: Some(range), ..self.map("reference", &truth) };
        let wrong = Heatmap {
            interior: &interior,
            boundary: &boundary,
            ..self.map("absolute error and collocation points", &error)
        };
        panels(path, &format!("{name}: solution, reference and error"), &[shown, exact, wrong])
    }

    /// One scalar field.
    ///
    /// # Errors
    /// As [`Fields::solution`].
    pub fn scalar(&self, path: &Path, title: &str, values: &[f64]) -> Result<(), FigureError> {
        heatmap(path, &self.map(title, &self.transposed(values)))
    }

    /// Several scalar fields side by side.
    ///
    /// # Errors
    /// As [`Fields::solution`].
    pub fn several(&self, path: &Path, title: &str, fields: &[(String, Vec<f64>)]) -> Result<(), FigureError> {
        let values: Vec<Vec<f64>> = fields.iter().map(|(_, v)| self.transposed(v)).collect();
        let maps: Vec<Heatmap<'_>> = fields.iter().zip(&values).map(|((name, _), v)| self.map(name, v)).collect();
        panels(path, title, &maps)
    }

    fn map<'m>(&'m self, title: &'m str, values: &'m [f64]) -> Heatmap<'m> {
        let axis = |i: usize| {
            let at = &self.grid.axes()[i];
            let ends = (at.first().copied().unwrap_or(0.0), at.last().copied().unwrap_or(1.0));
            Axis { label: &self.grid.names()[i], min: ends.0, max: ends.1 }
        };
        let shape = self.grid.shape();
        Heatmap {
            title,
            x: axis(0),
            y: axis(1),
            shape: [shape[1], shape[0]],
            values,
            interior: &[],
            boundary: &[],
            log_scale: false,
            unit: "",
            range: None,
        }
    }

    /// From the grid's order (first coordinate slowest) to the figure's (vertical axis slowest).
    fn transposed(&self, values: &[f64]) -> Vec<f64> {
        let shape = self.grid.shape();
        let (n0, n1) = (shape[0], shape[1]);
        (0..n0 * n1).map(|k| values.get((k % n0) * n1 + k / n0).copied().unwrap_or(f64::NAN)).collect()
    }
}

fn pairs(points: &Points) -> Vec<(f64, f64)> {
    points.rows().map(|x| (x[0], x[1])).collect()
}

/// Loss, nonlinear residual and error over the outer steps (the Gauss-Newton steps of a run without any), on a logarithmic axis.
///
/// The record that ends a Gauss-Newton step stands at that step's last outer step.
///
/// # Errors
/// [`FigureError`] if the file can't be written.
pub fn history(path: &Path, steps: &[StepRecord]) -> Result<(), FigureError> {
    let place = |s: &StepRecord| (s.step.gauss_newton, s.step.outer);
    let mut count = 0.0;
    let mut at = Vec::with_capacity(steps.len());
    for (k, step) in steps.iter().enumerate() {
        if k == 0 || place(&steps[k - 1]) != place(step) {
            count += 1.0;
        }
        at.push(count);
    }
    let column = |value: &dyn Fn(&StepRecord) -> Option<f64>| -> Vec<(f64, f64)> {
        at.iter().zip(steps).filter_map(|(x, s)| value(s).filter(|v| *v > 0.0).map(|v| (*x, v))).collect()
    };
    let all = [
        Series::new("loss", column(&|s| s.step.loss)),
        Series::new("residual (independent points)", column(&|s| s.step.residual)),
        Series::new("L-infinity error", column(&|s| s.step.error)).dashed(),
    ];
    let series: Vec<Series> = all.into_iter().filter(|s| !s.points.is_empty()).collect();
    if series.is_empty() {
        return Ok(());
    }
    let learned = steps.iter().any(|s| s.step.outer > 0);
    let (title, x_label) = if learned { ("learning", "outer step") } else { ("solving", "Gauss-Newton step") };
    lines(path, &LinePlot { title, x_label, y_label: "", log_y: true, series })
}
