//! Hypergradients that follow the iterate, against differences: of what they differentiate, and of the nonlinear loss computed without them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "common/cubic.rs"]
mod cubic;

use std::sync::Arc;

use cubic::{collocation, device, init, kernel, problem, settings};
use hyperpde::bilevel::{
    BilevelSettings, Event, Hypergradient, Implicit, LeaveOneOut, OneStep, StepControl, Unrolled, Validation,
};
use hyperpde::kernels::Gaussian;
use hyperpde::prelude::*;

/// A run with a hypergradient, `steps` Gauss-Newton steps in.
fn run(hypergradient: impl Hypergradient + 'static, relative: bool, steps: usize) -> Bilevel<Gaussian> {
    let problem = problem(None);
    let base = BilevelSettings {
        gauss_newton_steps: 40,
        outer_steps: 1,
        // The kernel hardly moves, so that the iterate comes to rest.
        learning_rate: 1e-14,
        step_control: StepControl::Full,
        hypergradient: Arc::new(hypergradient),
        nugget: 1e-6,
        ..settings(&problem)
    };
    let settings = if relative { BilevelSettings { objective: Arc::new(Validation), ..base } } else { base };
    let mut run = init(settings);
    // Too short a scale: far from a stationary point, where a gradient is all rounding.
    run.set_theta(&[0.15f64.ln()]).unwrap();
    for _ in 0..steps {
        while !matches!(run.step().unwrap(), Event::GaussNewton(..)) {}
    }
    run
}

#[test]
fn gradients_are_those_of_the_loss_that_is_told() {
    for relative in [false, true] {
        for steps in [1, 2, 12] {
            let mut cases: Vec<(&str, Bilevel<Gaussian>)> = vec![
                ("one-step", run(OneStep, relative, steps)),
                ("unrolled 1", run(Unrolled { steps: 1 }, relative, steps)),
                ("unrolled 3", run(Unrolled { steps: 3 }, relative, steps)),
            ];
            cases.push(("implicit", run(Implicit::default(), relative, steps)));
            for (name, run) in &mut cases {
                let check = run.check_gradient(2).unwrap();
                println!("{name} after {steps}, relative {relative}: {check:?}");
                assert!(check.norm > 0.0 && check.deviation < 1e-5, "{name} after {steps}: {check:?}");
            }
        }
    }
}

/// The nonlinear loss by frozen solves to rest: squares of `F(u)` at the first points of the pool.
fn nonlinear(theta: f64) -> f64 {
    let problem = problem(None);
    let frozen =
        BilevelSettings { nugget: 1e-6, step_control: StepControl::Full, ..settings(&problem) }.frozen(40, 1e-13);
    let kernel = GaussianConfig::isotropic(theta.exp()).init(&device()).unwrap();
    let outcome = Bilevel::init(&problem, collocation(&problem), vec![kernel], frozen).unwrap().run(&mut ()).unwrap();
    let points = collocation(&problem).pool.select(&BATCH).unwrap();
    let operators = [Operator::second(1, 0), Operator::identity(1)];
    let unknowns = outcome.last.evaluate(0, &operators, &points).unwrap();
    let residual = problem.equations().residual(&points, &unknowns).unwrap();
    residual.concat().iter().map(|f| f * f).sum()
}

const BATCH: [usize; 5] = [0, 2, 3, 5, 8];

#[test]
fn the_implicit_one_is_that_of_the_nonlinear_loss() {
    let problem = problem(None);
    let settings = |hypergradient: Arc<dyn Hypergradient>| BilevelSettings {
        gauss_newton_steps: 40,
        nugget: 1e-6,
        hypergradient,
        ..settings(&problem)
    };
    let at = |hypergradient: Arc<dyn Hypergradient>, theta: f64| {
        let mut run = Bilevel::init(&problem, collocation(&problem), vec![kernel()], settings(hypergradient))
            .unwrap()
            .with_batches(hyperpde::bilevel::Batches::Fixed(vec![BATCH.to_vec()]));
        run.outer_loss(&[theta]).unwrap()
    };
    let theta = 0.35f64.ln();
    let implicit = || -> Arc<dyn Hypergradient> { Arc::new(Implicit { steps: 40, terms: 40, tolerance: 1e-13 }) };
    let (value, gradient) = at(implicit(), theta);
    let expected = nonlinear(theta);
    assert!((value / expected - 1.0).abs() < 1e-6, "{value} {expected}");
    let h = 1e-4;
    let slope = (8.0 * (nonlinear(theta + h) - nonlinear(theta - h)) - nonlinear(theta + 2.0 * h)
        + nonlinear(theta - 2.0 * h))
        / (12.0 * h);
    println!("implicit {gradient:?}, differences {slope}");
    assert!((gradient[0] / slope - 1.0).abs() < 1e-4, "{gradient:?} {slope}");
    // From zero many unrolled steps give the same, and one step does not.
    let (_, many) = at(Arc::new(Unrolled { steps: 12 }), theta);
    assert!((many[0] / slope - 1.0).abs() < 1e-4, "{many:?} {slope}");
    let (_, one) = at(Arc::new(OneStep), theta);
    assert!((one[0] / slope - 1.0).abs() > 1e-2, "{one:?} {slope}");
}

#[test]
fn an_objective_of_more_than_predictions_is_refused() {
    let problem = problem(None);
    let base = settings(&problem);
    let settings =
        BilevelSettings { objective: Arc::new(LeaveOneOut), hypergradient: Arc::new(Unrolled { steps: 1 }), ..base };
    let error = init(settings).step().unwrap_err();
    assert!(matches!(error, BilevelError::Setting { name: "hypergradient", .. }), "{error}");
}
