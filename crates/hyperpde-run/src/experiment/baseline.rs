//! The best constant length scales: what a kernel of the same problem could do without being learned, if its length scales were
//! chosen by the error itself, which nobody without the solution can do.
//!
//! A grid on a logarithmic scale finds the valley, golden-section search (Kiefer 1953) one coordinate after the other its bottom.

use std::ops::RangeInclusive;
use std::time::Instant;

use burn::tensor::Device;
use hyperpde_bilevel::BilevelSettings;
use hyperpde_kernels::{AnyKernel, KernelError};
use serde_json::{Map, json};

use super::cloud::Cloud;
use crate::error::RunError;
use crate::host::Host;
use crate::report::{CloudErrors, ConstantKernel, KernelState};

/// Builds one kernel per field from constant length scales.
type ConstantBuilder = Box<dyn Fn(&[f64], &Device) -> Result<Vec<AnyKernel>, KernelError>>;

/// Constant length scales, and the kernels made from them.
pub(super) struct ConstantScales {
    pub names: Vec<String>,
    pub range: RangeInclusive<f64>,
    pub build: ConstantBuilder,
}

impl ConstantScales {
    /// The length scales with the smallest mean relative error over the scores on a cloud; none if no solve succeeds.
    pub fn best(
        &self,
        cloud: &Cloud<'_>,
        settings: &BilevelSettings,
        device: &Device,
        host: &dyn Host,
    ) -> Result<Option<(ConstantKernel, CloudErrors)>, RunError> {
        let started = Instant::now();
        let solve = |scales: &[f64]| {
            let kernels =
                (self.build)(scales, device).map_err(|e| RunError::numerical("building a constant kernel", e))?;
            cloud.solve(&kernels, settings, None, host)
        };
        let error = |scales: &[f64]| match solve(scales) {
            Ok(solved) => solved.errors.iter().map(|(_, e)| e.rel_l2).sum::<f64>() / solved.errors.len().max(1) as f64,
            // Length scales that make the system singular or the iteration diverge are no candidates.
            Err(_) => f64::INFINITY,
        };
        let minimum = minimise_on_log_scale(&vec![self.range.clone(); self.names.len()], error);
        if !minimum.value.is_finite() {
            return Ok(None);
        }
        let errors = cloud.errors(KernelState::Constant, &solve(&minimum.at)?);
        let length_scales: Map<_, _> = self.names.iter().cloned().zip(minimum.at.iter().map(|l| json!(l))).collect();
        let seconds = started.elapsed().as_secs_f64();
        Ok(Some((ConstantKernel { length_scales, solves: minimum.evaluations, seconds }, errors)))
    }
}

/// A minimum that was found.
#[derive(Debug, Clone, PartialEq)]
struct Minimum {
    at: Vec<f64>,
    value: f64,
    /// Times the function was evaluated.
    evaluations: usize,
}

/// Ratio of the golden section.
const GOLDEN: f64 = 0.618_033_988_749_895;
/// Golden-section steps per coordinate and round: each shrinks the bracket to 0.618 of its width.
const SECTIONS: usize = 6;

/// The smallest value of `f` over a box of positive numbers: first on a grid, equidistant in the logarithm (nine nodes for one
/// coordinate, five per coordinate for more), then by golden section about the best node, coordinate by coordinate, twice.
///
/// The answer is the best point seen, so it is never worse than the best node. Values that are not finite count as infinite.
fn minimise_on_log_scale(ranges: &[RangeInclusive<f64>], mut f: impl FnMut(&[f64]) -> f64) -> Minimum {
    let nodes: usize = if ranges.len() < 2 { 9 } else { 5 };
    let logs: Vec<(f64, f64)> = ranges.iter().map(|r| (r.start().ln(), r.end().ln())).collect();
    let node = |(lo, hi): (f64, f64), i: usize| lo + (hi - lo) * i as f64 / (nodes - 1) as f64;
    let mut best = (Vec::new(), f64::INFINITY);
    let mut evaluations = 0;
    let mut try_at = |x: &[f64]| {
        let at: Vec<f64> = x.iter().map(|v| v.exp()).collect();
        let value = Some(f(&at)).filter(|v| v.is_finite()).unwrap_or(f64::INFINITY);
        evaluations += 1;
        if value < best.1 || best.0.is_empty() {
            best = (x.to_vec(), value);
        }
        (best.0.clone(), value)
    };
    let mut centre = Vec::new();
    for flat in 0..nodes.pow(ranges.len() as u32) {
        let mut rest = flat;
        let x: Vec<f64> = logs
            .iter()
            .map(|&range| {
                let value = node(range, rest % nodes);
                rest /= nodes;
                value
            })
            .collect();
        (centre, _) = try_at(&x);
    }
    for round in 0..2 {
        for (axis, &(lo, hi)) in logs.iter().enumerate() {
            let half = (hi - lo) / (nodes - 1) as f64 / f64::powi(2.0, round);
            let (mut a, mut b) = ((centre[axis] - half).max(lo), (centre[axis] + half).min(hi));
            let mut at = |value: f64| {
                let mut x = centre.clone();
                x[axis] = value;
                try_at(&x)
            };
            let (mut x1, mut x2) = (b - GOLDEN * (b - a), a + GOLDEN * (b - a));
            let (mut f1, mut f2) = (at(x1).1, at(x2).1);
            let mut found = Vec::new();
            for _ in 0..SECTIONS {
                if f1 <= f2 {
                    (b, x2, f2) = (x2, x1, f1);
                    x1 = b - GOLDEN * (b - a);
                    (found, f1) = at(x1);
                } else {
                    (a, x1, f1) = (x1, x2, f2);
                    x2 = a + GOLDEN * (b - a);
                    (found, f2) = at(x2);
                }
            }
            centre = found;
        }
    }
    Minimum { at: best.0.iter().map(|v| v.exp()).collect(), value: best.1, evaluations }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_of_a_bowl_is_found_within_the_last_bracket() {
        // Off every node of the grid; the bowl's axes are turned, so that one sweep over the coordinates is not enough.
        let bowl = |x: &[f64]| {
            let (a, b) = ((x[0] / 0.07).ln(), (x[1] / 0.3).ln());
            2.0 + a * a + b * b + 0.5 * a * b
        };
        let found = minimise_on_log_scale(&[0.02..=1.0, 0.02..=1.0], bowl);
        assert!((found.at[0] / 0.07).ln().abs() < 0.1 && (found.at[1] / 0.3).ln().abs() < 0.1, "{found:?}");
        assert!(found.value >= 2.0 && found.value < 2.02, "{found:?}");
        assert_eq!(found.evaluations, 25 + 2 * 2 * (SECTIONS + 2));

        let found = minimise_on_log_scale(&[0.01..=10.0], |x| (x[0].ln() - 0.2f64.ln()).abs());
        assert!((found.at[0] / 0.2 - 1.0).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn a_minimum_at_the_end_of_the_range_is_found_and_the_range_kept() {
        let mut seen = Vec::new();
        let found = minimise_on_log_scale(&[0.1..=2.0], |x| {
            seen.push(x[0]);
            x[0]
        });
        assert!((found.at[0] - 0.1).abs() < 1e-12, "{found:?}");
        assert!(seen.iter().all(|x| (0.1 - 1e-12..=2.0 + 1e-12).contains(x)), "{seen:?}");
    }

    #[test]
    fn failures_are_no_candidates() {
        let hole = |x: &[f64]| if x[0] > 0.5 { f64::NAN } else { -x[0] };
        let found = minimise_on_log_scale(&[0.01..=1.0], hole);
        assert!(found.at[0] <= 0.5 && found.at[0] > 0.3, "{found:?}");
        let found = minimise_on_log_scale(&[0.01..=1.0], |_| f64::NAN);
        assert_eq!(found.value, f64::INFINITY);
    }
}
