//! The factorisation itself: a blocked right-looking Cholesky whose parts run as independent tasks.
//!
//! For the columns of one block, with `A` partitioned accordingly,
//!
//! ```text
//! A11 = L11 L11ᵀ,    L21 = A21 L11⁻ᵀ,    A22 ← A22 − L21 L21ᵀ    (lower triangle)
//! ```
//!
//! and on with `A22` (Golub and Van Loan, *Matrix Computations*, 4th edition, section 4.2.9). The panel and the update are halved until a piece
//! fits into the cache; halves run as tasks, each piece with faer's single-threaded kernels. Pieces depend on the size of the matrix
//! only, so the result does not depend on the number of threads, and no thread ever spins at a barrier while another one computes.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltError, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Accum, MatMut, MatRef, Par};

/// Up to this size one call of the single-threaded factorisation is fastest.
const SMALL: usize = 320;
/// Largest edge of a piece of the update.
const PIECE: usize = 256;
/// Most rows of a piece of the panel.
const PANEL: usize = 128;

/// Overwrites the lower triangle of `a` with `L`.
///
/// # Errors
/// The index of the first pivot that is not positive and finite.
pub(crate) fn factor(mut a: MatMut<'_, f64>) -> Result<(), usize> {
    let n = a.nrows();
    let block = block_size(n);
    let mut start = 0;
    while start < n {
        let width = block.min(n - start);
        let rest = a.as_mut().submatrix_mut(start, start, n - start, n - start);
        let (mut diagonal, _, mut below, trailing) = rest.split_at_mut(width, width);
        factor_small(diagonal.as_mut()).map_err(|pivot| start + pivot)?;
        panel(diagonal.as_ref(), below.as_mut());
        update(trailing, below.as_ref());
        start += width;
    }
    Ok(())
}

/// Wide blocks pass over a large matrix less often; narrow ones leave less work to a single thread.
fn block_size(n: usize) -> usize {
    match n {
        0..=SMALL => SMALL,
        321..=2000 => 96,
        _ => 192,
    }
}

fn factor_small(a: MatMut<'_, f64>) -> Result<(), usize> {
    let scratch = cholesky_in_place_scratch::<f64>(a.nrows(), Par::Seq, Default::default());
    let mut memory = MemBuffer::new(scratch);
    cholesky_in_place(a, Default::default(), Par::Seq, MemStack::new(&mut memory), Default::default())
        .map(|_| ())
        .map_err(|LltError::NonPositivePivot { index }| index)
}

/// `B ← B L⁻ᵀ`.
fn panel(l: MatRef<'_, f64>, b: MatMut<'_, f64>) {
    if b.nrows() <= PANEL {
        solve_lower_triangular_in_place(l, b.transpose_mut(), Par::Seq);
    } else {
        let half = halve(b.nrows());
        let (top, bottom) = b.split_at_row_mut(half);
        rayon::join(|| panel(l, top), || panel(l, bottom));
    }
}

/// `C ← C − L Lᵀ` on the lower triangle.
fn update(c: MatMut<'_, f64>, l: MatRef<'_, f64>) {
    let n = c.nrows();
    if n <= PIECE {
        return subtract(c, BlockStructure::TriangularLower, l, l);
    }
    let half = halve(n);
    let (top, _, corner, bottom) = c.split_at_mut(half, half);
    let (upper, lower) = l.split_at_row(half);
    rayon::join(|| product(corner, lower, upper), || rayon::join(|| update(top, upper), || update(bottom, lower)));
}

/// `C ← C − A Bᵀ`.
fn product(c: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let (rows, columns) = (c.nrows(), c.ncols());
    if rows.max(columns) <= PIECE {
        subtract(c, BlockStructure::Rectangular, a, b);
    } else if rows >= columns {
        let half = halve(rows);
        let (top, bottom) = c.split_at_row_mut(half);
        let (upper, lower) = a.split_at_row(half);
        rayon::join(|| product(top, upper, b), || product(bottom, lower, b));
    } else {
        let half = halve(columns);
        let (left, right) = c.split_at_col_mut(half);
        let (upper, lower) = b.split_at_row(half);
        rayon::join(|| product(left, a, upper), || product(right, a, lower));
    }
}

fn subtract(c: MatMut<'_, f64>, structure: BlockStructure, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let whole = BlockStructure::Rectangular;
    triangular::matmul(c, structure, Accum::Add, a, whole, b.transpose(), whole, -1.0, Par::Seq);
}

/// Half of `n`, a multiple of eight so that pieces begin at whole vectors.
fn halve(n: usize) -> usize {
    (n / 2).next_multiple_of(8)
}
