//! The Schrödinger reference against a closed form, its conservation law, and finer runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_problems::reference::{ReferenceError, Schrodinger, SchrodingerSolution, initial_sech};

/// Solution on the whole line with `h(0, x) = 2 sech x`: the two-soliton breather (Satsuma and Yajima 1974).
fn breather(t: f64, x: f64) -> [f64; 2] {
    let scale = 4.0 / ((4.0 * x).cosh() + 4.0 * (2.0 * x).cosh() + 3.0 * (4.0 * t).cos());
    let (one, three) = (x.cosh(), (3.0 * x).cosh());
    // exp(it/2) (cosh 3x + 3 exp(4it) cosh x)
    let re = three * (0.5 * t).cos() + 3.0 * one * (4.5 * t).cos();
    let im = three * (0.5 * t).sin() + 3.0 * one * (4.5 * t).sin();
    [scale * re, scale * im]
}

fn points(times: usize, positions: usize, half_width: f64) -> Vec<f64> {
    let at = |i: usize, n: usize| i as f64 / (n - 1) as f64;
    (0..times)
        .flat_map(|i| (0..positions).flat_map(move |j| [at(i, times), half_width * (2.0 * at(j, positions) - 1.0)]))
        .collect()
}

fn max_gap(a: &[Vec<f64>; 2], b: &[Vec<f64>; 2]) -> f64 {
    (0..a[0].len()).map(|i| (a[0][i] - b[0][i]).hypot(a[1][i] - b[1][i])).fold(0.0, f64::max)
}

fn published(modes: usize, steps: usize) -> SchrodingerSolution {
    Schrodinger { modes, steps, ..Schrodinger::default() }.solve(initial_sech).unwrap()
}

#[test]
fn wide_domain_reproduces_the_breather_with_fourth_order() {
    let points = points(24, 81, 6.0);
    let exact: Vec<[f64; 2]> = points.chunks(2).map(|p| breather(p[0], p[1])).collect();
    let exact = [0, 1].map(|f| exact.iter().map(|h| h[f]).collect::<Vec<_>>());
    let errors = [50, 100, 200, 2000].map(|steps| {
        let settings = Schrodinger { half_width: 24.0, end_time: 1.0, modes: 1280, steps };
        max_gap(&settings.solve(initial_sech).unwrap().evaluate(&points).unwrap(), &exact)
    });
    assert!(errors[3] < 1e-9, "{errors:?}");
    for pair in errors[..3].windows(2) {
        let order = (pair[0] / pair[1]).log2();
        assert!((3.7..4.6).contains(&order), "order {order}, errors {errors:?}");
    }
}

#[test]
fn published_accuracy_is_as_stated() {
    let default = Schrodinger::default().solve(initial_sech).unwrap();
    assert!((2.3e-5..2.5e-5).contains(&default.accuracy()), "{:e}", default.accuracy());
    // Half its resolution against it: the stated number covers the worst point, and away from t = 0 it is pessimistic.
    let half = published(2048, 1000);
    assert!(
        (half.accuracy() / default.accuracy() - 2.0).abs() < 0.05,
        "first order at the kink: {:e}",
        half.accuracy()
    );
    let later: Vec<f64> = points(38, 120, 5.0).chunks(2).filter(|p| p[0] > 0.0).flatten().copied().collect();
    let gap = max_gap(&half.evaluate(&later).unwrap(), &default.evaluate(&later).unwrap());
    assert!(gap < 4e-6, "{gap:e}");
}

#[test]
fn published_table_resolution_has_the_published_error_floor() {
    // 128 modes against 512 on the 101 x 128 table.
    let table: Vec<f64> = (0..=100)
        .flat_map(|i| (0..128).flat_map(move |j| [i as f64 / 100.0, -5.0 + 10.0 * j as f64 / 128.0]))
        .collect();
    let (coarse, fine) = (published(128, 2000).modulus(&table).unwrap(), published(512, 2000).modulus(&table).unwrap());
    let gap = coarse.iter().zip(&fine).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!((1.5e-4..1.9e-4).contains(&gap), "{gap:e}");
}

#[test]
fn mass_is_conserved_and_the_ends_agree_at_any_time() {
    let solution = published(256, 1000);
    // |h|² has at most 512 modes: 640 equidistant points integrate it exactly.
    let mass = |t: f64| -> f64 {
        let circle: Vec<f64> = (0..640).flat_map(|j| [t, -5.0 + j as f64 / 64.0]).collect();
        solution.modulus(&circle).unwrap().iter().map(|m| m * m / 64.0).sum()
    };
    let initial = mass(0.0);
    assert!((initial - 8.0 * 5f64.tanh()).abs() < 1e-4, "{initial}");
    for t in [0.1, 0.123_456, 0.777_77, 1.0] {
        assert!((mass(t) / initial - 1.0).abs() < 1e-11, "t = {t}: {:e}", mass(t) / initial - 1.0);
        let [u, v] = solution.evaluate(&[t, -5.0, t, 5.0]).unwrap();
        assert!((u[0] - u[1]).abs() < 1e-12 && (v[0] - v[1]).abs() < 1e-12);
    }
}

#[test]
fn order_of_points_is_kept_and_times_between_steps_are_continuous() {
    let solution = published(256, 300);
    let mixed = [0.7, 0.1, 0.2, -0.4, 0.7, 1.3, 0.0, 0.5];
    let [u, v] = solution.evaluate(&mixed).unwrap();
    for (i, p) in mixed.chunks(2).enumerate() {
        let single = solution.evaluate(p).unwrap();
        assert_eq!([u[i], v[i]], [single[0][0], single[1][0]]);
    }
    let near = solution.evaluate(&[0.5 - 1e-7, 0.2, 0.5, 0.2, 0.5 + 1e-7, 0.2]).unwrap();
    for field in near {
        assert!((field[0] + field[2] - 2.0 * field[1]).abs() < 1e-9, "{field:?}");
    }
}

#[test]
fn bad_input_is_refused() {
    let ok = Schrodinger { modes: 64, steps: 20, ..Schrodinger::default() };
    let bad = [
        (Schrodinger { half_width: -1.0, ..ok }, "half_width"),
        (Schrodinger { end_time: f64::NAN, ..ok }, "end_time"),
        (Schrodinger { modes: 65, ..ok }, "modes"),
        (Schrodinger { modes: 8, ..ok }, "modes"),
        (Schrodinger { steps: 1, ..ok }, "steps"),
    ];
    for (settings, parameter) in bad {
        let error = settings.solve(initial_sech).err().unwrap();
        assert!(matches!(error, ReferenceError::Parameter { name, .. } if name == parameter), "{error}");
    }
    let error = ok.solve(|x| [0.0, x.ln()]).err().unwrap();
    assert!(matches!(error, ReferenceError::Data { name: "initial h", .. }), "{error}");
    let error = ok.solve(|x| [1e200 * x, 0.0]).err().unwrap();
    assert!(matches!(error, ReferenceError::NotFinite { .. }), "{error}");
    let solution = ok.solve(initial_sech).unwrap();
    let error = solution.evaluate(&[0.5, 0.5, 0.5, 5.5]).unwrap_err();
    assert!(matches!(error, ReferenceError::OutsideDomain { point: 1, coordinate: 1, .. }), "{error}");
    assert_eq!(solution.modulus(&[0.5]).unwrap_err(), ReferenceError::Shape { got: 1 });
}
