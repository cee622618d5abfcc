//! Devices, reproducible matrices and an independent solver for the tests.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::sync::OnceLock;

use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use hyperpde_linalg::{JitterPolicy, SolveError, SolveStatistics, spd_solve};

/// Every compiled backend, float64 by default. A device can be configured once per process, before its first tensor.
#[allow(deprecated, clippy::vec_init_then_push)]
pub fn devices() -> Vec<(&'static str, Device)> {
    static DEVICES: OnceLock<Vec<(&'static str, Device)>> = OnceLock::new();
    DEVICES
        .get_or_init(|| {
            let mut all = Vec::new();
            #[cfg(feature = "ndarray")]
            all.push(("ndarray", Device::ndarray()));
            #[cfg(feature = "flex")]
            all.push(("flex", Device::flex()));
            for (_, device) in &mut all {
                device.configure(FloatDType::F64).expect("first use");
            }
            all
        })
        .clone()
}

/// Uniform numbers in [-1, 1) from a fixed linear congruential sequence.
pub fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        })
        .collect()
}

/// `M Mᵀ / n + I`, `[n, n]`, well conditioned.
pub fn spd(seed: u64, n: usize) -> Vec<f64> {
    let m = numbers(seed, n * n);
    let mut a = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..n).map(|k| m[i * n + k] * m[j * n + k]).sum();
            let value = dot / n as f64 + if i == j { 1.0 } else { 0.0 };
            (a[i * n + j], a[j * n + i]) = (value, value);
        }
    }
    a
}

/// Gaussian elimination with partial pivoting on row-major data: `(A⁻¹ B, log |det A|)`.
pub fn eliminate(a: &[f64], b: &[f64], n: usize, k: usize) -> (Vec<f64>, f64) {
    let (mut a, mut b, mut log_det) = (a.to_vec(), b.to_vec(), 0.0);
    for p in 0..n {
        let best = (p..n).max_by(|&i, &j| a[i * n + p].abs().total_cmp(&a[j * n + p].abs())).unwrap();
        for c in 0..n {
            a.swap(p * n + c, best * n + c);
        }
        for c in 0..k {
            b.swap(p * k + c, best * k + c);
        }
        log_det += a[p * n + p].abs().ln();
        for i in (0..n).filter(|&i| i != p) {
            let f = a[i * n + p] / a[p * n + p];
            for c in p..n {
                a[i * n + c] -= f * a[p * n + c];
            }
            for c in 0..k {
                b[i * k + c] -= f * b[p * k + c];
            }
        }
    }
    for i in 0..n {
        for c in 0..k {
            b[i * k + c] /= a[i * n + i];
        }
    }
    (b, log_det)
}

/// Fourth-order central difference of `f` at 0; error about `h⁴`.
pub fn difference(f: impl Fn(f64) -> f64, h: f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// `|a - b| / (1 + |b|)`, the largest over both slices.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(x, y)| (x - y).abs() / (1.0 + y.abs()))
        .fold(0.0, |worst: f64, d| if d.is_nan() { d } else { worst.max(d) })
}

pub fn matrix(values: &[f64], shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

pub fn vector(values: &[f64], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

pub fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().try_into_vec::<f64>().unwrap()
}

/// `spd_solve` for one right-hand side `[n]`.
pub fn spd_solve_vec(
    a: Tensor<2>,
    b: Tensor<1>,
    policy: &JitterPolicy,
) -> Result<(Tensor<1>, SolveStatistics), SolveError> {
    let [n] = b.dims();
    spd_solve(a, b.reshape([n, 1]), policy).map(|(x, statistics)| (x.reshape([n]), statistics))
}
