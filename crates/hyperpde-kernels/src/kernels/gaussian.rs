//! Gaussian (squared exponential) kernel, isotropic or with one length scale per coordinate (ARD).
//!
//! `k(x, y) = exp(−Σ_i (x_i − y_i)²/(2 l_i²))` (Rasmussen and Williams, *Gaussian Processes for Machine
//! Learning*, 2006, eq. 4.9 and 5.1).

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::error::KernelError;
use crate::jet::Jet;
use crate::kernel::{GibbsChannels, Kernel, PairForm, PairPoint, half_squared_distance};
use crate::positive::{Positive, Transform};

/// Configuration of a [`Gaussian`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianConfig {
    /// Length scales in the units of the coordinates: one for all, or one per coordinate.
    pub length_scales: Vec<f64>,
    /// How the length scales are stored.
    #[serde(default)]
    pub transform: Transform,
}

impl GaussianConfig {
    /// One length scale for all coordinates.
    pub fn isotropic(length_scale: f64) -> Self {
        Self { length_scales: vec![length_scale], transform: Transform::Log }
    }

    /// One length scale per coordinate (automatic relevance determination).
    pub fn ard(length_scales: impl Into<Vec<f64>>) -> Self {
        Self { length_scales: length_scales.into(), transform: Transform::Log }
    }

    /// Another storage of the length scales.
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// The kernel on a device.
    ///
    /// # Errors
    /// [`KernelError::Setting`] if a length scale is not positive.
    pub fn init(&self, device: &Device) -> Result<Gaussian, KernelError> {
        Ok(Gaussian { length_scales: Positive::new("length scale", &self.length_scales, self.transform, device)? })
    }
}

/// The Gaussian kernel (see the module documentation).
#[derive(Module, Debug)]
pub struct Gaussian {
    /// Length scales, `[1]` or `[d]`.
    pub length_scales: Positive,
}

impl Kernel for Gaussian {
    fn name(&self) -> String {
        if self.length_scales.len() == 1 { "Gaussian".into() } else { "ARD Gaussian".into() }
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        let k = self.length_scales.len();
        if k == 1 || k == dim {
            return Ok(());
        }
        Err(KernelError::Shape { what: "points for an ARD Gaussian kernel", expected: format!("{k} coordinates, one per length scale"), got: format!("{dim}") })
    }

    /// `[0, x_1/l_1, …, x_d/l_d]`.
    fn features(&self, x: &Jet) -> Jet {
        let scaled = x.scale_by(self.length_scales.value().recip());
        let [n, _] = x.value().dims();
        let amplitude = Jet::constant(x.space(), x.value().narrow(1, 0, 1).zeros_like().reshape([n, 1]));
        Jet::concat_channels(&[amplitude, scaled])
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let amplitude = x.features[0].add(&y.features[0]);
        half_squared_distance(x, y, 1).map_or(amplitude.clone(), |d| amplitude.add(&d)).exp()
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        Some(PairForm { gibbs: GibbsChannels::None, distances: dim })
    }

    fn summary(&self) -> Vec<(String, f64)> {
        let values = self.length_scales.to_vec().unwrap_or_default();
        if values.len() == 1 {
            return vec![("length_scale".into(), values[0])];
        }
        values.into_iter().enumerate().map(|(i, l)| (format!("length_scale_{}", i + 1), l)).collect()
    }
}
