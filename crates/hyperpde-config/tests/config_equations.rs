//! Three equations that are not built in, from text alone, and the orders of derivatives that they need.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_bilevel::Bilevel;
use hyperpde_config::Config;
use hyperpde_expr::MAX_ORDER;
use hyperpde_kernels::gram::{Applied, Functional, gram_block};
use hyperpde_kernels::{Backend, GaussianConfig, JetSpace, Operator, PointJets, Points, tensor_to_vec};
use hyperpde_pde::{Condition, Face, Problem, TestGrid};
use hyperpde_problems as problems;

/// Solves with the kernel frozen; the largest error on the test grid for each field.
fn solve(text: &str) -> Vec<f64> {
    let config = Config::parse("test.toml", text, ".").unwrap_or_else(|e| panic!("{e:?}"));
    let collocation = config.sample().unwrap();
    config.try_equations(&collocation).unwrap();
    let device = config.backend().device().unwrap();
    let kernels = config.kernels(0, &device).unwrap();
    let settings = config.bilevel_settings();
    assert_eq!(settings.outer_steps, 0);
    let problem = config.problem();
    let outcome = Bilevel::init(problem, collocation, kernels, settings).unwrap().run(&mut ()).unwrap();
    let grid = problem.test_grid().points();
    let truth = problem.reference().unwrap().evaluate(grid).unwrap();
    let errors = truth.iter().enumerate().map(|(f, truth)| {
        let ours = outcome.last.values(f, grid).unwrap();
        ours.iter().zip(truth).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    });
    let errors = errors.collect();
    println!("{}: largest errors {errors:?}", problem.name());
    errors
}

/// `u = exp(-t) cos(pi x)`, `v = (1 + t) x (1 - x)`; the sources are what the equations give for them, worked out by hand.
const REACTION: &str = r#"
name = "reaction-diffusion"
fields = ["u", "v"]
[domain]
time = ["t", 0, 1]
space = [["x", 0, 1]]
[parameters]
d = 0.1
[equations]
text = [
  # (k u_x)_x = k u_xx + k' u_x with k = d (1 + x^2)
  """u_t - d*(1 + x^2)*u_xx - 2*d*x*u_x + u*v =
       exp(-t)*(-cos(pi*x) + d*(1 + x^2)*pi^2*cos(pi*x) + 2*d*x*pi*sin(pi*x)) + exp(-t)*cos(pi*x)*(1 + t)*x*(1 - x)""",
  "v_t - d*v_xx - u^2 = x*(1 - x) + 2*d*(1 + t) - exp(-2*t)*cos(pi*x)^2",
]
[[conditions]]
on = "t = 0"
text = ["u = cos(pi*x)", "v = x*(1 - x)"]
[[conditions]]
on = ["x = 0", "x = 1"]
text = ["u_x = 0", "v = 0"]
[exact]
u = "exp(-t)*cos(pi*x)"
v = "(1 + t)*x*(1 - x)"
[sampling]
interior = 120
boundary = 60
validation = 0
test_grid = [20, 20]
[kernel.u]
kind = "gaussian"
length_scales = [0.6, 0.4]
[kernel.v]
kind = "gaussian"
length_scales = [0.6, 0.4]
[solver]
gauss_newton_steps = 8
nugget = 1e-12
[outer]
steps = 0
"#;

#[test]
fn a_reaction_diffusion_pair_with_a_coefficient_in_space() {
    for error in solve(REACTION) {
        assert!(error < 1e-3, "{error}");
    }
}

/// The Korteweg-de Vries soliton `u = 2 k^2 / cosh(k (x - 4 k^2 t))^2`, a third-order equation.
const KORTEWEG: &str = r#"
name = "korteweg-de-vries"
fields = ["u"]
[domain]
time = ["t", 0, 0.5]
space = [["x", -4, 4]]
[parameters]
k = 0.7
[equations]
text = "u_t + 6*u*u_x + u_xxx = 0"
[[conditions]]
on = ["t = 0", "x = -4", "x = 4"]
text = "u = 2*k^2/cosh(k*(x - 4*k^2*t))^2"
[[conditions]]
on = "x = 4"
text = "u_x = -4*k^3*sinh(k*(x - 4*k^2*t))/cosh(k*(x - 4*k^2*t))^3"
[exact]
u = "2*k^2/cosh(k*(x - 4*k^2*t))^2"
[sampling]
interior = 150
boundary = 75
validation = 0
test_grid = [15, 40]
[kernel.u]
kind = "gaussian"
length_scales = [0.5, 1.2]
[solver]
gauss_newton_steps = 8
nugget = 1e-12
[outer]
steps = 0
"#;

#[test]
fn a_third_order_equation() {
    assert!(solve(KORTEWEG)[0] < 5e-3);
}

/// A steady state of the Kuramoto-Sivashinsky equation with a source, so that `u = sin(2x)/2`; periodic, of fourth order. On this period all
/// waves are damped; the equation leaves the mean open, which the value at one point fixes.
const KURAMOTO: &str = r#"
name = "kuramoto-sivashinsky"
fields = ["u"]
[domain]
space = [["x", 0, "pi"]]
[equations]
text = """
u*u_x + u_xx + u_xxxx
  = 0.5*sin(2*x)*cos(2*x) - 2*sin(2*x) + 8*sin(2*x)"""
[[conditions]]
periodic = "x"
text = ["u", "u_x", "u_xx", "u_xxx"]
[[conditions]]
on = "x = 0"
text = "u = 0"
[exact]
u = "0.5*sin(2*x)"
[sampling]
interior = 40
boundary = 1
validation = 0
[kernel.u]
kind = "gaussian"
length_scales = [1.0]
[solver]
gauss_newton_steps = 15
nugget = 1e-12
[outer]
steps = 0
"#;

#[test]
fn a_fourth_order_equation() {
    assert!(solve(KURAMOTO)[0] < 1e-3);
}

/// Derivatives of `exp(-(x - y)^2/(2 l^2))` are Hermite polynomials:
/// `d_x^m d_y^n k = (-1)^m l^-(m+n) He_{m+n}(h) exp(-h^2/2)`, `h = (x - y)/l`.
#[test]
fn derivatives_up_to_the_highest_order_are_hermite_polynomials() {
    let device = Backend::default().device().unwrap();
    let l = 0.7;
    let kernel = GaussianConfig::isotropic(l).init(&device).unwrap();
    let x = Points::new(1, vec![0.1, 0.4, 1.3]).unwrap();
    let y = Points::new(1, vec![0.1, -0.6]).unwrap();
    for m in 0..=MAX_ORDER {
        for n in 0..=MAX_ORDER {
            let (left, right) = (Operator::derivative(vec![m as u8]), Operator::derivative(vec![n as u8]));
            let jets = |points: &Points, operator: &Operator| {
                PointJets::new(&kernel, points, &JetSpace::of_operators(1, [operator]), &device).unwrap()
            };
            let (jx, jy) = (jets(&x, &left), jets(&y, &right));
            let (fx, fy) = (Functional::uniform(&left, 3), Functional::uniform(&right, 2));
            let block =
                gram_block(&kernel, Applied { functional: &fx, jets: &jx }, Applied { functional: &fy, jets: &jy });
            let ours = tensor_to_vec(block).unwrap();
            for (i, a) in x.as_slice().iter().enumerate() {
                for (j, b) in y.as_slice().iter().enumerate() {
                    let h = (a - b) / l;
                    let (mut previous, mut he) = (0.0, 1.0);
                    for k in 0..m + n {
                        (previous, he) = (he, h * he - k as f64 * previous);
                    }
                    let sign = if m % 2 == 0 { 1.0 } else { -1.0 };
                    let expected = sign * l.powi(-((m + n) as i32)) * he * (-0.5 * h * h).exp();
                    let got = ours[i * 2 + j];
                    assert!(
                        (got - expected).abs() <= 1e-10 * expected.abs().max(1.0),
                        "{m}, {n}: {got} and {expected}"
                    );
                }
            }
        }
    }
}

/// Robin and periodic conditions from text give the rows that the constructors give.
#[test]
fn conditions_from_text_are_those_of_the_constructors() {
    let text = r#"
fields = ["u"]
[domain]
space = [["x", 0, 1], ["y", 0, 2]]
[parameters]
c = 3
[equations]
text = "lap(u) = 0"
[[conditions]]
on = "x = 1"
text = "2*(u_x + c*u) - u_x = 1 - u/2 + y*u + sin(y)"
[[conditions]]
on = "x = 0"
text = "-u_x + 2*u = 5"
[[conditions]]
periodic = "y"
text = ["u", "u_y"]
"#;
    let config = Config::parse("test.toml", text, ".").unwrap_or_else(|e| panic!("{e:?}"));
    let problem = config.problem();
    let rows = config.sample().unwrap().boundary;
    let domain = problem.domain();
    let (value, slope) = (Operator::identity(2), Operator::partial(2, 0));
    // u_x + (6 + 1/2 - y) u = 1 + sin y, the terms in the order in which they occur.
    let right = &rows[0];
    assert_eq!((&right.terms()[0].operator, &right.terms()[1].operator), (&slope, &value));
    for (i, point) in right.sites()[0].rows().enumerate() {
        let expected = [1.0, 6.5 - point[1], 1.0 + point[1].sin()];
        let ours = [right.terms()[0].coefficients[i], right.terms()[1].coefficients[i], right.rhs()[i]];
        ours.iter().zip(expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-14, "{ours:?} and {expected:?}"));
    }
    let same = |ours: &hyperpde_gp::RowBlock, condition: Condition| {
        let built = Problem::builder("test", domain.clone())
            .equations(problems::Poisson)
            .condition(condition)
            .test_grid(TestGrid::uniform(domain, &[2, 2]).unwrap())
            .build()
            .unwrap();
        let points = ours.sites()[0].clone();
        let theirs =
            built.collocation_from(config.sample().unwrap().interior, &[points], Points::new(2, vec![]).unwrap());
        let theirs = theirs.unwrap().boundary.remove(0);
        assert_eq!((ours.rhs(), ours.sites().len()), (theirs.rhs(), theirs.sites().len()));
        let key = |t: &hyperpde_gp::Term| (format!("{}", t.operator), t.site, t.coefficients.clone());
        let mut sorted = [ours, &theirs].map(|b| b.terms().iter().map(key).collect::<Vec<_>>());
        sorted.iter_mut().for_each(|terms| terms.sort_by_key(|t| (t.0.clone(), t.1)));
        assert_eq!(sorted[0], sorted[1]);
    };
    same(&rows[1], Condition::robin(domain, Face::lower(0), 0, (2.0, -1.0), |_| 5.0).unwrap());
    same(&rows[2], Condition::periodic(domain, 1, 0, value).unwrap());
    same(&rows[3], Condition::periodic(domain, 1, 0, Operator::partial(2, 1)).unwrap());
}
