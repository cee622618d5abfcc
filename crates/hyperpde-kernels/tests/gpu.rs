//! The pair stage on a GPU against the host's, kernel by kernel, with the accuracy that each arithmetic promises.
#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Rng;
use common::case::Case;
use hyperpde_kernels::fused::device::{Arithmetic, DevicePairs};
use hyperpde_kernels::fused::{FunctionalSet, Pair, Target};
use hyperpde_kernels::*;

/// The pair stage of the first wgpu device, or `None` with a printed reason.
fn device(arithmetic: Arithmetic) -> Option<DevicePairs> {
    let device = burn::tensor::Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
    DevicePairs::new(gpu_device(&device)?.client(), arithmetic).ok()
}

fn kernels() -> Vec<AnyKernel> {
    let d = &Backend::Flex.device().unwrap();
    let gaussian = |l: [f64; 2]| -> AnyKernel { GaussianConfig::ard(l).init(d).unwrap().into() };
    let gibbs = |kind| -> AnyKernel { GibbsConfig::new(2, kind, 0.9).with_hidden([4]).init(2, d).unwrap().into() };
    vec![
        gaussian([0.6, 0.9]),
        gibbs(LengthScales::Isotropic),
        gibbs(LengthScales::PerDimension),
        (gaussian([0.3, 0.4]) + gibbs(LengthScales::PerDimension)).into(),
    ]
}

fn host(x: &FunctionalSet<'_>, y: &FunctionalSet<'_>) -> Vec<f64> {
    let mut k = vec![0.0; x.len() * y.len()];
    Pair { x, y, lower: false }.forward(Target { data: &mut k, ld: y.len(), row: 0, column: 0, add: false });
    k
}

fn error(got: &[f64], expected: &[f64]) -> f64 {
    let scale = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    got.iter().zip(expected).fold(0.0_f64, |m, (a, b)| m.max((a - b).abs())) / scale
}

fn check(arithmetic: Arithmetic, tolerance: f64) {
    let Some(pairs) = device(arithmetic) else { return };
    for kernel in kernels() {
        let (a, b) = (Case::new(&kernel, 2, 150, 1), Case::new(&kernel, 2, 97, 2));
        let (da, db) = (a.data(), b.data());
        let (x, y) = (a.set(&da), b.set(&db));
        let start = std::time::Instant::now();
        let (ux, uy) = (pairs.upload(&x), pairs.upload(&y));
        let expected = host(&x, &y);
        let mut got = vec![0.0; expected.len()];
        pairs
            .gram_to_host(&ux, &uy, false, Target { data: &mut got, ld: y.len(), row: 0, column: 0, add: false })
            .unwrap();
        let values = error(&got, &expected);
        let t1 = start.elapsed();
        let (u, v) = (Rng(3).vec(y.len()), Rng(4).vec(x.len()));
        let (s, t) = (Rng(5).vec(y.len()), Rng(6).vec(x.len()));
        let terms: [(&[f64], &[f64]); 2] = [(&u, &v), (&s, &t)];
        let (ex, ey) = Pair { x: &x, y: &y, lower: false }.adjoint(&terms);
        let (gx, gy) = pairs.adjoint(&ux, &uy, false, &terms).unwrap();
        // Gradients by features: what the rows of the device leave out (padding) does not count.
        let chain = |set: &FunctionalSet<'_>, case: &Case, rows: &[f64]| {
            let mut out = case.data().zeros();
            set.chain(rows, &mut out);
            let mut flat = Vec::new();
            out.write(&mut flat);
            flat
        };
        let gradients =
            [error(&chain(&x, &a, &gx), &chain(&x, &a, &ex)), error(&chain(&y, &b, &gy), &chain(&y, &b, &ey))];
        println!(
            "{arithmetic:?} {}: values {values:.1e}, gradients {gradients:?} {t1:?} {:?}",
            kernel.name(),
            start.elapsed()
        );
        assert!(values <= tolerance && gradients.iter().all(|&g| g <= tolerance));
    }
}

#[test]
fn float32() {
    check(Arithmetic::F32, 1e-5);
}

#[test]
fn float64() {
    check(Arithmetic::F64, 1e-13);
}

#[test]
fn two_float32() {
    check(Arithmetic::TwoF32, 1e-12);
}

#[test]
fn operations() {
    for (arithmetic, tolerance) in [(Arithmetic::F32, 1e-6), (Arithmetic::TwoF32, 1e-13), (Arithmetic::F64, 1e-14)] {
        let Some(pairs) = device(arithmetic) else { return };
        let (operation, error) = pairs.worst_operation().unwrap();
        println!("{arithmetic:?}: worst operation {operation}, relative error {error:.1e}");
        assert!(error <= tolerance, "{operation}: {error:e}");
    }
}
