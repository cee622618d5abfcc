//! Linearisation against finite differences, a second kind of dual number, and closed forms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Indices name equation, unknown and point in arrays of different shapes; iterators would hide which is which.
#![allow(clippy::needless_range_loop)]

use hyperpde_kernels::{Operator, Points};
use hyperpde_pde::{Dual64, DualNum, Equations, Number, PdeError, Residual, Unknown};
use num_dual::Dual2_64;

/// Two equations in two fields, nonlinear in every unknown and with coefficients that depend on `x`.
struct Coupled;

impl Residual for Coupled {
    fn equations(&self) -> usize {
        2
    }

    fn unknowns(&self) -> Vec<Unknown> {
        vec![
            Unknown::value(0, 2),
            Unknown::partial(0, 2, 1),
            Unknown::laplacian(1, 2),
            Unknown::derivative(1, vec![1, 1]),
            Unknown::value(1, 2),
        ]
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        let a = u[0] * u[1] * x[0] + (u[4] * u[3]).sin() + (u[2] * 0.1).exp();
        let b = u[4].powi(3) / (u[0] * u[0] + 1.0) - u[2] * x[1] + u[1].tanh();
        vec![a, b]
    }
}

/// `|∇u|² = 1 + ε Δu`, whose coefficients vanish where the slopes do.
struct Eikonal;

impl Residual for Eikonal {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::partial(0, 2, 0), Unknown::partial(0, 2, 1), Unknown::laplacian(0, 2)]
    }

    fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
        vec![u[0] * u[0] + u[1] * u[1] - u[2] * 0.01 - 1.0]
    }
}

fn points() -> Points {
    Points::new(2, vec![0.1, 0.9, 0.5, -0.3, 2.0, 0.7]).unwrap()
}

fn iterate() -> Vec<Vec<f64>> {
    (0..5).map(|j| (0..3).map(|i| ((3 * j + i) as f64 * 1.7).sin() * 1.5).collect()).collect()
}

fn at(u: &[Vec<f64>], i: usize) -> Vec<f64> {
    u.iter().map(|v| v[i]).collect()
}

#[test]
fn coefficients_match_finite_differences() {
    let (x, u) = (points(), iterate());
    let lin = Coupled.linearise(&x, &u).unwrap();
    let h = 1e-5;
    for i in 0..3 {
        for j in 0..5 {
            let mut q = at(&u, i);
            q[j] += h;
            let plus = Coupled.eval(x.row(i), &q);
            q[j] -= 2.0 * h;
            let minus = Coupled.eval(x.row(i), &q);
            for e in 0..2 {
                let slope: f64 = (plus[e] - minus[e]) / (2.0 * h);
                let got = lin.coefficients[e][j][i];
                assert!(
                    (slope - got).abs() < 1e-8 * (1.0 + got.abs()),
                    "equation {e}, unknown {j}, point {i}: {slope} vs {got}"
                );
            }
        }
    }
}

#[test]
fn coefficients_are_exact_to_rounding() {
    let (x, u) = (points(), iterate());
    let lin = Coupled.linearise(&x, &u).unwrap();
    for i in 0..3 {
        for j in 0..5 {
            let q: Vec<Dual2_64> = at(&u, i)
                .iter()
                .enumerate()
                .map(|(k, &v)| Dual2_64::new(v, if k == j { 1.0 } else { 0.0 }, 0.0))
                .collect();
            for (e, f) in Coupled.eval(x.row(i), &q).into_iter().enumerate() {
                let got = lin.coefficients[e][j][i];
                assert!((f.v1 - got).abs() <= 1e-14 * (1.0 + got.abs()), "{} vs {got}", f.v1);
            }
        }
    }
}

#[test]
fn right_hand_side_makes_the_tangent_meet_the_residual() {
    let (x, u) = (points(), iterate());
    let lin = Coupled.linearise(&x, &u).unwrap();
    let residual = Coupled.residual(&x, &u).unwrap();
    for e in 0..2 {
        for i in 0..3 {
            let product: f64 = (0..5).map(|j| lin.coefficients[e][j][i] * u[j][i]).sum();
            assert!((product - lin.rhs[e][i] - residual[e][i]).abs() < 1e-13);
        }
    }
}

#[test]
fn linearisation_error_is_quadratic() {
    let (x, u) = (points(), iterate());
    let lin = Coupled.linearise(&x, &u).unwrap();
    let gap = |step: f64| -> f64 {
        let moved: Vec<Vec<f64>> =
            u.iter().enumerate().map(|(j, v)| v.iter().map(|q| q + step * (j as f64 - 1.5)).collect()).collect();
        let exact = Coupled.residual(&x, &moved).unwrap();
        let tangent: f64 = (0..5).map(|j| lin.coefficients[0][j][1] * moved[j][1]).sum::<f64>() - lin.rhs[0][1];
        (exact[0][1] - tangent).abs()
    };
    let ratio = gap(1e-3) / gap(5e-4);
    assert!((3.9..4.1).contains(&ratio), "halving the step divides the error by {ratio}");
}

#[test]
fn rows_share_points_and_keep_zero_terms() {
    let x = points();
    let zero = vec![vec![0.0; 3]; 3];
    let lin = Eikonal.linearise(&x, &zero).unwrap();
    let blocks = lin.rows("pde", &Residual::unknowns(&Eikonal), &x).unwrap();
    assert_eq!(blocks.len(), 1);
    assert_eq!(blocks[0].name(), "pde");
    assert_eq!(blocks[0].terms().len(), 3);
    assert_eq!(blocks[0].terms()[0].coefficients, vec![0.0; 3]);
    assert_eq!(blocks[0].rhs(), &[1.0; 3]);

    let coupled = Coupled.linearise(&x, &iterate()).unwrap();
    let unknowns = Residual::unknowns(&Coupled);
    let blocks = coupled.rows("pde", &unknowns, &x).unwrap();
    assert_eq!(blocks.len(), 2);
    for (e, block) in blocks.iter().enumerate() {
        assert!(block.sites()[0].same(&x));
        for (j, term) in block.terms().iter().enumerate() {
            assert_eq!((term.field, &term.operator), (unknowns[j].field, &unknowns[j].operator));
            assert_eq!(term.coefficients, coupled.coefficients[e][j]);
        }
    }
    assert!(matches!(coupled.rows("pde", &unknowns[..4], &x), Err(PdeError::Shape { .. })));
    let other = Points::new(2, vec![0.0, 0.0]).unwrap();
    assert!(matches!(coupled.rows("pde", &unknowns, &other), Err(PdeError::Rows(_))));
}

/// `ln(u) − x sqrt(u)`: leaves the real numbers for negative `u`.
struct Logarithm;

impl Residual for Logarithm {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::value(0, 1)]
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        vec![u[0].ln() - u[0].sqrt() * x[0]]
    }
}

#[test]
fn values_that_are_not_finite_are_named() {
    let x = Points::new(1, vec![0.25, 0.75]).unwrap();
    for result in [
        Logarithm.linearise(&x, &[vec![1.0, -1.0]]).map(|_| ()),
        Logarithm.residual(&x, &[vec![1.0, -1.0]]).map(|_| ()),
    ] {
        match result {
            Err(PdeError::NonFiniteResidual { equation: 0, point, .. }) => assert_eq!(point, vec![0.75]),
            other => panic!("{other:?}"),
        }
    }
    match Logarithm.linearise(&x, &[vec![f64::NAN, 1.0]]) {
        Err(e @ PdeError::NonFiniteResidual { .. }) => {
            let message = e.to_string();
            assert!(message.contains("unknown 1 of field 0") && message.contains("0.25"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    // The value is finite at zero but the slope is not.
    struct Root;
    impl Residual for Root {
        fn unknowns(&self) -> Vec<Unknown> {
            vec![Unknown { field: 0, operator: Operator::partial(1, 0) }]
        }
        fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
            vec![u[0].sqrt()]
        }
    }
    assert!(Root.residual(&x, &[vec![1.0, 0.0]]).is_ok());
    let message = Root.linearise(&x, &[vec![1.0, 0.0]]).unwrap_err().to_string();
    assert!(message.contains("derivative by d1 of field 0"), "{message}");
}

#[test]
fn wrong_shapes_are_refused() {
    let x = points();
    let u = iterate();
    let is_shape = |r: Result<(), PdeError>| assert!(matches!(r, Err(PdeError::Shape { .. })), "{r:?}");
    is_shape(Coupled.linearise(&x, &u[..4]).map(|_| ()));
    let mut short = u.clone();
    short[2].pop();
    is_shape(Coupled.linearise(&x, &short).map(|_| ()));
    is_shape(Coupled.residual(&x, &short).map(|_| ()));
    let line = Points::new(1, vec![0.0, 1.0, 2.0]).unwrap();
    is_shape(Coupled.linearise(&line, &u).map(|_| ()));

    struct Miscounted;
    impl Residual for Miscounted {
        fn equations(&self) -> usize {
            2
        }
        fn unknowns(&self) -> Vec<Unknown> {
            vec![Unknown::value(0, 1)]
        }
        fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
            vec![u[0]]
        }
    }
    is_shape(Miscounted.linearise(&line, &[vec![1.0; 3]]).map(|_| ()));
}

#[test]
fn the_spelled_out_bound_works_too() {
    // Users may write the bound of `Number` themselves.
    struct Plain;
    impl Residual for Plain {
        fn unknowns(&self) -> Vec<Unknown> {
            vec![Unknown::value(0, 1)]
        }
        fn eval<D: DualNum<Primitive = f64> + Copy>(&self, x: &[f64], u: &[D]) -> Vec<D> {
            vec![u[0] * u[0] - x[0]]
        }
    }
    let slope = Plain.eval(&[1.0], &[Dual64::new(3.0, 1.0)])[0].eps;
    assert_eq!(slope, 6.0);
    let object: &dyn Equations = &Plain;
    let x = Points::new(1, vec![2.0]).unwrap();
    assert_eq!(object.linearise(&x, &[vec![3.0]]).unwrap().rhs, vec![vec![11.0]]);
}
