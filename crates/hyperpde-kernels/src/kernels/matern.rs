//! Matérn kernels of half-integer smoothness `ν = 5/2, 7/2, 9/2`, isotropic or with one length scale per coordinate.
//!
//! ```text
//! k = 2^{1−ν}/Γ(ν) · z^ν K_ν(z),   z = √(2ν) |r|,   |r|² = Σ_i (x_i − y_i)²/l_i²
//! ```
//!
//! (Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006, eq. 4.14). As a function of `ψ = −z²/2` its derivatives are
//! Bessel functions of lower order, `∂_ψ^m z^ν K_ν = z^{ν−m} K_{ν−m}` (DLMF 10.29.4), in closed form `e^{−z}` times a polynomial in `z` or `1/z`.
//! Those with `ν − m < 0` are infinite at `z = 0`, but they only ever meet powers of `z` that make the product zero.

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::any::{Recipe, Seeds};
use super::{AnyKernel, scales};
use crate::error::KernelError;
use crate::form::{MATERN_TINY, MaternOrder, PairForm, Profile};
use crate::jet::Jet;
use crate::kernel::{Kernel, PairPoint, half_squared_distance, no_amplitude};
use crate::positive::{Positive, Transform};

/// [`MATERN_TINY`] in float32, whose range ends at `1e38`: `z^{−3}` is the lowest power that occurs.
const MATERN_TINY_F32: f64 = 1e-16;

/// Configuration of a [`Matern`] kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaternConfig {
    /// `ν`.
    pub order: MaternOrder,
    /// Length scales in the units of the coordinates: one for all, or one per coordinate.
    pub length_scales: Vec<f64>,
    /// How the length scales are stored.
    #[serde(default)]
    pub transform: Transform,
}

impl MaternConfig {
    /// One length scale for all coordinates, or one per coordinate.
    pub fn new(order: MaternOrder, length_scales: impl Into<Vec<f64>>) -> Self {
        Self { order, length_scales: length_scales.into(), transform: Transform::Log }
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
    pub fn init(&self, device: &Device) -> Result<Matern, KernelError> {
        let length_scales = Positive::new("length scale", &self.length_scales, self.transform, device)?;
        Ok(Matern { length_scales, order: self.order })
    }
}

impl Recipe for MaternConfig {
    fn build(&self, _: &mut Seeds, device: &Device) -> Result<AnyKernel, KernelError> {
        Ok(self.init(device)?.into())
    }
}

/// A Matérn kernel (see the module documentation).
#[derive(Module, Debug)]
pub struct Matern {
    /// Length scales, `[1]` or `[d]`.
    pub length_scales: Positive,
    #[module(skip)]
    order: MaternOrder,
}

impl Matern {
    /// `g(ψ)`.
    fn profile(&self, psi: &Jet) -> Jet {
        let top = self.order.smoothness();
        let tiny = if psi.value().dtype() == DType::F64 { MATERN_TINY } else { MATERN_TINY_F32 };
        let square = psi.value() * -2.0 + tiny;
        let z = square.clone().sqrt();
        let decay = (-z.clone()).exp();
        // bessel[j] = √(2/π) z^μ K_μ(z), μ = j + 1/2, by the recurrence in which all terms are positive.
        let mut bessel: Vec<Tensor<2>> = vec![decay.clone(), decay * (z.clone() + 1.0)];
        for j in 1..top.max(psi.space().order()) {
            let next = square.clone() * bessel[j - 1].clone() + bessel[j].clone() * (2 * j + 1) as f64;
            bessel.push(next);
        }
        let inverse = z.recip();
        let normalisation = 1.0 / self.order.at_zero();
        let derivatives: Vec<Tensor<2>> = (0..=psi.space().order())
            .map(|m| {
                let value = if m <= top {
                    bessel[top - m].clone()
                } else {
                    // z^{−μ} K_μ = z^{−2μ} (z^μ K_μ)
                    let j = m - top - 1;
                    (0..2 * j + 1).fold(bessel[j].clone(), |t, _| t * inverse.clone())
                };
                value * normalisation
            })
            .collect();
        psi.compose(&derivatives)
    }
}

impl Kernel for Matern {
    fn name(&self) -> String {
        format!("{}Matérn {}/2", scales::prefix(&self.length_scales), 2 * self.order.smoothness() + 1)
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        scales::check(&self.length_scales, dim)
    }

    fn smoothness(&self) -> Option<usize> {
        Some(self.order.smoothness())
    }

    /// `[0, √(2ν) x_1/l_1, …]`.
    fn features(&self, x: &Jet) -> Jet {
        let scaled = scales::scaled(&self.length_scales, x, (2.0 * self.order.nu()).sqrt());
        Jet::concat_channels(&[no_amplitude(x), scaled])
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let amplitude = x.features[0].add(&y.features[0]).exp();
        half_squared_distance(x, y, 1).map_or(amplitude.clone(), |psi| self.profile(&psi).mul(&amplitude))
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        Some(PairForm::of_profile(Profile::Matern(self.order), dim))
    }

    fn summary(&self) -> Vec<(String, f64)> {
        scales::summary(&self.length_scales)
    }
}
