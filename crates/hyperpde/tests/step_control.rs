//! Gauss-Newton where whole steps diverge: `arctan(2 (u − 3)) = 0`, the textbook case for Newton's method.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde::bilevel::{Bilevel, BilevelSettings, Event, StepControl};
use hyperpde::prelude::*;

/// `F = arctan(2 (u − 3))`: Newton's method diverges from every start further than 0.7 from the root.
struct Arctan;

impl Residual for Arctan {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::value(0, 1)]
    }

    fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
        vec![((u[0] - 3.0) * 2.0).atan()]
    }
}

/// Fractions of the steps, and the largest distance from the root at the end, or the failure.
fn solve(control: StepControl) -> Result<(Vec<f64>, f64), BilevelError> {
    let domain = Domain::space([("x", 0.0, 1.0)]).unwrap();
    let end = Condition::dirichlet(&domain, Face::lower(0), 0, |_| 3.0).unwrap();
    let grid = TestGrid::uniform(&domain, &[11]).unwrap();
    let problem =
        Problem::builder("arctan", domain).equations(Arctan).condition(end).test_grid(grid.clone()).build().unwrap();
    let sizes = SampleSizes { interior: 12, boundary: 1, validation: 0 };
    let collocation = problem.sample(&sizes, Sampler::Halton, 1).unwrap();
    let kernel = GaussianConfig::isotropic(0.2).init(&Backend::default().device().unwrap()).unwrap();
    let settings = BilevelSettings {
        step_control: control,
        monitor: 0,
        nugget: 1e-8,
        ..BilevelSettings::published(problem.defaults(), 0).frozen(30, 1e-10)
    };
    let mut run = Bilevel::init(&problem, collocation, vec![kernel], settings)?;
    let (mut fractions, mut error) = (Vec::new(), f64::NAN);
    loop {
        match run.step()? {
            Event::GaussNewton(record, posterior) => {
                fractions.push(record.fraction);
                let values = posterior.values(0, grid.points()).unwrap();
                error = values.iter().fold(0.0, |worst, u| f64::max(worst, (u - 3.0).abs()));
            }
            Event::Outer(_) => panic!("nothing is learned"),
            Event::Done(_) => return Ok((fractions, error)),
        }
    }
}

#[test]
fn backtracking_converges_where_whole_steps_diverge() {
    // Far from the root the arctangent is flat, and the whole step goes further away each time.
    if let Ok((fractions, error)) = solve(StepControl::Full) {
        assert!(error > 1.0 || error.is_nan(), "whole steps got to {error} with {fractions:?}");
    }
    let (fractions, error) = solve(StepControl::Backtracking).unwrap();
    // What is left is interpolation between twelve points.
    assert!(error < 1e-2, "{error} with {fractions:?}");
    assert!(fractions.iter().any(|s| *s < 1.0), "some step was shortened: {fractions:?}");
    assert_eq!(fractions.last(), Some(&1.0), "the last step is whole: {fractions:?}");
}
