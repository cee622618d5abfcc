//! Points added where the residual is largest, and a run with them that is interrupted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "common/cubic.rs"]
mod cubic;

use std::sync::Arc;

use hyperpde::bilevel::{BilevelSettings, Event, Refiner, Snapshot};
use hyperpde::kernels::Gaussian;
use hyperpde::pde::{Collocation, Equations};
use hyperpde::prelude::*;

/// Adds the candidate with the largest residual to the interior, up to a number of points.
struct Worst {
    equations: Arc<dyn Equations>,
    candidates: Points,
    most: usize,
}

impl<K: Kernel> Refiner<K> for Worst {
    fn refine(
        &mut self,
        posterior: &Posterior<K>,
        collocation: &Collocation,
    ) -> Result<Option<Collocation>, BilevelError> {
        if collocation.interior.len() >= self.most {
            return Ok(None);
        }
        let operators: Vec<Operator> = self.equations.unknowns().into_iter().map(|u| u.operator).collect();
        let unknowns = posterior.evaluate(0, &operators, &self.candidates)?;
        let residual = &self.equations.residual(&self.candidates, &unknowns)?[0];
        let size = |i: &usize| residual[*i].abs();
        let worst = (0..residual.len()).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap();
        let added = self.candidates.select(&[worst])?;
        Ok(Some(Collocation { interior: Points::concat(&[&collocation.interior, &added])?, ..collocation.clone() }))
    }
}

fn refiner(most: usize) -> Worst {
    let candidates = Points::new(1, (1..40).map(|i| f64::from(i) / 40.0).collect()).unwrap();
    Worst { equations: Arc::new(cubic::Cubic), candidates, most }
}

fn settings() -> BilevelSettings {
    BilevelSettings { gauss_newton_steps: 6, nugget: 1e-10, ..cubic::settings(&cubic::problem(None)) }
}

/// Bits of what a run reports, its snapshots and its interior points after each step.
fn follow(mut run: Bilevel<Gaussian>) -> (Vec<u64>, Vec<Snapshot>, Vec<usize>) {
    let (mut bits, mut snapshots, mut points) = (Vec::new(), Vec::new(), Vec::new());
    let grid = Points::new(1, vec![0.21, 0.68]).unwrap();
    loop {
        match run.step().unwrap() {
            Event::Outer(record) => bits.push(record.loss.to_bits()),
            Event::GaussNewton(record, posterior) => {
                bits.extend([record.increment.to_bits(), record.residual.unwrap().to_bits()]);
                bits.extend(posterior.values(0, &grid).unwrap().iter().map(|v| v.to_bits()));
                snapshots.push(run.snapshot().unwrap());
                points.push(run.collocation().interior.len());
                assert_eq!(run.iterate()[0].len(), run.collocation().interior.len());
            }
            Event::Done(_) => return (bits, snapshots, points),
        }
    }
}

#[test]
fn a_refined_run_gains_points_and_resumes_bit_for_bit() {
    let (bits, snapshots, points) = follow(cubic::init(settings()).with_refiner(refiner(15)));
    assert_eq!(points, [12, 13, 14, 15, 15, 15]);
    for (k, snapshot) in snapshots.iter().enumerate() {
        assert_eq!(snapshot.iterate.points.is_some(), k > 0, "points are stored once they have changed");
        let problem = cubic::problem(None);
        let (collocation, kernels) = (cubic::collocation(&problem), vec![cubic::kernel()]);
        let run = Bilevel::restore(&problem, collocation, kernels, settings(), snapshot).unwrap();
        let (rest, _, _) = follow(run.with_refiner(refiner(15)));
        assert_eq!(rest, bits[bits.len() - rest.len()..], "from step {}", k + 1);
    }
}

#[test]
fn points_where_the_residual_is_largest_make_it_smaller() {
    let residual = |run: Bilevel<Gaussian>| {
        let outcome = run.run(&mut ()).unwrap();
        let grid = Points::new(1, (1..100).map(|i| f64::from(i) / 100.0).collect()).unwrap();
        let operators = [Operator::second(1, 0), Operator::identity(1)];
        let unknowns = outcome.last.evaluate(0, &operators, &grid).unwrap();
        cubic::Cubic.residual(&grid, &unknowns).unwrap()[0].iter().fold(0.0, |m, r| f64::max(m, r.abs()))
    };
    let settings = || settings().frozen(6, 0.0);
    let (plain, refined) =
        (residual(cubic::init(settings())), residual(cubic::init(settings()).with_refiner(refiner(20))));
    assert!(refined < 0.5 * plain, "largest residual {plain} without, {refined} with five more points");
}

/// Changes what it must not.
struct Forgetful;

impl<K: Kernel> Refiner<K> for Forgetful {
    fn refine(&mut self, _: &Posterior<K>, collocation: &Collocation) -> Result<Option<Collocation>, BilevelError> {
        Ok(Some(Collocation { boundary: Vec::new(), ..collocation.clone() }))
    }
}

#[test]
fn a_refiner_that_drops_conditions_is_refused() {
    let error = cubic::init(settings()).with_refiner(Forgetful).run(&mut ()).unwrap_err();
    assert!(error.to_string().contains("interior points and the validation pool only"), "{error}");
}
