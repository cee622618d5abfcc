//! The operation behind the tensor functions: one factorisation, shared by the solve, the log-determinant, the diagonal of
//! the inverse, and all their adjoints ([`crate::adjoint`]).
//!
//! It maps `A` (`[n, n]`) and `B` (`[n, k]`) to one flat tensor: `A⁻¹ B` row-major, then `log det A` and then `diag A⁻¹` where they are
//! asked for, so that they are one node of the graph.

use std::sync::Arc;

use burn::tensor::DType;

use crate::adjoint::{solve_cotangent, transpose};
use crate::host_op::{HostOp, ReadError};
use crate::{Factor, InnerSolver, MatrixSystem, RowLocation, RowSystem, SolveError};

/// What is wanted besides the solution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpdNeeds {
    /// `log det A`.
    pub log_det: bool,
    /// `diag A⁻¹`.
    pub inverse_diagonal: bool,
}

/// One call of the operation.
#[derive(Debug)]
pub(crate) struct SpdSolve {
    pub(crate) solver: Arc<dyn InnerSolver>,
    pub(crate) locations: Arc<[RowLocation]>,
    pub(crate) needs: SpdNeeds,
    pub(crate) n: usize,
    pub(crate) k: usize,
    /// Number type of the operands.
    pub(crate) dtype: DType,
}

/// A factor, and the solution it gave.
#[derive(Debug)]
pub(crate) struct Solved {
    pub(crate) factor: Box<dyn Factor>,
    /// Column-major `[n, k]`.
    x: Vec<f64>,
}

impl From<ReadError> for SolveError {
    fn from(e: ReadError) -> Self {
        Self::Tensor(e.0)
    }
}

impl HostOp<2> for SpdSolve {
    type State = Solved;
    type Error = SolveError;

    fn name(&self) -> &'static str {
        "an SPD solve"
    }

    fn forward(&self, [a, b]: [Vec<f64>; 2]) -> Result<(Vec<f64>, Solved), SolveError> {
        let (n, k) = (self.n, self.k);
        let system: Arc<dyn RowSystem> = Arc::new(MatrixSystem::new(a, n)?.with_locations(self.locations.clone()));
        // The tensor is row-major and a system column-major: what it reads as (row, col) is (col, row) here.
        let factor = self.solver.factor(&system).map_err(|e| match e {
            SolveError::NonFinite { what, row, col, value } => {
                SolveError::NonFinite { what, row: col, col: row, value }
            }
            other => other,
        })?;
        let mut x = transpose(b, n, k);
        factor.solve(&mut x, k)?;
        let mut flat = transpose(x.clone(), k, n);
        if self.needs.log_det {
            flat.push(factor.log_det()?);
        }
        if self.needs.inverse_diagonal {
            flat.extend(factor.inverse_diagonal()?);
        }
        if self.dtype == DType::F32
            && let Some(p) = flat.iter().position(|v| v.abs() > f64::from(f32::MAX))
        {
            let (row, col, value) = (p / k, p % k, flat[p]);
            return Err(SolveError::Overflow { what: "solution", row, col, value, dtype: "float32" });
        }
        Ok((flat, Solved { factor, x }))
    }

    fn backward(
        &self,
        solved: &Solved,
        mut cotangent: Vec<f64>,
        wanted: [bool; 2],
    ) -> Result<[Vec<f64>; 2], SolveError> {
        let (n, k) = (self.n, self.k);
        let mut rest = cotangent.split_off(n * k);
        let log_det = if self.needs.log_det { rest.remove(0) } else { 0.0 };
        let mut b_bar = transpose(cotangent, n, k);
        solved.factor.solve(&mut b_bar, k)?;
        let [a, b] = wanted;
        let by_a =
            if a { solve_cotangent(solved.factor.as_ref(), &b_bar, &solved.x, log_det, &rest)? } else { Vec::new() };
        Ok([by_a, if b { transpose(b_bar, k, n) } else { Vec::new() }])
    }
}
