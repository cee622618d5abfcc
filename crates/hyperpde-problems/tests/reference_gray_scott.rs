//! The Gray-Scott reference against closed forms, an ODE, the equations themselves, and finer runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::PI;

use hyperpde_problems::reference::{GrayScott, GrayScottSolution, ReferenceError};

fn published(settings: GrayScott) -> GrayScottSolution {
    settings.solve(|x| -(3.0 * PI * x + PI / 2.0).sin(), |x| (2.0 * PI * x).cos()).unwrap()
}

fn scattered() -> Vec<f64> {
    (0..400)
        .flat_map(|i| [i as f64 / 399.0, (i as f64 * 0.618_033_988_75).fract()])
        .chain([0.0, 1.0, 1.0, 0.0])
        .collect()
}

fn max_gap(a: &[Vec<f64>; 2], b: &[Vec<f64>; 2]) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn without_v_the_equation_for_u_is_linear() {
    let settings = GrayScott { feed: 0.7, diffusion_u: 0.02, ..GrayScott::default() };
    let solution = settings.solve(|x| (3.0 * PI * x).cos(), |_| 0.0).unwrap();
    let points = scattered();
    let [u, v] = solution.evaluate(&points).unwrap();
    assert!(v.iter().all(|v| v.abs() < 1e-13));
    for (p, u) in points.chunks(2).zip(u) {
        let mode = (-(0.7 + 0.02 * 9.0 * PI * PI) * p[0]).exp() * (3.0 * PI * p[1]).cos();
        let exact = 1.0 - (-0.7 * p[0]).exp() + mode;
        assert!((u - exact).abs() < 1e-11, "{p:?}: {u} against {exact}");
    }
}

#[test]
fn constant_data_follow_the_reaction_ode() {
    let settings = GrayScott { feed: 0.3, kill: 0.2, ..GrayScott::default() };
    let solution = settings.solve(|_| 0.9, |_| 1.4).unwrap();
    let slope = |[u, v]: [f64; 2]| [-u * v * v + 0.3 * (1.0 - u), u * v * v - 0.5 * v];
    let mut w = [0.9, 1.4];
    let n = 20_000;
    let h = 1.0 / n as f64;
    for _ in 0..n {
        let shifted = |k: [f64; 2], s: f64| [w[0] + s * k[0], w[1] + s * k[1]];
        let a = slope(w);
        let b = slope(shifted(a, 0.5 * h));
        let c = slope(shifted(b, 0.5 * h));
        let d = slope(shifted(c, h));
        w = [0, 1].map(|i| w[i] + h / 6.0 * (a[i] + 2.0 * b[i] + 2.0 * c[i] + d[i]));
    }
    let [u, v] = solution.evaluate(&[1.0, 0.123, 1.0, 0.9]).unwrap();
    for i in 0..2 {
        assert!((u[i] - w[0]).abs() < 1e-11 && (v[i] - w[1]).abs() < 1e-11, "{} {} against {w:?}", u[i], v[i]);
    }
}

#[test]
fn the_published_equations_hold() {
    let solution = published(GrayScott::default());
    let h = 2e-3;
    for (t, x) in [(0.1, 0.2), (0.333, 0.71), (0.5, 0.5), (0.87, 0.05), (0.95, 0.93)] {
        let line = |dt: f64, dx: f64| -> [Vec<f64>; 2] {
            let points: Vec<f64> = (-2..=2).flat_map(|k| [t + k as f64 * dt, x + k as f64 * dx]).collect();
            solution.evaluate(&points).unwrap()
        };
        let (in_time, in_space) = (line(h, 0.0), line(0.0, h));
        let slope = |f: &[f64]| (f[0] - 8.0 * f[1] + 8.0 * f[3] - f[4]) / (12.0 * h);
        let curvature = |f: &[f64]| (-f[0] + 16.0 * f[1] - 30.0 * f[2] + 16.0 * f[3] - f[4]) / (12.0 * h * h);
        let (u, v) = (in_space[0][2], in_space[1][2]);
        let first = slope(&in_time[0]) - 1e-3 * curvature(&in_space[0]) + u * v * v - 0.04 * (1.0 - u);
        let second = slope(&in_time[1]) - 2e-3 * curvature(&in_space[1]) - u * v * v + 0.1 * v;
        assert!(first.abs() < 1e-7 && second.abs() < 1e-7, "({t}, {x}): {first:e}, {second:e}");
    }
}

#[test]
fn fourth_order_in_time_and_accurate_as_stated() {
    let points = scattered();
    let default = published(GrayScott::default());
    let truth = published(GrayScott { modes: 512, steps: 4000, ..GrayScott::default() }).evaluate(&points).unwrap();
    assert!(default.accuracy() < 1e-11, "{:e}", default.accuracy());
    assert!(max_gap(&default.evaluate(&points).unwrap(), &truth) < 1e-11);

    let errors = [20, 40, 80].map(|steps| {
        let coarse = published(GrayScott { steps, ..GrayScott::default() });
        // At the steps themselves, so that the interpolation in time has no part in it.
        let at_end: Vec<f64> = (0..50).flat_map(|i| [1.0, i as f64 / 49.0]).collect();
        let gap = max_gap(&coarse.evaluate(&at_end).unwrap(), &default.evaluate(&at_end).unwrap());
        assert!(gap < coarse.accuracy(), "{steps} steps: {gap:e} beyond {:e}", coarse.accuracy());
        gap
    });
    for pair in errors.windows(2) {
        let order = (pair[0] / pair[1]).log2();
        assert!((3.7..4.5).contains(&order), "order {order}, errors {errors:?}");
    }
}

#[test]
fn data_with_slope_at_the_ends_are_solved_with_an_honest_accuracy() {
    let settings = GrayScott { modes: 64, ..GrayScott::default() };
    let rough = settings.solve(|x| x, |x| x * x).unwrap();
    let finer = GrayScott { modes: 512, ..settings }.solve(|x| x, |x| x * x).unwrap();
    let points = scattered();
    let gap = max_gap(&rough.evaluate(&points).unwrap(), &finer.evaluate(&points).unwrap());
    assert!(rough.accuracy() > 1e-4 && gap < rough.accuracy() * 1.5, "{gap:e} against {:e}", rough.accuracy());
}

#[test]
fn initial_data_and_flat_ends_are_reproduced() {
    let solution = published(GrayScott::default());
    let start: Vec<f64> = (0..=30).flat_map(|i| [0.0, i as f64 / 30.0]).collect();
    let [u, v] = solution.evaluate(&start).unwrap();
    for (i, p) in start.chunks(2).enumerate() {
        assert!((u[i] + (3.0 * PI * p[1]).cos()).abs() < 1e-13 && (v[i] - (2.0 * PI * p[1]).cos()).abs() < 1e-13);
    }
    let h = 1e-4;
    let [u, _] = solution.evaluate(&[0.6, 0.0, 0.6, h, 0.6, 1.0, 0.6, 1.0 - h]).unwrap();
    // An even function changes by O(h²) only.
    assert!((u[1] - u[0]).abs() < 1e-5 && (u[3] - u[2]).abs() < 1e-5);
}

#[test]
fn bad_input_is_refused() {
    let ok = GrayScott::default();
    let zero = |_: f64| 0.0;
    let bad = [
        (GrayScott { diffusion_u: 0.0, ..ok }, "diffusion_u"),
        (GrayScott { diffusion_v: f64::NAN, ..ok }, "diffusion_v"),
        (GrayScott { feed: -1.0, ..ok }, "feed"),
        (GrayScott { kill: f64::INFINITY, ..ok }, "kill"),
        (GrayScott { modes: 4, ..ok }, "modes"),
        (GrayScott { steps: 0, ..ok }, "steps"),
    ];
    for (settings, parameter) in bad {
        let error = settings.solve(zero, zero).unwrap_err();
        assert!(matches!(error, ReferenceError::Parameter { name, .. } if name == parameter), "{error}");
    }
    let error = ok.solve(zero, |x| 1.0 / (x - x)).unwrap_err();
    assert!(matches!(error, ReferenceError::Data { name: "initial v", .. }), "{error}");
    let error = ok.solve(|_| -1e6, |x| 1e4 * x).unwrap_err();
    assert!(matches!(error, ReferenceError::NotFinite { .. }), "{error}");
    let error = ok.solve(zero, zero).unwrap().evaluate(&[1.2, 0.5]).unwrap_err();
    assert!(matches!(error, ReferenceError::OutsideDomain { point: 0, coordinate: 0, .. }), "{error}");
}
