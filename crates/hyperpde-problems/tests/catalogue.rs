//! Every problem of the catalogue: its reference satisfies its equations and conditions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::f64::consts::PI;

use common::{Differences, Exact, combinations, worst_condition, worst_residual};
use hyperpde_kernels::Points;
use hyperpde_pde::{Computed, Number, NumericalSolution, PdeError, Problem, Reference, Sampler};
use hyperpde_problems::{AllenCahn, Elliptic, Heat, by_name, catalogue, reference};

/// Fractions of each interval; multiples of 1/20, so that Darcy's differences fall on nodes of its grid.
const FRACTIONS: [f64; 4] = [0.15, 0.35, 0.6, 0.85];

/// Per problem: steps of the differences, largest relative residual, largest violation of a condition. Where the reference is exact,
/// the differences are what limits; for Darcy its grid; for Schrödinger the kink of the periodic data, which disperses into waves so
/// short that second derivatives exist only in the weak sense (the residual does not fall with the steps).
const LIMITS: &[(&str, &[f64], f64, f64)] = &[
    ("elliptic", &[1e-2, 1e-2], 1e-8, 1e-14),
    ("burgers", &[2e-3, 2e-3], 1e-9, 1e-12),
    ("eikonal", &[1e-3, 1e-3], 1e-8, 1e-13),
    ("gray-scott", &[5e-3, 5e-3], 1e-8, 1e-6),
    ("gray-scott-a", &[5e-3, 2.5e-3], 1e-8, 1e-6),
    ("gray-scott-b", &[5e-3, 2.5e-3], 1e-8, 1e-6),
    ("gray-scott-c", &[5e-3, 2.5e-3], 1e-8, 1e-6),
    ("schrodinger", &[1e-2, 1e-1], 3e-2, 1e-5),
    ("darcy", &[1e-2, 1e-2], 1e-4, 1e-15),
    ("poisson", &[1e-2, 1e-2], 1e-10, 1e-14),
    ("heat", &[1e-2, 1e-2], 1e-8, 1e-14),
    ("allen-cahn", &[5e-3, 5e-3], 1e-8, 1e-14),
    ("elliptic-3d", &[1e-2, 1e-2, 1e-2], 1e-8, 1e-14),
];

#[test]
fn references_satisfy_equations_and_conditions() {
    let mut failures = Vec::new();
    for entry in catalogue() {
        let (_, steps, residual_limit, condition_limit) =
            LIMITS.iter().find(|l| l.0 == entry.name).unwrap_or_else(|| panic!("no limits for '{}'", entry.name));
        let problem = (entry.build)().unwrap();
        let reference = problem.reference().unwrap().clone();
        let u = Differences { reference: &reference, problem: &problem, steps: steps.to_vec() };
        let residual = worst_residual(&problem, &u, &combinations(&problem, &FRACTIONS));
        let condition = worst_condition(&problem, &u, &FRACTIONS);
        println!(
            "{}: residual {residual:.1e}, conditions {condition:.1e}, accuracy {:.1e}",
            entry.name,
            reference.accuracy()
        );
        if !(residual <= *residual_limit && condition <= *condition_limit) {
            failures.push(entry.name);
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(LIMITS.len(), catalogue().len());
}

#[test]
fn the_schrodinger_equation_is_that_of_its_reference() {
    let smooth = Computed::new("smooth data", 2, || {
        let settings = reference::Schrodinger { modes: 128, steps: 4000, ..reference::Schrodinger::default() };
        let solution = settings.solve(|x| [1.0 + 0.5 * (PI * x / 5.0).cos(), 0.3 * (PI * x / 5.0).sin()])?;
        Ok(NumericalSolution::new(solution.accuracy(), move |x| Ok(solution.evaluate(x)?.into())))
    });
    let problem = by_name("schrodinger").unwrap();
    let u = Differences { reference: &smooth, problem: &problem, steps: vec![1e-2, 5e-2] };
    let residual = worst_residual(&problem, &u, &combinations(&problem, &FRACTIONS));
    assert!(residual < 1e-8, "{residual:e}, accuracy {:e}", smooth.accuracy());
}

#[test]
fn every_problem_can_be_sampled_with_its_defaults_and_scored() {
    for entry in catalogue() {
        let problem = by_name(entry.name).unwrap();
        assert_eq!(problem.name(), entry.name);
        assert!(!entry.description.is_empty());
        let c = problem.sample(&problem.defaults().sizes(), Sampler::Uniform, 1).unwrap();
        assert_eq!(c.interior.len(), problem.defaults().interior, "{}", entry.name);
        let boundary: usize = {
            // Conditions on one face share their points.
            let mut faces: Vec<&Points> = Vec::new();
            for block in &c.boundary {
                if !faces.iter().any(|f| f.same(&block.sites()[0])) {
                    faces.push(&block.sites()[0]);
                }
            }
            faces.iter().map(|f| f.len()).sum()
        };
        assert_eq!(boundary, problem.defaults().boundary, "{}", entry.name);
        let reference = problem.reference().unwrap();
        let values =
            reference.evaluate(&problem.test_grid().points().select(&(0..50).collect::<Vec<_>>()).unwrap()).unwrap();
        assert_eq!(values.len(), problem.fields().len());
        let errors = problem.errors(&values, &values).unwrap();
        assert_eq!(errors.len(), problem.scores().len());
        assert!(errors.iter().all(|(_, e)| e.linf == 0.0));
        assert!(reference.accuracy() < 5e-5, "{}: {}", entry.name, reference.accuracy());
    }
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    match by_name("navier-stokes") {
        Err(e @ PdeError::Setting { .. }) => assert!(e.to_string().contains("burgers, eikonal"), "{e}"),
        other => panic!("{other:?}"),
    }
}

/// The prescribed and closed-form solutions again, differentiated exactly.
enum Solution {
    Elliptic,
    Elliptic3d,
    Poisson,
    Heat(f64),
    AllenCahn(f64),
}

impl Exact for Solution {
    fn fields<D: Number>(&self, x: &[D]) -> Vec<D> {
        let sine = |k: f64, v: D| (v * (k * PI)).sin();
        vec![match self {
            Solution::Elliptic => sine(1.0, x[0]) * sine(1.0, x[1]) + sine(4.0, x[0]) * sine(4.0, x[1]) * 4.0,
            Solution::Elliptic3d => {
                let product = |k: f64| sine(k, x[0]) * sine(k, x[1]) * sine(k, x[2]);
                product(1.0) + product(2.0) * 0.5
            }
            Solution::Poisson => sine(1.0, x[0]) * sine(1.0, x[1]) + (x[0] - x[1]) * (x[0] + x[1]),
            Solution::Heat(kappa) => {
                let mode = |k: f64| (x[0] * (-kappa * k * k * PI * PI)).exp() * sine(k, x[1]);
                mode(1.0) + mode(3.0) * 0.5
            }
            // The front as a logistic function: (1 - tanh(z/2))/2 = 1/(1 + exp(z)).
            Solution::AllenCahn(epsilon) => {
                let z = (x[1] - x[0] * (4.5 * epsilon).sqrt()) / (2.0 * epsilon).sqrt();
                (z.exp() + 1.0).recip()
            }
        }]
    }
}

fn check_exactly(problem: &Problem, solution: &Solution) {
    let points = combinations(problem, &[0.0, 0.07, 0.31, 0.5, 0.77, 1.0]);
    let residual = worst_residual(problem, solution, &points);
    assert!(residual < 1e-14, "{}: residual {residual:e}", problem.name());
    let condition = worst_condition(problem, solution, &FRACTIONS);
    assert!(condition < 1e-14, "{}: condition {condition:e}", problem.name());
    let reference = problem.reference().unwrap();
    let values = reference.evaluate(&points).unwrap();
    for (x, u) in points.rows().zip(&values[0]) {
        let exact = solution.fields(x)[0];
        assert!((u - exact).abs() <= reference.accuracy(), "{} at {x:?}: {u} against {exact}", problem.name());
    }
}

#[test]
fn closed_forms_are_solutions_to_rounding() {
    check_exactly(&by_name("elliptic").unwrap(), &Solution::Elliptic);
    check_exactly(&by_name("elliptic-3d").unwrap(), &Solution::Elliptic3d);
    check_exactly(&by_name("poisson").unwrap(), &Solution::Poisson);
    check_exactly(&by_name("heat").unwrap(), &Solution::Heat(0.05));
    check_exactly(&by_name("allen-cahn").unwrap(), &Solution::AllenCahn(0.005));
    // Other parameters than the defaults.
    check_exactly(&Heat::new(0.3).unwrap().problem().unwrap(), &Solution::Heat(0.3));
    check_exactly(&AllenCahn::new(0.1).unwrap().problem().unwrap(), &Solution::AllenCahn(0.1));
    check_exactly(&Elliptic::new(2.5, 5).unwrap().problem().unwrap(), &Solution::Elliptic);
}

#[test]
fn parameters_out_of_range_are_refused() {
    for bad in [f64::NAN, -1.0, f64::INFINITY] {
        assert!(matches!(Heat::new(bad), Err(PdeError::Setting { .. })));
        assert!(matches!(AllenCahn::new(bad), Err(PdeError::Setting { .. })));
        assert!(matches!(Elliptic::new(bad, 3), Err(PdeError::Setting { .. })));
    }
    assert!(Elliptic::new(1.0, 0).is_err() && Elliptic::new(1.0, 10).is_err());
}
