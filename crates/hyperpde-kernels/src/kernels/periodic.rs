//! Periodic kernel with a period per coordinate, or none.
//!
//! ```text
//! k(x, y) = Π_{i periodic} exp(−2 sin²(π (x_i − y_i)/p_i)/l_i²) · Π_{other i} exp(−(x_i − y_i)²/(2 l_i²))
//! ```
//!
//! (Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006, eq. 4.31; without the factor 2 in the Gaussian
//! factors with [`Convention::Unit`]). The periodic factor is a Gaussian of `(sin, cos)(2π x_i/p_i)`.

use std::f64::consts::TAU;

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::gaussian::Convention;
use super::any::{Recipe, Seeds};
use super::{AnyKernel, scales};
use crate::error::KernelError;
use crate::form::{GibbsChannels, PairForm};
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint, half_squared_distance, no_amplitude};
use crate::positive::{Positive, Transform};

/// Configuration of a [`Periodic`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodicConfig {
    /// Period of each coordinate in its units, none for a Gaussian factor. Written as a number, or `"none"` (formats such as TOML have no
    /// empty value).
    #[serde(with = "periods")]
    pub periods: Vec<Option<f64>>,
    /// Length scales, one for all or one per coordinate: in the units of the coordinate for a Gaussian factor, without unit for a periodic one.
    pub length_scales: Vec<f64>,
    /// How the length scales are stored.
    #[serde(default)]
    pub transform: Transform,
    /// What they mean in Gaussian factors.
    #[serde(default)]
    pub convention: Convention,
}

impl PeriodicConfig {
    /// A kernel with these periods and length scales.
    pub fn new(periods: impl Into<Vec<Option<f64>>>, length_scales: impl Into<Vec<f64>>) -> Self {
        Self {
            periods: periods.into(),
            length_scales: length_scales.into(),
            transform: Transform::Log,
            convention: Convention::Half,
        }
    }

    /// Another storage of the length scales.
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// Another meaning of the length scales of Gaussian factors.
    pub fn with_convention(mut self, convention: Convention) -> Self {
        self.convention = convention;
        self
    }

    /// The kernel on a device.
    ///
    /// # Errors
    /// [`KernelError::Setting`] if a period or length scale is not positive or their numbers do not fit.
    pub fn init(&self, device: &Device) -> Result<Periodic, KernelError> {
        if self.periods.is_empty() || self.periods.iter().flatten().any(|p| !(p.is_finite() && *p > 0.0)) {
            let value = format!("{:?}", self.periods);
            return Err(KernelError::Setting {
                name: "periods",
                value,
                expected: "positive and finite, or none, per coordinate",
            });
        }
        let length_scales = Positive::new("length scale", &self.length_scales, self.transform, device)?;
        scales::check(&length_scales, self.periods.len())?;
        Ok(Periodic { length_scales, periods: self.periods.clone(), convention: self.convention })
    }
}

impl Recipe for PeriodicConfig {
    fn build(&self, _: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        Ok(self.init(device)?.into())
    }
}

/// The periodic kernel (see the module documentation).
#[derive(Module, Debug)]
pub struct Periodic {
    /// Length scales, `[1]` or `[d]`.
    pub length_scales: Positive,
    #[module(skip)]
    periods: Vec<Option<f64>>,
    #[module(skip)]
    convention: Convention,
}

impl Kernel for Periodic {
    fn name(&self) -> String {
        format!("{}periodic", scales::prefix(&self.length_scales))
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        if dim == self.periods.len() {
            return Ok(());
        }
        let expected = format!("{} coordinates", self.periods.len());
        Err(KernelError::Shape { what: "points for a periodic kernel", expected, got: dim.to_string() })
    }

    /// `[0, …]` with `sin(2π x_i/p_i)/l_i, cos(2π x_i/p_i)/l_i` for a periodic coordinate and `x_i/l_i` for another.
    fn features(&self, x: &Jet) -> Jet {
        let inverse = self.length_scales.value().recip();
        let shared = self.length_scales.len() == 1;
        let mut parts = vec![no_amplitude(x)];
        for (i, period) in self.periods.iter().enumerate() {
            let scale = inverse.clone().narrow(1, if shared { 0 } else { i }, 1);
            let coordinate = x.channel(i);
            match period {
                Some(p) => {
                    let (sin, cos) = coordinate.scale(TAU / p).sin_cos();
                    parts.extend([sin.scale_by(scale.clone()), cos.scale_by(scale)]);
                }
                None => parts.push(coordinate.scale_by(scale * self.convention.factor())),
            }
        }
        Jet::concat_channels(&parts)
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let amplitude = x.features[0].add(&y.features[0]);
        half_squared_distance(x, y, 1).map_or(amplitude.clone(), |d| amplitude.add(&d)).exp()
    }

    fn form(&self, _dim: usize) -> Option<PairForm> {
        let channels = self.periods.iter().map(|p| if p.is_some() { 2 } else { 1 }).sum();
        Some(PairForm::exponential(GibbsChannels::None, channels))
    }

    fn summary(&self) -> Vec<(String, f64)> {
        scales::summary(&self.length_scales)
    }
}

/// Optional numbers as a number or `"none"`; an empty value is read too.
mod periods {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize, Serialize)]
    #[serde(untagged, expecting = "a period is a number or \"none\"")]
    enum Period {
        Number(f64),
        Word(String),
    }

    pub(super) fn serialize<S: Serializer>(periods: &[Option<f64>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(periods.iter().map(|p| p.map_or_else(|| Period::Word("none".into()), Period::Number)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Option<f64>>, D::Error> {
        let period = |p: Option<Period>| match p {
            None => Ok(None),
            Some(Period::Number(value)) => Ok(Some(value)),
            Some(Period::Word(word)) if word == "none" => Ok(None),
            Some(Period::Word(word)) => {
                Err(D::Error::custom(format!("a period is a number or \"none\", not \"{word}\"")))
            }
        };
        Vec::<Option<Period>>::deserialize(deserializer)?.into_iter().map(period).collect()
    }
}
