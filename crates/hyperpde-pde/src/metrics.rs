//! How far a prediction is from a reference: three error measures, named as what they are.
//!
//! With errors `e_i = p_i − r_i` at `n` points: `L_inf = max |e_i|`, `RMSE = sqrt(Σ e_i² / n)` and relative
//! `L2 = sqrt(Σ e_i²) / sqrt(Σ r_i²)`. Publications call either of the last two "L2 error"; they differ by
//! the root mean square of the reference.

use serde::{Deserialize, Serialize};

use crate::error::PdeError;

/// Errors of one field on a set of points, in the units of the field (`rel_l2` has none).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldErrors {
    /// Largest absolute error.
    pub linf: f64,
    /// Root mean square error.
    pub rmse: f64,
    /// Norm of the error over norm of the reference. With a reference that is zero everywhere: 0 if the
    /// prediction is too, infinity otherwise.
    pub rel_l2: f64,
}

impl FieldErrors {
    /// Errors of `prediction` `[n]` against `reference` `[n]`.
    ///
    /// # Errors
    /// [`PdeError::Metrics`] if the lengths differ, there are no values, or a value is NaN or infinite.
    pub fn between(prediction: &[f64], reference: &[f64]) -> Result<Self, PdeError> {
        if prediction.len() != reference.len() || prediction.is_empty() {
            return Err(PdeError::Metrics(format!(
                "expected as many predictions as reference values, at least one; got {} and {}",
                prediction.len(),
                reference.len()
            )));
        }
        for (which, values) in [("prediction", prediction), ("reference value", reference)] {
            if let Some(i) = values.iter().position(|v| !v.is_finite()) {
                return Err(PdeError::Metrics(format!("{which} {i} is {}", values[i])));
            }
        }
        let linf = prediction.iter().zip(reference).fold(0.0_f64, |m, (p, r)| m.max((p - r).abs()));
        let squares: f64 = prediction.iter().zip(reference).map(|(p, r)| (p - r).powi(2)).sum();
        let norm: f64 = reference.iter().map(|r| r * r).sum();
        let rel_l2 = if squares == 0.0 { 0.0 } else { (squares / norm).sqrt() };
        Ok(Self { linf, rmse: (squares / prediction.len() as f64).sqrt(), rel_l2 })
    }
}
