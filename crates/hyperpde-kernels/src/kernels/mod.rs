//! The kernels, one file each.

mod algebra;
mod any;
mod deep;
mod gaussian;
mod gibbs;
pub(crate) mod matern;
mod periodic;
mod polynomial;
mod product;
mod rational_quadratic;
mod scaled;
mod scales;
mod sum;

pub use any::{AnyKernel, Boxed, KernelConfig};
pub use deep::{Deep, DeepConfig};
pub use gaussian::{Convention, Gaussian, GaussianConfig};
pub use gibbs::{Gibbs, GibbsConfig, LengthScales};
pub use matern::{Matern, MaternConfig};
pub use periodic::{Periodic, PeriodicConfig};
pub use polynomial::{Polynomial, PolynomialConfig};
pub use product::Product;
pub use rational_quadratic::{RationalQuadratic, RationalQuadraticConfig};
pub use scaled::Scaled;
pub use sum::Sum;
