//! Constant kernel, `k(x, y) = s`: the covariance of one unknown number, with prior variance `s`.
//!
//! As the kernel of a field it makes a coefficient of the equations an unknown that is solved for with the rest: the field is the same everywhere and
//! its derivatives vanish. Added to another kernel it frees the mean of a field. (Rasmussen and Williams, *Gaussian Processes for Machine
//! Learning*, 2006, table 4.1.)

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::AnyKernel;
use super::any::{Recipe, Seeds};
use crate::error::KernelError;
use crate::form::{GibbsChannels, PairForm};
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint, no_amplitude};
use crate::positive::{Positive, Transform};

/// Configuration of a [`Constant`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConstantConfig {
    /// `s`, in units of the field squared.
    pub amplitude: f64,
    /// How it is stored.
    #[serde(default)]
    pub transform: Transform,
}

impl ConstantConfig {
    /// A number with the prior variance `amplitude`.
    pub fn new(amplitude: f64) -> Self {
        Self { amplitude, transform: Transform::Log }
    }

    /// Another storage of the amplitude.
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// The kernel on a device.
    ///
    /// # Errors
    /// [`KernelError::Setting`] if the amplitude is not positive and finite.
    pub fn init(&self, device: &Device) -> Result<Constant, KernelError> {
        if self.amplitude <= 0.0 {
            let value = self.amplitude.to_string();
            return Err(KernelError::Setting { name: "amplitude", value, expected: "positive and finite" });
        }
        Ok(Constant { amplitude: Positive::new("amplitude", &[self.amplitude], self.transform, device)? })
    }
}

impl Recipe for ConstantConfig {
    fn build(&self, _: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        Ok(self.init(device)?.into())
    }
}

/// The constant kernel (see the module documentation).
#[derive(Module, Debug)]
pub struct Constant {
    /// `s`, `[1]`.
    pub amplitude: Positive,
}

impl Kernel for Constant {
    fn name(&self) -> String {
        "constant".into()
    }

    fn check_dim(&self, _dim: usize) -> Result<(), KernelError> {
        Ok(())
    }

    /// `[ln(s)/2]`.
    fn features(&self, x: &Jet) -> Jet {
        no_amplitude(x).shift_by(self.amplitude.value().log() * 0.5)
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        x.features[0].add(&y.features[0]).exp()
    }

    fn form(&self, _dim: usize) -> Option<PairForm> {
        Some(PairForm::exponential(GibbsChannels::None, 0))
    }

    fn summary(&self) -> Vec<(String, f64)> {
        self.amplitude.to_vec().unwrap_or_default().into_iter().map(|s| ("amplitude".into(), s)).collect()
    }
}
