//! Polynomial kernel.
//!
//! `k(x, y) = (α x·y + c)^p` (Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006, section 4.2.2), positive
//! semidefinite for `α, c > 0` and whole `p`; its rank is the number of monomials up to degree `p`.

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::AnyKernel;
use super::any::{Recipe, Seeds};
use crate::error::KernelError;
use crate::form::{PairForm, Profile};
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint, no_amplitude};
use crate::positive::{Positive, Transform};

/// Configuration of a [`Polynomial`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolynomialConfig {
    /// `α`, in units of one over coordinate squared.
    pub scale: f64,
    /// `c`.
    pub offset: f64,
    /// `p`, from 1 to 16.
    pub degree: u8,
    /// How `α` and `c` are stored.
    #[serde(default)]
    pub transform: Transform,
}

impl PolynomialConfig {
    /// `(scale x·y + offset)^degree`.
    pub fn new(scale: f64, offset: f64, degree: u8) -> Self {
        Self { scale, offset, degree, transform: Transform::Log }
    }

    /// Another storage of `α` and `c`.
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// The kernel on a device.
    ///
    /// # Errors
    /// [`KernelError::Setting`] if `α` or `c` is not positive or the degree is out of range.
    pub fn init(&self, device: &Device) -> Result<Polynomial, KernelError> {
        if !(1..=16).contains(&self.degree) {
            return Err(KernelError::Setting {
                name: "degree",
                value: self.degree.to_string(),
                expected: "a degree from 1 to 16",
            });
        }
        if [self.scale, self.offset].iter().any(|v| *v <= 0.0) {
            let value = format!("{}, {}", self.scale, self.offset);
            return Err(KernelError::Setting {
                name: "scale and offset of a polynomial kernel",
                value,
                expected: "positive",
            });
        }
        let one = |name, v| Positive::new(name, &[v], self.transform, device);
        Ok(Polynomial { scale: one("scale", self.scale)?, offset: one("offset", self.offset)?, degree: self.degree })
    }
}

impl Recipe for PolynomialConfig {
    fn build(&self, _: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        Ok(self.init(device)?.into())
    }
}

/// The polynomial kernel (see the module documentation).
#[derive(Module, Debug)]
pub struct Polynomial {
    /// `α`, `[1]`.
    pub scale: Positive,
    /// `c`, `[1]`.
    pub offset: Positive,
    #[module(skip)]
    degree: u8,
}

impl Kernel for Polynomial {
    fn name(&self) -> String {
        format!("polynomial of degree {}", self.degree)
    }

    fn check_dim(&self, _dim: usize) -> Result<(), KernelError> {
        Ok(())
    }

    /// `[0, √c, √α x_1, …, √α x_d]`.
    fn features(&self, x: &Jet) -> Jet {
        let zero = no_amplitude(x);
        let offset = zero.shift_by(self.offset.value().sqrt());
        Jet::concat_channels(&[zero, offset, x.scale_by(self.scale.value().sqrt())])
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let amplitude = x.features[0].add(&y.features[0]).exp();
        let products = x.features[1..].iter().zip(&y.features[1..]).map(|(f, g)| f.mul(g));
        match products.reduce(|sum, term| sum.add(&term)) {
            Some(psi) => psi.power(self.degree).mul(&amplitude),
            None => amplitude,
        }
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        Some(PairForm::of_profile(Profile::Power(self.degree), 1 + dim))
    }

    fn summary(&self) -> Vec<(String, f64)> {
        let first = |p: &Positive| p.to_vec().ok().and_then(|v| v.first().copied()).unwrap_or(f64::NAN);
        vec![("scale".into(), first(&self.scale)), ("offset".into(), first(&self.offset))]
    }
}
