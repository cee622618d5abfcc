//! The product of two kernels, `k(x, y) = k_1(x, y) · k_2(x, y)`.
//!
//! The product of two exponential forms is one again: log-amplitudes add up, channels lie side by side.

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::any::{Recipe, Seeds, fold};
use super::sum::{smoothness, summaries};
use super::{AnyKernel, KernelConfig};
use crate::error::KernelError;
use crate::form::PairForm;
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint};

/// Configuration of a [`Product`] of any number of kernels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductConfig {
    /// The factors, at least one.
    pub factors: Vec<KernelConfig>,
}

impl ProductConfig {
    /// The kernel of these factors.
    pub fn new(factors: impl Into<Vec<KernelConfig>>) -> Self {
        Self { factors: factors.into() }
    }
}

impl Recipe for ProductConfig {
    fn build(&self, seeds: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        fold(&self.factors, seeds, device, |a, b| Product::new(a, b).into())
    }

    fn parts(&self) -> Vec<&KernelConfig> {
        self.factors.iter().collect()
    }
}

/// `k_1 · k_2` (see the module documentation). Kernels of this crate also multiply with `*`.
#[derive(Module, Debug)]
pub struct Product<A: Module, B: Module> {
    /// `k_1`.
    pub first: A,
    /// `k_2`.
    pub second: B,
}

impl<A: Kernel, B: Kernel> Product<A, B> {
    /// `first · second`.
    pub fn new(first: A, second: B) -> Self {
        Self { first, second }
    }

    /// Number of Gibbs channels and further channels of each factor, if the product has a form.
    fn merged(&self, dim: usize) -> Option<[(usize, usize); 2]> {
        let (a, b) = (self.first.form(dim)?, self.second.form(dim)?);
        a.product(&b)?;
        let counts = |form: PairForm| form.components().first().map(|c| (c.gibbs.count(dim), c.channels));
        Some([counts(a)?, counts(b)?])
    }
}

impl<A: Kernel, B: Kernel> Kernel for Product<A, B> {
    fn name(&self) -> String {
        format!("({} * {})", self.first.name(), self.second.name())
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        self.first.check_dim(dim)?;
        self.second.check_dim(dim)
    }

    fn smoothness(&self) -> Option<usize> {
        smoothness(&self.first, &self.second)
    }

    fn channels(&self, dim: usize) -> usize {
        let shared = usize::from(self.form(dim).is_some());
        self.first.channels(dim) + self.second.channels(dim) - shared
    }

    /// `[a_1 + a_2, Gibbs channels, channels of 1, channels of 2]` if the product has a form, else the features of both, side by side.
    fn features(&self, x: &Jet) -> Jet {
        let (f, g) = (self.first.features(x), self.second.features(x));
        let [_, dim] = x.value().dims();
        let Some([(gibbs_f, rest_f), (gibbs_g, rest_g)]) = self.merged(dim) else {
            return Jet::concat_channels(&[f, g]);
        };
        let mut parts = vec![f.channel(0).add(&g.channel(0))];
        for (jet, start, count) in
            [(&f, 1, gibbs_f), (&g, 1, gibbs_g), (&f, 1 + gibbs_f, rest_f), (&g, 1 + gibbs_g, rest_g)]
        {
            if count > 0 {
                parts.push(jet.channels(start, count));
            }
        }
        Jet::concat_channels(&parts)
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let dim = x.x.len();
        let Some([(gibbs_f, rest_f), (gibbs_g, _)]) = self.merged(dim) else {
            let (split, end) = (self.first.channels(dim), x.features.len());
            let first = self.first.pair(&x.channels(0..split), &y.channels(0..split));
            return first.mul(&self.second.pair(&x.channels(split..end), &y.channels(split..end)));
        };
        let gibbs = 1 + gibbs_f + gibbs_g;
        let first = |p: &PairPoint| {
            let channels = [0..1 + gibbs_f, gibbs..gibbs + rest_f];
            PairPoint { x: p.x.clone(), features: channels.into_iter().flat_map(|r| p.features[r].to_vec()).collect() }
        };
        // The log-amplitude went to the first factor.
        let second = |p: &PairPoint| {
            let channels = [1 + gibbs_f..gibbs, gibbs + rest_f..p.features.len()];
            let rest = channels.into_iter().flat_map(|r| p.features[r].to_vec());
            let zero = Jet::constant(p.features[0].space(), p.features[0].value().zeros_like());
            PairPoint { x: p.x.clone(), features: std::iter::once(zero).chain(rest).collect() }
        };
        self.first.pair(&first(x), &first(y)).mul(&self.second.pair(&second(x), &second(y)))
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        self.first.form(dim)?.product(&self.second.form(dim)?)
    }

    fn summary(&self) -> Vec<(String, f64)> {
        summaries(&self.first, &self.second)
    }
}
