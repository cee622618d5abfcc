//! Rational quadratic kernel, isotropic or with one length scale per coordinate.
//!
//! `k(x, y) = (1 + Σ_i (x_i − y_i)²/(2 α l_i²))^{−α}`, a mixture of Gaussian kernels over length scales
//! (Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006, eq. 4.19); `α → ∞` is the Gaussian.

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::any::{Recipe, Seeds};
use super::{AnyKernel, scales};
use crate::error::KernelError;
use crate::form::{PairForm, Profile};
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint, half_squared_distance, no_amplitude};
use crate::positive::{Positive, Transform};

/// Configuration of a [`RationalQuadratic`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RationalQuadraticConfig {
    /// `α`.
    pub shape: f64,
    /// Length scales in the units of the coordinates: one for all, or one per coordinate.
    pub length_scales: Vec<f64>,
    /// How `α` and the length scales are stored.
    #[serde(default)]
    pub transform: Transform,
}

impl RationalQuadraticConfig {
    /// Shape `α`, and one length scale for all coordinates or one per coordinate.
    pub fn new(shape: f64, length_scales: impl Into<Vec<f64>>) -> Self {
        Self { shape, length_scales: length_scales.into(), transform: Transform::Log }
    }

    /// Another storage of `α` and the length scales.
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// The kernel on a device.
    ///
    /// # Errors
    /// [`KernelError::Setting`] if `α` or a length scale is not positive.
    pub fn init(&self, device: &Device) -> Result<RationalQuadratic, KernelError> {
        if self.shape <= 0.0 {
            return Err(KernelError::Setting { name: "shape", value: self.shape.to_string(), expected: "positive" });
        }
        Ok(RationalQuadratic {
            length_scales: Positive::new("length scale", &self.length_scales, self.transform, device)?,
            shape: Positive::new("shape", &[self.shape], self.transform, device)?,
        })
    }
}

impl Recipe for RationalQuadraticConfig {
    fn build(&self, _: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        Ok(self.init(device)?.into())
    }
}

/// The rational quadratic kernel (see the module documentation).
#[derive(Module, Debug)]
pub struct RationalQuadratic {
    /// Length scales, `[1]` or `[d]`.
    pub length_scales: Positive,
    /// `α`, `[1]`.
    pub shape: Positive,
}

impl Kernel for RationalQuadratic {
    fn name(&self) -> String {
        format!("{}rational quadratic", scales::prefix(&self.length_scales))
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        scales::check(&self.length_scales, dim)
    }

    /// `[0, α, x_1/l_1, …]`.
    fn features(&self, x: &Jet) -> Jet {
        let zero = no_amplitude(x);
        let shape = zero.shift_by(self.shape.value());
        Jet::concat_channels(&[zero, shape, scales::scaled(&self.length_scales, x, 1.0)])
    }

    /// `exp(a + a' − α ln(1 − ψ/α))`.
    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let amplitude = x.features[0].add(&y.features[0]);
        let shape = self.shape.value();
        half_squared_distance(x, y, 2)
            .map(|psi| psi.scale_by(-shape.clone().recip()).shift(1.0).ln().scale_by(-shape))
            .map_or(amplitude.clone(), |d| amplitude.add(&d))
            .exp()
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        Some(PairForm::of_profile(Profile::RationalQuadratic, dim))
    }

    fn summary(&self) -> Vec<(String, f64)> {
        let mut lines = scales::summary(&self.length_scales);
        lines.extend(self.shape.to_vec().unwrap_or_default().into_iter().map(|a| ("shape".into(), a)));
        lines
    }
}
