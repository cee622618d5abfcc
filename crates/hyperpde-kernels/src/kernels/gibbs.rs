//! Gibbs kernel: non-stationary, with length-scale fields given by a network.
//!
//! `k(x, y) = Π_i √(2 l_i(x) l_i(y)/S_i) · exp(−(x_i − y_i)²/S_i)`, `S_i = l_i(x)² + l_i(y)²`
//! (Gibbs, *Bayesian Gaussian Processes for Regression and Classification*, 1997, eq. 3.83), with one field
//! per coordinate, or one field `l` for all. The fields are `l = softplus(network(x)) / divisor`.

use std::f64::consts::LN_2;

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::AnyKernel;
use super::any::{Recipe, Seeds};
use crate::error::KernelError;
use crate::form::{GibbsChannels, PairForm};
use crate::jet::{Jet, JetSpace};
use crate::kernel::{Kernel, PairPoint};
use crate::network::{Network, NetworkConfig};
use crate::points::Points;
use crate::tensor_to_vec;

/// How many length-scale fields a Gibbs kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LengthScales {
    /// One field for all coordinates.
    Isotropic,
    /// One field per coordinate.
    PerDimension,
}

/// Configuration of a [`Gibbs`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GibbsConfig {
    /// Number of coordinates `d`.
    pub dim: usize,
    /// One field, or one per coordinate.
    pub length_scales: LengthScales,
    /// Widths of the hidden layers of the network.
    pub hidden: Vec<usize>,
    /// `l = softplus(network)/divisor`: with zero output, `l = ln 2 / divisor`, in units of the coordinates.
    pub divisor: f64,
    /// Activation of the hidden layers.
    #[serde(default)]
    pub activation: crate::network::Activation,
}

impl GibbsConfig {
    /// Two hidden layers of 50 and tanh, as published.
    pub fn new(dim: usize, length_scales: LengthScales, divisor: f64) -> Self {
        Self { dim, length_scales, hidden: vec![50, 50], divisor, activation: crate::network::Activation::Tanh }
    }

    /// Other widths of the hidden layers.
    pub fn with_hidden(mut self, hidden: impl Into<Vec<usize>>) -> Self {
        self.hidden = hidden.into();
        self
    }

    /// The network this configuration describes.
    pub fn network(&self) -> NetworkConfig {
        let outputs = match self.length_scales {
            LengthScales::Isotropic => 1,
            LengthScales::PerDimension => self.dim,
        };
        NetworkConfig::new(self.dim, self.hidden.clone(), outputs).with_activation(self.activation)
    }

    /// The kernel with weights drawn from `seed`.
    ///
    /// # Errors
    /// [`KernelError::Setting`] for a divisor that is not positive or a layer without units.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Gibbs, KernelError> {
        let network = self.network().init(seed, device)?;
        self.with_network(network)
    }

    /// The kernel around a given network.
    ///
    /// # Errors
    /// [`KernelError::Setting`] for a divisor that is not positive.
    pub fn with_network(&self, network: Network) -> Result<Gibbs, KernelError> {
        if !(self.divisor.is_finite() && self.divisor > 0.0) {
            return Err(KernelError::Setting {
                name: "length-scale divisor",
                value: self.divisor.to_string(),
                expected: "positive and finite",
            });
        }
        Ok(Gibbs {
            network,
            dim: self.dim,
            isotropic: self.length_scales == LengthScales::Isotropic,
            divisor: self.divisor,
        })
    }
}

impl Recipe for GibbsConfig {
    fn build(&self, seeds: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        Ok(self.init(seeds.next(), device)?.into())
    }

    fn network(&self) -> Option<NetworkConfig> {
        Some(Self::network(self))
    }

    fn dim(&self) -> Option<usize> {
        Some(self.dim)
    }
}

/// The Gibbs kernel (see the module documentation).
#[derive(Module, Debug)]
pub struct Gibbs {
    /// The network behind the length-scale fields.
    pub network: Network,
    #[module(skip)]
    dim: usize,
    #[module(skip)]
    isotropic: bool,
    #[module(skip)]
    divisor: f64,
}

impl Gibbs {
    /// Jet of the length-scale fields, `[n, 1]` or `[n, d]`.
    pub fn length_scales(&self, x: &Jet) -> Jet {
        self.network.forward(x).softplus().scale(1.0 / self.divisor)
    }

    /// Coordinates that share length scale `c`.
    fn group(&self, c: usize) -> std::ops::Range<usize> {
        if self.isotropic { 0..self.dim } else { c..c + 1 }
    }
}

impl Kernel for Gibbs {
    fn name(&self) -> String {
        if self.isotropic { "Gibbs (isotropic network)".into() } else { "Gibbs (network per dimension)".into() }
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        if dim == self.dim {
            return Ok(());
        }
        Err(KernelError::Shape {
            what: "points for a Gibbs kernel",
            expected: format!("{} coordinates", self.dim),
            got: dim.to_string(),
        })
    }

    /// `[a, l_1², …]` with `a = Σ_c |I_c| (ln(l_c)/2 + ln(2)/4)`, so that `e^{a(x) + a(y)}` is the numerator of the root.
    fn features(&self, x: &Jet) -> Jet {
        let squared = self.length_scales(x).square();
        let [n, channels] = squared.value().dims();
        // ln(l)/2 = ln(l²)/4 for each coordinate of the group.
        let share = if self.isotropic { self.dim as f64 } else { 1.0 };
        let logs = squared.ln().scale(0.25 * share).shift(0.25 * share * LN_2);
        let amplitude = logs.linear(|t| t.sum_dim(1).reshape([n, 1]));
        debug_assert!(channels == 1 || channels == self.dim);
        Jet::concat_channels(&[amplitude, squared])
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let mut exponent = x.features[0].add(&y.features[0]);
        let mut root: Option<Jet> = None;
        for (c, (fx, fy)) in x.features[1..].iter().zip(&y.features[1..]).enumerate() {
            let inverse = fx.add(fy).recip();
            for i in self.group(c) {
                exponent = exponent.sub(&x.x[i].sub(&y.x[i]).square().mul(&inverse));
                root = Some(root.map_or(inverse.clone(), |r| r.mul(&inverse)));
            }
        }
        let k = exponent.exp();
        root.map_or(k.clone(), |r| r.sqrt().mul(&k))
    }

    fn form(&self, _dim: usize) -> Option<PairForm> {
        let gibbs = if self.isotropic { GibbsChannels::Isotropic } else { GibbsChannels::PerDimension };
        Some(PairForm::exponential(gibbs, 0))
    }

    /// The length scale, or those of the coordinates.
    fn fields(&self, points: &Points) -> Result<Vec<Vec<f64>>, KernelError> {
        self.check_dim(points.dim())?;
        let device = self.devices().into_iter().next().unwrap_or_default();
        let x = Jet::coordinates(&JetSpace::covering(points.dim(), []), points, &device);
        let scales = self.length_scales(&x);
        let channels = scales.value().dims()[1];
        (0..channels).map(|c| tensor_to_vec(scales.channel(c).value())).collect()
    }
}
