//! The sum of two kernels, `k(x, y) = k_1(x, y) + k_2(x, y)`: the covariance of a sum of independent fields.

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::any::{Recipe, Seeds, fold};
use super::{AnyKernel, KernelConfig};
use crate::error::KernelError;
use crate::form::PairForm;
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint};

/// Configuration of a [`Sum`] of any number of kernels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SumConfig {
    /// The terms, at least one.
    pub terms: Vec<KernelConfig>,
}

impl SumConfig {
    /// The kernel of these terms.
    pub fn new(terms: impl Into<Vec<KernelConfig>>) -> Self {
        Self { terms: terms.into() }
    }
}

impl Recipe for SumConfig {
    fn build(&self, seeds: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        fold(&self.terms, seeds, device, |a, b| Sum::new(a, b).into())
    }

    fn parts(&self) -> Vec<&KernelConfig> {
        self.terms.iter().collect()
    }
}

/// `k_1 + k_2` (see the module documentation). Kernels of this crate also add with `+`.
#[derive(Module, Debug)]
pub struct Sum<A: Module, B: Module> {
    /// `k_1`.
    pub first: A,
    /// `k_2`.
    pub second: B,
}

impl<A: Kernel, B: Kernel> Sum<A, B> {
    /// `first + second`.
    pub fn new(first: A, second: B) -> Self {
        Self { first, second }
    }
}

/// Report lines of two kernels, told apart by `1.` and `2.`.
pub(super) fn summaries(first: &impl Kernel, second: &impl Kernel) -> Vec<(String, f64)> {
    let numbered =
        |k: usize, lines: Vec<(String, f64)>| lines.into_iter().map(move |(name, v)| (format!("{k}.{name}"), v));
    numbered(1, first.summary()).chain(numbered(2, second.summary())).collect()
}

/// The smaller of two smoothnesses.
pub(super) fn smoothness(first: &impl Kernel, second: &impl Kernel) -> Option<usize> {
    first.smoothness().into_iter().chain(second.smoothness()).min()
}

impl<A: Kernel, B: Kernel> Kernel for Sum<A, B> {
    fn name(&self) -> String {
        format!("({} + {})", self.first.name(), self.second.name())
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        self.first.check_dim(dim)?;
        self.second.check_dim(dim)
    }

    fn smoothness(&self) -> Option<usize> {
        smoothness(&self.first, &self.second)
    }

    fn channels(&self, dim: usize) -> usize {
        self.first.channels(dim) + self.second.channels(dim)
    }

    /// The features of both, side by side.
    fn features(&self, x: &Jet) -> Jet {
        Jet::concat_channels(&[self.first.features(x), self.second.features(x)])
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let (split, end) = (self.first.channels(x.x.len()), x.features.len());
        let first = self.first.pair(&x.channels(0..split), &y.channels(0..split));
        first.add(&self.second.pair(&x.channels(split..end), &y.channels(split..end)))
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        self.first.form(dim)?.sum(&self.second.form(dim)?)
    }

    fn summary(&self) -> Vec<(String, f64)> {
        summaries(&self.first, &self.second)
    }
}
