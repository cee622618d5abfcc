//! Cholesky factorisation on the host in float64, with escalating jitter.
//!
//! For a symmetric positive definite `A` of shape `[n, n]`
//!
//! ```text
//! A + j · mean(diag A) · I = L Lᵀ,    log det A = 2 Σ_i log L_ii,    A⁻¹ b = L⁻ᵀ L⁻¹ b
//! ```
//!
//! with the smallest `j` of the [`JitterPolicy`] that works, `j = 0` first. Cost: `n³/3` flops for the factorisation,
//! `2 n² k` for `k` right-hand sides. The factorisation runs in the caller's buffer, in
//! blocks over faer's kernels (`blocked.rs`).

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::LltParams;
use faer::linalg::cholesky::llt::inverse::{inverse, inverse_scratch};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Auto, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::blocked;
use crate::checks::{check_rhs, check_solution};
use crate::escalate::{Attempt, condition_estimate, escalate};
use crate::{JitterPolicy, SolveError, SolveStatistics};

/// The factor `L` of a symmetric positive definite matrix, float64, on the host.
pub struct Cholesky {
    buffer: Vec<f64>,
    n: usize,
    info: SolveStatistics,
}

impl Cholesky {
    /// Factors the symmetric matrix whose lower triangle is in `buffer`, in place.
    ///
    /// # Arguments
    /// * `buffer` - column-major `[n, n]`; entry `(i, j)`, `i >= j`, at `buffer[i + j * n]`. The strict upper triangle
    ///   is not read and is left with unspecified values.
    /// * `n` - size of the matrix.
    /// * `policy` - jitter to try if the plain matrix is not positive definite.
    /// * `refill` - writes the lower triangle of the original matrix again; called after each failed attempt that is
    ///   followed by another one, because a failed attempt destroys the buffer.
    ///
    /// # Errors
    /// [`SolveError::Shape`] if `n` is zero or the buffer has not `n * n` entries; [`SolveError::NonFinite`] if the lower
    /// triangle holds a NaN or an infinity (first one in memory order); [`SolveError::NotPositiveDefinite`] if no
    /// jitter of the policy helped. A matrix with a diagonal whose mean is not positive is given up at once.
    pub fn factor(
        buffer: Vec<f64>,
        n: usize,
        policy: &JitterPolicy,
        refill: &mut dyn FnMut(&mut [f64]),
    ) -> Result<Self, SolveError> {
        check_square(&buffer, n)?;
        check_lower_finite(&buffer, n)?;
        let mean_diagonal = buffer.iter().step_by(n + 1).map(|d| d / n as f64).sum();
        attempts(buffer, n, mean_diagonal, policy, refill)
    }

    /// Factors a symmetric matrix of which both triangles are in `buffer`, in place.
    ///
    /// Like [`Cholesky::factor`], but needs no `refill`: after a failed attempt the lower triangle is copied back from
    /// the upper one, so a buffer is factored without ever being copied.
    ///
    /// # Arguments
    /// * `buffer` - `[n, n]`, symmetric, hence row-major or column-major alike. Only the column-major lower triangle is
    ///   read unless jitter is needed; symmetry is not checked.
    ///
    /// # Errors
    /// As [`Cholesky::factor`].
    pub fn factor_symmetric(buffer: Vec<f64>, n: usize, policy: &JitterPolicy) -> Result<Self, SolveError> {
        check_square(&buffer, n)?;
        // faer overwrites the upper triangle too, but only inside diagonal blocks no larger than its recursion
        // threshold: keeping that band of the lower triangle is enough to restore the rest by symmetry.
        let width = <LltParams as Auto<f64>>::auto().recursion_threshold.clamp(1, n);
        let mut band = Vec::new();
        if policy.after(0.0).is_some() {
            band.reserve_exact(width * n);
            for j in 0..n {
                band.extend_from_slice(&buffer[j * n + j..j * n + n.min(j + width)]);
            }
        }
        let mut restore = |buffer: &mut [f64]| {
            for j in 0..n {
                for i in j + width..n {
                    buffer[i + j * n] = buffer[j + i * n];
                }
            }
            let mut saved = band.as_slice();
            for j in 0..n {
                let (column, rest) = saved.split_at(width.min(n - j));
                buffer[j * n + j..][..column.len()].copy_from_slice(column);
                saved = rest;
            }
        };
        Self::factor(buffer, n, policy, &mut restore)
    }

    /// Size `n` of the matrix.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Jitter, attempts and condition estimate.
    pub fn info(&self) -> SolveStatistics {
        self.info
    }

    /// `log det A = 2 Σ_i log L_ii`, of the matrix with its jitter.
    pub fn log_det(&self) -> f64 {
        2.0 * self.diagonal().map(f64::ln).sum::<f64>()
    }

    /// `L` as an `[n, n]` view. Only its lower triangle means anything.
    pub fn factor_matrix(&self) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.buffer, self.n, self.n)
    }

    /// Overwrites `b` with `A⁻¹ b`.
    ///
    /// # Arguments
    /// * `b` - column-major `[n, k]`.
    /// * `k` - number of right-hand sides.
    ///
    /// # Errors
    /// [`SolveError::Shape`] if `b` has not `n * k` entries; [`SolveError::NonFinite`] if `b` holds a NaN or an infinity;
    /// [`SolveError::Overflow`] if the solution does. In the last case `b` holds unusable values.
    pub fn solve_in_place(&self, b: &mut [f64], k: usize) -> Result<(), SolveError> {
        self.half_solve_in_place(b, k)?;
        self.transposed_solve_unchecked(b, k);
        check_solution(b, self.n, "float64")
    }

    /// Overwrites `b` with `L⁻¹ b`, so that `|L⁻¹ b|² = bᵀ A⁻¹ b` per column.
    ///
    /// # Arguments and errors
    /// As [`Cholesky::solve_in_place`].
    pub fn half_solve_in_place(&self, b: &mut [f64], k: usize) -> Result<(), SolveError> {
        check_rhs(b, self.n, k)?;
        self.half_solve_unchecked(b, k);
        check_solution(b, self.n, "float64")
    }

    /// `L⁻¹ b` in place, for a `b` known to be `[n, k]`.
    pub(crate) fn half_solve_unchecked(&self, b: &mut [f64], k: usize) {
        let rhs = MatMut::from_column_major_slice_mut(b, self.n, k);
        solve_lower_triangular_in_place(self.factor_matrix(), rhs, parallelism(k));
    }

    /// `L⁻ᵀ b` in place, for a `b` known to be `[n, k]`.
    pub(crate) fn transposed_solve_unchecked(&self, b: &mut [f64], k: usize) {
        let rhs = MatMut::from_column_major_slice_mut(b, self.n, k);
        solve_upper_triangular_in_place(self.factor_matrix().transpose(), rhs, parallelism(k));
    }

    /// `diag A⁻¹`, `[n]`: squared norms of the columns of `L⁻¹`, `n³/3` flops, some columns at a time.
    pub fn inverse_diagonal(&self) -> Vec<f64> {
        const WIDTH: usize = 64;
        let strip = |start: usize| {
            // The columns of L⁻¹ are zero above the diagonal.
            let (rest, width) = (self.n - start, WIDTH.min(self.n - start));
            let mut columns = vec![0.0; rest * width];
            (0..width).for_each(|j| columns[j + j * rest] = 1.0);
            let l = self.factor_matrix().submatrix(start, start, rest, rest);
            let rhs = MatMut::from_column_major_slice_mut(&mut columns, rest, width);
            solve_lower_triangular_in_place(l, rhs, Par::Seq);
            columns.chunks_exact(rest).map(|c| c.iter().map(|v| v * v).sum()).collect::<Vec<f64>>()
        };
        let starts: Vec<usize> = (0..self.n).step_by(WIDTH).collect();
        starts.into_par_iter().flat_map_iter(strip).collect()
    }

    /// `A⁻¹`, `[n, n]`, exactly symmetric; `2n³/3` flops.
    pub fn inverse(&self) -> Vec<f64> {
        let par = Par::rayon(0);
        let mut out = vec![0.0; self.n * self.n];
        let lower = MatMut::from_column_major_slice_mut(&mut out, self.n, self.n);
        let scratch = inverse_scratch::<f64>(self.n, par);
        inverse(lower, self.factor_matrix(), par, MemStack::new(&mut MemBuffer::new(scratch)));
        crate::adjoint::mirror_lower(&mut out, self.n);
        out
    }

    /// Gives the allocation back for the next matrix; its contents are unspecified.
    pub fn into_buffer(self) -> Vec<f64> {
        self.buffer
    }

    fn diagonal(&self) -> impl Iterator<Item = f64> {
        self.buffer.iter().step_by(self.n + 1).copied()
    }
}

/// A few right-hand sides are bound by memory traffic: threads would cost more than they bring.
fn parallelism(k: usize) -> Par {
    if k < 32 { Par::Seq } else { Par::rayon(0) }
}

impl std::fmt::Debug for Cholesky {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cholesky").field("n", &self.n).field("info", &self.info).finish_non_exhaustive()
    }
}

/// Factors with growing jitter until an attempt succeeds or the policy ends.
fn attempts(
    mut buffer: Vec<f64>,
    n: usize,
    mean_diagonal: f64,
    policy: &JitterPolicy,
    refill: &mut dyn FnMut(&mut [f64]),
) -> Result<Cholesky, SolveError> {
    let info = escalate(n, mean_diagonal, "float64", policy, &mut |added| {
        if added > 0.0 {
            refill(&mut buffer);
            for d in buffer.iter_mut().step_by(n + 1) {
                *d += added;
            }
        }
        let failed = attempt(&mut buffer, n).err();
        let done = buffer.iter().step_by(n + 1).take(failed.unwrap_or(n)).copied();
        Ok(Attempt { failed, condition: condition_estimate(done) })
    })?;
    Ok(Cholesky { buffer, n, info })
}

/// One factorisation; the index of the pivot that was not positive and finite otherwise.
fn attempt(buffer: &mut [f64], n: usize) -> Result<(), usize> {
    blocked::factor(MatMut::from_column_major_slice_mut(buffer, n, n))
}

fn check_square(buffer: &[f64], n: usize) -> Result<(), SolveError> {
    if n > 0 && n.checked_mul(n) == Some(buffer.len()) {
        return Ok(());
    }
    Err(SolveError::Shape {
        what: "matrix",
        expected: format!("n x n entries with n = {n} > 0"),
        got: format!("{} entries", buffer.len()),
    })
}

fn check_lower_finite(buffer: &[f64], n: usize) -> Result<(), SolveError> {
    for (col, column) in buffer.chunks_exact(n).enumerate() {
        let lower = &column[col..];
        // No early exit within a column: the branch-free loop is vectorised.
        if lower.iter().fold(false, |bad, v| bad | !v.is_finite()) {
            let row = col + lower.iter().position(|v| !v.is_finite()).unwrap_or(0);
            return Err(SolveError::NonFinite { what: "matrix", row, col, value: column[row] });
        }
    }
    Ok(())
}
