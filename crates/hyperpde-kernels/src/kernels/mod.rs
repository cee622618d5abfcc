//! The kernels, one file each, and the one list of them.

mod any;
mod boxed;
#[macro_use]
mod list;
mod scales;

use crate::error::KernelError;
use crate::form::PairForm;
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint};
use crate::points::Points;
use any::Recipe;

pub use boxed::Boxed;
pub use gaussian::Convention;
pub use gibbs::LengthScales;

kernels! {
    gaussian::Gaussian { GaussianConfig } = "gaussian", "exp(-r^2/2), one length scale or one per coordinate";
    periodic::Periodic { PeriodicConfig } = "periodic", "periodic in some coordinates, Gaussian in the others";
    matern::Matern { MaternConfig } = "matern", "Matern of order 5/2, 7/2 or 9/2: 2, 3 or 4 derivatives";
    rational_quadratic::RationalQuadratic { RationalQuadraticConfig } = "rational-quadratic", "(1 + r^2/(2 a))^-a";
    polynomial::Polynomial { PolynomialConfig } = "polynomial", "(a x.y + c)^p";
    constant::Constant { ConstantConfig } = "constant", "s: an unknown number in place of a field";
    gibbs::Gibbs { GibbsConfig } = "gibbs", "Gaussian with length scales that a network gives at each point";
    deep::Deep[AnyKernel] { DeepConfig } = "deep", "any kernel of the outputs of a network";
    scaled::Scaled[AnyKernel] { ScaledConfig } = "scaled", "a kernel times an amplitude";
    sum::Sum[AnyKernel, AnyKernel] { SumConfig } = "sum", "a sum of kernels";
    product::Product[AnyKernel, AnyKernel] { ProductConfig } = "product", "a product of kernels";
}

impl Kernel for AnyKernel {
    fn name(&self) -> String {
        each!(self, k => k.name())
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        each!(self, k => k.check_dim(dim))
    }

    fn smoothness(&self) -> Option<usize> {
        each!(self, k => k.smoothness())
    }

    fn channels(&self, dim: usize) -> usize {
        each!(self, k => k.channels(dim))
    }

    fn features(&self, x: &Jet) -> Jet {
        each!(self, k => k.features(x))
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        each!(self, k => k.pair(x, y))
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        each!(self, k => k.form(dim))
    }

    fn summary(&self) -> Vec<(String, f64)> {
        each!(self, k => k.summary())
    }

    fn fields(&self, points: &Points) -> Result<Vec<Vec<f64>>, KernelError> {
        each!(self, k => k.fields(points))
    }
}
