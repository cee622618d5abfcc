//! Kernels as burn modules: Taylor jets, point features, and row-contracted Gram assembly.
//!
//! What is computed: entries `ℓ_x ℓ'_y k(x, y; θ)` of Gram matrices, where a linear functional `ℓ = Σ_α c_α ∂^α` takes derivatives at a point, and
//! their derivatives by the hyperparameters `θ`. burn differentiates in reverse and once; derivatives in space travel forward. Two stages:
//!
//! 1. **Points**, O(n): a kernel maps each of `n` points to `C` features `φ(x; θ)` (scaled coordinates, squared length scales, outputs of a network).
//!    A [`Jet`] holds their Taylor coefficients `∂^α φ / α!`, `[n, C]` each, for the multi-indices `α` of a [`JetSpace`]. Reading order: [`Points`],
//!    [`Operator`], [`Jet`], [`Network`], [`Kernel`], [`PointJets`], then any file of `kernels`, each of which begins with its formula.
//! 2. **Pairs**, O(n m): from the features of two points, `Σ_{α,β} c_α c'_β ∂_x^α ∂_y^β k`, the coefficients contracted inside. Two implementations with
//!    the same result:
//!    - [`gram`]: tensors under burn's autodiff, any kernel and operator; the oracle.
//!    - [`fused`]: kernels with a [`PairForm`], `k = Σ e^{a(x) + a(y)} g(ψ(x, y))`, and functionals `c + Σ_i (b_i ∂_i + a_i ∂_ii)`, in vector registers,
//!      with a hand-written adjoint for any cotangent. Reading order: `form`, `fused/pair` (the closed form), `fused/profile`, `fused/gibbs`,
//!      `fused/entry` (one entry and its gradient), `fused/prepared` (rows of numbers per point), `fused/sweep` and `fused/cotangent` (loops).
//!
//! [`conformance`] holds every kernel to the same properties; [`parameters()`] and [`with_parameters`] see `θ` as one flat vector; [`Backend`],
//! [`Precision`] and [`probe()`] say where tensors live and what a device can do.

mod backend;
pub mod conformance;
mod error;
mod form;
mod functions;
pub mod fused;
pub mod gram;
mod jet;
mod kernel;
mod kernels;
mod network;
mod operator;
mod parameters;
mod points;
mod positive;
mod precision;
mod probe;

pub use backend::{Backend, BackendError};
pub use error::KernelError;
pub use form::{Component, GibbsChannels, MaternOrder, PairForm, Profile};
pub use jet::{Jet, JetSpace, NetworkStage};
pub use kernel::{Kernel, PairPoint, PointJets};
pub use kernels::*;
pub use network::{Activation, Network, NetworkConfig};
pub use operator::{MultiIndex, Operator};
pub use parameters::{gradient, parameters, with_parameters};
pub use points::Points;
pub use positive::{Positive, Transform};
#[cfg(feature = "gpu")]
pub use precision::gpu_device;
pub use precision::{Precision, float_dtype, on_host};
pub use probe::{Check, Probe, is_software, probe};

/// Reads a float tensor back as float64.
///
/// # Errors
/// [`KernelError::Tensor`] if the device fails or the tensor is not a float.
pub fn tensor_to_vec<const D: usize>(tensor: burn::tensor::Tensor<D>) -> Result<Vec<f64>, KernelError> {
    let data = tensor.try_into_data().map_err(|e| KernelError::Tensor(format!("{e:?}")))?;
    data.convert::<f64>().try_into_vec::<f64>().map_err(|e| KernelError::Tensor(format!("{e:?}")))
}
