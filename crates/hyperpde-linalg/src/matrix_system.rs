//! A matrix that exists as a [`RowSystem`]: what the tensor path hands to a solver.

use std::sync::Arc;

use crate::row_system::check_len;
use crate::{Cotangent, RowGradient, RowLocation, RowSystem, SolveError};

/// A symmetric matrix `[n, n]` in memory. Its parameters are its entries.
#[derive(Debug, Clone)]
pub struct MatrixSystem {
    data: Vec<f64>,
    n: usize,
    locations: Arc<[RowLocation]>,
}

impl MatrixSystem {
    /// The system of a symmetric matrix, `[n, n]`, hence row-major or column-major alike; symmetry is not checked.
    ///
    /// # Errors
    /// [`SolveError::Shape`] if `n` is zero or the number of entries is not `n²`.
    pub fn new(data: Vec<f64>, n: usize) -> Result<Self, SolveError> {
        if n == 0 || n.checked_mul(n) != Some(data.len()) {
            return Err(SolveError::Shape {
                what: "matrix",
                expected: format!("n x n entries with n = {n} > 0"),
                got: format!("{} entries", data.len()),
            });
        }
        Ok(Self { data, n, locations: Arc::new([]) })
    }

    /// The same with the places of its rows, for solvers that go by them.
    #[must_use]
    pub fn with_locations(mut self, locations: Arc<[RowLocation]>) -> Self {
        self.locations = locations;
        self
    }
}

impl RowSystem for MatrixSystem {
    fn len(&self) -> usize {
        self.n
    }

    fn block(&self, rows: &[usize], columns: &[usize], out: &mut [f64]) -> Result<(), SolveError> {
        check_len("block of a system", out.len(), rows.len() * columns.len())?;
        if let Some(&past) = rows.iter().chain(columns).find(|&&i| i >= self.n) {
            let expected = format!("an index less than {}", self.n);
            return Err(SolveError::Shape { what: "block of a system", expected, got: past.to_string() });
        }
        for (out, &j) in out.chunks_exact_mut(rows.len().max(1)).zip(columns) {
            out.iter_mut().zip(rows).for_each(|(out, &i)| *out = self.data[i + j * self.n]);
        }
        Ok(())
    }

    fn lower(&self, out: &mut [f64]) -> Result<(), SolveError> {
        check_len("matrix of a system", out.len(), self.data.len())?;
        out.copy_from_slice(&self.data);
        Ok(())
    }

    fn locations(&self) -> Vec<RowLocation> {
        self.locations.to_vec()
    }

    /// By the entries: the symmetric part of `Ā`, `[n, n]`.
    fn adjoint(&self, cotangent: Cotangent<'_>) -> Result<RowGradient, SolveError> {
        cotangent.check(self.n)?;
        let gradient = match cotangent {
            Cotangent::Dense(cotangent) => cotangent.to_vec(),
            Cotangent::Columns { u, v } => crate::adjoint::symmetric_outer(u, v, self.n),
        };
        Ok(RowGradient::new(gradient))
    }
}
