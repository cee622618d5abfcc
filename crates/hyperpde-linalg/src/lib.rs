//! Symmetric positive definite systems: the seam between rows and solvers, the dense solver, and solves on tensors.
//!
//! For a symmetric positive definite `A` of shape `[n, n]` and right-hand sides `B` of shape `[n, k]`
//!
//! ```text
//! X = A⁻¹ B,    l = log det A,    d = diag A⁻¹        dense: A = L Lᵀ,  X = L⁻ᵀ L⁻¹ B,  l = 2 Σ_i log L_ii
//! ```
//!
//! and in reverse mode, for upstream gradients `X̄`, `l̄` and `d̄`,
//!
//! ```text
//! B̄ = A⁻¹ X̄,    Ā = −½ (B̄ Xᵀ + X B̄ᵀ) + l̄ A⁻¹ − A⁻¹ diag(d̄) A⁻¹
//! ```
//!
//! with one factorisation for forward and backward (Giles 2008, "Collected matrix derivative results for forward and
//! reverse mode algorithmic differentiation").
//!
//! Read in this order:
//! 1. [`RowSystem`]: `A` seen through its rows. Entries, products, places, and the adjoint of the entries.
//! 2. [`InnerSolver`], [`Factor`]: the seam. Whoever turns a system into solves can be the solver of every inner problem.
//! 3. [`DenseCholesky`] over [`Cholesky`]: the default, float64, multi-threaded. With a GPU backend compiled in,
//!    `device::DeviceCholesky` is the factorisation of a matrix that stays on the device.
//! 4. [`spd_solve_with`] (and [`spd_solve`], [`log_det`], [`spd_solve_log_det`]): on tensors of any compiled backend, tracked or not.
//! 5. [`spd_solve_in_tensors`]: the same as operations of burn alone, differentiated by burn; the oracle, and what a solver offers as
//!    [`InnerSolver::solve_in_tensors`].
//! 6. [`host_op`]: how an operation with a hand-written derivative gets onto burn's tape, here and in the crates above.
//!
//! A matrix that is not numerically positive definite is retried with growing jitter on its diagonal
//! ([`JitterPolicy`]); what was added is logged and returned in [`SolveStatistics`]. When that does not help the outcome
//! is a typed [`SolveError`] which names pivot, size, jitter and condition. Results never hold a NaN.
//!
//! # Example
//! The gradient of `bᵀ A⁻¹ b` with respect to `A` is `−x xᵀ`, `x = A⁻¹ b`.
//! ```
//! # #[cfg(feature = "ndarray")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[allow(deprecated)]
//! # fn ndarray() -> burn::tensor::Device { burn::tensor::Device::ndarray() }
//! use burn::tensor::{FloatDType, Tensor};
//! use hyperpde_linalg::{JitterPolicy, spd_solve};
//!
//! let mut device = ndarray(); // Device::ndarray(), or any other
//! device.configure(FloatDType::F64)?;
//! let device = device.autodiff();
//! let a = Tensor::<2>::from_data([[4.0, 2.0], [2.0, 3.0]], &device).require_grad();
//! let b = Tensor::<2>::from_data([[2.0], [5.0]], &device);
//!
//! let (x, info) = spd_solve(a.clone(), b.clone(), &JitterPolicy::default())?;
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
mod dense_cholesky;
#[cfg(feature = "gpu")]
pub mod device;
mod error;
mod escalate;
mod factor;
pub mod host_op;
mod inner_solver;
mod matrix_system;
mod ops;
mod policy;
mod row_system;
mod solve;
mod statistics;
mod tensor_cholesky;

pub use adjoint::solve_cotangent;
pub use cholesky::Cholesky;
pub use dense_cholesky::{DenseCholesky, FactorOn};
pub use error::SolveError;
pub use factor::Factor;
pub use inner_solver::InnerSolver;
pub use matrix_system::MatrixSystem;
pub use ops::SpdNeeds;
pub use policy::JitterPolicy;
pub use row_system::{Cotangent, RowGradient, RowLocation, RowSystem};
pub use solve::{SpdSolution, log_det, spd_solve, spd_solve_log_det, spd_solve_with};
pub use statistics::SolveStatistics;
pub use tensor_cholesky::spd_solve_in_tensors;
