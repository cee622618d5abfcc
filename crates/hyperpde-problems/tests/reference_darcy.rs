//! The Darcy reference against a series solution, the equation itself, and finer grids.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::{PI, TAU};

use hyperpde_problems::reference::{Darcy, ReferenceError, darcy_permeability};

/// `-Δu = 1`, `u = 0` on the boundary (Saint-Venant torsion of a square bar).
fn torsion(x: f64, y: f64) -> f64 {
    let series: f64 = (0..200)
        .map(|i| (2 * i + 1) as f64 * PI)
        .map(|m| {
            // cosh(m (y - 1/2)) / cosh(m/2) without overflow.
            let away = (y - 0.5).abs();
            let ratio = (m * (away - 0.5)).exp() * (1.0 + (-2.0 * m * away).exp()) / (1.0 + (-m).exp());
            4.0 / (m * m * m) * (m * x).sin() * ratio
        })
        .sum();
    0.5 * x * (1.0 - x) - series
}

fn lattice(n: usize) -> Vec<f64> {
    let at = |i: usize| i as f64 / (n - 1) as f64;
    (0..n).flat_map(|i| (0..n).flat_map(move |j| [at(i), at(j)])).collect()
}

fn max_gap(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn constant_permeability_gives_the_torsion_function() {
    let darcy = Darcy::new(200, |_, _| 2.0).unwrap();
    let points = lattice(73);
    let exact: Vec<f64> = points.chunks(2).map(|p| 0.5 * torsion(p[0], p[1])).collect();
    let gap = max_gap(&darcy.evaluate(&points).unwrap(), &exact);
    assert!(gap < 2e-6, "{gap:e}");
    let centre = darcy.evaluate(&[0.5, 0.5]).unwrap()[0];
    assert!((2.0 * centre - 0.073_671_353).abs() < 1e-5, "{centre}");
}

#[test]
fn second_order_with_an_honest_error_estimate() {
    let points = lattice(119);
    let truth = Darcy::new(640, darcy_permeability).unwrap().evaluate(&points).unwrap();
    let errors = [80, 160, 320].map(|cells| {
        let darcy = Darcy::new(cells, darcy_permeability).unwrap();
        let gap = max_gap(&darcy.evaluate(&points).unwrap(), &truth);
        assert!(gap < 1.1 * darcy.accuracy(), "{cells} cells: {gap:e} beyond {:e}", darcy.accuracy());
        assert!(gap > 0.5 * darcy.accuracy(), "{cells} cells: {gap:e} far below {:e}", darcy.accuracy());
        gap
    });
    assert!((3.8..4.5).contains(&(errors[0] / errors[1])), "{errors:?}");
}

#[test]
fn published_problem() {
    let fine = Darcy::new(400, darcy_permeability).unwrap();
    let published = Darcy::new(79, darcy_permeability).unwrap();
    assert!(fine.accuracy() < 3e-7, "{:e}", fine.accuracy());
    assert_eq!(published.grid().len(), 80 * 80);
    let points = lattice(80);
    let values = fine.evaluate(&points).unwrap();
    let gap = max_gap(published.grid(), &values);
    assert!((5e-6..7e-6).contains(&gap), "{gap:e}");
    assert!((values.iter().copied().fold(0.0, f64::max) - 0.0244).abs() < 1e-4);
    // A is invariant under exchange of the coordinates and under the point reflection about the centre.
    let turned: Vec<f64> = points.chunks(2).flat_map(|p| [1.0 - p[1], 1.0 - p[0]]).collect();
    assert!(max_gap(&values, &fine.evaluate(&turned).unwrap()) < 1e-12);
}

#[test]
fn the_equation_holds_for_a_permeability_without_symmetry() {
    let a = |x: f64, y: f64| (0.8 * (TAU * x).sin() + 1.5 * y * y - x * y).exp();
    let darcy = Darcy::new(400, a).unwrap();
    let h = 0.02;
    for (x, y) in [(0.3, 0.4), (0.52, 0.71), (0.2, 0.85), (0.77, 0.25), (0.9, 0.9)] {
        let slope = |f: [f64; 5]| (f[0] - 8.0 * f[1] + 8.0 * f[3] - f[4]) / (12.0 * h);
        let curvature = |f: [f64; 5]| (-f[0] + 16.0 * f[1] - 30.0 * f[2] + 16.0 * f[3] - f[4]) / (12.0 * h * h);
        let offsets = [-2.0, -1.0, 0.0, 1.0, 2.0].map(|k| k * h);
        let u = |x: f64, y: f64| darcy.evaluate(&[x, y]).unwrap()[0];
        let (ux, uy) = (offsets.map(|d| u(x + d, y)), offsets.map(|d| u(x, y + d)));
        let (ax, ay) = (0.8 * TAU * (TAU * x).cos() - y, 3.0 * y - x);
        let flux = curvature(ux) + curvature(uy) + ax * slope(ux) + ay * slope(uy);
        let residual = a(x, y) * flux + 1.0;
        assert!(residual.abs() < 1.5e-3, "({x}, {y}): {residual:e}");
    }
}

#[test]
fn bad_input_is_refused() {
    assert!(matches!(Darcy::new(4, |_, _| 1.0), Err(ReferenceError::Parameter { name: "cells", .. })));
    for (bad, index) in [(0.0, 0), (-1.0, 1), (f64::NAN, 0), (f64::INFINITY, 1)] {
        let error = Darcy::new(20, |x, y| if [x, y][index] > 0.8 { bad } else { 1.0 }).unwrap_err();
        assert!(matches!(&error, ReferenceError::Data { name: "permeability", at, .. } if at[index] > 0.8), "{error}");
    }
    let darcy = Darcy::new(8, |_, _| 1.0).unwrap();
    assert!(matches!(darcy.evaluate(&[-0.2, 0.5]), Err(ReferenceError::OutsideDomain { coordinate: 0, .. })));
    assert_eq!(darcy.evaluate(&[0.2]).unwrap_err(), ReferenceError::Shape { got: 1 });
}
