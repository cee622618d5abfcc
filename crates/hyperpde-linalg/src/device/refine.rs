//! Solutions of float64 quality from a factor of lower precision.
//!
//! Conjugate gradients in float64 for `A x = b` on the host, with the factor of the device as preconditioner `M ≈ A`;
//! `A` itself is only needed as a product with a vector. The step direction takes the flexible form
//!
//! ```text
//! β = z₊ᵀ (r₊ − r) / zᵀ r,    M z = r
//! ```
//!
//! because the solves with `M` are rounded and so not quite symmetric (Notay 2000, "Flexible conjugate gradients").
//! When the recursion has converged, the residual is computed anew, and iteration goes on from there if it is not as
//! small.
//!
//! With a float32 factor of a Gaussian kernel on 300 points, down to what rounding in float64 allows, this took 3
//! iterations at condition 1e4, 5 at 1e6, 7 at 1e7, and 19 at 1e8, where the factor already needs jitter. In general
//! the number grows with the share of the spectrum of `A` below what the factor resolves, `(1e-7 + jitter) ·
//! mean(diag A)` times the size of a cluster of like rows; beyond condition 1e9 or so expect
//! [`SpdError::NotConverged`].

use super::DeviceCholesky;
use crate::SpdError;
use crate::checks::check_rhs;

/// What [`DeviceCholesky::refine`] did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refinement {
    /// Number of solves with the factor.
    pub iterations: usize,
    /// `|b − A x| / |b|` in the 2-norm, computed from the solution; 0 if `b` is zero.
    pub residual: f64,
}

impl DeviceCholesky {
    /// Overwrites `b` with the solution of `A x = b` to float64 accuracy.
    ///
    /// # Arguments
    /// * `apply` - writes `A v` into its second argument, for a `v` of length `n`, in float64.
    /// * `b` - one right-hand side, length `n`.
    /// * `tolerance` - accepted `|b − A x| / |b|`. Rounding keeps it above about 1e-16 `|A| |x| / |b|`.
    /// * `iterations` - most solves with the factor.
    ///
    /// # Errors
    /// [`SpdError::NotConverged`] if the tolerance was not reached, and as
    /// [`DeviceCholesky::solve_in_place`]. In both cases `b` is as it came.
    pub fn refine(
        &self,
        apply: &mut dyn FnMut(&[f64], &mut [f64]),
        b: &mut [f64],
        tolerance: f64,
        iterations: usize,
    ) -> Result<Refinement, SpdError> {
        let n = self.n();
        check_rhs(b, n, 1)?;
        let size = norm(b);
        if size == 0.0 {
            return Ok(Refinement { iterations: 0, residual: 0.0 });
        }
        let (mut x, mut product, mut used) = (vec![0.0; n], vec![0.0; n], 0);
        let mut r = b.to_vec();
        let mut residual = 1.0;
        loop {
            self.conjugate_gradients(apply, &mut x, &mut r, tolerance * size, iterations, &mut used)?;
            apply(&x, &mut product);
            for ((r, b), p) in r.iter_mut().zip(&*b).zip(&product) {
                *r = b - p;
            }
            let before = residual;
            residual = norm(&r) / size;
            if residual <= tolerance {
                b.copy_from_slice(&x);
                return Ok(Refinement { iterations: used, residual });
            }
            // A round that does not halve the residual has met rounding.
            if used >= iterations || residual.is_nan() || residual > 0.5 * before {
                return Err(SpdError::NotConverged { iterations: used, residual, tolerance });
            }
        }
    }

    /// Adds to `x` the solution of `A d = r` until the recursive residual `r` is below `target`.
    fn conjugate_gradients(
        &self,
        apply: &mut dyn FnMut(&[f64], &mut [f64]),
        x: &mut [f64],
        r: &mut [f64],
        target: f64,
        iterations: usize,
        used: &mut usize,
    ) -> Result<(), SpdError> {
        let mut z = r.to_vec();
        let mut product = vec![0.0; r.len()];
        let (mut direction, mut last, mut rho) = (vec![0.0; r.len()], r.to_vec(), f64::INFINITY);
        while norm(r) > target && *used < iterations {
            *used += 1;
            self.precondition(r, &mut z)?;
            let beta = z.iter().zip(&*r).zip(&last).map(|((z, r), l)| z * (r - l)).sum::<f64>() / rho;
            rho = dot(&z, r);
            for (d, z) in direction.iter_mut().zip(&z) {
                *d = z + beta * *d;
            }
            apply(&direction, &mut product);
            let alpha = dot(&direction, r) / dot(&direction, &product);
            if !alpha.is_finite() {
                break;
            }
            last.copy_from_slice(r);
            for (((x, r), d), p) in x.iter_mut().zip(&mut *r).zip(&direction).zip(&product) {
                *x += alpha * d;
                *r -= alpha * p;
            }
        }
        Ok(())
    }

    /// `z = M⁻¹ r`, with `r` scaled to fit any number type.
    fn precondition(&self, r: &[f64], z: &mut [f64]) -> Result<(), SpdError> {
        let size = norm(r);
        for (z, r) in z.iter_mut().zip(r) {
            *z = r / size;
        }
        self.solve_in_place(z, 1)?;
        z.iter_mut().for_each(|z| *z *= size);
        Ok(())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}
