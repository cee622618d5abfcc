//! The fused pair stage by itself: triangles, traces, adding to a block, gradients by features, and what it declines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Rng;
use common::case::Case;
use hyperpde_kernels::conformance::{At, fused_block, tensor_block, tensor_diagonal, tensor_gradient};
use hyperpde_kernels::fused::{self, FeatureData, FunctionalSet, Pair, Target, Tile};
use hyperpde_kernels::gram::Functional;
use hyperpde_kernels::*;

fn full(x: &FunctionalSet<'_>, y: &FunctionalSet<'_>) -> Vec<f64> {
    let mut k = vec![0.0; x.len() * y.len()];
    let pair = Pair { x, y, lower: false };
    pair.forward(Target { data: &mut k, ld: y.len(), row: 0, column: 0, add: false });
    k
}

fn close(a: f64, b: f64, scale: f64) {
    assert!((a - b).abs() <= 1e-12 * scale, "{a} {b}");
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m, x| m.max(x.abs()))
}

/// Kernels for every kind of component, and a sum of several.
fn each(test: impl Fn(AnyKernel)) {
    let d = &Backend::available()[0].device().unwrap();
    let gaussian = || -> AnyKernel { GaussianConfig::ard([0.6, 0.9]).init(d).unwrap().into() };
    let polynomial = || -> AnyKernel { PolynomialConfig::new(0.5, 0.4, 2).init(d).unwrap().into() };
    let gibbs = |kind| -> AnyKernel { GibbsConfig::new(2, kind, 0.9).with_hidden([4]).init(2, d).unwrap().into() };
    test(gaussian());
    test(gibbs(LengthScales::Isotropic));
    test(gibbs(LengthScales::PerDimension));
    test(MaternConfig::new(MaternOrder::FiveHalves, [0.8]).init(d).unwrap().into());
    test(RationalQuadraticConfig::new(1.3, [0.8]).init(d).unwrap().into());
    test(polynomial());
    test((AnyKernel::from(gaussian() + polynomial()) + gibbs(LengthScales::PerDimension)).into());
}

#[test]
fn lower_blocks_and_adding() {
    each(|kernel| {
        let case = Case::new(&kernel, 2, 21, 1);
        let data = case.data();
        let set = case.set(&data);
        let n = set.len();
        let all = full(&set, &set);
        let scale = largest(&all);
        // A lower block inside a larger matrix, added to what is there.
        let ld = n + 3;
        let mut k = vec![1.0; ld * (n + 2)];
        Pair { x: &set, y: &set, lower: true }.forward(Target { data: &mut k, ld, row: 2, column: 1, add: true });
        for column in 0..n {
            for row in column..n {
                close(k[(column + 1) * ld + row + 2] - 1.0, all[column * n + row], scale);
                close(all[column * n + row], all[row * n + column], scale);
            }
        }
        let outside = (0..ld * (n + 2)).filter(|at| !((1..=n).contains(&(at / ld)) && (2..n + 2).contains(&(at % ld))));
        outside.for_each(|at| assert_eq!(k[at], 1.0));
    });
}

#[test]
fn traces() {
    each(|kernel| {
        let case = Case::new(&kernel, 2, 19, 2);
        let data = case.data();
        let set = case.set(&data);
        let weights = Rng(5).vec(set.len());
        let (value, rows) = set.trace(&weights);
        let diagonal = tensor_diagonal(&kernel, At::new(&case.points, &case.functional), &case.functional).unwrap();
        let expected: f64 = diagonal.iter().zip(&weights).map(|(d, w)| d * w).sum();
        close(value, expected, diagonal.iter().zip(&weights).map(|(d, w)| (d * w).abs()).sum());
        assert_eq!(rows.len(), set.gradient_len());
        let mut gradient = data.zeros();
        set.chain(&rows, &mut gradient);
        against_differences(&case, &gradient, |set| set.trace(&weights).0);
    });
}

#[test]
fn adjoints() {
    each(|kernel| {
        let case = Case::new(&kernel, 2, 19, 3);
        let data = case.data();
        let set = case.set(&data);
        let n = set.len();
        let (u, v, s, t) = (Rng(6).vec(n), Rng(7).vec(n), Rng(8).vec(n), Rng(9).vec(n));
        let bilinear = |set: &FunctionalSet<'_>| -> f64 {
            let k = full(set, set);
            (0..n * n).map(|at| k[at] * (u[at % n] * v[at / n] + s[at % n] * t[at / n])).sum()
        };
        let chained = |(gx, gy): (Vec<f64>, Vec<f64>)| {
            let mut gradient = data.zeros();
            set.chain(&gx, &mut gradient);
            set.chain(&gy, &mut gradient);
            gradient
        };
        let whole = chained(Pair { x: &set, y: &set, lower: false }.adjoint(&[(&u, &v), (&s, &t)]));
        against_differences(&case, &whole, bilinear);
        // Entries below the diagonal stand for both triangles of Σ u_i K_ij v_j.
        let symmetric = |set: &FunctionalSet<'_>| -> f64 {
            let k = full(set, set);
            let pairs = (0..n).flat_map(|j| (j..n).map(move |i| (i, j)));
            pairs.map(|(i, j)| k[j * n + i] * (u[i] * v[j] + u[j] * v[i]) * if i == j { 0.5 } else { 1.0 }).sum()
        };
        let lower = chained(Pair { x: &set, y: &set, lower: true }.adjoint(&[(&u, &v), (&v, &u)]));
        against_differences(&case, &lower, symmetric);
    });
}

/// Gradient rows of a block, both sides one after the other.
fn rows(set: &FunctionalSet<'_>, lower: bool, terms: &[(&[f64], &[f64])]) -> Vec<f64> {
    let (mut x, y) = Pair { x: set, y: set, lower }.adjoint(terms);
    x.extend(y);
    x
}

fn all_close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    let scale = largest(a).max(largest(b));
    a.iter().zip(b).for_each(|(a, b)| close(*a, *b, scale));
}

#[test]
fn any_number_of_terms() {
    each(|kernel| {
        let case = Case::new(&kernel, 2, 19, 4);
        let data = case.data();
        let set = case.set(&data);
        let n = set.len();
        let vectors: Vec<Vec<f64>> = (0..10).map(|k| Rng(20 + k).vec(n)).collect();
        let term = |k: usize| (&vectors[2 * k][..], &vectors[2 * k + 1][..]);
        for count in [0, 1, 3, 5] {
            let terms: Vec<_> = (0..count).map(term).collect();
            let mut sum = vec![0.0; 2 * set.gradient_len()];
            for one in &terms {
                sum.iter_mut().zip(rows(&set, false, &[*one])).for_each(|(s, v)| *s += v);
            }
            all_close(&rows(&set, false, &terms), &sum);
        }
        let three: Vec<_> = (0..3).map(term).collect();
        let (gx, gy) = Pair { x: &set, y: &set, lower: false }.adjoint(&three);
        let mut gradient = data.zeros();
        set.chain(&gx, &mut gradient);
        set.chain(&gy, &mut gradient);
        against_differences(&case, &gradient, |set| {
            let k = full(set, set);
            let cotangent = |at: usize| three.iter().map(|(l, r)| l[at % n] * r[at / n]).sum::<f64>();
            (0..n * n).map(|at| k[at] * cotangent(at)).sum()
        });
    });
}

#[test]
fn dense_cotangents() {
    each(|kernel| {
        let (one, two) = (Case::new(&kernel, 2, 19, 5), Case::new(&kernel, 2, 13, 6));
        let (data, other) = (one.data(), two.data());
        let (y, x) = (one.set(&data), two.set(&other));
        let (m, n) = (y.len(), x.len());
        // Inside a larger matrix whose other entries would be seen.
        let (ld, row, column) = (m + 5, 3, 2);
        let mut matrix = vec![f64::NAN; ld * (n + 3)];
        for j in 0..n {
            matrix[row + (column + j) * ld..][..m].copy_from_slice(&Rng(40 + j as u64).vec(m));
        }
        let tile = Tile { data: &matrix, ld, row, column };
        let pair = Pair { x: &x, y: &y, lower: false };
        let (gx, gy) = pair.adjoint_dense(tile);
        // A matrix is the sum of its columns times those of the identity.
        let unit = |j: usize| -> Vec<f64> { (0..n).map(|k| if k == j { 1.0 } else { 0.0 }).collect() };
        let units: Vec<Vec<f64>> = (0..n).map(unit).collect();
        let columns: Vec<(&[f64], &[f64])> =
            (0..n).map(|j| (&matrix[row + (column + j) * ld..][..m], &units[j][..])).collect();
        let (ex, ey) = pair.adjoint(&columns);
        all_close(&gx, &ex);
        all_close(&gy, &ey);
        let mut gradient = data.zeros();
        y.chain(&gy, &mut gradient);
        against_differences(&one, &gradient, |y| {
            full(&x, y).iter().enumerate().map(|(at, k)| k * matrix[row + at % m + (column + at / m) * ld]).sum()
        });
        let mut gradient = other.zeros();
        x.chain(&gx, &mut gradient);
        against_differences(&two, &gradient, |x| {
            full(x, &y).iter().enumerate().map(|(at, k)| k * matrix[row + at % m + (column + at / m) * ld]).sum()
        });
    });
}

#[test]
fn dense_cotangents_of_a_triangle() {
    each(|kernel| {
        let case = Case::new(&kernel, 2, 19, 7);
        let data = case.data();
        let set = case.set(&data);
        let n = set.len();
        let (u, v) = (Rng(60).vec(n), Rng(61).vec(n));
        // Above the diagonal nothing is read.
        let entry = |i: usize, j: usize| if i < j { f64::NAN } else { u[i] * v[j] + v[i] * u[j] };
        let matrix: Vec<f64> = (0..n * n).map(|at| entry(at % n, at / n)).collect();
        let tile = Tile { data: &matrix, ld: n, row: 0, column: 0 };
        let (mut got, gy) = Pair { x: &set, y: &set, lower: true }.adjoint_dense(tile);
        got.extend(gy);
        all_close(&got, &rows(&set, true, &[(&u, &v), (&v, &u)]));
        let mut gradient = data.zeros();
        got.chunks(set.gradient_len()).for_each(|side| set.chain(side, &mut gradient));
        against_differences(&case, &gradient, |set| {
            let k = full(set, set);
            let half = |i: usize, j: usize| if i == j { 0.5 } else { 1.0 };
            let pairs = (0..n).flat_map(|j| (j..n).map(move |i| (i, j)));
            pairs.map(|(i, j)| half(i, j) * matrix[i + j * n] * k[i + j * n]).sum()
        });
    });
}

/// Compares a gradient by the features with central differences along random directions.
fn against_differences(case: &Case, gradient: &FeatureData, value: impl Fn(&FunctionalSet<'_>) -> f64) {
    let mut flat = Vec::new();
    gradient.write(&mut flat);
    assert_eq!(flat.len(), case.key.len());
    for seed in 0..4 {
        let direction = Rng(100 + seed).vec(flat.len());
        let at = |h: f64| {
            let moved: Vec<f64> = case.flat.iter().zip(&direction).map(|(f, d)| f + h * d).collect();
            let data = case.key.read(&moved);
            value(&case.set(&data))
        };
        let h = 1e-4;
        let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
        let slope: f64 = flat.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let scale: f64 = flat.iter().zip(&direction).map(|(g, d)| (g * d).abs()).sum();
        assert!(
            (slope - difference).abs() <= 1e-8 * scale,
            "slope {slope:e}, differences {difference:e}, scale {scale:e}"
        );
    }
}

/// Every fused kernel with length scales about `l`.
fn with_length_scale(l: f64) -> Vec<AnyKernel> {
    let d = &Backend::available()[0].device().unwrap().autodiff();
    let gaussian = || -> AnyKernel { GaussianConfig::isotropic(l).init(d).unwrap().into() };
    let periodic = || -> AnyKernel { PeriodicConfig::new([None, Some(2.0)], [l, 1.2 * l]).init(d).unwrap().into() };
    let gibbs = |kind| -> AnyKernel { GibbsConfig::new(2, kind, 0.7 / l).with_hidden([4]).init(2, d).unwrap().into() };
    let network = NetworkConfig::new(2, [4], 2).init(3, d).unwrap();
    let polynomial = PolynomialConfig::new(0.5, 0.4, 2).init(d).unwrap();
    let mut all = vec![
        gaussian(),
        GaussianConfig::ard([l, 1.3 * l]).init(d).unwrap().into(),
        periodic(),
        gibbs(LengthScales::Isotropic),
        gibbs(LengthScales::PerDimension),
        RationalQuadraticConfig::new(1.3, [l]).init(d).unwrap().into(),
        (gaussian() * periodic()).into(),
        (gaussian() + AnyKernel::from(polynomial)).into(),
        Deep::new(network, gaussian()).unwrap().into(),
    ];
    for order in [MaternOrder::FiveHalves, MaternOrder::SevenHalves, MaternOrder::NineHalves] {
        all.push(MaternConfig::new(order, [l]).init(d).unwrap().into());
    }
    all
}

#[test]
fn equal_to_tensors_at_extreme_length_scales() {
    for l in [1e-3, 3e-2, 30.0, 1e3] {
        for kernel in with_length_scale(l) {
            let (dim, n) = (2, 12);
            let mut rng = Rng(4);
            // Of the second set a third coincides with the first, a third is about a length scale away, the rest is anywhere.
            let x = Points::new(dim, rng.vec(n * dim)).unwrap();
            let shift = rng.vec(n * dim);
            let y = x.as_slice().iter().zip(&shift).enumerate().map(|(i, (v, s))| match i / dim % 3 {
                0 => *v,
                1 => v + l.min(1.0) * s,
                _ => *s,
            });
            let y = Points::new(dim, y.collect()).unwrap();
            let functional = |rng: &mut Rng| {
                let mut f = Functional::default();
                f.add(&Operator::identity(dim), &rng.vec(n));
                for i in 0..dim {
                    f.add(&Operator::partial(dim, i), &rng.vec(n));
                    f.add(&Operator::second(dim, i), &rng.vec(n));
                }
                f
            };
            let (f, g) = (functional(&mut rng), functional(&mut rng));
            let (left, right) = (rng.vec(n), rng.vec(n));
            let (at_x, at_y) = (At::new(&x, &f), At::new(&y, &g));
            let fused = fused_block(&kernel, at_x, at_y, &left, &right).unwrap().unwrap();
            let values = tensor_block(&kernel, at_x, at_y).unwrap();
            let slopes = tensor_gradient(&kernel, at_x, at_y, &left, &right).unwrap();
            let off = |a: &[f64], b: &[f64]| {
                let worst = a.iter().zip(b).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
                worst / largest(a)
            };
            let (v, s) = (off(&values, &fused.values), off(&slopes, &fused.gradient));
            println!("{} at {l:.0e}: values {v:.1e}, gradients {s:.1e}", kernel.name());
            assert!(v <= 1e-12 && s <= 1e-10, "{} at {l:.0e}: values {v:.1e}, gradients {s:.1e}", kernel.name());
        }
    }
}

#[test]
fn what_the_fused_stage_declines() {
    let form = PairForm::exponential(GibbsChannels::PerDimension, 0);
    let plain = JetSpace::of_operators(2, [&Operator::laplacian(2)]);
    assert!(fused::supports(form, 2, &plain));
    let mixed = JetSpace::covering(2, [&vec![1, 1]]);
    let third = JetSpace::covering(2, [&vec![3, 0]]);
    assert!(!fused::supports(form, 2, &mixed) && !fused::supports(form, 2, &third));
    assert!(!fused::supports(form, 4, &JetSpace::covering(4, [])));
    assert!(!fused::supports(PairForm::exponential(GibbsChannels::None, 65), 2, &plain));
    assert!(!fused::supports(PairForm::of_profile(Profile::Power(2), 0), 2, &plain));
    // More components than a form holds, products that leave the family.
    let power = PairForm::of_profile(Profile::Power(2), 3);
    let two = form.sum(&power).unwrap();
    let four = two.sum(&two).unwrap();
    assert_eq!((four.components().len(), four.channels(2), four.amplitudes(2)), (4, 14, vec![0, 3, 7, 10]));
    assert!(four.sum(&power).is_none() && four.product(&form).is_none());
    assert!(form.product(&form).is_none() && form.product(&power).is_none());
    let device = Backend::available()[0].device().unwrap();
    let case = Case::new(&GaussianConfig::isotropic(1.0).init(&device).unwrap(), 2, 3, 1);
    let data = case.data();
    let wrong = FunctionalSet::new(form, &Points::new(2, vec![0.0; 8]).unwrap(), &case.coefficients, &data);
    assert!(matches!(wrong, Err(KernelError::Shape { .. })));
    let empty = PairForm::of_profile(Profile::RationalQuadratic, 0);
    let refused = FunctionalSet::new(empty, &case.points, &case.coefficients, &data);
    assert!(matches!(refused, Err(KernelError::Setting { .. })));
}
