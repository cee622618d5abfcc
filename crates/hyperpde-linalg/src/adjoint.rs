//! Reverse-mode derivatives of a solve and a log-determinant, on the host.
//!
//! With `X = A⁻¹ B`, `l = log det A` and upstream gradients `X̄` (`[n, k]`) and `l̄`:
//!
//! ```text
//! B̄ = A⁻¹ X̄
//! Ā = −½ (B̄ Xᵀ + X B̄ᵀ) + l̄ A⁻¹
//! ```
//!
//! (Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
//! sections 2.2.3 and 2.2.4), symmetrised because `A` only moves among symmetric matrices. Both reuse the factor of the
//! forward pass.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::inverse::{inverse, inverse_scratch};
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::{Cholesky, SpdError};

/// Columns up to which `Ā` is filled row by row instead of by a blocked matrix product.
const FEW_COLUMNS: usize = 4;
/// Side of the square blocks in which matrices are transposed: two of them fit the first-level cache.
const BLOCK: usize = 32;

/// A factor, and the solution it gave: what the backward pass needs from the forward pass.
#[derive(Debug)]
pub(crate) struct Solved {
    cholesky: Cholesky,
    /// Column-major `[n, k]`.
    x: Vec<f64>,
    k: usize,
}

impl Solved {
    /// Solves `A X = B` for a row-major `b` of shape `[n, k]`.
    pub(crate) fn new(cholesky: Cholesky, b: Vec<f64>, k: usize) -> Result<Self, SpdError> {
        let mut x = transpose(b, cholesky.n(), k);
        cholesky.solve_in_place(&mut x, k)?;
        Ok(Self { cholesky, x, k })
    }

    /// The factor.
    pub(crate) fn cholesky(&self) -> &Cholesky {
        &self.cholesky
    }

    /// `[n, k]`.
    pub(crate) fn shape(&self) -> [usize; 2] {
        [self.cholesky.n(), self.k]
    }

    /// `X` row-major, followed by the log-determinant: `n * k + 1` values.
    pub(crate) fn output(&self) -> Vec<f64> {
        let mut flat = transpose(self.x.clone(), self.k, self.cholesky.n());
        flat.push(self.cholesky.log_det());
        flat
    }

    /// `B̄` column-major, from `X̄` row-major. A gradient that is not finite passes through as such.
    pub(crate) fn rhs_gradient(&self, x_bar: Vec<f64>) -> Vec<f64> {
        let mut d = transpose(x_bar, self.cholesky.n(), self.k);
        self.cholesky.half_solve_unchecked(&mut d, self.k);
        self.cholesky.transposed_solve_unchecked(&mut d, self.k);
        d
    }

    /// `B̄` row-major, from `B̄` column-major.
    pub(crate) fn to_row_major(&self, d: Vec<f64>) -> Vec<f64> {
        transpose(d, self.k, self.cholesky.n())
    }

    /// `Ā`, `[n, n]`, exactly symmetric, from `B̄` column-major and `l̄`.
    pub(crate) fn matrix_gradient(&self, d: &[f64], l_bar: f64) -> Vec<f64> {
        let [n, k] = self.shape();
        let mut out = vec![0.0; n * n];
        // Exactly zero means that nothing depends on the log-determinant; the inverse is then not worth its n³.
        if l_bar == 0.0 && k <= FEW_COLUMNS {
            fill_outer(&mut out, d, &self.x, n);
            return out;
        }
        let mut lower = MatMut::from_column_major_slice_mut(&mut out, n, n);
        let par = Par::rayon(0);
        if l_bar != 0.0 {
            let scratch = inverse_scratch::<f64>(n, par);
            inverse(lower.as_mut(), self.cholesky.factor_matrix(), par, MemStack::new(&mut MemBuffer::new(scratch)));
            lower *= faer::Scale(l_bar);
        }
        // One product [B̄ X] [X B̄]ᵀ of inner size 2k gives both terms of the symmetric part.
        let (d, x) = (MatRef::from_column_major_slice(d, n, k), MatRef::from_column_major_slice(&self.x, n, k));
        let left = Mat::from_fn(n, 2 * k, |i, c| if c < k { d[(i, c)] } else { x[(i, c - k)] });
        let right = Mat::from_fn(n, 2 * k, |i, c| if c < k { x[(i, c)] } else { d[(i, c - k)] });
        matmul(
            lower.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Add,
            left.as_ref(),
            BlockStructure::Rectangular,
            right.as_ref().transpose(),
            BlockStructure::Rectangular,
            -0.5,
            par,
        );
        mirror_lower(&mut out, n);
        out
    }
}

/// `out = −½ (D Xᵀ + X Dᵀ)` for column-major `d`, `x` of `[n, few]`; products commute, so the result is symmetric to
/// the last bit.
fn fill_outer(out: &mut [f64], d: &[f64], x: &[f64], n: usize) {
    out.par_chunks_exact_mut(n).enumerate().for_each(|(i, row)| {
        for (d, x) in d.chunks_exact(n).zip(x.chunks_exact(n)) {
            let (di, xi) = (-0.5 * d[i], -0.5 * x[i]);
            for ((o, &dj), &xj) in row.iter_mut().zip(d).zip(x) {
                *o += di * xj + xi * dj;
            }
        }
    });
}

/// Copies the column-major lower triangle onto the upper one, in blocks.
fn mirror_lower(a: &mut [f64], n: usize) {
    for col in (0..n).step_by(BLOCK) {
        for row in (col..n).step_by(BLOCK) {
            for j in col..n.min(col + BLOCK) {
                for i in row.max(j + 1)..n.min(row + BLOCK) {
                    a[j + i * n] = a[i + j * n];
                }
            }
        }
    }
}

/// Row-major `[rows, cols]` to column-major; with the two sizes exchanged, the way back.
fn transpose(a: Vec<f64>, rows: usize, cols: usize) -> Vec<f64> {
    if rows == 1 || cols == 1 {
        return a;
    }
    let mut out = vec![0.0; a.len()];
    for row in (0..rows).step_by(BLOCK) {
        for col in (0..cols).step_by(BLOCK) {
            for i in row..rows.min(row + BLOCK) {
                for j in col..cols.min(col + BLOCK) {
                    out[i + j * rows] = a[i * cols + j];
                }
            }
        }
    }
    out
}
