//! The Cole-Hopf reference against Gauss-Hermite quadrature, Cole's series, the equation itself, and characteristics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::PI;

use hyperpde_kernels::Points;
use hyperpde_pde::{PdeError, Reference};
use hyperpde_problems::{Burgers, ColeHopf};

/// Nodes and logarithms of the weights of `∫ f(x) exp(−x²) dx`.
///
/// The orthonormal Hermite polynomials of degree below `n` form a Sturm sequence at `x`, so their sign changes count
/// the roots above `x`: bisection finds each root, and the weight is `1 / Σ_k h_k(x)²` (Christoffel).
fn gauss_hermite(n: usize) -> Vec<(f64, f64)> {
    let polynomials = |x: f64| -> Vec<f64> {
        let mut h = vec![PI.powf(-0.25)];
        for k in 1..=n {
            let below = if k > 1 { h[k - 2] * (((k - 1) as f64) / k as f64).sqrt() } else { 0.0 };
            h.push(h[k - 1] * x * (2.0 / k as f64).sqrt() - below);
        }
        h
    };
    let roots_above = |x: f64| polynomials(x).windows(2).filter(|w| (w[0] < 0.0) != (w[1] < 0.0)).count();
    let bound = (2.0 * n as f64 + 1.0).sqrt();
    (0..n)
        .map(|i| {
            let (mut low, mut high) = (-bound, bound);
            for _ in 0..80 {
                let middle = 0.5 * (low + high);
                if roots_above(middle) > i { low = middle } else { high = middle }
            }
            let x = 0.5 * (low + high);
            (x, -polynomials(x)[..n].iter().map(|h| h * h).sum::<f64>().ln())
        })
        .collect()
}

fn by_gauss_hermite(rule: &[(f64, f64)], nu: f64, t: f64, x: f64) -> f64 {
    let y = |eta: f64| PI * (x - (4.0 * nu * t).sqrt() * eta);
    let exponent = |&(eta, log_w): &(f64, f64)| log_w - y(eta).cos() / (2.0 * PI * nu);
    let peak = rule.iter().map(exponent).fold(f64::NEG_INFINITY, f64::max);
    let sum = |f: &dyn Fn(f64) -> f64| rule.iter().map(|q| f(q.0) * (exponent(q) - peak).exp()).sum::<f64>();
    -sum(&|eta| y(eta).sin()) / sum(&|_| 1.0)
}

fn value(reference: &ColeHopf, t: f64, x: f64) -> f64 {
    reference.evaluate(&Points::new(2, vec![t, x]).unwrap()).unwrap()[0][0]
}

#[test]
fn gauss_hermite_integrates_moments() {
    let rule = gauss_hermite(80);
    let moment = |p: i32| rule.iter().map(|(x, log_w)| x.powi(p) * log_w.exp()).sum::<f64>() / PI.sqrt();
    for (p, exact) in [(0, 1.0), (2, 0.5), (4, 0.75), (6, 1.875), (8, 6.5625)] {
        assert!((moment(p) - exact).abs() < 1e-12 * exact, "moment {p}: {}", moment(p));
    }
    assert!(moment(3).abs() < 1e-13);
}

#[test]
fn agrees_with_gauss_hermite_on_the_test_grid() {
    // 80 nodes are themselves in error by 1.6e-13; 120 nodes are not.
    let problem = Burgers::default().problem().unwrap();
    let points = problem.test_grid().points();
    let reference = problem.reference().unwrap();
    let u = reference.evaluate(points).unwrap();
    for (nodes, tolerance) in [(80, 3e-13), (120, 2e-14)] {
        let rule = gauss_hermite(nodes);
        let worst = points
            .rows()
            .zip(&u[0])
            .map(|(p, v)| (by_gauss_hermite(&rule, 0.02, p[0], p[1]) - v).abs())
            .fold(0.0, f64::max);
        assert!(worst < tolerance, "{nodes} nodes: {worst:e}");
    }
    assert!(reference.accuracy() < 1e-13);
}

/// Cole's series: `u = −2ν φ_x/φ` with `φ = I_0(z) + 2 Σ_n (−1)^n I_n(z) exp(−ν n²π² t) cos(nπx)`, `z = 1/(2πν)`. It
/// cancels badly for small viscosities and is exact to rounding for large ones.
fn by_series(nu: f64, t: f64, x: f64) -> f64 {
    let z = 1.0 / (2.0 * PI * nu);
    let bessel = |n: i32| -> f64 {
        let mut term = (1..=n).map(|k| 0.5 * z / f64::from(k)).product::<f64>();
        let mut sum = term;
        for k in 1..60 {
            term *= 0.25 * z * z / f64::from(k * (k + n));
            sum += term;
        }
        sum
    };
    let (mut phi, mut slope) = (bessel(0), 0.0);
    for n in 1..40 {
        let w = f64::from(n) * PI;
        let a = 2.0 * (-1.0_f64).powi(n) * bessel(n) * (-nu * w * w * t).exp();
        phi += a * (w * x).cos();
        slope -= a * w * (w * x).sin();
    }
    -2.0 * nu * slope / phi
}

/// Largest difference of the reference to another solution on a coarse grid.
fn worst_difference(nu: f64, other: impl Fn(f64, f64) -> f64) -> f64 {
    let reference = ColeHopf::new(nu).unwrap();
    let mut worst = 0.0_f64;
    for i in 0..=10 {
        for j in 0..=20 {
            let (t, x) = (0.1 * f64::from(i), -1.0 + 0.1 * f64::from(j));
            worst = worst.max((other(t, x) - value(&reference, t, x)).abs());
        }
    }
    worst
}

#[test]
fn agrees_with_gauss_hermite_at_a_smaller_viscosity() {
    let rule = gauss_hermite(250);
    let worst = worst_difference(0.005, |t, x| by_gauss_hermite(&rule, 0.005, t, x));
    assert!(worst < 1e-14, "{worst:e}");
}

#[test]
fn agrees_with_the_series_at_larger_viscosities() {
    for nu in [0.1, 0.3, 1.0, 10.0, 1e3] {
        let worst = worst_difference(nu, |t, x| by_series(nu, t, x));
        assert!(worst <= ColeHopf::new(nu).unwrap().accuracy(), "nu = {nu}: {worst:e}");
    }
}

#[test]
fn satisfies_the_equation() {
    let nu = 0.02;
    let reference = ColeHopf::new(nu).unwrap();
    // Eighth-order differences: the shock is 2ν wide.
    let (first, second) = ([0.8, -0.2, 4.0 / 105.0, -1.0 / 280.0], [1.6, -0.2, 8.0 / 315.0, -1.0 / 560.0]);
    let h = 2e-3;
    let slope = |f: &dyn Fn(f64) -> f64| {
        (0..4).map(|k| first[k] * (f((k + 1) as f64 * h) - f(-((k + 1) as f64) * h))).sum::<f64>() / h
    };
    for (t, x) in [(0.1, 0.3), (0.3, -0.05), (0.5, 0.02), (0.7, 0.0), (0.9, -0.6), (0.99, 0.01)] {
        let u = |dt: f64, dx: f64| value(&reference, t + dt, x + dx);
        let u0 = u(0.0, 0.0);
        let u_t = slope(&|d| u(d, 0.0));
        let u_x = slope(&|d| u(0.0, d));
        let curvature: f64 =
            (0..4).map(|k| second[k] * (u(0.0, (k + 1) as f64 * h) + u(0.0, -((k + 1) as f64) * h) - 2.0 * u0)).sum();
        let residual = u_t + u0 * u_x - nu * curvature / (h * h);
        assert!(residual.abs() < 1e-7 * (1.0 + u_x.abs()), "at ({t}, {x}): {residual:e}, slope {u_x}");
    }
}

#[test]
fn meets_initial_and_boundary_values() {
    for nu in [1e-6, 1e-3, 0.02, 1.0, 1e3] {
        let reference = ColeHopf::new(nu).unwrap();
        let bound = reference.accuracy();
        for j in 0..=20 {
            let x = -1.0 + 0.1 * f64::from(j);
            assert!((value(&reference, 0.0, x) + (PI * x).sin()).abs() <= bound, "nu = {nu}, x = {x}");
        }
        for t in [0.0, 0.01, 0.5, 1.0] {
            assert!(
                value(&reference, t, 1.0).abs() <= bound && value(&reference, t, -1.0).abs() <= bound,
                "nu = {nu}, t = {t}"
            );
            let (left, right) = (value(&reference, t, -0.3), value(&reference, t, 0.3));
            assert!((left + right).abs() <= bound, "odd in x");
        }
    }
}

#[test]
fn small_viscosity_follows_the_characteristics() {
    // Before t = 1/π there is no shock and u = −sin(π(x − u t)) up to O(ν).
    let (t, nu) = (0.2, 1e-5);
    let reference = ColeHopf::new(nu).unwrap();
    for x in [-0.9, -0.5, -0.2, 0.1, 0.4, 0.8] {
        let mut u = 0.0;
        for _ in 0..200 {
            u -= 0.5 * (u + (PI * (x - u * t)).sin());
        }
        assert!((value(&reference, t, x) - u).abs() < 1e-3, "x = {x}: {} vs {u}", value(&reference, t, x));
    }
    // After it the jump at x = 0 is between ±u* with u* = sin(π u* t) (Rankine-Hugoniot, by symmetry).
    let shock = value(&reference, 1.0, -1e-3);
    assert!((shock - (PI * (1e-3 + shock)).sin()).abs() < 1e-3, "{shock}");
    assert!(shock > 0.7);
}

#[test]
fn large_viscosity_decays_like_the_heat_equation() {
    let (nu, t) = (10.0, 0.01);
    let reference = ColeHopf::new(nu).unwrap();
    for x in [-0.7, 0.2, 0.5] {
        let heat = -(PI * x).sin() * (-nu * PI * PI * t).exp();
        // The nonlinear correction is of relative order u/(ν π).
        assert!((value(&reference, t, x) - heat).abs() < 2e-2 * heat.abs());
    }
}

#[test]
fn bad_input_is_refused() {
    for nu in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-7] {
        assert!(matches!(Burgers::new(nu), Err(PdeError::Setting { .. })));
        assert!(matches!(ColeHopf::new(nu), Err(PdeError::Setting { .. })));
    }
    let reference = ColeHopf::new(0.02).unwrap();
    let line = Points::new(1, vec![0.5]).unwrap();
    assert!(matches!(reference.evaluate(&line), Err(PdeError::Shape { .. })));
    let before = Points::new(2, vec![-0.1, 0.5]).unwrap();
    assert!(matches!(reference.evaluate(&before), Err(PdeError::Reference { .. })));
}

#[test]
fn published_setup() {
    let problem = Burgers::default().problem().unwrap();
    assert_eq!(problem.domain().names(), ["t", "x"]);
    assert_eq!(problem.test_grid().shape(), [60, 60]);
    assert_eq!(problem.boundary_allotment(300).unwrap(), [100, 100, 100]);
    let names: Vec<String> = problem.patches().iter().map(|p| p.name().to_owned()).collect();
    assert_eq!(names, ["t = 0", "x = 1", "x = -1"]);
    let d = problem.defaults();
    assert_eq!((d.gauss_newton_steps, d.learning_rate, d.nugget, d.batch), (20, 1e-3, 1e-10, 200));
}
