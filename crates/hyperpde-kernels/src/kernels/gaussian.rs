//! Gaussian (squared exponential) kernel, isotropic or with one length scale per coordinate (ARD).
//!
//! `k(x, y) = exp(−Σ_i (x_i − y_i)²/(2 l_i²))` (Rasmussen and Williams, *Gaussian Processes for Machine
//! Learning*, 2006, eq. 4.9 and 5.1), or without the factor 2 ([`Convention::Unit`]).

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::any::{Recipe, Seeds};
use super::{AnyKernel, scales};
use crate::error::KernelError;
use crate::form::{GibbsChannels, PairForm};
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint, half_squared_distance, no_amplitude};
use crate::positive::{Positive, Transform};

/// What a length scale means in a Gaussian factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Convention {
    /// `exp(−r²/(2 l²))`.
    #[default]
    Half,
    /// `exp(−r²/l²)`.
    Unit,
}

impl Convention {
    /// Factor of `x/l` in the feature `φ` of `exp(−(φ − φ')²/2)`.
    pub(crate) fn factor(self) -> f64 {
        match self {
            Self::Half => 1.0,
            Self::Unit => std::f64::consts::SQRT_2,
        }
    }
}

/// Configuration of a [`Gaussian`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianConfig {
    /// Length scales in the units of the coordinates: one for all, or one per coordinate.
    pub length_scales: Vec<f64>,
    /// How the length scales are stored.
    #[serde(default)]
    pub transform: Transform,
    /// What they mean.
    #[serde(default)]
    pub convention: Convention,
}

impl GaussianConfig {
    /// One length scale for all coordinates.
    pub fn isotropic(length_scale: f64) -> Self {
        Self::ard([length_scale])
    }

    /// One length scale per coordinate (automatic relevance determination).
    pub fn ard(length_scales: impl Into<Vec<f64>>) -> Self {
        Self { length_scales: length_scales.into(), transform: Transform::Log, convention: Convention::Half }
    }

    /// Another storage of the length scales.
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// Another meaning of the length scales.
    pub fn with_convention(mut self, convention: Convention) -> Self {
        self.convention = convention;
        self
    }

    /// The kernel on a device.
    ///
    /// # Errors
    /// [`KernelError::Setting`] if a length scale is not positive.
    pub fn init(&self, device: &Device) -> Result<Gaussian, KernelError> {
        let length_scales = Positive::new("length scale", &self.length_scales, self.transform, device)?;
        Ok(Gaussian { length_scales, convention: self.convention })
    }
}

impl Recipe for GaussianConfig {
    fn build(&self, _: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        Ok(self.init(device)?.into())
    }
}

/// The Gaussian kernel (see the module documentation).
#[derive(Module, Debug)]
pub struct Gaussian {
    /// Length scales, `[1]` or `[d]`.
    pub length_scales: Positive,
    #[module(skip)]
    convention: Convention,
}

impl Kernel for Gaussian {
    fn name(&self) -> String {
        format!("{}Gaussian", scales::prefix(&self.length_scales))
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        scales::check(&self.length_scales, dim)
    }

    /// `[0, x_1/l_1, …, x_d/l_d]`, times `√2` with [`Convention::Unit`].
    fn features(&self, x: &Jet) -> Jet {
        let scaled = scales::scaled(&self.length_scales, x, self.convention.factor());
        Jet::concat_channels(&[no_amplitude(x), scaled])
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let amplitude = x.features[0].add(&y.features[0]);
        half_squared_distance(x, y, 1).map_or(amplitude.clone(), |d| amplitude.add(&d)).exp()
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        Some(PairForm::exponential(GibbsChannels::None, dim))
    }

    fn summary(&self) -> Vec<(String, f64)> {
        scales::summary(&self.length_scales)
    }
}
