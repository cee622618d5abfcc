//! Text against the same equations in Rust, the reverse product against finite differences, derivatives by parameters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_expr::{Names, System};
use hyperpde_kernels::Points;
use hyperpde_pde::{Dual64, Equations, Number, PdeError, Residual, Unknown};
use random::Random;

#[path = "../../../tests/common/random.rs"]
mod random;

const TEXT: [&str; 2] = [
    "u_t + u*u_x*x - nu*u_xx + tanh(u*v) - exp(-t)*sin(x)^2/(1 + x^2) = v^q*x",
    "v^3/(u^2 + 1) - D*v_xx + sqrt(2 + sin(u_x)) - abs(v)^2.5 = ln(3 + u*x) - t",
];

fn names() -> Names {
    Names {
        coordinates: vec!["t".into(), "x".into()],
        time: true,
        fields: vec!["u".into(), "v".into()],
        parameters: vec![("nu".into(), 0.02), ("D".into(), 0.3), ("q".into(), 2.0)],
    }
}

fn unknowns() -> Vec<Unknown> {
    vec![
        Unknown::partial(0, 2, 0),
        Unknown::value(0, 2),
        Unknown::partial(0, 2, 1),
        Unknown::second(0, 2, 1),
        Unknown::value(1, 2),
        Unknown::second(1, 2, 1),
    ]
}

fn text() -> System {
    System::parse(&TEXT, &names(), unknowns()).unwrap()
}

/// The same in Rust.
struct Code;

impl Residual for Code {
    fn equations(&self) -> usize {
        2
    }

    fn unknowns(&self) -> Vec<Unknown> {
        unknowns()
    }

    fn eval<D: Number>(&self, p: &[f64], q: &[D]) -> Vec<D> {
        let (t, x) = (p[0], p[1]);
        let (u_t, u, u_x, u_xx, v, v_xx) = (q[0], q[1], q[2], q[3], q[4], q[5]);
        let source = (-t).exp() * x.sin().powi(2) / (1.0 + x * x);
        vec![
            u_t + u * u_x * x - u_xx * 0.02 + (u * v).tanh() - source - v * v * x,
            v.powi(3) / (u * u + 1.0) - v_xx * 0.3 + (u_x.sin() + 2.0).sqrt() - v.abs().powf(2.5) - (u * x + 3.0).ln()
                + t,
        ]
    }
}

/// More points than are evaluated at a time, and not a multiple of it.
const N: usize = 150;

fn points() -> Points {
    let mut rng = Random(3);
    Points::new(2, (0..2 * N).map(|_| rng.number()).collect()).unwrap()
}

fn iterate(seed: u64) -> Vec<Vec<f64>> {
    let mut rng = Random(seed);
    (0..6).map(|_| (0..N).map(|_| 1.2 * rng.number()).collect()).collect()
}

/// `|a − b|` within `bound` times the largest number of the column.
fn each_close(a: &[f64], b: &[f64], bound: f64, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let size = b.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() <= bound * size, "{what}: {a} and {b}, of {size}"));
}

#[test]
fn text_and_code_give_the_same_rows() {
    let (x, u) = (points(), iterate(5));
    let (text, code) = (text(), Code);
    let (ours, theirs) = (text.linearise(&x, &u).unwrap(), code.linearise(&x, &u).unwrap());
    let residuals = (Equations::residual(&text, &x, &u).unwrap(), Equations::residual(&code, &x, &u).unwrap());
    for e in 0..2 {
        for j in 0..6 {
            each_close(&ours.coefficients[e][j], &theirs.coefficients[e][j], 1e-13, &format!("{e} by {j}"));
        }
        each_close(&ours.rhs[e], &theirs.rhs[e], 1e-13, "right-hand sides");
        each_close(&residuals.0[e], &residuals.1[e], 1e-13, "residuals");
        // One point at a time is the same.
        for i in [0, 63, 64, N - 1] {
            let q: Vec<f64> = u.iter().map(|column| column[i]).collect();
            let at = text.eval(x.row(i), &q)[e];
            assert!((at - residuals.0[e][i]).abs() <= 1e-14 * at.abs().max(1.0), "{at}");
        }
    }
}

/// Cotangents of coefficients `[E][m][n]` and right-hand sides `[E][n]`.
type Bars = (Vec<Vec<Vec<f64>>>, Vec<Vec<f64>>);

fn bars() -> Bars {
    let mut rng = Random(8);
    let mut column = || (0..N).map(|_| rng.number()).collect::<Vec<f64>>();
    ((0..2).map(|_| (0..6).map(|_| column()).collect()).collect(), (0..2).map(|_| column()).collect())
}

/// `Σ c̄ c + Σ b̄ b` at point `i`, where the rows are about the unknowns `q`.
fn contracted(equations: &dyn Equations, x: &Points, i: usize, q: &[f64], bars: &Bars) -> f64 {
    let here = Points::new(2, x.row(i).to_vec()).unwrap();
    let rows = equations.linearise(&here, &q.iter().map(|v| vec![*v]).collect::<Vec<_>>()).unwrap();
    let mut sum = 0.0;
    for e in 0..2 {
        sum += bars.1[e][i] * rows.rhs[e][0];
        sum += (0..6).map(|j| bars.0[e][j][i] * rows.coefficients[e][j][0]).sum::<f64>();
    }
    sum
}

#[test]
fn the_reverse_product_is_the_derivative_of_the_rows() {
    let (x, mut u, bars) = (points(), iterate(5), bars());
    // Off zero, near which |v|^2.5 has no third derivative that a finite difference could do with.
    u[4].iter_mut().for_each(|v| *v += 0.3 * v.signum());
    let (text, code) = (text(), Code);
    let ours = text.vjp(&x, &u, &bars.0, &bars.1).unwrap();
    let theirs = code.vjp(&x, &u, &bars.0, &bars.1).unwrap();
    for k in 0..6 {
        each_close(&ours[k], &theirs[k], 1e-12, &format!("unknown {k}"));
    }
    let step = 1e-5;
    for equations in [&text as &dyn Equations, &code] {
        for i in [0, 17, 63, 64, 100, N - 1] {
            let q: Vec<f64> = u.iter().map(|column| column[i]).collect();
            for k in 0..6 {
                let at = |shift: f64| {
                    let mut q = q.clone();
                    q[k] += shift;
                    contracted(equations, &x, i, &q, &bars)
                };
                let slope = (at(step) - at(-step)) / (2.0 * step);
                assert!((slope - ours[k][i]).abs() < 1e-7 * slope.abs().max(1.0), "{k}, {i}: {slope}, {}", ours[k][i]);
            }
        }
    }
    // The unknowns that occur linearly and alone have no second derivatives.
    assert!(ours[0].iter().chain(&ours[3]).chain(&ours[5]).all(|v| *v == 0.0));
    assert!(ours[1].iter().any(|v| v.abs() > 0.1));
}

#[test]
fn affine_equations_are_known() {
    let of = |text: &str| Residual::is_affine(&System::parse(&[text], &names(), Vec::new()).unwrap(), 0);
    for text in ["u_t - nu*u_xx = sin(x)", "x^2*(u - lap(v)/(1 + x^2)) = -(u_x + 1)*exp(t)*q^nu", "0*u = 1"] {
        assert!(of(text), "{text}");
    }
    for text in ["u*u_x = 0", "u/v = 0", "1/u = 0", "sin(u) = 0", "u^2 = 0", "2^u = x", "u^q = 1"] {
        assert!(!of(text), "{text}");
    }
    // No second derivative is taken, so that one which is not finite does no harm.
    let system = System::parse(&["u_t - nu*u_xx = 1"], &names(), Vec::new()).unwrap();
    let x = Points::new(2, vec![0.1, 0.2]).unwrap();
    let out = system.vjp(&x, &[vec![1.0], vec![2.0]], &[vec![vec![3.0], vec![4.0]]], &[vec![5.0]]).unwrap();
    assert_eq!(out, [[0.0], [0.0]]);
}

#[test]
fn parameters_are_read_replaced_and_differentiated_by() {
    let (x, u, text) = (points(), iterate(5), text());
    assert_eq!(text.parameters(), names().parameters);
    let step = 1e-6;
    // v^q needs a positive v for a derivative by q.
    let u: Vec<Vec<f64>> = u.iter().map(|column| column.iter().map(|v| v.abs() + 0.1).collect()).collect();
    for (name, value) in names().parameters {
        let at = |value: f64| {
            let changed = text.with_parameter(&name, value).unwrap();
            assert_eq!(changed.parameters().iter().find(|(p, _)| *p == name).unwrap().1, value);
            Equations::residual(&changed, &x, &u).unwrap()
        };
        let (above, below) = (at(value + step), at(value - step));
        let ours = text.parameter_derivative(&name, &x, &u).unwrap();
        for e in 0..2 {
            for i in 0..N {
                let slope = (above[e][i] - below[e][i]) / (2.0 * step);
                assert!((slope - ours[e][i]).abs() < 1e-8, "{name}, {e}, {i}: {slope} and {}", ours[e][i]);
            }
        }
    }
    // As if the text had been read with that value.
    let mut other = names();
    other.parameters[0].1 = 0.5;
    let read = System::parse(&TEXT, &other, unknowns()).unwrap();
    assert_eq!(text.with_parameter("nu", 0.5).unwrap().linearise(&x, &u).unwrap(), read.linearise(&x, &u).unwrap());
    let told = |r: Result<System, PdeError>| r.unwrap_err().to_string();
    assert!(told(text.with_parameter("mu", 1.0)).contains("did you mean 'nu'?"));
    assert!(told(text.with_parameter("viscosity", 1.0)).contains("nu, D, q"));
    assert!(told(text.with_parameter("nu", f64::NAN)).contains("must be finite"));
    assert!(text.parameter_derivative("mu", &x, &u).is_err());
    assert!(text.parameter_derivative("nu", &x, &u[..5]).is_err());
}

/// A whole exponent that is a parameter is taken by multiplication, as a number is.
#[test]
fn a_parameter_as_exponent_holds_for_negative_numbers() {
    let system = System::parse(&["v^q = 0"], &names(), Vec::new()).unwrap();
    let x = Points::new(2, vec![0.0, 0.0]).unwrap();
    assert_eq!(system.linearise(&x, &[vec![-1.5]]).unwrap().coefficients[0][0], [-3.0]);
    assert_eq!(system.eval(&[0.0, 0.0], &[Dual64::new(-1.5, 1.0)])[0].eps, -3.0);
    let cubed = system.with_parameter("q", 3.0).unwrap();
    assert_eq!(cubed.linearise(&x, &[vec![-1.5]]).unwrap().coefficients[0][0], [6.75]);
    assert!(system.with_parameter("q", 0.5).unwrap().linearise(&x, &[vec![-1.5]]).is_err());
}
