//! Length scales of stationary kernels: one for all coordinates, or one per coordinate (automatic relevance determination).

use burn::tensor::Tensor;

use crate::error::KernelError;
use crate::jet::Jet;
use crate::positive::Positive;

/// Checks that there is one length scale, or one per coordinate.
pub(super) fn check(scales: &Positive, dim: usize) -> Result<(), KernelError> {
    let k = scales.len();
    if k == 1 || k == dim {
        return Ok(());
    }
    Err(KernelError::Shape {
        what: "points for a kernel with a length scale per coordinate",
        expected: format!("{k} coordinates"),
        got: dim.to_string(),
    })
}

/// `factor · x_i/l_i`, `[n, d]`.
pub(super) fn scaled(scales: &Positive, x: &Jet, factor: f64) -> Jet {
    let inverse: Tensor<2> = scales.value().recip();
    x.scale_by(inverse * factor)
}

/// Prefix `"ARD "` if there are several.
pub(super) fn prefix(scales: &Positive) -> &'static str {
    if scales.len() == 1 { "" } else { "ARD " }
}

/// Report lines `length_scale`, or `length_scale_1, …`.
pub(super) fn summary(scales: &Positive) -> Vec<(String, f64)> {
    let values = scales.to_vec().unwrap_or_default();
    if values.len() == 1 {
        return vec![("length_scale".into(), values[0])];
    }
    values.into_iter().enumerate().map(|(i, l)| (format!("length_scale_{}", i + 1), l)).collect()
}
