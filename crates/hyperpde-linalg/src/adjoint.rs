//! Reverse-mode derivatives of a solve, a log-determinant and the diagonal of an inverse, on the host.
//!
//! With `X = A⁻¹ B`, `l = log det A`, `d = diag A⁻¹` and upstream gradients `X̄` (`[n, k]`), `l̄` and `d̄` (`[n]`):
//!
//! ```text
//! B̄ = A⁻¹ X̄
//! Ā = −½ (B̄ Xᵀ + X B̄ᵀ) + l̄ A⁻¹ − A⁻¹ diag(d̄) A⁻¹
//! ```
//!
//! (Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
//! sections 2.2.3 and 2.2.4; the last term from `dA⁻¹ = −A⁻¹ dA A⁻¹`), symmetrised because `A` only moves among symmetric
//! matrices. All of it reuses the factor of the forward pass.

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::{Factor, SolveError};

/// Columns up to which a sum of outer products is filled row by row instead of by a blocked matrix product.
const FEW_COLUMNS: usize = 4;
/// Side of the square blocks in which matrices are transposed: two of them fit the first-level cache.
const BLOCK: usize = 32;

/// `Ā`, `[n, n]`, exactly symmetric: the cotangent of a system from those of what was computed with its factor.
///
/// # Arguments
/// * `factor` - of the system.
/// * `b_bar`, `x` - `B̄ = A⁻¹ X̄` and `X`, column-major `[n, k]`.
/// * `log_det` - `l̄`; exactly zero means that nothing depends on the log-determinant.
/// * `diagonal` - `d̄`, `[n]`, or empty if nothing depends on the diagonal of the inverse.
///
/// Without the last two no inverse is formed; with them it costs its `2n³/3` flops, and the last another `n³`.
///
/// # Errors
/// As [`Factor::inverse`].
pub fn solve_cotangent(
    factor: &dyn Factor,
    b_bar: &[f64],
    x: &[f64],
    log_det: f64,
    diagonal: &[f64],
) -> Result<Vec<f64>, SolveError> {
    let n = factor.len();
    let minus: Vec<f64> = b_bar.iter().map(|v| -v).collect();
    let mut out = symmetric_outer(&minus, x, n);
    let by_diagonal = diagonal.iter().any(|d| *d != 0.0);
    if log_det == 0.0 && !by_diagonal {
        return Ok(out);
    }
    let inverse = factor.inverse()?;
    out.par_iter_mut().zip(&inverse).for_each(|(o, p)| *o += log_det * p);
    if by_diagonal {
        let scaled: Vec<f64> =
            inverse.chunks_exact(n).zip(diagonal).flat_map(|(c, d)| c.iter().map(move |p| p * d)).collect();
        let of = |data| MatRef::from_column_major_slice(data, n, n);
        add_product(&mut out, of(&scaled), of(&inverse), -1.0);
    }
    Ok(out)
}

/// `½ Σ_k (u_k v_kᵀ + v_k u_kᵀ)`, `[n, n]`, exactly symmetric, from column-major `[n, k]`.
pub(crate) fn symmetric_outer(u: &[f64], v: &[f64], n: usize) -> Vec<f64> {
    let (mut out, k) = (vec![0.0; n * n], u.len() / n);
    if k <= FEW_COLUMNS {
        fill_outer(&mut out, u, v, n);
        return out;
    }
    // One product [U V] [V U]ᵀ of inner size 2k gives both terms of the symmetric part.
    let (u, v) = (MatRef::from_column_major_slice(u, n, k), MatRef::from_column_major_slice(v, n, k));
    let left = Mat::from_fn(n, 2 * k, |i, c| if c < k { u[(i, c)] } else { v[(i, c - k)] });
    let right = Mat::from_fn(n, 2 * k, |i, c| if c < k { v[(i, c)] } else { u[(i, c - k)] });
    add_product(&mut out, left.as_ref(), right.as_ref(), 0.5);
    out
}

/// `out += factor · A Bᵀ` for a symmetric product, exactly symmetric afterwards.
fn add_product(out: &mut [f64], a: MatRef<'_, f64>, b: MatRef<'_, f64>, factor: f64) {
    let n = a.nrows();
    let whole = BlockStructure::Rectangular;
    let lower = MatMut::from_column_major_slice_mut(out, n, n);
    let b = b.transpose();
    matmul(lower, BlockStructure::TriangularLower, Accum::Add, a, whole, b, whole, factor, Par::rayon(0));
    mirror_lower(out, n);
}

/// `out = ½ (U Vᵀ + V Uᵀ)` for column-major `u`, `v` of `[n, few]`; products commute, so the result is symmetric to
/// the last bit.
fn fill_outer(out: &mut [f64], u: &[f64], v: &[f64], n: usize) {
    out.par_chunks_exact_mut(n).enumerate().for_each(|(i, row)| {
        for (u, v) in u.chunks_exact(n).zip(v.chunks_exact(n)) {
            let (ui, vi) = (0.5 * u[i], 0.5 * v[i]);
            for ((o, &uj), &vj) in row.iter_mut().zip(u).zip(v) {
                *o += ui * vj + vi * uj;
            }
        }
    });
}

/// Copies the column-major lower triangle onto the upper one, in blocks.
pub(crate) fn mirror_lower(a: &mut [f64], n: usize) {
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
pub(crate) fn transpose(a: Vec<f64>, rows: usize, cols: usize) -> Vec<f64> {
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
