//! Where the pairs of an inner solve are computed: on the host, or on the GPU that the kernels are on.

use burn::tensor::Device;
#[cfg(feature = "gpu")]
use hyperpde_kernels::fused::device::{Arithmetic, DevicePairs, DeviceSet};
use hyperpde_kernels::fused::{FunctionalSet, Pair, Target, Tile};
#[cfg(feature = "gpu")]
use hyperpde_kernels::is_software;
use hyperpde_kernels::{PairForm, Precision};

use crate::error::GpError;

/// The pair stage of one device.
#[derive(Clone, Debug)]
pub(crate) enum Pairs {
    Host,
    #[cfg(feature = "gpu")]
    Device {
        stage: DevicePairs,
        /// Whether the CPU plays the GPU.
        software: bool,
    },
}

/// Prepared functionals, and their copies on the device if pairs are computed there.
#[derive(Debug)]
pub(crate) struct Sets<'a> {
    pub host: Vec<FunctionalSet<'a>>,
    #[cfg(feature = "gpu")]
    pub device: Vec<DeviceSet>,
}

/// One of the prepared functionals.
type At<'a> = (&'a Sets<'a>, usize);

impl Pairs {
    /// The stage on `device`: on a GPU in the arithmetic of the precision.
    #[cfg_attr(not(feature = "gpu"), allow(unused_variables))]
    pub fn of(device: &Device, precision: Precision) -> Result<Self, GpError> {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = hyperpde_kernels::gpu_device(device) {
            let arithmetic = match precision {
                Precision::F64 => Arithmetic::F64,
                Precision::F32 => Arithmetic::F32,
                Precision::Mixed => Arithmetic::TwoF32,
            };
            let stage = DevicePairs::new(gpu.client(), arithmetic)?;
            return Ok(Self::Device { stage, software: is_software(device) });
        }
        Ok(Self::Host)
    }

    /// Whether the stage takes a kernel form in `dim` dimensions, given that the host does. What a GPU does not take is computed on the host
    /// if the kernels are there, else with tensors.
    #[cfg_attr(not(feature = "gpu"), allow(unused_variables))]
    pub fn takes(&self, form: PairForm, dim: usize) -> bool {
        match self {
            Self::Host => true,
            #[cfg(feature = "gpu")]
            Self::Device { .. } => hyperpde_kernels::fused::device::takes(form, dim),
        }
    }

    /// The GPU, if systems can be factored there without leaving it, and whether they should be: on a card in float64.
    #[cfg(feature = "gpu")]
    pub fn factoring(&self) -> Option<(&DevicePairs, bool)> {
        match self {
            Self::Device { stage, software } if stage.arithmetic().planes() == 1 => {
                Some((stage, stage.arithmetic() == Arithmetic::F64 && !software))
            }
            _ => None,
        }
    }

    /// Copies prepared functionals to where pairs are computed.
    pub fn sets<'a>(&self, host: Vec<FunctionalSet<'a>>) -> Sets<'a> {
        #[cfg(feature = "gpu")]
        let device = match self {
            Self::Host => Vec::new(),
            Self::Device { stage, .. } => host.iter().map(|set| stage.upload(set)).collect(),
        };
        Sets {
            host,
            #[cfg(feature = "gpu")]
            device,
        }
    }

    /// Writes a block, see [`Pair::forward`].
    pub fn forward(&self, (x, i): At<'_>, (y, j): At<'_>, lower: bool, target: Target<'_>) -> Result<(), GpError> {
        match self {
            Self::Host => Pair { x: &x.host[i], y: &y.host[j], lower }.forward(target),
            #[cfg(feature = "gpu")]
            Self::Device { stage, .. } => stage.gram_to_host(&x.device[i], &y.device[j], lower, target)?,
        }
        Ok(())
    }

    /// Gradient rows of a block, see [`Pair::adjoint`].
    pub fn adjoint(
        &self,
        (x, i): At<'_>,
        (y, j): At<'_>,
        lower: bool,
        terms: &[(&[f64], &[f64])],
    ) -> Result<(Vec<f64>, Vec<f64>), GpError> {
        match self {
            Self::Host => Ok(Pair { x: &x.host[i], y: &y.host[j], lower }.adjoint(terms)),
            #[cfg(feature = "gpu")]
            Self::Device { stage, .. } => Ok(stage.adjoint(&x.device[i], &y.device[j], lower, terms)?),
        }
    }

    /// Gradient rows of a block for a cotangent entry by entry, see [`Pair::adjoint_dense`]. Always on the host, where the cotangent is.
    pub fn adjoint_dense(
        &self,
        (x, i): At<'_>,
        (y, j): At<'_>,
        lower: bool,
        cotangent: Tile<'_>,
    ) -> (Vec<f64>, Vec<f64>) {
        Pair { x: &x.host[i], y: &y.host[j], lower }.adjoint_dense(cotangent)
    }
}
