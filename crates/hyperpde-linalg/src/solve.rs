//! Differentiable solves and log-determinants of symmetric positive definite tensors.

use burn::tensor::{DType, Tensor};

use crate::ops::{SpdCall, SpdOps};
use crate::{CholeskyInfo, JitterPolicy, SpdError};

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
/// [`SpdError::Shape`], [`SpdError::Tensor`] (number types other than float64 and float32, or operands that differ in
/// number type or device), [`SpdError::NonFinite`], [`SpdError::NotPositiveDefinite`], [`SpdError::Overflow`].
pub fn spd_solve(a: Tensor<2>, b: Tensor<2>, policy: &JitterPolicy) -> Result<(Tensor<2>, CholeskyInfo), SpdError> {
    let shape @ [n, k] = b.dims();
    let (flat, info) = call(a, b, policy)?;
    Ok((flat.slice(0..n * k).reshape(shape), info))
}

/// `x = A⁻¹ b` for one right-hand side `[n]`, see [`spd_solve`].
///
/// # Errors
/// As [`spd_solve`].
pub fn spd_solve_vec(a: Tensor<2>, b: Tensor<1>, policy: &JitterPolicy) -> Result<(Tensor<1>, CholeskyInfo), SpdError> {
    let [n] = b.dims();
    let (flat, info) = call(a, b.reshape([n, 1]), policy)?;
    Ok((flat.slice(0..n), info))
}

/// `log det A`, shape `[1]`, with gradient `A⁻¹`; arguments and errors as for [`spd_solve`].
///
/// The backward pass forms the inverse from the factor (`2n³/3` flops).
///
/// # Errors
/// As [`spd_solve`].
pub fn log_det(a: Tensor<2>, policy: &JitterPolicy) -> Result<(Tensor<1>, CholeskyInfo), SpdError> {
    let [n, _] = a.dims();
    let b = Tensor::zeros([n, 1], (&a.device(), a.dtype()));
    let (flat, info) = call(a, b, policy)?;
    Ok((flat.slice(n..n + 1), info))
}

/// `(A⁻¹ B, log det A)` from one factorisation, as in a Gaussian log-likelihood; see [`spd_solve`] and [`log_det`].
///
/// # Errors
/// As [`spd_solve`].
pub fn spd_solve_log_det(
    a: Tensor<2>,
    b: Tensor<2>,
    policy: &JitterPolicy,
) -> Result<(Tensor<2>, Tensor<1>, CholeskyInfo), SpdError> {
    let shape @ [n, k] = b.dims();
    let (flat, info) = call(a, b, policy)?;
    let x = flat.clone().slice(0..n * k).reshape(shape);
    Ok((x, flat.slice(n * k..n * k + 1), info))
}

/// Checks the operands and runs the operation: `[A⁻¹ B row-major, log det A]`.
fn call(a: Tensor<2>, b: Tensor<2>, policy: &JitterPolicy) -> Result<(Tensor<1>, CholeskyInfo), SpdError> {
    check_operands(&a, &b)?;
    let call = SpdCall::new(policy);
    let flat = <burn::backend::Dispatch as SpdOps>::spd_solve(a.into_dispatch(), b.into_dispatch(), call.clone());
    let info = call.outcome()?.cholesky().info();
    Ok((Tensor::from_dispatch(flat), info))
}

fn check_operands(a: &Tensor<2>, b: &Tensor<2>) -> Result<(), SpdError> {
    let ([rows, cols], [n, k]) = (a.dims(), b.dims());
    if rows != cols || rows == 0 {
        return Err(SpdError::Shape {
            what: "matrix",
            expected: "[n, n] with n > 0".into(),
            got: format!("[{rows}, {cols}]"),
        });
    }
    if n != rows || k == 0 {
        return Err(SpdError::Shape {
            what: "right-hand side",
            expected: format!("[{rows}, k] with k > 0"),
            got: format!("[{n}, {k}]"),
        });
    }
    let (at, bt) = (a.dtype(), b.dtype());
    if at != bt || !matches!(at, DType::F64 | DType::F32) {
        return Err(SpdError::Tensor(format!(
            "matrix and right-hand side must both be float64 or both float32, got {at:?} and {bt:?}: cast one of them"
        )));
    }
    if a.device() != b.device() {
        return Err(SpdError::Tensor(format!(
            "matrix and right-hand side must be on one device, got {:?} and {:?}: move one of them",
            a.device(),
            b.device()
        )));
    }
    Ok(())
}
