//! The noise that the regularisation amounts to.
//!
//! The nugget `η` is relative to the kernel. With the amplitude that suits the data best, `s² = bᵀ (K + N)⁻¹ b / n` (the maximum of the
//! likelihood over a common factor of `K + N`), it stands for noise of standard deviation
//!
//! ```text
//! s_η = sqrt(η s²)
//! ```
//!
//! on every value: a kernel so smooth that the data need an amplitude of `6e7` turns a nugget of `1e-10` into noise of `8e-2`, and
//! "explains" the data by it. The ratios `r` of derivatives to values are left out: the number is about values, and is held against
//! the size of the solution's values, the smallest over the fields.

use super::{Bar, Finding, ratio};

/// One percent of the solution's size, as for the conditions, which this noise loosens. The number bounds what the nugget may do to the
/// answer and is not what it did, so that alone it never says that a run has failed.
pub const NOISE: Bar = Bar { solved: 1e-2, failed: f64::INFINITY };

/// `sqrt(η s²) / size`, with `squared_norm = bᵀ (K + N)⁻¹ b` of `rows` rows.
#[must_use]
pub fn implied(nugget: f64, squared_norm: f64, rows: usize, size: f64) -> f64 {
    // Rounding may leave the quadratic form of a matrix at the edge of definiteness below zero: its size is what it is worth.
    ratio((nugget * squared_norm.abs() / rows.max(1) as f64).sqrt(), size)
}

/// The implied noise as a finding.
#[must_use]
pub fn finding(implied: f64) -> Finding {
    let sentence = format!("the nugget amounts to noise of {implied:.1e} of the size of the solution");
    let advice = "the kernel is too smooth for this solution: try a shorter length scale or a smaller nugget";
    Finding::new("implied noise", implied, NOISE, sentence, advice)
}
