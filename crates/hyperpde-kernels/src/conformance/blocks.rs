//! Gram blocks and their parameter gradients on either path, as plain numbers.

use burn::tensor::{Device, Tensor, TensorData};

use crate::error::KernelError;
use crate::fused::{self, FunctionalSet, Pair, Target};
use crate::gram::{Applied, Functional, gram_block, gram_diagonal};
use crate::jet::JetSpace;
use crate::kernel::{Kernel, PointJets};
use crate::parameters::gradient;
use crate::points::Points;
use crate::tensor_to_vec;

/// Functionals `ℓ` at points.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The points, `[n, d]`.
    pub points: &'a Points,
    /// A functional at each.
    pub functional: &'a Functional,
}

impl<'a> At<'a> {
    /// `functional` at `points`.
    pub fn new(points: &'a Points, functional: &'a Functional) -> Self {
        Self { points, functional }
    }

    fn jets<K: Kernel>(&self, kernel: &K) -> Result<PointJets, KernelError> {
        let indices = self.functional.terms().iter().map(|(alpha, _)| alpha);
        let space = JetSpace::covering(self.points.dim(), indices);
        PointJets::new(kernel, self.points, &space, &device(kernel))
    }
}

/// The device of a kernel's parameters, the default device for a kernel without any.
fn device<K: Kernel>(kernel: &K) -> Device {
    kernel.devices().into_iter().next().unwrap_or_default()
}

/// `ℓ_x ℓ'_y k`, row-major `[n, m]`, by tensors.
///
/// # Errors
/// [`KernelError`] if the points do not fit the kernel or it is not smooth enough.
pub fn tensor_block<K: Kernel>(kernel: &K, x: At<'_>, y: At<'_>) -> Result<Vec<f64>, KernelError> {
    tensor_to_vec(block(kernel, x, y)?)
}

/// `ℓ_i ℓ'_i k(x_i, x_i)`, `[n]`, by tensors; both functionals act at the points of `x`.
///
/// # Errors
/// As [`tensor_block`].
pub fn tensor_diagonal<K: Kernel>(kernel: &K, x: At<'_>, y: &Functional) -> Result<Vec<f64>, KernelError> {
    let other = At::new(x.points, y);
    let (jx, jy) = (x.jets(kernel)?, other.jets(kernel)?);
    let diagonal =
        gram_diagonal(kernel, Applied { functional: x.functional, jets: &jx }, Applied { functional: y, jets: &jy });
    tensor_to_vec(diagonal)
}

/// Gradient of `Σ_ij left_i right_j (ℓ_i ℓ'_j k)(x_i, y_j)` by the kernel's parameters, by tensors. The kernel must be on an autodiff device.
///
/// # Errors
/// As [`tensor_block`].
pub fn tensor_gradient<K: Kernel>(
    kernel: &K,
    x: At<'_>,
    y: At<'_>,
    left: &[f64],
    right: &[f64],
) -> Result<Vec<f64>, KernelError> {
    let block = block(kernel, x, y)?;
    let weights: Vec<f64> = left.iter().flat_map(|l| right.iter().map(move |r| l * r)).collect();
    let shape = block.dims();
    let loss = (block
        * Tensor::from_data(TensorData::new(weights, shape), (&device(kernel), crate::float_dtype(&device(kernel)))))
    .sum();
    gradient(kernel, &loss.backward())
}

fn block<K: Kernel>(kernel: &K, x: At<'_>, y: At<'_>) -> Result<Tensor<2>, KernelError> {
    let (jx, jy) = (x.jets(kernel)?, y.jets(kernel)?);
    let (x, y) = (Applied { functional: x.functional, jets: &jx }, Applied { functional: y.functional, jets: &jy });
    Ok(gram_block(kernel, x, y))
}

/// What the fused path makes of a block; see [`fused_block`].
#[derive(Clone, Debug, PartialEq)]
pub struct FusedBlock {
    /// `ℓ_x ℓ'_y k`, row-major `[n, m]`.
    pub values: Vec<f64>,
    /// Gradient of `leftᵀ (values) right` by the parameters; empty if the kernel is not on an autodiff device.
    pub gradient: Vec<f64>,
}

/// The block of [`tensor_block`] and the gradient of [`tensor_gradient`] by the fused path; `None` if it does not take this kernel or these
/// functionals.
///
/// # Errors
/// As [`tensor_block`].
pub fn fused_block<K: Kernel>(
    kernel: &K,
    x: At<'_>,
    y: At<'_>,
    left: &[f64],
    right: &[f64],
) -> Result<Option<FusedBlock>, KernelError> {
    let dim = x.points.dim();
    let (jx, jy) = (x.jets(kernel)?, y.jets(kernel)?);
    let (Some(form), Some(cx), Some(cy)) = (kernel.form(dim), x.functional.separable(dim), y.functional.separable(dim))
    else {
        return Ok(None);
    };
    if !(fused::supports(form, dim, jx.x.space()) && fused::supports(form, dim, jy.x.space())) {
        return Ok(None);
    }
    let ((key_x, flat_x), (key_y, flat_y)) = (jx.feature_vector(), jy.feature_vector());
    let data_x = key_x.read(&tensor_to_vec(flat_x.clone())?);
    let data_y = key_y.read(&tensor_to_vec(flat_y.clone())?);
    let set_x = FunctionalSet::new(form, x.points, &cx, &data_x)?;
    let set_y = FunctionalSet::new(form, y.points, &cy, &data_y)?;
    // Columns of the target are the functionals of `x`, rows those of `y`: column-major [m, n] is row-major [n, m].
    let (n, m) = (set_x.len(), set_y.len());
    let mut values = vec![0.0; n * m];
    let pair = Pair { x: &set_x, y: &set_y, lower: false };
    pair.forward(Target { data: &mut values, ld: m, row: 0, column: 0, add: false });
    let (rows_x, rows_y) = pair.adjoint(&[(right, left)]);
    let (mut grad_x, mut grad_y) = (data_x.zeros(), data_y.zeros());
    set_x.chain(&rows_x, &mut grad_x);
    set_y.chain(&rows_y, &mut grad_y);
    let (mut seed_x, mut seed_y) = (Vec::new(), Vec::new());
    grad_x.write(&mut seed_x);
    grad_y.write(&mut seed_y);
    let tracked = flat_x.is_require_grad() || device(kernel).is_autodiff();
    let gradient = if tracked {
        // The features' gradient contracted with the features: its parameter gradient is the chain rule's product.
        let seeded = |flat: Tensor<1>, seed: Vec<f64>| {
            let shape = flat.dims();
            let seed = Tensor::from_data(TensorData::new(seed, shape), (&flat.device(), flat.dtype()));
            (flat * seed).sum()
        };
        let loss = seeded(flat_x, seed_x) + seeded(flat_y, seed_y);
        gradient(kernel, &loss.backward())?
    } else {
        Vec::new()
    };
    Ok(Some(FusedBlock { values, gradient }))
}
