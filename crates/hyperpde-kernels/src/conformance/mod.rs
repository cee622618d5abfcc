//! The conformance suite: what every kernel must satisfy, checked numerically.
//!
//! [`check`] takes any [`Kernel`], also one from outside this crate, and tests against each other, at random and at coincident points:
//!
//! - the features: finite, as many channels as announced;
//! - symmetry: `ℓ_x ℓ'_y k(x, y) = ℓ'_y ℓ_x k(y, x)`, and the diagonal function against the block;
//! - positive definiteness: the smallest eigenvalue of the Gram matrix of random functionals;
//! - derivatives: each against finite differences of the one below it, from the value up;
//! - parameter gradients of contracted Gram blocks against finite differences;
//! - the fused path against the tensors: values and gradients;
//! - reading, writing, saving and loading the parameters.
//!
//! Finite differences are central quotients `(f(h) − f(−h))/(2h)` at `h, 2h, …, 6h`, extrapolated to `h → 0` by a polynomial in `h` (odd powers too:
//! derivatives of a kernel of finite smoothness have kinks at coincident points).

mod blocks;
mod checks;

use thiserror::Error;

pub use blocks::{At, FusedBlock, fused_block, tensor_block, tensor_diagonal, tensor_gradient};

use crate::error::KernelError;
use crate::kernel::Kernel;

/// Settings of [`check`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Number of random points on each side, besides the coincident ones.
    pub points: usize,
    /// Seed of points, functionals and directions.
    pub seed: u64,
    /// Each coordinate of the points is drawn from this interval.
    pub range: (f64, f64),
    /// Highest order of a derivative per argument; a kernel of less smoothness is tested up to its own.
    pub order: usize,
    /// Step of the finite differences in the coordinates; small against the length scales.
    pub step: f64,
    /// Step of the finite differences in the parameters.
    pub parameter_step: f64,
    /// Parameters are tested by themselves up to this many, then in random directions of unit length.
    pub single_parameters: usize,
    /// Tolerances, relative to the largest entry of what is compared.
    pub tolerance: Tolerance,
}

/// Relative tolerances of [`check`], each set by what limits the accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Symmetry: rounding.
    pub symmetry: f64,
    /// Smallest eigenvalue, as a multiple of the largest, may be as far below zero as this: rounding of the entries.
    pub definiteness: f64,
    /// Derivatives: rounding over the step of the finite differences.
    pub derivatives: f64,
    /// Parameter gradients: rounding over the step.
    pub gradients: f64,
    /// Fused values against tensors: rounding.
    pub fused: f64,
    /// Fused gradients against tensors: rounding, in longer sums.
    pub fused_gradients: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            symmetry: 1e-12,
            definiteness: 1e-10,
            derivatives: 1e-8,
            gradients: 1e-8,
            fused: 1e-12,
            fused_gradients: 1e-10,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            points: 7,
            seed: 1,
            range: (-1.0, 1.0),
            order: 2,
            step: 1e-3,
            parameter_step: 1e-3,
            single_parameters: 12,
            tolerance: Tolerance::default(),
        }
    }
}

/// Why a kernel does not conform.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ConformanceError {
    /// The kernel refused to be evaluated.
    #[error("{kernel}: {source}")]
    Kernel {
        /// Name of the kernel.
        kernel: String,
        /// What it said.
        source: KernelError,
    },
    /// A property does not hold.
    #[error("{kernel}: {property} fails: {detail}")]
    Violated {
        /// Name of the kernel.
        kernel: String,
        /// The property.
        property: &'static str,
        /// Where, and by how much.
        detail: String,
    },
}

/// The largest relative deviation per property.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Of symmetry.
    pub symmetry: f64,
    /// Smallest eigenvalue over the largest.
    pub definiteness: f64,
    /// Of derivatives from finite differences.
    pub derivatives: f64,
    /// Of parameter gradients from finite differences.
    pub gradients: f64,
    /// Of fused values from tensors; `None` if the kernel has no fused form.
    pub fused: Option<f64>,
    /// Of fused gradients from tensors.
    pub fused_gradients: Option<f64>,
}

/// Checks a kernel on points of dimension `dim`.
///
/// # Errors
/// [`ConformanceError`] naming the first property that does not hold.
pub fn check<K: Kernel>(kernel: &K, dim: usize, options: &Options) -> Result<Report, ConformanceError> {
    checks::Checker::new(kernel, dim, options)?.run()
}
