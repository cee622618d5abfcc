//! Halton's sequence (Numerische Mathematik 2, 1960) with a Cranley-Patterson shift: coordinate `k` of point `i` is
//! `(φ_p(i) + Δ_k) mod 1`, where `φ_p` mirrors the digits of `i` in the base `p`, the `k`th prime, at the point.

use rand::{Rng, RngExt};

use super::reach;
use crate::error::GeometryError;

/// Bases, one per coordinate.
const PRIMES: [usize; 10] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29];

/// `n` points in the unit cube, `[n, d]`.
pub(super) fn draw(n: usize, d: usize, rng: &mut dyn Rng) -> Result<Vec<f64>, GeometryError> {
    reach("Halton", PRIMES.len(), d)?;
    let shift: Vec<f64> = (0..d).map(|_| rng.random()).collect();
    let mut points = Vec::with_capacity(n * d);
    for i in 1..=n {
        for (prime, shift) in PRIMES.iter().zip(&shift) {
            points.push((radical_inverse(i, *prime) + shift).fract());
        }
    }
    Ok(points)
}

/// `Σ_k digit_k(i) / base^(k+1)`: the digits of `i` mirrored at the point.
fn radical_inverse(mut i: usize, base: usize) -> f64 {
    let (mut value, mut scale) = (0.0, 1.0);
    while i > 0 {
        scale /= base as f64;
        value += scale * (i % base) as f64;
        i /= base;
    }
    value
}
