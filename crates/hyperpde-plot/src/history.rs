//! The history of a run: loss, residual and error over its steps, and its best iterate.

use std::path::Path;

use super::error::FigureError;
use super::figure::{Figure, write_single};
use super::line_plot::{LinePlot, Mark, Series};
use super::lines::{LINES_SIZE, LinePanel};
use hyperpde_run::StepRecord;

/// Loss, nonlinear residual and error over the outer steps (the Gauss-Newton steps of a run without any), on a logarithmic axis.
///
/// The record that ends a Gauss-Newton step stands at that step's last outer step. The iterate with the smallest residual,
/// the first of several, is marked: that is the run's best. `path` gets the extensions `png` and `svg`; `None` if there
/// is nothing to draw.
///
/// # Errors
/// [`FigureError`] if a file can't be written.
pub fn history(path: &Path, steps: &[StepRecord]) -> Result<Option<Figure>, FigureError> {
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
    let residual = column(&|s| s.step.residual);
    let learned = steps.iter().any(|s| s.step.outer > 0);
    let (title, x_label) = if learned { ("learning", "outer step") } else { ("solving", "Gauss-Newton step") };
    let best = residual.iter().copied().reduce(|best, p| if p.1 < best.1 { p } else { best });
    let mark = best.map(|at| Mark { name: format!("smallest residual, step {}", at.0), at });
    let all = [
        Series::new("loss", column(&|s| s.step.loss)),
        Series::new("residual (independent points)", residual),
        Series::new("L-infinity error", column(&|s| s.step.error)).dashed(),
    ];
    let series: Vec<Series> = all.into_iter().filter(|s| !s.points.is_empty()).collect();
    if series.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = series.iter().map(|s| s.name.as_str()).collect();
    let caption = format!("History of {title}: {} over the steps.", names.join(", "));
    let plot = LinePlot { title, x_label, log_y: true, series, mark, ..LinePlot::default() };
    write_single(path, LINES_SIZE, &caption, &LinePanel::new(plot)?).map(Some)
}
