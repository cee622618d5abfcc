//! What is left of a system once a solver is done with it: something that answers solves, and perhaps more.

use std::fmt::Debug;

use crate::{SolveError, SolveStatistics};

/// Right-hand sides at a time where the inverse is computed from solves.
const BATCH: usize = 64;

/// A solved system: `A⁻¹` as an operation. Only [`Factor::solve`] is required; what a factor has no way to tell it refuses with
/// [`SolveError::Unsupported`].
pub trait Factor: Debug + Send + Sync {
    /// Number of rows `n`.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of the solver it comes from, for messages.
    fn solver(&self) -> &'static str;

    /// Overwrites `b`, column-major `[n, columns]`, with `A⁻¹ b`.
    ///
    /// # Errors
    /// [`SolveError::Shape`], [`SolveError::NonFinite`], [`SolveError::Overflow`]; [`SolveError::NotConverged`] from iterations.
    fn solve(&self, b: &mut [f64], columns: usize) -> Result<(), SolveError>;

    /// Overwrites `b`, column-major `[n, columns]`, with `L⁻¹ b` for an `L` with `L Lᵀ = A`, so that `|L⁻¹ b|² = bᵀ A⁻¹ b`.
    ///
    /// # Errors
    /// [`SolveError::Unsupported`] by default; as [`Factor::solve`].
    fn half_solve(&self, b: &mut [f64], columns: usize) -> Result<(), SolveError> {
        let _ = (b, columns);
        Err(SolveError::Unsupported { solver: self.solver(), what: "half solves" })
    }

    /// `log det A`.
    ///
    /// # Errors
    /// [`SolveError::Unsupported`] by default.
    fn log_det(&self) -> Result<f64, SolveError> {
        Err(SolveError::Unsupported { solver: self.solver(), what: "log-determinant" })
    }

    /// `diag A⁻¹`, `[n]`. By default from `n` solves.
    ///
    /// # Errors
    /// As [`Factor::solve`].
    fn inverse_diagonal(&self) -> Result<Vec<f64>, SolveError> {
        let n = self.len();
        let mut out = Vec::with_capacity(n);
        unit_solves(self, |start, columns| out.extend(columns.chunks_exact(n).enumerate().map(|(j, c)| c[start + j])))?;
        Ok(out)
    }

    /// `A⁻¹`, `[n, n]`, symmetric. By default from `n` solves.
    ///
    /// # Errors
    /// As [`Factor::solve`].
    fn inverse(&self) -> Result<Vec<f64>, SolveError> {
        let n = self.len();
        let mut out = Vec::with_capacity(n * n);
        unit_solves(self, |_, columns| out.extend_from_slice(columns))?;
        // Solves are exact up to rounding or a tolerance; a cotangent has to be symmetric.
        for j in 0..n {
            for i in 0..j {
                let mean = 0.5 * (out[i + j * n] + out[j + i * n]);
                (out[i + j * n], out[j + i * n]) = (mean, mean);
            }
        }
        Ok(out)
    }

    /// What the factorisation, and the solves so far, had to do.
    fn statistics(&self) -> SolveStatistics;
}

/// Hands out `A⁻¹ e_j` for all `j`, some columns at a time, with the first `j`.
fn unit_solves(factor: &(impl Factor + ?Sized), mut each: impl FnMut(usize, &[f64])) -> Result<(), SolveError> {
    let n = factor.len();
    for start in (0..n).step_by(BATCH) {
        let count = BATCH.min(n - start);
        let mut columns = vec![0.0; n * count];
        (0..count).for_each(|j| columns[start + j + j * n] = 1.0);
        factor.solve(&mut columns, count)?;
        each(start, &columns);
    }
    Ok(())
}
