//! Spatial derivatives of every kernel against its formula over nested dual numbers, on the tensor path and on the fused one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use burn::tensor::Device;
use common::{D4, Layers, Num, Rng, derivative, mlp};
use hyperpde_kernels::conformance::{At, fused_block, tensor_block};
use hyperpde_kernels::gram::Functional;
use hyperpde_kernels::*;

/// Relative to the largest entry of a block.
const TOLERANCE: f64 = 1e-10;

type Oracle = Box<dyn Fn(&[D4], &[D4]) -> D4>;
type Elementwise = fn(D4) -> D4;

fn device() -> Device {
    Backend::available()[0].device().unwrap()
}

/// All multi-indices up to second order in `dim` coordinates.
fn indices(dim: usize) -> Vec<Vec<u8>> {
    let mut all = vec![vec![0; dim]];
    for i in 0..dim {
        let mut one = vec![0; dim];
        one[i] = 1;
        all.push(one.clone());
        for j in i..dim {
            let mut two = one.clone();
            two[j] += 1;
            all.push(two);
        }
    }
    all
}

/// Largest deviation of all derivatives up to (2, 2), mixed and at coincident points included, from the oracle; and whether the fused path took part.
fn compare<K: Kernel>(kernel: &K, dim: usize, spread: f64, oracle: &Oracle, coincident: Option<&Oracle>) -> bool {
    let (n, mut rng) = (5, Rng(11));
    let x: Vec<f64> = rng.vec(n * dim).iter().map(|v| v * spread).collect();
    let mut y: Vec<f64> = rng.vec(n * dim).iter().map(|v| v * spread).collect();
    y[..2 * dim].copy_from_slice(&x[..2 * dim]);
    let (px, py) = (Points::new(dim, x).unwrap(), Points::new(dim, y).unwrap());
    let mut fused_took_part = false;
    for alpha in indices(dim) {
        for beta in indices(dim) {
            let functional = |a: &Vec<u8>| Functional::uniform(&Operator::derivative(a.clone()), n);
            let (fx, fy) = (functional(&alpha), functional(&beta));
            let (ax, ay) = (At::new(&px, &fx), At::new(&py, &fy));
            let values = tensor_block(kernel, ax, ay).unwrap();
            let ones = vec![1.0; n];
            let fused = fused_block(kernel, ax, ay, &ones, &ones).unwrap();
            let mut expected = Vec::new();
            for xi in px.rows() {
                for yj in py.rows() {
                    let formula = if xi == yj { coincident.unwrap_or(oracle) } else { oracle };
                    expected.push(derivative(formula, xi, yj, &alpha, &beta));
                }
            }
            let scale = expected.iter().fold(1e-300f64, |m, v| m.max(v.abs()));
            let near = |values: &[f64], path: &str| {
                for (at, (v, e)) in values.iter().zip(&expected).enumerate() {
                    let name = kernel.name();
                    assert!(
                        (v - e).abs() <= TOLERANCE * scale,
                        "{name}, {path}, {alpha:?} {beta:?}, entry {at}: {v:e} for {e:e}"
                    );
                }
            };
            near(&values, "tensors");
            if let Some(fused) = fused {
                near(&fused.values, "fused");
                fused_took_part = true;
            }
        }
    }
    fused_took_part
}

fn squared<T: Num>(x: &[T], y: &[T], scales: &[f64]) -> T {
    x.iter().zip(y).enumerate().fold(T::of(0.0), |s, (i, (a, b))| {
        let r = (*a - *b).scale(1.0 / scales[i % scales.len()]);
        s + r * r
    })
}

fn gaussian(scales: &[f64], factor: f64) -> Oracle {
    let scales = scales.to_vec();
    Box::new(move |x, y| squared(x, y, &scales).scale(-factor).exp())
}

#[test]
fn gaussians() {
    let d = &device();
    assert!(compare(&GaussianConfig::isotropic(0.6).init(d).unwrap(), 1, 1.0, &gaussian(&[0.6], 0.5), None));
    assert!(compare(&GaussianConfig::isotropic(0.6).init(d).unwrap(), 2, 1.0, &gaussian(&[0.6], 0.5), None));
    let ard = GaussianConfig::ard([0.5, 0.8, 1.3]);
    assert!(compare(&ard.init(d).unwrap(), 3, 1.0, &gaussian(&[0.5, 0.8, 1.3], 0.5), None));
    let unit = GaussianConfig::ard([0.5, 0.8]).with_convention(Convention::Unit).with_transform(Transform::Raw);
    assert!(compare(&unit.init(d).unwrap(), 2, 1.0, &gaussian(&[0.5, 0.8], 1.0), None));
}

/// Length scales from 1e-3 to 1e3, at points spread over a few of them and far apart.
#[test]
fn extreme_length_scales() {
    let d = &device();
    for l in [1e-3, 1e3] {
        let kernel = GaussianConfig::isotropic(l).init(d).unwrap();
        compare(&kernel, 2, l, &gaussian(&[l], 0.5), None);
        finite(&kernel);
        let kernel = MaternConfig::new(MaternOrder::FiveHalves, [l]).init(d).unwrap();
        compare(&kernel, 2, l, &matern(MaternOrder::FiveHalves, l), Some(&matern_at_zero(2.5, l)));
        finite(&kernel);
        let kernel = RationalQuadraticConfig::new(1.3, [l]).init(d).unwrap();
        compare(&kernel, 2, l, &rational_quadratic(1.3, l), None);
        finite(&kernel);
        finite(&GibbsConfig::new(2, LengthScales::PerDimension, std::f64::consts::LN_2 / l).init(3, d).unwrap());
    }
}

/// No derivative of a pair of points in the unit square is NaN or infinite, and both paths agree.
fn finite<K: Kernel>(kernel: &K) {
    let mut rng = Rng(4);
    let (x, y) = (Points::new(2, rng.vec(16)).unwrap(), Points::new(2, rng.vec(16)).unwrap());
    let functional =
        Functional::uniform(&Operator::new(2, [(vec![0, 0], 1.0), (vec![1, 0], 0.5), (vec![0, 2], 0.2)]).unwrap(), 8);
    for y in [&x, &y] {
        let (ax, ay) = (At::new(&x, &functional), At::new(y, &functional));
        let tensors = tensor_block(kernel, ax, ay).unwrap();
        let fused = fused_block(kernel, ax, ay, &[1.0; 8], &[1.0; 8]).unwrap().unwrap().values;
        let scale = tensors.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        for (t, f) in tensors.iter().zip(&fused) {
            assert!(t.is_finite() && f.is_finite(), "{}: {t} and {f}", kernel.name());
            // The fused exponential stops at e^−708 instead of zero.
            assert!((t - f).abs() <= 1e-12 * scale + 1e-250, "{}: tensor {t:e}, fused {f:e}", kernel.name());
        }
    }
}

#[test]
fn periodic() {
    let oracle: Oracle = Box::new(|x, y| {
        let t = (x[0] - y[0]).scale(1.0 / 0.8);
        let s = (x[1] - y[1]).scale(std::f64::consts::PI / 10.0).sin().scale(1.0 / 1.4);
        (-(t * t) - (s * s).scale(2.0)).exp()
    });
    let config = PeriodicConfig::new([None, Some(10.0)], [0.8, 1.4]).with_convention(Convention::Unit);
    let kernel = config.init(&device()).unwrap();
    assert!(compare(&kernel, 2, 1.0, &oracle, None));
    // A whole period apart, everything is as at the same point.
    let points = Points::new(2, vec![0.2, -4.9, 0.1, 3.0]).unwrap();
    let shifted = Points::new(2, vec![0.2, 5.1, 0.1, -7.0]).unwrap();
    let second = Functional::uniform(&Operator::second(2, 1), 2);
    let here = tensor_block(&kernel, At::new(&points, &second), At::new(&points, &second)).unwrap();
    let there = tensor_block(&kernel, At::new(&points, &second), At::new(&shifted, &second)).unwrap();
    here.iter().zip(&there).for_each(|(a, b)| assert!((a - b).abs() < 1e-13, "{a} {b}"));
}

/// From the exponential forms, Rasmussen and Williams, eq. 4.16.
fn matern(order: MaternOrder, l: f64) -> Oracle {
    Box::new(move |x, y| {
        let z = squared(x, y, &[l]).scale(2.0 * order.nu()).sqrt();
        let z2 = z * z;
        let one = D4::of(1.0);
        let polynomial = match order {
            MaternOrder::FiveHalves => one + z + z2.scale(1.0 / 3.0),
            MaternOrder::SevenHalves => one + z + z2.scale(2.0 / 5.0) + (z2 * z).scale(1.0 / 15.0),
            MaternOrder::NineHalves => {
                one + z + z2.scale(3.0 / 7.0) + (z2 * z).scale(2.0 / 21.0) + (z2 * z2).scale(1.0 / 105.0)
            }
        };
        (-z).exp() * polynomial
    })
}

/// Expansion at coincident points, `1 − t/(2(ν−1)) + t²/(8(ν−1)(ν−2))` with `t = z²/2`: four derivatives at zero see nothing else.
fn matern_at_zero(nu: f64, l: f64) -> Oracle {
    Box::new(move |x, y| {
        let t = squared(x, y, &[l]).scale(nu);
        D4::of(1.0) - t.scale(0.5 / (nu - 1.0)) + (t * t).scale(0.125 / ((nu - 1.0) * (nu - 2.0)))
    })
}

#[test]
fn maternes() {
    for order in [MaternOrder::FiveHalves, MaternOrder::SevenHalves, MaternOrder::NineHalves] {
        for dim in 1..=3 {
            let kernel = MaternConfig::new(order, [0.7]).init(&device()).unwrap();
            assert!(compare(&kernel, dim, 1.0, &matern(order, 0.7), Some(&matern_at_zero(order.nu(), 0.7))));
        }
    }
}

#[test]
fn smoothness_is_checked() {
    let kernel = MaternConfig::new(MaternOrder::FiveHalves, [0.7]).init(&device()).unwrap();
    let points = Points::new(1, vec![0.0, 1.0]).unwrap();
    let third = Functional::uniform(&Operator::derivative(vec![3]), 2);
    let refused = tensor_block(&kernel, At::new(&points, &third), At::new(&points, &third));
    assert!(matches!(refused, Err(KernelError::Smoothness { have: 2, need: 3, .. })), "{refused:?}");
}

fn rational_quadratic(shape: f64, l: f64) -> Oracle {
    Box::new(move |x, y| (squared(x, y, &[l]).scale(0.5 / shape) + D4::of(1.0)).pow(-shape))
}

#[test]
fn rational_quadratics() {
    for shape in [0.4, 1.0, 7.5] {
        let kernel = RationalQuadraticConfig::new(shape, [0.7]).init(&device()).unwrap();
        assert!(compare(&kernel, 2, 1.0, &rational_quadratic(shape, 0.7), None));
    }
}

#[test]
fn polynomials_and_sums() {
    let d = &device();
    let polynomial = |x: &[D4], y: &[D4]| {
        let dot = x.iter().zip(y).fold(D4::of(0.3), |s, (a, b)| s + (*a * *b).scale(0.7));
        dot * dot * dot
    };
    let kernel = PolynomialConfig::new(0.7, 0.3, 3).init(d).unwrap();
    let oracle: Oracle = Box::new(polynomial);
    assert!(compare(&kernel, 2, 1.0, &oracle, None));
    // The additive kernel of the published elliptic experiment, and a product that only tensors take.
    let gaussian = |x: &[D4], y: &[D4]| squared(x, y, &[0.6]).scale(-0.5).exp();
    let scaled = Scaled::new(GaussianConfig::isotropic(0.6).init(d).unwrap(), 1.9, Transform::Log, d).unwrap();
    let sum: Oracle = Box::new(move |x, y| gaussian(x, y).scale(1.9) + polynomial(x, y));
    assert!(compare(&(scaled.clone() + kernel.clone()), 2, 1.0, &sum, None));
    let product: Oracle = Box::new(move |x, y| gaussian(x, y).scale(1.9) * polynomial(x, y));
    assert!(!compare(&(scaled * kernel), 2, 1.0, &product, None));
}

fn gibbs(layers: Layers, divisor: f64) -> Oracle {
    Box::new(move |x, y| {
        let scales = |p: &[D4]| -> Vec<D4> {
            mlp(&layers, p, D4::tanh).iter().map(|v| v.softplus().scale(1.0 / divisor)).collect()
        };
        let (l, m) = (scales(x), scales(y));
        (0..x.len()).fold(D4::of(1.0), |k, i| {
            let (a, b) = (l[i % l.len()], m[i % m.len()]);
            let inverse = (a * a + b * b).recip();
            let r = x[i] - y[i];
            k * (a * b * inverse).scale(2.0).sqrt() * (-(r * r * inverse)).exp()
        })
    })
}

#[test]
fn gibbs_kernels() {
    let d = &device();
    for (dim, kind) in [
        (1, LengthScales::Isotropic),
        (2, LengthScales::Isotropic),
        (2, LengthScales::PerDimension),
        (3, LengthScales::PerDimension),
    ] {
        let outputs = if kind == LengthScales::Isotropic { 1 } else { dim };
        let layers = Rng(8).layers(&[dim, 6, 5, outputs]);
        let network = Network::from_weights(dim, &layers, Activation::Tanh, d).unwrap();
        let kernel = GibbsConfig::new(dim, kind, 1.3).with_network(network).unwrap();
        assert!(compare(&kernel, dim, 1.0, &gibbs(layers.clone(), 1.3), None));
        // One Gibbs factor among Gaussian ones stays in the fused family.
        let product = GaussianConfig::isotropic(0.9).init(d).unwrap() * kernel;
        let (left, right) = (gaussian(&[0.9], 0.5), gibbs(layers, 1.3));
        let oracle: Oracle = Box::new(move |x, y| left(x, y) * right(x, y));
        assert!(compare(&product, dim, 1.0, &oracle, None));
    }
}

#[test]
fn deep_kernels() {
    let d = &device();
    let activations: [(Activation, Elementwise); 4] = [
        (Activation::Tanh, D4::tanh),
        (Activation::Softplus, D4::softplus),
        (Activation::Sine, D4::sin),
        (Activation::Gelu, gelu),
    ];
    for (activation, function) in activations {
        let layers = Rng(9).layers(&[2, 5, 3]);
        let network = Network::from_weights(2, &layers, activation, d).unwrap();
        let kernel = Deep::new(network, GaussianConfig::isotropic(0.8).init(d).unwrap()).unwrap();
        let oracle: Oracle = Box::new(move |x, y| {
            squared(&mlp(&layers, x, function), &mlp(&layers, y, function), &[0.8]).scale(-0.5).exp()
        });
        assert!(compare(&kernel, 2, 1.0, &oracle, None));
    }
}

/// `x Φ(x)`; `Φ` and its derivatives through the error function's Maclaurin series, which converges everywhere.
fn gelu(x: D4) -> D4 {
    let mut sum = D4::of(0.0);
    let mut term = x;
    for n in 0..60 {
        sum = sum + term.scale(1.0 / (2 * n + 1) as f64);
        term = (term * x * x).scale(-0.5 / (n + 1) as f64);
    }
    x * (sum.scale((0.5 / std::f64::consts::PI).sqrt()) + D4::of(0.5))
}
