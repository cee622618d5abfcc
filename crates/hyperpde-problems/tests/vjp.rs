//! The reverse product of the linearisation against a closed form, and what it refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::needless_range_loop)]

use hyperpde_kernels::Points;
use hyperpde_pde::{Equations, Number, PdeError, Residual, Unknown};
use hyperpde_problems::{Burgers, Heat};

fn points() -> Points {
    Points::new(2, vec![0.1, 0.9, 0.5, -0.3, 2.0, 0.7]).unwrap()
}

/// For `u_t + u u_x − ν u_xx` the Hessian couples `u` and `u_x` alone: `ū = c̄_ux + b̄ u_x` and `ū_x = c̄_u + b̄ u`.
#[test]
fn burgers_in_closed_form() {
    let u = vec![vec![0.3, -1.0, 2.0], vec![0.5, 0.25, -4.0], vec![9.0, 8.0, 7.0], vec![1.5, -2.5, 0.5]];
    let c = vec![vec![vec![1.0, 2.0, 3.0], vec![-1.0, 0.5, 0.25], vec![4.0, 5.0, 6.0], vec![0.1, 0.2, 0.3]]];
    let b = vec![vec![2.0, -3.0, 0.0]];
    let out = Burgers::default().vjp(&points(), &u, &c, &b).unwrap();
    for i in 0..3 {
        assert_eq!((out[0][i], out[2][i]), (0.0, 0.0));
        assert!((out[1][i] - (c[0][3][i] + b[0][i] * u[3][i])).abs() < 1e-14, "{out:?}");
        assert!((out[3][i] - (c[0][1][i] + b[0][i] * u[1][i])).abs() < 1e-14, "{out:?}");
    }
}

#[test]
fn linear_equations_give_zero() {
    let u = vec![vec![1.0; 3]; 2];
    let out = Heat::default().vjp(&points(), &u, &[vec![vec![1.0; 3]; 2]], &[vec![2.0; 3]]).unwrap();
    assert_eq!(out, vec![vec![0.0; 3]; 2]);
}

/// Six unknowns, more than a dual number has infinitesimals: `F = Σ_j (j + 1) q_j q_(j+1)`.
struct Chain;

impl Residual for Chain {
    fn unknowns(&self) -> Vec<Unknown> {
        (0..6).map(|f| Unknown::value(f, 2)).collect()
    }

    fn eval<D: Number>(&self, _x: &[f64], q: &[D]) -> Vec<D> {
        vec![q.windows(2).enumerate().map(|(j, pair)| pair[0] * pair[1] * (j + 1) as f64).sum()]
    }
}

#[test]
fn more_unknowns_than_infinitesimals() {
    let q: Vec<f64> = (0..6).map(|j| 0.5 + j as f64).collect();
    let u: Vec<Vec<f64>> = q.iter().map(|v| vec![*v; 3]).collect();
    let rows = Chain.linearise(&points(), &u).unwrap();
    let coupling = |j: usize, k: usize| if j.abs_diff(k) == 1 { (j.min(k) + 1) as f64 } else { 0.0 };
    let bar: Vec<f64> = (0..6).map(|j| (j as f64).cos()).collect();
    let c: Vec<Vec<f64>> = bar.iter().map(|v| vec![*v; 3]).collect();
    let out = Chain.vjp(&points(), &u, &[c], &[vec![0.7; 3]]).unwrap();
    for k in 0..6 {
        let slope: f64 = (0..6).map(|j| coupling(j, k) * q[j]).sum();
        assert!((rows.coefficients[0][k][1] - slope).abs() < 1e-14, "{k}");
        let expected: f64 = (0..6).map(|j| (bar[j] + 0.7 * q[j]) * coupling(j, k)).sum();
        assert!((out[k][1] - expected).abs() < 1e-13, "{k}: {} and {expected}", out[k][1]);
    }
}

#[test]
fn wrong_shapes_and_singular_second_derivatives_are_refused() {
    let (x, u) = (points(), vec![vec![1.0; 3]; 4]);
    let (c, b) = (vec![vec![vec![1.0; 3]; 4]], vec![vec![1.0; 3]]);
    let burgers = Burgers::default();
    let mut short = c.clone();
    short[0][2].pop();
    for (u, c, b) in [(&u, &short, &b), (&u, &vec![], &b), (&u, &c, &vec![]), (&u, &c, &vec![vec![1.0; 2]])] {
        assert!(matches!(burgers.vjp(&x, u, c, b), Err(PdeError::Shape { .. })));
    }
    assert!(matches!(burgers.vjp(&x, &u[..3], &c, &b), Err(PdeError::Shape { .. })));

    /// `u^{3/2}`: at zero the slope is finite, its derivative is not.
    struct Power;
    impl Residual for Power {
        fn unknowns(&self) -> Vec<Unknown> {
            vec![Unknown::value(0, 2)]
        }
        fn eval<D: Number>(&self, _x: &[f64], q: &[D]) -> Vec<D> {
            vec![q[0] * q[0].sqrt()]
        }
    }
    let message =
        Power.vjp(&x, &[vec![1.0, 0.0, 1.0]], &[vec![vec![1.0; 3]]], &[vec![0.0; 3]]).unwrap_err().to_string();
    assert!(message.contains("second derivative") && message.contains("[0.5, -0.3]"), "{message}");
    // Where nothing comes back, nothing is differentiated.
    let none = Power.vjp(&x, &[vec![1.0, 0.0, 1.0]], &[vec![vec![1.0, 0.0, 1.0]]], &[vec![0.0; 3]]).unwrap();
    assert!((none[0][0] - 0.75).abs() < 1e-15 && none[0][1] == 0.0);
}
