//! A kernel times a positive amplitude, `s · k(x, y)`.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::any::{Recipe, Seeds};
use super::{AnyKernel, KernelConfig};
use crate::error::KernelError;
use crate::form::PairForm;
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint, no_amplitude};
use crate::points::Points;
use crate::positive::{Positive, Transform};

/// Configuration of a [`Scaled`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaledConfig {
    /// The amplitude `s`.
    pub amplitude: f64,
    /// How it is stored.
    #[serde(default)]
    pub transform: Transform,
    /// The kernel `k`.
    pub kernel: Box<KernelConfig>,
}

impl ScaledConfig {
    /// `amplitude · kernel`.
    pub fn new(amplitude: f64, kernel: impl Into<KernelConfig>) -> Self {
        Self { amplitude, transform: Transform::Log, kernel: Box::new(kernel.into()) }
    }

    /// Another storage of the amplitude.
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }
}

impl Recipe for ScaledConfig {
    fn build(&self, seeds: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        Ok(Scaled::new(self.kernel.build(seeds, device)?, self.amplitude, self.transform, device)?.into())
    }

    fn parts(&self) -> Vec<&KernelConfig> {
        vec![&self.kernel]
    }
}

/// `s · k` (see the module documentation).
#[derive(Module, Debug)]
pub struct Scaled<K: Module> {
    /// The amplitude `s` (a variance: fields have the standard deviation `√s`), `[1]`.
    pub amplitude: Positive,
    /// The kernel `k`.
    pub kernel: K,
}

impl<K: Kernel> Scaled<K> {
    /// `amplitude · kernel`.
    ///
    /// # Errors
    /// [`KernelError::Setting`] if the amplitude is not positive and finite.
    pub fn new(kernel: K, amplitude: f64, transform: Transform, device: &Device) -> Result<Self, KernelError> {
        if amplitude <= 0.0 {
            return Err(KernelError::Setting {
                name: "amplitude",
                value: amplitude.to_string(),
                expected: "positive and finite",
            });
        }
        Ok(Self { amplitude: Positive::new("amplitude", &[amplitude], transform, device)?, kernel })
    }
}

impl<K: Kernel + ModuleDisplay> Kernel for Scaled<K> {
    fn name(&self) -> String {
        format!("scaled {}", self.kernel.name())
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        self.kernel.check_dim(dim)
    }

    fn smoothness(&self) -> Option<usize> {
        self.kernel.smoothness()
    }

    fn channels(&self, dim: usize) -> usize {
        let own = if self.form(dim).is_some() { 0 } else { 1 };
        own + self.kernel.channels(dim)
    }

    /// The kernel's features with `ln(s)/2` added to its log-amplitudes; for a kernel without form, in front of them.
    fn features(&self, x: &Jet) -> Jet {
        let [_, dim] = x.value().dims();
        let features = self.kernel.features(x);
        let half_log = self.amplitude.value().log() * 0.5;
        let Some(form) = self.form(dim) else {
            return Jet::concat_channels(&[no_amplitude(x).shift_by(half_log), features]);
        };
        let [_, channels] = features.value().dims();
        let mut at = vec![0.0; channels];
        form.amplitudes(dim).into_iter().for_each(|c| at[c] = 1.0);
        let mask = Tensor::<2>::from_data(TensorData::new(at, [1, channels]), (&half_log.device(), half_log.dtype()));
        features.shift_by(mask * half_log)
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        if self.form(x.x.len()).is_some() {
            return self.kernel.pair(x, y);
        }
        let own = x.features[0].add(&y.features[0]).exp();
        let rest = 1..x.features.len();
        self.kernel.pair(&x.channels(rest.clone()), &y.channels(rest)).mul(&own)
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        self.kernel.form(dim)
    }

    fn summary(&self) -> Vec<(String, f64)> {
        let amplitude = self.amplitude.to_vec().unwrap_or_default().into_iter().map(|s| ("amplitude".into(), s));
        amplitude.chain(self.kernel.summary()).collect()
    }

    fn fields(&self, points: &Points) -> Result<Vec<Vec<f64>>, KernelError> {
        self.kernel.fields(points)
    }
}
