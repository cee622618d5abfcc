//! Every objective as the outer loss of a run: its hypergradient against differences of its own value, on every assembly, with and
//! without folds; and what an optimizer makes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "common/cubic.rs"]
mod cubic;

use std::sync::Arc;

use hyperpde::bilevel::{BilevelSettings, Event, LossRange, Objective, ObjectiveKind, OptimizerKind};
use hyperpde::gp::{Assembly, SolveSettings};
use hyperpde::kernels::Gaussian;
use hyperpde::prelude::*;

fn objectives() -> Vec<Arc<dyn Objective>> {
    ObjectiveKind::ALL.iter().map(|kind| kind.build()).collect()
}

fn settings(objective: &Arc<dyn Objective>, assembly: Assembly) -> BilevelSettings {
    BilevelSettings {
        objective: objective.clone(),
        nugget: 1e-4,
        regularisation: 0.3,
        solve: SolveSettings { assembly, ..SolveSettings::default() },
        ..cubic::settings(&cubic::problem(None))
    }
}

fn run(settings: BilevelSettings, folds: usize) -> Bilevel<Gaussian> {
    let problem = cubic::problem(Some(0.05));
    let collocation = cubic::collocation(&problem);
    let folds = if folds > 0 { collocation.observation_folds(folds, 7).unwrap() } else { Vec::new() };
    Bilevel::init(&problem, collocation, vec![cubic::kernel()], settings).unwrap().with_folds(folds)
}

#[test]
fn gradients_are_those_of_the_values() {
    for objective in objectives() {
        for assembly in Assembly::ALL {
            for folds in [0, 2] {
                let mut run = run(settings(&objective, assembly), folds);
                // About an iterate that is not zero, away from where the regulariser vanishes.
                while !matches!(run.step().unwrap(), Event::GaussNewton(..)) {}
                let theta = run.theta()[0] + 0.3;
                run.set_theta(&[theta]).unwrap();
                let check = run.check_gradient(1).unwrap();
                println!("{} {assembly:?} {folds} folds: {check:?}", objective.name());
                // Differences of order four of a smooth function, on systems with condition numbers of up to 1e5.
                assert!(check.norm > 1e-4 && check.deviation < 1e-6, "{} {assembly:?}: {check:?}", objective.name());
            }
        }
    }
}

#[test]
fn an_optimizer_lowers_each_of_them_whatever_its_sign() {
    for objective in objectives() {
        let settings = BilevelSettings {
            gauss_newton_steps: 1,
            outer_steps: 30,
            optimizer: OptimizerKind::Lbfgs,
            loss_tolerance: if objective.range() == LossRange::Real { 1e30 } else { 0.0 },
            ..settings(&objective, Assembly::Auto)
        };
        let mut run = run(settings, 0);
        let start = run.theta().to_vec();
        let (first, _) = run.outer_loss(&start).unwrap();
        let mut outer = 0;
        loop {
            match run.step().unwrap() {
                Event::Outer(record) => outer = record.outer,
                Event::GaussNewton(..) => break,
                Event::Done(_) => panic!("the inner solve comes first"),
            }
        }
        let end = run.theta().to_vec();
        let mut again = self::run(self::settings(&objective, Assembly::Auto), 0);
        let (last, gradient) = again.outer_loss(&end).unwrap();
        println!("{}: {first} to {last} in {outer} steps, gradient {gradient:?}", objective.name());
        assert!(outer > 3, "a loss tolerance means nothing to an objective of either sign: {outer} steps");
        assert!(last < first, "{}: {first} to {last}", objective.name());
    }
}
