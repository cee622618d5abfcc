//! Latin hypercube (McKay, Beckman and Conover, Technometrics 21, 1979): each coordinate cuts `(0, 1)` into `n` equal
//! intervals and has one point in each, at a uniform place; the intervals of different coordinates are matched by
//! random permutations.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::error::GeometryError;

/// `n` points in the unit cube, `[n, d]`.
pub(super) fn draw(n: usize, d: usize, rng: &mut dyn Rng) -> Result<Vec<f64>, GeometryError> {
    let mut points = vec![0.0; n * d];
    let mut cells: Vec<usize> = (0..n).collect();
    for k in 0..d {
        cells.shuffle(rng);
        for (i, &cell) in cells.iter().enumerate() {
            points[i * d + k] = (cell as f64 + rng.random::<f64>()) / n as f64;
        }
    }
    Ok(points)
}
