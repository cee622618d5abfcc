//! Any kernel of this crate behind one type, and the configuration that builds it: for programs that choose at run time.

use std::ops::Deref;

use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{
    Deep, DeepConfig, Gaussian, GaussianConfig, Gibbs, GibbsConfig, Matern, MaternConfig, Periodic, PeriodicConfig,
    Polynomial, PolynomialConfig, Product, RationalQuadratic, RationalQuadraticConfig, Scaled, Sum,
};
use crate::error::KernelError;
use crate::form::PairForm;
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint};
use crate::network::NetworkConfig;
use crate::positive::Transform;

/// A kernel on the heap, so that [`AnyKernel`] can contain itself.
#[derive(Clone, Debug)]
pub struct Boxed<K>(Box<K>);

impl<K> Deref for Boxed<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.0
    }
}

impl<K: Module> Module for Boxed<K> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.0.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        Self(Box::new(self.0.fork(device)))
    }

    fn to_device(self, device: &Device) -> Self {
        Self(Box::new(self.0.to_device(device)))
    }

    fn train(self) -> Self {
        Self(Box::new(self.0.train()))
    }

    fn valid(&self) -> Self {
        Self(Box::new(self.0.valid()))
    }

    fn materialize(self) -> Self {
        Self(Box::new(self.0.materialize()))
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.0.visit(visitor);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        Self(Box::new(self.0.map(mapper)))
    }
}

impl<K: Module + ModuleDisplay> ModuleDisplayDefault for Boxed<K> {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_single(&*self.0).optional()
    }
}

impl<K: Module + ModuleDisplay> ModuleDisplay for Boxed<K> {}

/// One of the kernels of this crate.
#[derive(Module, Debug)]
pub enum AnyKernel {
    /// See [`Gaussian`].
    Gaussian(Gaussian),
    /// See [`Periodic`].
    Periodic(Periodic),
    /// See [`Matern`].
    Matern(Matern),
    /// See [`RationalQuadratic`].
    RationalQuadratic(RationalQuadratic),
    /// See [`Polynomial`].
    Polynomial(Polynomial),
    /// See [`Gibbs`].
    Gibbs(Gibbs),
    /// See [`Scaled`].
    Scaled(Boxed<Scaled<AnyKernel>>),
    /// See [`Sum`].
    Sum(Boxed<Sum<AnyKernel, AnyKernel>>),
    /// See [`Product`].
    Product(Boxed<Product<AnyKernel, AnyKernel>>),
    /// See [`Deep`].
    Deep(Boxed<Deep<AnyKernel>>),
}

macro_rules! each {
    ($self:expr, $kernel:ident => $value:expr) => {
        match $self {
            AnyKernel::Gaussian($kernel) => $value,
            AnyKernel::Periodic($kernel) => $value,
            AnyKernel::Matern($kernel) => $value,
            AnyKernel::RationalQuadratic($kernel) => $value,
            AnyKernel::Polynomial($kernel) => $value,
            AnyKernel::Gibbs($kernel) => $value,
            AnyKernel::Scaled($kernel) => $value,
            AnyKernel::Sum($kernel) => $value,
            AnyKernel::Product($kernel) => $value,
            AnyKernel::Deep($kernel) => $value,
        }
    };
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
}

macro_rules! from {
    ($($variant:ident: $kernel:ty),*; $($boxed:ident: $of:ty),*) => {
        $(impl From<$kernel> for AnyKernel {
            fn from(kernel: $kernel) -> Self {
                Self::$variant(kernel)
            }
        })*
        $(impl From<$of> for AnyKernel {
            fn from(kernel: $of) -> Self {
                Self::$boxed(Boxed(Box::new(kernel)))
            }
        })*
    };
}

from! {
    Gaussian: Gaussian, Periodic: Periodic, Matern: Matern, RationalQuadratic: RationalQuadratic, Polynomial: Polynomial, Gibbs: Gibbs;
    Scaled: Scaled<AnyKernel>, Sum: Sum<AnyKernel, AnyKernel>, Product: Product<AnyKernel, AnyKernel>, Deep: Deep<AnyKernel>
}

/// Configuration of any kernel: `{"kind": "gaussian", "length_scales": [0.3]}`, compositions nested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum KernelConfig {
    /// See [`GaussianConfig`].
    Gaussian(GaussianConfig),
    /// See [`PeriodicConfig`].
    Periodic(PeriodicConfig),
    /// See [`MaternConfig`].
    Matern(MaternConfig),
    /// See [`RationalQuadraticConfig`].
    RationalQuadratic(RationalQuadraticConfig),
    /// See [`PolynomialConfig`].
    Polynomial(PolynomialConfig),
    /// See [`GibbsConfig`].
    Gibbs(GibbsConfig),
    /// See [`Scaled`].
    Scaled {
        /// The amplitude `s`.
        amplitude: f64,
        /// How it is stored.
        #[serde(default)]
        transform: Transform,
        /// The kernel.
        kernel: Box<KernelConfig>,
    },
    /// See [`Sum`].
    Sum {
        /// The terms, at least one.
        terms: Vec<KernelConfig>,
    },
    /// See [`Product`].
    Product {
        /// The factors, at least one.
        factors: Vec<KernelConfig>,
    },
    /// See [`DeepConfig`].
    Deep {
        /// The feature map.
        network: NetworkConfig,
        /// The kernel of its outputs.
        base: Box<KernelConfig>,
    },
}

impl KernelConfig {
    /// The kernel on a device. Networks draw their weights from `seed`, the second one from `seed + 1`, and so on.
    ///
    /// # Errors
    /// [`KernelError::Setting`] and [`KernelError::Shape`] as the configuration of each kernel; a sum or product of nothing.
    pub fn init(&self, seed: u64, device: &Device) -> Result<AnyKernel, KernelError> {
        self.build(&mut seed.clone(), device)
    }

    fn build(&self, seed: &mut u64, device: &Device) -> Result<AnyKernel, KernelError> {
        let mut next = || {
            *seed = seed.wrapping_add(1);
            seed.wrapping_sub(1)
        };
        Ok(match self {
            Self::Gaussian(c) => c.init(device)?.into(),
            Self::Periodic(c) => c.init(device)?.into(),
            Self::Matern(c) => c.init(device)?.into(),
            Self::RationalQuadratic(c) => c.init(device)?.into(),
            Self::Polynomial(c) => c.init(device)?.into(),
            Self::Gibbs(c) => c.init(next(), device)?.into(),
            Self::Scaled { amplitude, transform, kernel } => {
                Scaled::new(kernel.build(seed, device)?, *amplitude, *transform, device)?.into()
            }
            Self::Sum { terms } => fold(terms, seed, device, |a, b| Sum::new(a, b).into())?,
            Self::Product { factors } => fold(factors, seed, device, |a, b| Product::new(a, b).into())?,
            Self::Deep { network, base } => {
                let own = next();
                DeepConfig::new(network.clone()).init(base.build(seed, device)?, own, device)?.into()
            }
        })
    }
}

fn fold(
    parts: &[KernelConfig],
    seed: &mut u64,
    device: &Device,
    join: impl Fn(AnyKernel, AnyKernel) -> AnyKernel,
) -> Result<AnyKernel, KernelError> {
    let mut kernels = parts.iter().map(|c| c.build(seed, device)).collect::<Result<Vec<_>, _>>()?.into_iter();
    let empty = KernelError::Setting { name: "terms or factors", value: "[]".into(), expected: "at least one kernel" };
    let first = kernels.next().ok_or(empty)?;
    Ok(kernels.fold(first, join))
}
