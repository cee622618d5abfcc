//! Independent and uniform points.

use rand::{Rng, RngExt};

use crate::error::GeometryError;

/// `n` points in the unit cube, `[n, d]`.
pub(super) fn draw(n: usize, d: usize, rng: &mut dyn Rng) -> Result<Vec<f64>, GeometryError> {
    Ok((0..n * d).map(|_| rng.random()).collect())
}
