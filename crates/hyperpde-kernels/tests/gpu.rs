//! Kernels on a GPU against the host: the pair stage in every arithmetic, and the conformance suite's kernels as tensors in float32.
#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "common/zoo.rs"]
mod zoo;

use std::time::Instant;

use burn::tensor::Device;
use common::Rng;
use common::case::Case;
use hyperpde_kernels::conformance::{At, tensor_block, tensor_gradient};
use hyperpde_kernels::fused::device::{Arithmetic, DevicePairs, takes};
use hyperpde_kernels::fused::{FunctionalSet, Pair, Target};
use hyperpde_kernels::gram::Functional;
use hyperpde_kernels::*;
use zoo::{Cosine, any, network, zoo};

/// The first device of every GPU backend that is compiled in.
fn devices() -> Vec<(Backend, Device)> {
    let gpus = Backend::available().into_iter().filter(|b| !b.is_host());
    let found: Vec<_> = gpus.filter_map(|b| Some((b, b.devices().unwrap().into_iter().next()?))).collect();
    if found.is_empty() {
        println!("skipped: no wgpu device (install mesa-vulkan-drivers)");
        assert_ne!(std::env::var("HYPERPDE_REQUIRE_GPU").as_deref(), Ok("1"), "a device is required");
    }
    found
}

/// The pair stage of every device that computes rightly in this arithmetic, and whether the device is software; which don't, and why, is
/// printed.
fn stages(arithmetic: Arithmetic) -> Vec<(String, DevicePairs, bool)> {
    let able = |(backend, device): (Backend, Device)| {
        let seen = probe(&device).unwrap();
        let check = match arithmetic {
            Arithmetic::F64 => &seen.pairs_f64,
            Arithmetic::F32 => &seen.f32,
            Arithmetic::TwoF32 => &seen.two_f32,
        };
        if !check.is_right() {
            println!("skipped: {backend} in {arithmetic:?}: {check}");
            return None;
        }
        let stage = DevicePairs::new(gpu_device(&device)?.client(), arithmetic).unwrap();
        Some((format!("{backend} {arithmetic:?}"), stage, seen.software))
    };
    devices().into_iter().filter_map(able).collect()
}

/// Kernels of every form that the device takes, with length scales about `l`.
fn kernels(dim: usize, l: f64) -> Vec<AnyKernel> {
    let d = &Backend::host().unwrap().device().unwrap();
    let gaussian = || -> AnyKernel { GaussianConfig::ard(vec![l; dim]).init(d).unwrap().into() };
    let gibbs =
        |kind| -> AnyKernel { GibbsConfig::new(dim, kind, 0.7 / l).with_hidden([4]).init(2, d).unwrap().into() };
    let mut all = vec![gaussian(), gibbs(LengthScales::PerDimension)];
    if dim == 2 {
        let periodic: AnyKernel = PeriodicConfig::new([None, Some(2.0)], [l, l]).init(d).unwrap().into();
        let scaled: AnyKernel = Scaled::new(gaussian(), 1.7, Transform::Log, d).unwrap().into();
        let network = NetworkConfig::new(2, [4], 2).init(3, d).unwrap();
        all.extend([
            gibbs(LengthScales::Isotropic),
            periodic,
            // Two and three components.
            (gaussian() + gibbs(LengthScales::PerDimension)).into(),
            (AnyKernel::from(scaled + gibbs(LengthScales::Isotropic)) + gaussian()).into(),
            (gaussian() * gibbs(LengthScales::PerDimension)).into(),
            Deep::new(network, gaussian()).unwrap().into(),
        ]);
    }
    all
}

/// Two sets of points: of the second a third coincides with the first, a third is about a length scale away, the rest is anywhere.
fn points(dim: usize, l: f64, rng: &mut Rng) -> (Points, Points) {
    let (n, m) = (150, 97);
    let x = Points::new(dim, rng.vec(n * dim)).unwrap();
    let shift = rng.vec(m * dim);
    let y = shift.iter().zip(x.as_slice()).enumerate().map(|(i, (s, v))| match i / dim % 3 {
        0 => *v,
        1 => v + l.min(1.0) * s,
        _ => *s,
    });
    (x.clone(), Points::new(dim, y.collect()).unwrap())
}

fn host(x: &FunctionalSet<'_>, y: &FunctionalSet<'_>) -> Vec<f64> {
    let mut k = vec![0.0; x.len() * y.len()];
    Pair { x, y, lower: false }.forward(Target { data: &mut k, ld: y.len(), row: 0, column: 0, add: false });
    k
}

fn error(got: &[f64], expected: &[f64]) -> f64 {
    let scale = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    got.iter().zip(expected).fold(0.0, |m, (a, b)| larger(m, (a - b).abs())) / scale
}

/// The larger one; NaN if either is.
fn larger(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() { a } else { b }
}

/// Errors of values and of gradients by features, relative to the largest.
fn errors(pairs: &DevicePairs, a: &Case, b: &Case) -> (f64, f64) {
    let (da, db) = (a.data(), b.data());
    let (x, y) = (a.set(&da), b.set(&db));
    let (ux, uy) = (pairs.upload(&x), pairs.upload(&y));
    let expected = host(&x, &y);
    let mut got = vec![0.0; expected.len()];
    pairs.gram_to_host(&ux, &uy, false, Target { data: &mut got, ld: y.len(), row: 0, column: 0, add: false }).unwrap();
    let values = error(&got, &expected);
    let (u, v) = (Rng(3).vec(y.len()), Rng(4).vec(x.len()));
    let (s, t) = (Rng(5).vec(y.len()), Rng(6).vec(x.len()));
    let (p, q) = (Rng(7).vec(y.len()), Rng(8).vec(x.len()));
    let terms: [(&[f64], &[f64]); 3] = [(&u, &v), (&s, &t), (&p, &q)];
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
    let gradients = [(&x, a, &gx, &ex), (&y, b, &gy, &ey)]
        .map(|(set, case, got, expected)| error(&chain(set, case, got), &chain(set, case, expected)));
    (values, larger(gradients[0], gradients[1]))
}

/// Holds values and gradients to `tolerance` over the length scale where that is below one: differences of coordinates are rounded
/// before they are divided by it.
fn check(arithmetic: Arithmetic, tolerance: f64) {
    for (name, pairs, software) in stages(arithmetic) {
        let mut worst = 0.0_f64;
        // Values and second derivatives, each with itself and with the other: as rows of an equation and of a boundary are.
        for (dim, orders) in [(1, vec![(2, 2)]), (2, vec![(2, 2), (0, 0), (2, 0)]), (3, vec![(2, 2)])] {
            for l in [1.0, 1e-2, 1e2] {
                for (k, kernel) in kernels(dim, l).into_iter().enumerate() {
                    assert!(takes(kernel.form(dim).unwrap(), dim), "{}", kernel.name());
                    for &(order_x, order_y) in &orders {
                        let what =
                            format!("{name} {} {dim}d, l = {l:.0e}, orders {order_x} and {order_y}", kernel.name());
                        if software && arithmetic == Arithmetic::TwoF32 && slow(dim, k, order_y) {
                            println!("skipped: {what}, which a software device takes 10 to 30 s to compile");
                            continue;
                        }
                        let start = Instant::now();
                        let mut rng = Rng(1);
                        let (x, y) = points(dim, l, &mut rng);
                        let (a, b) = (Case::at(&kernel, x, order_x, &mut rng), Case::at(&kernel, y, order_y, &mut rng));
                        let (values, gradients) = errors(&pairs, &a, &b);
                        println!("{what}: values {values:.1e}, gradients {gradients:.1e}, {:.1?}", start.elapsed());
                        worst = worst.max(values).max(gradients);
                        let bar = tolerance / l.min(1.0);
                        assert!(values <= bar && gradients <= bar, "{what}: {values:e} {gradients:e}");
                    }
                }
            }
        }
        println!("{name}: {worst:.1e} at worst");
    }
}

/// What compiles slowly: second derivatives on both sides with networks per dimension, but for the plain kernel in two dimensions.
fn slow(dim: usize, kernel: usize, order_y: usize) -> bool {
    (dim == 3 && kernel == 1) || (dim == 2 && (kernel == 4 || kernel == 6) && order_y == 2)
}

#[test]
fn pairs_in_float32() {
    check(Arithmetic::F32, 2e-6);
}

#[test]
fn pairs_in_two_float32() {
    check(Arithmetic::TwoF32, 1e-13);
}

#[test]
fn pairs_in_float64() {
    check(Arithmetic::F64, 1e-14);
}

#[test]
fn operations() {
    for (arithmetic, tolerance) in [(Arithmetic::F32, 1e-6), (Arithmetic::TwoF32, 1e-13), (Arithmetic::F64, 1e-14)] {
        for (name, pairs, _) in stages(arithmetic) {
            let (operation, error) = pairs.worst_operation().unwrap();
            println!("{name}: worst operation {operation}, relative error {error:.1e}");
            assert!(error <= tolerance, "{name} {operation}: {error:e}");
        }
    }
}

/// Blocks and their gradients by tensors in float32 on the device, against tensors in float64 on the host.
fn by_tensors<K: Kernel>(dim: usize, kernel: impl Fn(&Device) -> K) -> (f64, f64) {
    let mut worst = (0.0_f64, 0.0_f64);
    for (backend, _) in devices() {
        let start = Instant::now();
        let device = backend.open(0, Precision::F32).unwrap().autodiff();
        let there = kernel(&device);
        // The same parameters, rounded once.
        let here = kernel(&Backend::host().unwrap().device().unwrap().autodiff());
        let here = with_parameters(here, &parameters(&there).unwrap()).unwrap();
        let mut rng = Rng(5);
        let n = 12;
        let shared = rng.vec(4 * dim);
        // Four points coincide.
        let side = |rng: &mut Rng| Points::new(dim, [shared.clone(), rng.vec((n - 4) * dim)].concat()).unwrap();
        let (x, y) = (side(&mut rng), side(&mut rng));
        let mut functional = || {
            let mut f = Functional::default();
            f.add(&Operator::identity(dim), &rng.vec(n));
            f.add(&Operator::partial(dim, 0), &rng.vec(n));
            f.add(&Operator::laplacian(dim), &rng.vec(n));
            f
        };
        let (f, g) = (functional(), functional());
        let (left, right) = (Rng(8).vec(n), Rng(9).vec(n));
        let (at_x, at_y) = (At::new(&x, &f), At::new(&y, &g));
        let values = error(&tensor_block(&there, at_x, at_y).unwrap(), &tensor_block(&here, at_x, at_y).unwrap());
        let slopes = |k: &K| tensor_gradient(k, at_x, at_y, &left, &right).unwrap();
        let gradients = error(&slopes(&there), &slopes(&here));
        println!(
            "{backend} {} {dim}d: values {values:.1e}, gradients {gradients:.1e}, {:.1?}",
            there.name(),
            start.elapsed()
        );
        worst = (larger(worst.0, values), larger(worst.1, gradients));
    }
    worst
}

/// Kernels of every kind whose tensors a software device compiles within seconds.
const QUICK: [&str; 12] = [
    "gaussian_1",
    "gaussian_ard_2",
    "gaussian_unit",
    "periodic_1",
    "matern_52_1",
    "matern_52_2",
    "matern_72_2",
    "rational_quadratic_1",
    "polynomial_1",
    "polynomial_linear",
    "gibbs_isotropic_1",
    "product_of_maternes",
];

#[test]
fn tensors_in_float32() {
    let software = devices().iter().any(|(_, device)| is_software(device));
    let all = !software || std::env::var_os("HYPERPDE_ALL_KERNELS").is_some();
    if !all {
        println!(
            "skipped but for {QUICK:?}: a software device compiles the others for minutes; HYPERPDE_ALL_KERNELS=1 has them too"
        );
    }
    let mut misses = Vec::new();
    macro_rules! each {
        ($($name:ident: $dim:literal, $device:ident => $kernel:expr;)*) => {
            $(if all || QUICK.contains(&stringify!($name)) {
                let (values, gradients) = by_tensors($dim, |$device: &Device| $kernel);
                // Written so that NaN fails.
                if !(values <= 1e-5 && gradients <= 1e-5) {
                    misses.push(format!("{}: values {values:.1e}, gradients {gradients:.1e}", stringify!($name)));
                }
            })*
        };
    }
    zoo!(each);
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}
