//! Kernels as burn modules: Taylor jets, point features, and row-contracted Gram assembly.
//!
//! A [`Kernel`] is evaluated in two stages: features and their spatial derivatives once per point ([`PointJets`], tensor
//! operations under burn's autodiff), then a pair stage that contracts the derivatives of `k(x, y)` with the coefficients of
//! linear functionals. The pair stage has two implementations with the same result: tensors ([`gram`]) and a fused one ([`fused`]).

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
pub use jet::{Jet, JetSpace};
pub use kernel::{Kernel, PairPoint, PointJets};
pub use kernels::{
    AnyKernel, Boxed, Convention, Deep, DeepConfig, Gaussian, GaussianConfig, Gibbs, GibbsConfig, KernelConfig,
    LengthScales, Matern, MaternConfig, Periodic, PeriodicConfig, Polynomial, PolynomialConfig, Product,
    RationalQuadratic, RationalQuadraticConfig, Scaled, Sum,
};
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
