//! Deep kernel: a kernel of the outputs of a network, `k(x, y) = k_0(φ(x), φ(y))`.
//!
//! (Wilson, Hu, Salakhutdinov and Xing, *Deep Kernel Learning*, AISTATS 2016, eq. 5.) The feature map `φ: R^d → R^e` is evaluated with its
//! spatial derivatives once per point.

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::any::{Recipe, Seeds};
use super::{AnyKernel, KernelConfig};
use crate::error::KernelError;
use crate::form::{GibbsChannels, PairForm};
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint};
use crate::network::{Network, NetworkConfig};

/// Configuration of a [`Deep`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeepConfig {
    /// The feature map `φ`.
    pub network: NetworkConfig,
    /// The kernel `k_0` of its outputs.
    pub base: Box<KernelConfig>,
}

impl DeepConfig {
    /// The kernel `base` of the outputs of `network`. [`Deep::new`] takes kernels in place of configurations.
    pub fn new(network: NetworkConfig, base: impl Into<KernelConfig>) -> Self {
        Self { network, base: Box::new(base.into()) }
    }
}

impl Recipe for DeepConfig {
    fn build(&self, seeds: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        let own = seeds.next();
        let base = self.base.build(seeds, device)?;
        Ok(Deep::new(self.network.init(own, device)?, base)?.into())
    }

    fn parts(&self) -> Vec<&KernelConfig> {
        vec![&self.base]
    }

    fn network(&self) -> Option<NetworkConfig> {
        Some(self.network.clone())
    }
}

/// The deep kernel (see the module documentation).
#[derive(Module, Debug)]
pub struct Deep<K: Module> {
    /// The feature map `φ`.
    pub network: Network,
    /// The base kernel `k_0`.
    pub base: K,
}

impl<K: Kernel> Deep<K> {
    /// `base` of the outputs of `network`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if the base does not fit the network.
    pub fn new(network: Network, base: K) -> Result<Self, KernelError> {
        base.check_dim(network.outputs())?;
        Ok(Self { network, base })
    }
}

impl<K: Kernel> Kernel for Deep<K> {
    fn name(&self) -> String {
        format!("deep {}", self.base.name())
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        let inputs = self.network.inputs();
        if dim == inputs {
            return Ok(());
        }
        Err(KernelError::Shape {
            what: "points for a deep kernel",
            expected: format!("{inputs} coordinates"),
            got: dim.to_string(),
        })
    }

    fn smoothness(&self) -> Option<usize> {
        self.base.smoothness()
    }

    fn channels(&self, dim: usize) -> usize {
        let outputs = self.network.outputs();
        self.base.channels(outputs) + if self.form(dim).is_some() { 0 } else { outputs }
    }

    /// The base's features of `φ(x)`; for a base without form (or with Gibbs channels) followed by `φ(x)` itself.
    fn features(&self, x: &Jet) -> Jet {
        let [_, dim] = x.value().dims();
        let phi = self.network.forward(x);
        let features = self.base.features(&phi);
        if self.form(dim).is_some() { features } else { Jet::concat_channels(&[features, phi]) }
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let outputs = self.network.outputs();
        let plain = self.form(x.x.len()).is_some();
        let base = |p: &PairPoint| {
            if plain {
                // Such a form does not read the coordinates, only their number.
                return PairPoint { x: vec![p.features[0].clone(); outputs], features: p.features.clone() };
            }
            let split = p.features.len().saturating_sub(outputs);
            PairPoint { x: p.features[split..].to_vec(), features: p.features[..split].to_vec() }
        };
        self.base.pair(&base(x), &base(y))
    }

    fn form(&self, _dim: usize) -> Option<PairForm> {
        let form = self.base.form(self.network.outputs())?;
        form.components().iter().all(|c| c.gibbs == GibbsChannels::None).then_some(form)
    }

    fn summary(&self) -> Vec<(String, f64)> {
        self.base.summary()
    }
}
