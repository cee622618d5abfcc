//! Positive hyperparameters, stored so that an optimizer can't make them negative.

use burn::module::{Module, Param};
use burn::tensor::activation::softplus_with_threshold;
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::KernelError;

/// How a positive number `s` is stored as an unconstrained parameter `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transform {
    /// `s = e^p`: steps are relative, the default.
    #[default]
    Log,
    /// `s = ln(1 + e^p)`: steps are absolute for large `s`.
    Softplus,
    /// `s = p²`: a variance stored as a standard deviation, as in the published code. For comparison runs only.
    Square,
    /// `s = p`, as in the published code. Nothing keeps it positive: for comparison runs only.
    Raw,
}

impl Transform {
    fn store(self, s: f64) -> f64 {
        match self {
            Self::Log => s.ln(),
            // p = ln(e^s − 1), written so that it does not overflow.
            Self::Softplus => s + (-(-s).exp()).ln_1p(),
            Self::Square => s.sqrt(),
            Self::Raw => s,
        }
    }
}

/// A vector of positive hyperparameters `[k]` (length scales, amplitudes) as a burn module.
#[derive(Module, Debug)]
pub struct Positive {
    /// The unconstrained parameters `p`, `[k]`.
    pub parameter: Param<Tensor<1>>,
    #[module(skip)]
    transform: Transform,
}

impl Positive {
    /// From initial values `s > 0` (with [`Transform::Raw`] any finite value but zero).
    ///
    /// # Errors
    /// [`KernelError::Setting`] if a value is not positive and finite.
    pub fn new(name: &'static str, values: &[f64], transform: Transform, device: &Device) -> Result<Self, KernelError> {
        let bad = |s: f64| !s.is_finite() || if transform == Transform::Raw { s == 0.0 } else { s <= 0.0 };
        if values.is_empty() || values.iter().copied().any(bad) {
            return Err(KernelError::Setting {
                name,
                value: format!("{values:?}"),
                expected: "each value must be positive and finite",
            });
        }
        let stored: Vec<f64> = values.iter().map(|&s| transform.store(s)).collect();
        let k = stored.len();
        let tensor = Tensor::from_data(TensorData::new(stored, [k]), (device, crate::float_dtype(device)));
        Ok(Self { parameter: Param::from_tensor(tensor), transform })
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.parameter.lazy_shape().num_elements()
    }

    /// Whether there are none (never true).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positive values `s`, `[1, k]`, differentiable.
    pub fn value(&self) -> Tensor<2> {
        let p = self.parameter.val();
        let s = match self.transform {
            Transform::Log => p.exp(),
            Transform::Softplus => softplus_with_threshold(p, 1.0, 40.0),
            Transform::Square => p.clone() * p,
            Transform::Raw => p,
        };
        s.unsqueeze::<2>()
    }

    /// The positive values on the host.
    ///
    /// # Errors
    /// [`KernelError::Tensor`] if they can't be read back.
    pub fn to_vec(&self) -> Result<Vec<f64>, KernelError> {
        crate::tensor_to_vec(self.value())
    }
}
