//! The outer loss against its definition, computed here from inner problems alone: shares of folds, weights of observations, regulariser.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "common/cubic.rs"]
mod cubic;

use hyperpde::bilevel::{Batches, BilevelSettings};
use hyperpde::gp::{InnerProblem, RowBlock};
use hyperpde::kernels::{Gaussian, parameters, tensor_to_vec};
use hyperpde::pde::{Collocation, Equations, Fold, misfit_weight};
use hyperpde::prelude::*;

const NOISE: f64 = 0.05;
const BATCH: [usize; 5] = [1, 7, 2, 4, 8];

/// Squared misfits of the scored rows of one inner problem about the zero function: those of the equations, and of each other block.
fn squares(collocation: &Collocation, fitted: &[RowBlock], scored: &[RowBlock], nugget: f64) -> (f64, Vec<f64>) {
    let unknowns = Equations::unknowns(&cubic::Cubic);
    let rows = |points: &Points| {
        let zero = vec![vec![0.0; points.len()]; unknowns.len()];
        cubic::Cubic.linearise(points, &zero).unwrap().rows("rows", &unknowns, points).unwrap()
    };
    let mut training = rows(&collocation.interior);
    training.extend(collocation.boundary.iter().chain(fitted).cloned());
    let mut validation = rows(&collocation.pool.select(&BATCH).unwrap());
    validation.extend(scored.iter().cloned());
    let problem = InnerProblem::new(1, training, &validation, nugget, Default::default()).unwrap();
    let predictions = tensor_to_vec(problem.predict(&[cubic::kernel()]).unwrap().values).unwrap();
    let mut misfits = predictions.iter().zip(problem.validation_rhs()).map(|(p, s)| (p - s) * (p - s));
    let mut sum = |n: usize| misfits.by_ref().take(n).sum::<f64>();
    (sum(BATCH.len()), scored.iter().map(|rows| sum(rows.len())).collect())
}

fn run(problem: &Problem, settings: BilevelSettings, folds: Vec<Fold>) -> Bilevel<Gaussian> {
    let collocation = cubic::collocation(problem);
    let run = Bilevel::init(problem, collocation, vec![cubic::kernel()], settings).unwrap();
    run.with_batches(Batches::Fixed(vec![BATCH.to_vec()])).with_folds(folds)
}

fn close(a: f64, b: f64) -> bool {
    // The same sums in another order, on systems with condition numbers of up to 1e4.
    (a - b).abs() <= 1e-11 * b.abs()
}

#[test]
fn the_weight_of_an_observation_is_one_over_its_variance() {
    let exact = cubic::collocation(&cubic::problem(Some(0.0)));
    let noisy = cubic::collocation(&cubic::problem(Some(NOISE)));
    assert_eq!(misfit_weight(&exact.observations[0]), 1.0);
    assert!((misfit_weight(&noisy.observations[0]) * NOISE * NOISE - 1.0).abs() < 1e-15);
}

#[test]
fn folds_share_the_equations_and_score_what_they_hold_out() {
    let problem = cubic::problem(Some(NOISE));
    let settings = BilevelSettings { nugget: 1e-4, ..cubic::settings(&problem) };
    let collocation = cubic::collocation(&problem);
    let start = parameters(&cubic::kernel()).unwrap();
    for count in [2, 3] {
        let folds = collocation.observation_folds(count, 7).unwrap();
        let mut expected = 0.0;
        for fold in &folds {
            let (equations, held_out) = squares(&collocation, &fold.fitted, &fold.held_out, 1e-4);
            expected += equations / count as f64 + held_out[0] / (NOISE * NOISE);
            assert!(equations > 1e-6 && held_out[0] > 1e-6, "both parts can be told: {equations} {held_out:?}");
        }
        let (loss, _) = run(&problem, settings.clone(), folds).outer_loss(&start).unwrap();
        assert!(close(loss, expected), "{count} folds: {loss} and {expected}");
    }
}

#[test]
fn without_folds_all_observations_are_fitted_and_further_rows_have_their_own_weight() {
    let problem = cubic::problem(Some(NOISE));
    let settings = BilevelSettings { nugget: 1e-4, ..cubic::settings(&problem) };
    let collocation = cubic::collocation(&problem);
    let start = parameters(&cubic::kernel()).unwrap();
    let points = Points::new(1, vec![0.37, 0.62]).unwrap();
    let extra = RowBlock::simple("extra", 0, Operator::identity(1), points, vec![0.1, 0.2], 0.0).unwrap();
    let (equations, others) = squares(&collocation, &collocation.observations, std::slice::from_ref(&extra), 1e-4);
    let (loss, _) = run(&problem, settings, Vec::new()).with_scored_rows(extra, 2.5).outer_loss(&start).unwrap();
    let expected = equations + 2.5 * others[0];
    assert!(close(loss, expected), "{loss} and {expected}");
}

#[test]
fn the_regulariser_pulls_to_the_initial_hyperparameters() {
    let problem = cubic::problem(Some(NOISE));
    let plain = BilevelSettings { nugget: 1e-4, ..cubic::settings(&problem) };
    let regularised = BilevelSettings { regularisation: 30.0, ..plain.clone() };
    let start = parameters(&cubic::kernel()).unwrap();
    let away = [start[0] - 0.4];
    let at = |settings: &BilevelSettings| run(&problem, settings.clone(), Vec::new()).outer_loss(&away).unwrap();
    let ((value, gradient), (with, with_gradient)) = (at(&plain), at(&regularised));
    assert!(close(with - value, 30.0 * 0.16), "{with} − {value}");
    assert!(close(with_gradient[0] - gradient[0], 60.0 * -0.4), "{with_gradient:?} − {gradient:?}");
    // Away from its minimum, where both parts count.
    let mut run = run(&problem, regularised, Vec::new());
    run.set_theta(&away).unwrap();
    let check = run.check_gradient(1).unwrap();
    // Differences of order four of a smooth function, on systems with condition numbers of up to 1e4.
    assert!(check.deviation < 1e-7, "{check:?}");
}
