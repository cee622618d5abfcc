//! Differentiable solves and log-determinants of symmetric positive definite tensors.

use std::sync::Arc;

use burn::tensor::{DType, Tensor};

use crate::host_op::host_op;
use crate::ops::{SpdNeeds, SpdSolve};
use crate::{DenseCholesky, InnerSolver, JitterPolicy, RowLocation, SolveError, SolveStatistics};

/// What [`spd_solve_with`] gives.
#[derive(Debug)]
pub struct SpdSolution {
    /// `X = A⁻¹ B`, `[n, k]`.
    pub x: Tensor<2>,
    /// `log det A`, `[1]`, if asked for.
    pub log_det: Option<Tensor<1>>,
    /// `diag A⁻¹`, `[n]`, if asked for.
    pub inverse_diagonal: Option<Tensor<1>>,
    /// What the solver had to do.
    pub statistics: SolveStatistics,
}

/// `X = A⁻¹ B`, and what else `needs` asks for, from one factor of any solver; differentiable with respect to both operands.
///
/// The adjoint of the log-determinant needs the inverse, that of the diagonal of the inverse another product of n x n matrices
/// ([`crate::solve_cotangent`]).
///
/// # Arguments
/// * `a`, `b` - as for [`spd_solve`].
/// * `solver` - any; it sees `a` as a [`crate::MatrixSystem`].
/// * `locations` - where the rows are, for solvers that go by them; may be empty.
/// * `needs` - what else is wanted.
///
/// # Errors
/// As [`spd_solve`]; [`SolveError::Unsupported`] if the solver's factor can't tell what is asked for.
pub fn spd_solve_with(
    a: Tensor<2>,
    b: Tensor<2>,
    solver: &Arc<dyn InnerSolver>,
    locations: &Arc<[RowLocation]>,
    needs: SpdNeeds,
) -> Result<SpdSolution, SolveError> {
    check_operands(&a, &b)?;
    let shape @ [n, k] = b.dims();
    let op = SpdSolve { solver: solver.clone(), locations: locations.clone(), needs, n, k, dtype: b.dtype() };
    let (flat, solved) = host_op(op, (a, b))?;
    let after = n * k + usize::from(needs.log_det);
    Ok(SpdSolution {
        x: flat.clone().slice(0..n * k).reshape(shape),
        log_det: needs.log_det.then(|| flat.clone().slice(n * k..after)),
        inverse_diagonal: needs.inverse_diagonal.then(|| flat.slice(after..after + n)),
        statistics: solved.factor.statistics(),
    })
}

/// `X = A⁻¹ B` for a symmetric positive definite `A`, differentiable with respect to both.
///
/// # Arguments
/// * `a` - symmetric positive definite, `[n, n]`. One triangle is read; symmetry is not checked. Pass the only handle of
///   the tensor if you can: its memory is then factored in place instead of being copied.
/// * `b` - right-hand sides, `[n, k]`, same number type and device as `a`; either may be untracked.
/// * `policy` - jitter to try if `a` is not positive definite.
///
/// # Returns
/// `X` of shape `[n, k]`, finite, and what the factorisation did. The gradient is that of the system that was solved,
/// jitter included as a constant; the gradient with respect to `a` is the symmetric one,
/// `Ā = −½ (B̄ Xᵀ + X B̄ᵀ)` with `B̄ = A⁻¹ X̄`. Forward and backward share one factorisation.
///
/// # Numerical behaviour
/// Computed in float64 on the host; float32 tensors are converted on the way in and out.
///
/// # Errors
/// [`SolveError::Shape`], [`SolveError::Tensor`] (number types other than float64 and float32, or operands that differ in
/// number type or device), [`SolveError::NonFinite`], [`SolveError::NotPositiveDefinite`], [`SolveError::Overflow`].
pub fn spd_solve(
    a: Tensor<2>,
    b: Tensor<2>,
    policy: &JitterPolicy,
) -> Result<(Tensor<2>, SolveStatistics), SolveError> {
    let solution = dense(a, b, policy, SpdNeeds::default())?;
    Ok((solution.x, solution.statistics))
}

/// `log det A`, shape `[1]`, with gradient `A⁻¹`; arguments and errors as for [`spd_solve`].
///
/// The backward pass forms the inverse from the factor (`2n³/3` flops).
///
/// # Errors
/// As [`spd_solve`].
pub fn log_det(a: Tensor<2>, policy: &JitterPolicy) -> Result<(Tensor<1>, SolveStatistics), SolveError> {
    let [n, _] = a.dims();
    let b = Tensor::zeros([n, 1], (&a.device(), a.dtype()));
    spd_solve_log_det(a, b, policy).map(|(_, log_det, statistics)| (log_det, statistics))
}

/// `(A⁻¹ B, log det A)` from one factorisation, as in a Gaussian log-likelihood; see [`spd_solve`] and [`log_det`].
///
/// # Errors
/// As [`spd_solve`].
pub fn spd_solve_log_det(
    a: Tensor<2>,
    b: Tensor<2>,
    policy: &JitterPolicy,
) -> Result<(Tensor<2>, Tensor<1>, SolveStatistics), SolveError> {
    let SpdSolution { x, log_det, statistics, .. } =
        dense(a, b, policy, SpdNeeds { log_det: true, inverse_diagonal: false })?;
    match log_det {
        Some(log_det) => Ok((x, log_det, statistics)),
        None => Err(SolveError::Unsupported { solver: "dense Cholesky", what: "log-determinant" }),
    }
}

fn dense(a: Tensor<2>, b: Tensor<2>, policy: &JitterPolicy, needs: SpdNeeds) -> Result<SpdSolution, SolveError> {
    let solver: Arc<dyn InnerSolver> = Arc::new(DenseCholesky::new().with_jitter(*policy));
    let nowhere: Arc<[RowLocation]> = Arc::new([]);
    spd_solve_with(a, b, &solver, &nowhere, needs)
}

/// Refuses operands that do not belong together.
pub(crate) fn check_operands(a: &Tensor<2>, b: &Tensor<2>) -> Result<(), SolveError> {
    let ([rows, cols], [n, k]) = (a.dims(), b.dims());
    if rows != cols || rows == 0 {
        return Err(SolveError::Shape {
            what: "matrix",
            expected: "[n, n] with n > 0".into(),
            got: format!("[{rows}, {cols}]"),
        });
    }
    if n != rows || k == 0 {
        return Err(SolveError::Shape {
            what: "right-hand side",
            expected: format!("[{rows}, k] with k > 0"),
            got: format!("[{n}, {k}]"),
        });
    }
    let (at, bt) = (a.dtype(), b.dtype());
    if at != bt || !matches!(at, DType::F64 | DType::F32) {
        return Err(SolveError::Tensor(format!(
            "matrix and right-hand side must both be float64 or both float32, got {at:?} and {bt:?}: cast one of them"
        )));
    }
    if a.device() != b.device() {
        return Err(SolveError::Tensor(format!(
            "matrix and right-hand side must be on one device, got {:?} and {:?}: move one of them",
            a.device(),
            b.device()
        )));
    }
    Ok(())
}
