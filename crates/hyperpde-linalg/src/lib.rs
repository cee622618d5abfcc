//! Differentiable symmetric positive definite solves and log-determinants on burn tensors.
//!
//! For a symmetric positive definite `A` of shape `[n, n]` and right-hand sides `B` of shape `[n, k]`
//!
//! ```text
//! A = L Lᵀ,    X = A⁻¹ B = L⁻ᵀ L⁻¹ B,    l = log det A = 2 Σ_i log L_ii
//! ```
//!
//! and in reverse mode, for upstream gradients `X̄` and `l̄`,
//!
//! ```text
//! B̄ = A⁻¹ X̄,    Ā = −½ (B̄ Xᵀ + X B̄ᵀ) + l̄ A⁻¹
//! ```
//!
//! with one factorisation for forward and backward (Giles 2008, "Collected matrix derivative results for forward and
//! reverse mode algorithmic differentiation").
//!
//! Two layers:
//! * [`Cholesky`]: the factorisation on host buffers, float64, multi-threaded.
//! * [`spd_solve`], [`spd_solve_vec`], [`log_det`], [`spd_solve_log_det`]: on tensors of any compiled backend, tracked
//!   or not.
//!
//! With a GPU backend compiled in, `device::DeviceCholesky` is the factorisation of a matrix that stays on the device.
//!
//! A matrix that is not numerically positive definite is retried with growing jitter on its diagonal
//! ([`JitterPolicy`]); what was added is logged and returned in [`CholeskyInfo`]. When that does not help the outcome
//! is a typed [`SpdError`] which names pivot, size, jitter and condition. Results never hold a NaN.
//!
//! # Example
//! The gradient of `bᵀ A⁻¹ b` with respect to `A` is `−x xᵀ`, `x = A⁻¹ b`.
//! ```
//! # #[cfg(feature = "ndarray")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[allow(deprecated)]
//! # fn ndarray() -> burn::tensor::Device { burn::tensor::Device::ndarray() }
//! use burn::tensor::{FloatDType, Tensor};
//! use hyperpde_linalg::{JitterPolicy, spd_solve_vec};
//!
//! let mut device = ndarray(); // Device::ndarray(), or any other
//! device.configure(FloatDType::F64)?;
//! let device = device.autodiff();
//! let a = Tensor::<2>::from_data([[4.0, 2.0], [2.0, 3.0]], &device).require_grad();
//! let b = Tensor::<1>::from_data([2.0, 5.0], &device);
//!
//! let (x, info) = spd_solve_vec(a.clone(), b.clone(), &JitterPolicy::default())?;
//! assert_eq!(info.jitter, 0.0);
//! let grads = (b * x.clone()).sum().backward();
//!
//! let x: Vec<f64> = x.into_data().try_into_vec()?;
//! assert!((x[0] + 0.5).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
//! let g: Vec<f64> = a.grad(&grads).ok_or("no gradient")?.into_data().try_into_vec()?;
//! assert!((g[1] + x[0] * x[1]).abs() < 1e-12);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "ndarray"))]
//! # fn main() {}
//! ```

mod adjoint;
mod blocked;
mod checks;
mod cholesky;
#[cfg(feature = "gpu")]
pub mod device;
mod error;
mod escalate;
mod ops;
mod policy;
mod solve;

pub use cholesky::Cholesky;
pub use error::SpdError;
pub use policy::{CholeskyInfo, JitterPolicy};
pub use solve::{log_det, spd_solve, spd_solve_log_det, spd_solve_vec};
