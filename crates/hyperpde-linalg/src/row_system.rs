//! The symmetric positive definite system of an inner solve, seen through its rows.
//!
//! `A = K + N` of shape `[n, n]`: row `r` is a linear functional `ℓ_r` of the fields, `K_rs = ℓ_r ℓ_s k` the covariance of two of them and
//! `N` the nugget. A solver asks for what it needs: all of the lower triangle ([`crate::DenseCholesky`]), small blocks of neighbours (a sparse
//! factor), or products with vectors (an iteration); the matrix as a whole need not exist. The way back is one method: whoever knows the
//! entries knows how to contract their derivative with a cotangent.

use std::ops::Range;

use crate::SolveError;

/// Columns of the strips in which [`RowSystem::apply`] visits the matrix.
const STRIP: usize = 64;

/// Where a row takes a field: what a sparse solver needs to find neighbours.
#[derive(Clone, Debug, PartialEq)]
pub struct RowLocation {
    /// The row, `0..n`.
    pub row: usize,
    /// Index of the field.
    pub field: usize,
    /// Highest order of a derivative that the row takes of the field there; 0 for values only.
    pub order: usize,
    /// The point, `[d]`, in the units of the coordinates.
    pub point: Vec<f64>,
}

/// The cotangent `Ā = ∂L/∂A` of a system. `A` moves among symmetric matrices only, so `Ā` stands for its symmetric part.
#[derive(Clone, Copy, Debug)]
pub enum Cotangent<'a> {
    /// `Ā = Σ_k u_k v_kᵀ`: any number of column pairs, `u` and `v` column-major `[n, k]`.
    Columns {
        /// `u_k`.
        u: &'a [f64],
        /// `v_k`.
        v: &'a [f64],
    },
    /// `Ā` itself, symmetric, `[n, n]`.
    Dense(&'a [f64]),
}

impl Cotangent<'_> {
    /// Refuses a cotangent that does not belong to a system of `n` rows.
    ///
    /// # Errors
    /// [`SolveError::Shape`].
    pub fn check(&self, n: usize) -> Result<(), SolveError> {
        let (fits, expected, got) = match self {
            Self::Columns { u, v } => (
                u.len() == v.len() && u.len().is_multiple_of(n.max(1)),
                format!("u and v of [{n}, k]"),
                format!("{} and {} entries", u.len(), v.len()),
            ),
            Self::Dense(a) => {
                (Some(a.len()) == n.checked_mul(n), format!("[{n}, {n}]"), format!("{} entries", a.len()))
            }
        };
        if fits { Ok(()) } else { Err(SolveError::Shape { what: "cotangent of a system", expected, got }) }
    }
}

/// `⟨Ā, dA⟩` by what the entries of a system depend on.
///
/// More parts (gradients by row coefficients, for instance) come as further fields; build one with [`RowGradient::new`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RowGradient {
    /// By the parameters of the system, flat, in its own order: the point features of all fields for rows of kernels, the entries for a
    /// [`crate::MatrixSystem`].
    pub parameters: Vec<f64>,
}

impl RowGradient {
    /// A gradient by the parameters of a system.
    pub fn new(parameters: Vec<f64>) -> Self {
        Self { parameters }
    }
}

/// The system `A = K + N` of `n` rows (see the module documentation).
pub trait RowSystem: Send + Sync {
    /// Number of rows `n`.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes `A[rows, columns]`, column-major `[rows.len(), columns.len()]`: entry `(rows[i], columns[j])` at `out[i + j · rows.len()]`.
    /// Indices may come in any order, repeated as well.
    ///
    /// # Errors
    /// [`SolveError::Shape`] for an index past the end or an `out` of another size, [`SolveError::Rows`] if entries can't be computed.
    fn block(&self, rows: &[usize], columns: &[usize], out: &mut [f64]) -> Result<(), SolveError>;

    /// Writes the lower triangle, column-major `[n, n]`: entry `(i, j)`, `i ≥ j`, at `out[i + j · n]`. What the strict upper triangle then
    /// holds is unspecified. By default in strips of [`RowSystem::block`].
    ///
    /// # Errors
    /// As [`RowSystem::block`].
    fn lower(&self, out: &mut [f64]) -> Result<(), SolveError> {
        let n = self.len();
        check_len("matrix of a system", out.len(), n * n)?;
        for strip in strips(n) {
            let rows: Vec<usize> = (strip.start..n).collect();
            let columns: Vec<usize> = strip.clone().collect();
            let mut block = vec![0.0; rows.len() * columns.len()];
            self.block(&rows, &columns, &mut block)?;
            for (j, column) in strip.zip(block.chunks_exact(rows.len())) {
                out[j * n + rows[0]..(j + 1) * n].copy_from_slice(column);
            }
        }
        Ok(())
    }

    /// Writes `diag A`, `[n]`. By default from 1 x 1 blocks.
    ///
    /// # Errors
    /// As [`RowSystem::block`].
    fn diagonal(&self, out: &mut [f64]) -> Result<(), SolveError> {
        check_len("diagonal of a system", out.len(), self.len())?;
        for (i, entry) in out.iter_mut().enumerate() {
            self.block(&[i], &[i], std::slice::from_mut(entry))?;
        }
        Ok(())
    }

    /// Writes `y = A x`, both `[n]`. By default in strips of columns of [`RowSystem::block`]: never more than `64 n` floats at a time, whatever `n`.
    ///
    /// # Errors
    /// As [`RowSystem::block`].
    fn apply(&self, x: &[f64], y: &mut [f64]) -> Result<(), SolveError> {
        let n = self.len();
        check_len("operand of a product", x.len(), n)?;
        check_len("result of a product", y.len(), n)?;
        y.fill(0.0);
        let rows: Vec<usize> = (0..n).collect();
        let mut block = Vec::new();
        for strip in strips(n) {
            let columns: Vec<usize> = strip.clone().collect();
            block.resize(n * columns.len(), 0.0);
            self.block(&rows, &columns, &mut block)?;
            for (column, x) in block.chunks_exact(n).zip(&x[strip]) {
                y.iter_mut().zip(column).for_each(|(y, a)| *y += a * x);
            }
        }
        Ok(())
    }

    /// Where the rows are, ordered by row: one location per row, field and point. Empty if the system does not know (a plain matrix).
    fn locations(&self) -> Vec<RowLocation> {
        Vec::new()
    }

    /// `⟨Ā, dA⟩ = Σ_rs Ā_rs dA_rs` by the parameters of the system.
    ///
    /// # Errors
    /// [`SolveError::Shape`] if the cotangent does not fit, [`SolveError::Rows`] if derivatives can't be computed.
    fn adjoint(&self, cotangent: Cotangent<'_>) -> Result<RowGradient, SolveError>;

    /// The system on a GPU, if that is where its entries are computed.
    #[cfg(feature = "gpu")]
    fn on_device(&self) -> Option<&dyn crate::device::DeviceRows> {
        None
    }
}

/// Ranges of [`STRIP`] columns that make up `0..n`.
fn strips(n: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).step_by(STRIP).map(move |start| start..n.min(start + STRIP))
}

/// Refuses a slice of the wrong length.
pub(crate) fn check_len(what: &'static str, got: usize, expected: usize) -> Result<(), SolveError> {
    if got == expected {
        return Ok(());
    }
    Err(SolveError::Shape { what, expected: format!("{expected} entries"), got: format!("{got} entries") })
}
