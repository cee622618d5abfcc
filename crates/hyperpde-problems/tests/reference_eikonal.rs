//! The eikonal references against a Fourier series, the equation itself, and each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::PI;

use hyperpde_problems::reference::{Eikonal, EikonalGrid, ReferenceError};

fn max_gap(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// `v - ε² Δv = 0` with `v = 1` on all sides: a sine series per side, summed with decaying exponentials only.
fn by_fourier_series(epsilon: f64, x: f64, y: f64) -> f64 {
    let side = |along: f64, away: f64| -> f64 {
        (0..400)
            .map(|i| (2 * i + 1) as f64 * PI)
            .map(|m| {
                let kappa = (epsilon.powi(-2) + m * m).sqrt();
                let profile = (-kappa * away).exp() * (1.0 - (-2.0 * kappa * (1.0 - away)).exp());
                4.0 / m * (m * along).sin() * profile / (1.0 - (-2.0 * kappa).exp())
            })
            .sum()
    };
    -epsilon * (side(x, y) + side(x, 1.0 - y) + side(y, x) + side(y, 1.0 - x)).ln()
}

#[test]
fn integral_agrees_with_the_fourier_series() {
    for epsilon in [0.01, 0.03, 0.2, 1.0, 20.0] {
        let eikonal = Eikonal::new(epsilon).unwrap();
        for x in [0.05, 0.17, 0.31, 0.5, 0.72, 0.93] {
            for y in [0.06, 0.25, 0.31, 0.499, 0.88] {
                let value = eikonal.evaluate(&[x, y]).unwrap()[0];
                let gap = (value - by_fourier_series(epsilon, x, y)).abs();
                assert!(gap < eikonal.accuracy(), "ε = {epsilon}, ({x}, {y}): {gap:e}");
            }
        }
    }
}

#[test]
fn the_equation_holds_also_near_the_boundary_and_for_tiny_viscosity() {
    for epsilon in [1e-3f64, 0.01, 0.1] {
        let eikonal = Eikonal::new(epsilon).unwrap();
        let h = 0.01 * epsilon;
        for (x, y) in [(0.003, 0.4), (0.013, 0.012), (0.3, 0.3), (0.5, 0.5), (0.61, 0.995)] {
            let line = |dx: f64, dy: f64| -> Vec<f64> {
                let points: Vec<f64> = (-2..=2).flat_map(|k| [x + k as f64 * dx, y + k as f64 * dy]).collect();
                eikonal.evaluate(&points).unwrap()
            };
            let slope = |f: &[f64]| (f[0] - 8.0 * f[1] + 8.0 * f[3] - f[4]) / (12.0 * h);
            let curvature = |f: &[f64]| (-f[0] + 16.0 * f[1] - 30.0 * f[2] + 16.0 * f[3] - f[4]) / (12.0 * h * h);
            let (along_x, along_y) = (line(h, 0.0), line(0.0, h));
            let gradient = slope(&along_x).powi(2) + slope(&along_y).powi(2);
            let residual = gradient - 1.0 - epsilon * (curvature(&along_x) + curvature(&along_y));
            assert!(residual.abs() < 2e-6, "ε = {epsilon}, ({x}, {y}): {residual:e}");
        }
    }
}

#[test]
fn extreme_viscosities_and_points_give_finite_values() {
    for epsilon in [1e-8, 1e-4, 1e3] {
        let eikonal = Eikonal::new(epsilon).unwrap();
        for x in [5e-324, 1e-200, 1e-29, 1e-15, 1e-7, 1.0 - f64::EPSILON] {
            let u = eikonal.evaluate(&[x, 0.3, 0.6, x]).unwrap();
            assert!(u.iter().all(|u| (0.0..1e-6).contains(u)), "ε = {epsilon}, x = {x:e}: {u:?}");
        }
    }
    // Without viscosity u is the distance to the boundary; with it, ridges are rounded off by ε ln 2 (two sides) or ε ln 4.
    let u = Eikonal::new(1e-8).unwrap().evaluate(&[0.2, 0.4, 0.3, 0.3, 0.5, 0.5]).unwrap();
    for (value, exact) in u.iter().zip([0.2, 0.3 - 1e-8 * 2f64.ln(), 0.5 - 1e-8 * 4f64.ln()]) {
        assert!((value - exact).abs() < 2e-9, "{value} against {exact}");
    }
}

#[test]
fn boundary_values_and_symmetry() {
    let eikonal = Eikonal::new(0.01).unwrap();
    let edge = eikonal.evaluate(&[0.0, 0.3, 1.0, 0.5, 0.2, 0.0, 0.7, 1.0, 0.0, 0.0]).unwrap();
    assert!(edge.iter().all(|&u| u == 0.0), "{edge:?}");
    let values = eikonal.evaluate(&[0.2, 0.37, 0.37, 0.2, 0.8, 0.37, 0.63, 0.2]).unwrap();
    assert!(values.iter().all(|u| (u - values[0]).abs() < 1e-15), "{values:?}");
}

#[test]
fn finite_differences_converge_to_the_integral_with_the_square_of_the_mesh_width() {
    let exact = Eikonal::new(0.05).unwrap();
    let errors: Vec<f64> = [40, 80, 160]
        .map(|nodes| {
            let grid = EikonalGrid::new(0.05, nodes).unwrap();
            let (points, values) = grid.subgrid(3).unwrap();
            let gap = max_gap(&values, &exact.evaluate(&points).unwrap());
            assert!(gap <= 1.01 * grid.accuracy(), "nodes {nodes}: {gap:e} beyond {:e}", grid.accuracy());
            gap
        })
        .into();
    for pair in errors.windows(2) {
        let ratio = pair[0] / pair[1];
        assert!((3.5..4.3).contains(&ratio), "{errors:?}");
    }
}

#[test]
fn published_grid_has_the_published_errors() {
    let exact = Eikonal::new(0.01).unwrap();
    let grid = EikonalGrid::new(0.01, 1000).unwrap();
    let (points, values) = grid.subgrid(10).unwrap();
    assert_eq!(values.len(), 10_000);
    assert_eq!(points[..4], [1.0 / 1001.0, 1.0 / 1001.0, 1.0 / 1001.0, 11.0 / 1001.0]);
    assert_eq!(points[19_999], 991.0 / 1001.0);
    assert!(max_gap(&grid.evaluate(&points).unwrap(), &values) < 1e-14);
    let truth = exact.evaluate(&points).unwrap();
    let rmse = (values.iter().zip(&truth).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / 1e4).sqrt();
    assert!((1.9e-4..2.2e-4).contains(&max_gap(&values, &truth)));
    assert!((8e-5..9e-5).contains(&rmse), "{rmse:e}");
    assert!((values.iter().copied().fold(0.0, f64::max) - 0.4859).abs() < 1e-4);

    // The mesh h = 1/101 that training was once scored against.
    let (points, values) = EikonalGrid::new(0.01, 100).unwrap().subgrid(1).unwrap();
    let truth = exact.evaluate(&points).unwrap();
    let rmse = (values.iter().zip(&truth).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / 1e4).sqrt();
    assert!((7.4e-3..7.7e-3).contains(&rmse), "{rmse:e}");
}

#[test]
fn bad_input_is_refused() {
    for epsilon in [0.0, -0.1, 1e-9, 1e4, f64::NAN, f64::INFINITY] {
        assert!(matches!(Eikonal::new(epsilon), Err(ReferenceError::Parameter { name: "epsilon", .. })));
    }
    assert!(matches!(EikonalGrid::new(1e-4, 100), Err(ReferenceError::Parameter { name: "epsilon", .. })));
    for nodes in [0, 6, 101] {
        assert!(matches!(EikonalGrid::new(0.01, nodes), Err(ReferenceError::Parameter { name: "nodes", .. })));
    }
    let grid = EikonalGrid::new(0.1, 8).unwrap();
    assert!(matches!(grid.subgrid(0), Err(ReferenceError::Parameter { name: "stride", .. })));
    assert!(matches!(grid.evaluate(&[0.5, 1.5]), Err(ReferenceError::OutsideDomain { point: 0, coordinate: 1, .. })));
    let error = Eikonal::new(0.1).unwrap().evaluate(&[0.5, 0.5, 0.1]).unwrap_err();
    assert_eq!(error, ReferenceError::Shape { got: 3 });
}
