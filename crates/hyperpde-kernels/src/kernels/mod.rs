//! The kernels, one file each.

mod gaussian;
mod gibbs;

pub use gaussian::{Gaussian, GaussianConfig};
pub use gibbs::{Gibbs, GibbsConfig, LengthScales};
