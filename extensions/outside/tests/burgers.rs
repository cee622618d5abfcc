//! Burgers' equation on 200 rows with the solver from outside, with the objective from outside and with both, against the library's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use hyperpde::bilevel::{BilevelSettings, Event, LeaveOneOut, Objective, SquaredResidual};
use hyperpde::gp::SolveSettings;
use hyperpde::linalg::{DenseCholesky, InnerSolver};
use hyperpde::prelude::*;
use outside::{ConjugateGradients, LeftOutDensity};

/// What a run gives.
#[derive(Debug)]
struct Ran {
    losses: Vec<f64>,
    theta: Vec<f64>,
    /// Relative L2 error against the reference solution.
    error: f64,
    /// Values of the solution where that is taken.
    solution: Vec<f64>,
    iterations: usize,
}

fn burgers(
    solver: Arc<dyn InnerSolver>,
    objective: Arc<dyn Objective>,
    steps: [usize; 2],
) -> Result<Ran, BilevelError> {
    let problem = problems::Burgers::default().problem().unwrap();
    let sizes = SampleSizes { interior: 150, boundary: 50, validation: 100 };
    let collocation = problem.sample(&sizes, Sampler::Halton, 1).unwrap();
    let points = collocation.pool.clone();
    let settings = BilevelSettings {
        gauss_newton_steps: steps[0],
        outer_steps: steps[1],
        batch: 50,
        learning_rate: 0.1,
        loss_tolerance: 0.0,
        monitor: 0,
        // Iterations grow as it gets smaller.
        nugget: 1e-2,
        objective,
        solve: SolveSettings { solver, ..SolveSettings::default() },
        ..BilevelSettings::published(problem.defaults(), 1)
    };
    let device = Backend::default().device().unwrap().autodiff();
    let kernel = GaussianConfig::ard([0.3, 0.15]).init(&device).unwrap();
    let mut run = Bilevel::init(&problem, collocation, vec![kernel], settings)?;
    assert_eq!(run.rows(), 200);
    let (mut losses, mut solution, mut iterations) = (Vec::new(), Vec::new(), 0);
    loop {
        match run.step()? {
            Event::Outer(record) => {
                assert!(!record.backed_off);
                losses.push(record.loss);
            }
            Event::GaussNewton(_, posterior) => {
                iterations = posterior.info().iterations;
                solution = posterior.values(0, &points).unwrap();
            }
            Event::Done(_) => break,
        }
    }
    let reference = problem.reference().unwrap().evaluate(&points).unwrap();
    let error = problem.errors(std::slice::from_ref(&solution), &reference).unwrap()[0].1.rel_l2;
    Ok(Ran { losses, theta: run.theta().to_vec(), error, solution, iterations })
}

fn relative(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

fn dense() -> Arc<dyn InnerSolver> {
    Arc::new(DenseCholesky::new())
}

fn iterative() -> Arc<dyn InnerSolver> {
    Arc::new(ConjugateGradients::default())
}

#[test]
fn the_solver_gives_the_run_of_the_direct_one() {
    let direct = burgers(dense(), Arc::new(SquaredResidual), [2, 2]).unwrap();
    let ran = burgers(iterative(), Arc::new(SquaredResidual), [2, 2]).unwrap();
    println!("{direct:?}\n{ran:?}");
    assert!(direct.error < 0.15);
    assert_eq!((direct.iterations, ran.losses.len()), (0, 4));
    assert!(ran.iterations > 10);
    assert!(relative(&ran.losses, &direct.losses) < 1e-8);
    assert!(relative(&ran.theta, &direct.theta) < 1e-8);
    assert!(relative(&ran.solution, &direct.solution) < 1e-7);
}

/// Equal hyperparameters after steps along it: so are the gradients, which the library tests against finite differences.
#[test]
fn the_objective_gives_the_run_of_the_library_s() {
    let expected = burgers(dense(), Arc::new(LeaveOneOut), [4, 5]).unwrap();
    let ran = burgers(dense(), Arc::new(LeftOutDensity), [4, 5]).unwrap();
    println!("{expected:?}\n{ran:?}");
    assert!(ran.losses[4] < ran.losses[0] && ran.error < 0.15);
    assert!(relative(&ran.losses, &expected.losses) < 1e-10);
    assert!(relative(&ran.theta, &expected.theta) < 1e-8);
    assert!(relative(&ran.solution, &expected.solution) < 1e-8);
}

#[test]
fn both_together_give_it_too() {
    let expected = burgers(dense(), Arc::new(LeaveOneOut), [1, 1]).unwrap();
    let ran = burgers(iterative(), Arc::new(LeftOutDensity), [1, 1]).unwrap();
    println!("{expected:?}\n{ran:?}");
    assert!(relative(&ran.losses, &expected.losses) < 1e-8);
    assert!(relative(&ran.theta, &expected.theta) < 1e-8);
    assert!(relative(&ran.solution, &expected.solution) < 1e-7);
}

#[test]
fn what_does_not_converge_is_said() {
    let solver = Arc::new(ConjugateGradients { most: 3, ..ConjugateGradients::default() });
    let error = burgers(solver, Arc::new(SquaredResidual), [1, 0]).unwrap_err().to_string();
    assert!(error.contains("conjugate gradients stopped at relative residual") && error.contains("after 3"), "{error}");
}
