//! The validation objective against its definition, computed here from inner problems and posteriors alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "common/cubic.rs"]
mod cubic;

use hyperpde::bilevel::{Batches, BilevelSettings, Event, ObjectiveKind};
use hyperpde::gp::InnerProblem;
use hyperpde::kernels::{parameters, tensor_to_vec, with_parameters};
use hyperpde::pde::{Collocation, Equations};
use hyperpde::prelude::*;

const NOISE: f64 = 0.05;
const BATCH: [usize; 9] = [1, 7, 2, 4, 8, 0, 3, 5, 6];

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}

fn settings(problem: &Problem) -> BilevelSettings {
    BilevelSettings { objective: ObjectiveKind::Validation.build(), nugget: 1e-4, ..cubic::settings(problem) }
}

/// The loss at `theta` about `about` (values of `u` at the interior points and the batch; second derivatives too), with sizes of `sized`.
fn loss(collocation: &Collocation, about: [&[Vec<f64>]; 2], sized: &Posterior<Gaussian>, theta: &[f64]) -> f64 {
    let unknowns = Equations::unknowns(&cubic::Cubic);
    let batch = collocation.pool.select(&BATCH).unwrap();
    let rows = |points: &Points, q: &[Vec<f64>]| {
        cubic::Cubic.linearise(points, q).unwrap().rows("rows", &unknowns, points).unwrap()
    };
    let (fitted, held_out) = collocation.split_observations(0.5, 7).unwrap();
    let mut training = rows(&collocation.interior, about[0]);
    training.extend(collocation.boundary.iter().chain(&fitted).cloned());
    let equations = rows(&batch, about[1]);
    let mut validation = equations.clone();
    validation.extend(collocation.boundary_pool.iter().chain(&held_out).cloned());
    let inner = InnerProblem::new(1, training, &validation, 1e-4, Default::default()).unwrap();
    let kernel = with_parameters(cubic::kernel(), theta).unwrap();
    let predictions = tensor_to_vec(inner.predict(&[kernel]).unwrap().values).unwrap();
    let misfits: Vec<f64> = predictions.iter().zip(inner.validation_rhs()).map(|(p, s)| p - s).collect();

    let operators: Vec<Operator> = unknowns.iter().map(|q| q.operator.clone()).collect();
    let q = sized.evaluate(0, &operators, &batch).unwrap();
    let terms = equations[0].terms();
    let of_equation = rms((0..batch.len()).map(|i| {
        (0..2).map(|j| (terms[j].coefficients[i] * q[j][i]).abs()).sum::<f64>() + equations[0].rhs()[i].abs()
    }));
    let size = rms(q[1].iter().copied());
    // Both ends have data on the value: that of the right one, which is larger.
    let of_conditions = cubic::truth(1.0).abs().max(0.1 * size);
    let of_observations = rms(held_out[0].rhs().iter().copied()).max(0.1 * size).max(NOISE);
    let ends = collocation.boundary_pool.iter().map(|b| b.len()).sum::<usize>();
    let mean = |part: &[f64], scale: f64| part.iter().map(|r| (r / scale).powi(2)).sum::<f64>() / part.len() as f64;
    mean(&misfits[..9], of_equation)
        + mean(&misfits[9..9 + ends], of_conditions)
        + mean(&misfits[9 + ends..], of_observations)
}

use hyperpde::kernels::Gaussian;

#[test]
fn every_kind_of_row_has_one_vote_over_its_own_size() {
    let problem = cubic::problem(Some(NOISE));
    let all = cubic::collocation(&problem);
    assert!(!all.boundary_pool.is_empty());
    let (fitted, held_out) = all.split_observations(0.5, 7).unwrap();
    let learned_on = Collocation { observations: fitted, ..all.clone() };
    let settings = BilevelSettings { batch: BATCH.len(), ..settings(&problem) };
    let mut run = Bilevel::init(&problem, learned_on, vec![cubic::kernel()], settings.clone()).unwrap();
    run = run.with_batches(Batches::Fixed(vec![BATCH.to_vec()]));
    for rows in held_out {
        // A weight in other units has no say.
        run = run.with_scored_rows(rows, 123.0);
    }
    // About zero sizes are those of the solve with the initial hyperparameters.
    let theta: Vec<f64> = parameters(&cubic::kernel()).unwrap().iter().map(|t| t + 0.1).collect();
    let zero = |n: usize| vec![vec![0.0; n]; 2];
    let provisional = {
        let unknowns = Equations::unknowns(&cubic::Cubic);
        let linear = cubic::Cubic.linearise(&all.interior, &zero(12)).unwrap();
        let mut rows = linear.rows("rows", &unknowns, &all.interior).unwrap();
        rows.extend(all.boundary.iter().chain(&all.split_observations(0.5, 7).unwrap().0).cloned());
        InnerProblem::new(1, rows, &[], 1e-4, Default::default()).unwrap().solve(&[cubic::kernel()]).unwrap()
    };
    let (got, _) = run.outer_loss(&theta).unwrap();
    let expected = loss(&all, [&zero(12), &zero(9)], &provisional, &theta);
    // The same sums in another order, on systems with condition numbers of up to 1e5.
    assert!((got - expected).abs() < 1e-10 * expected, "{got} and {expected}");

    let posterior = loop {
        if let Event::GaussNewton(_, posterior) = run.step().unwrap() {
            break posterior;
        }
    };
    let (got, _) = run.outer_loss(&theta).unwrap();
    let operators = [Operator::second(1, 0), Operator::identity(1)];
    let at_batch = posterior.evaluate(0, &operators, &all.pool.select(&BATCH).unwrap()).unwrap();
    let expected = loss(&all, [run.iterate(), &at_batch], &posterior, &theta);
    assert!((got - expected).abs() < 1e-10 * expected, "{got} and {expected}");
}

#[test]
fn conditions_without_points_of_their_own_are_refused() {
    let problem = cubic::problem(None);
    let collocation = Collocation { boundary_pool: Vec::new(), ..cubic::collocation(&problem) };
    let error = Bilevel::init(&problem, collocation.clone(), vec![cubic::kernel()], settings(&problem)).err().unwrap();
    assert!(error.to_string().contains("Collocation::boundary_pool"), "{error}");
    assert!(Bilevel::init(&problem, collocation, vec![cubic::kernel()], cubic::settings(&problem)).is_ok());
}
