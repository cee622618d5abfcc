//! A run restored from a snapshot gives bit for bit the numbers of the run that was not interrupted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde::bilevel::{
    Bilevel, BilevelError, BilevelSettings, Event, OptimizerKind, OptimizerState, Snapshot, StepControl,
};
use hyperpde::prelude::*;

fn settings(optimizer: OptimizerKind, optimizer_state: OptimizerState) -> BilevelSettings {
    let problem = problems::Burgers::default().problem().unwrap();
    BilevelSettings {
        gauss_newton_steps: 5,
        outer_steps: 4,
        batch: 12,
        monitor: 40,
        optimizer,
        optimizer_state,
        step_control: StepControl::Backtracking,
        ..BilevelSettings::published(problem.defaults(), 5)
    }
}

fn parts() -> (Problem, Collocation, Gibbs) {
    let problem = problems::Burgers::default().problem().unwrap();
    let device = Backend::default().device().unwrap().autodiff();
    let kernel = GibbsConfig::new(2, LengthScales::PerDimension, 4.0).with_hidden([6]).init(4, &device).unwrap();
    let collocation =
        problem.sample(&SampleSizes { interior: 60, boundary: 24, validation: 30 }, Sampler::Halton, 9).unwrap();
    (problem, collocation, kernel)
}

/// Bits of everything a run reports, and its snapshot after each Gauss-Newton step (through JSON and back).
fn follow(mut run: Bilevel<Gibbs>) -> (Vec<u64>, Vec<Snapshot>, Vec<f64>) {
    let (mut bits, mut snapshots) = (Vec::new(), Vec::new());
    let grid = Points::new(2, vec![0.3, -0.4, 0.9, 0.1]).unwrap();
    loop {
        match run.step().unwrap() {
            Event::Outer(record) => {
                bits.push(record.loss.to_bits());
                assert!(run.snapshot().is_none(), "no snapshot within a Gauss-Newton step");
            }
            Event::GaussNewton(record, posterior) => {
                bits.push(record.increment.to_bits());
                bits.push(record.residual.unwrap().to_bits());
                bits.extend(posterior.values(0, &grid).unwrap().iter().map(|v| v.to_bits()));
                snapshots.push(run.snapshot().unwrap());
            }
            Event::Done(_) => {
                let theta = run.theta().to_vec();
                let outcome = run.run(&mut ()).unwrap();
                bits.extend(outcome.best.values(0, &grid).unwrap().iter().map(|v| v.to_bits()));
                return (bits, snapshots, theta);
            }
        }
    }
}

#[test]
fn every_snapshot_resumes_bit_for_bit() {
    for (optimizer, state) in [
        (OptimizerKind::Adam, OptimizerState::Reset),
        (OptimizerKind::Adam, OptimizerState::Keep),
        (OptimizerKind::Lbfgs, OptimizerState::Keep),
    ] {
        let settings = settings(optimizer, state);
        let (problem, collocation, kernel) = parts();
        let run = Bilevel::init(&problem, collocation, vec![kernel], settings.clone()).unwrap();
        assert!(run.snapshot().is_none());
        let (bits, snapshots, theta) = follow(run);
        for (k, snapshot) in snapshots.iter().enumerate() {
            let (problem, collocation, kernel) = parts();
            let run = Bilevel::restore(&problem, collocation, vec![kernel], settings.clone(), snapshot).unwrap();
            let (rest, later, end) = follow(run);
            assert_eq!(rest, bits[bits.len() - rest.len()..], "{optimizer:?} {state:?} from step {}", k + 1);
            assert_eq!((later.len(), end), (snapshots.len() - k - 1, theta.clone()));
        }
    }
}

#[test]
fn a_snapshot_of_another_run_is_refused() {
    let settings = settings(OptimizerKind::Adam, OptimizerState::Reset);
    let (problem, collocation, kernel) = parts();
    let run = Bilevel::init(&problem, collocation, vec![kernel], settings.clone()).unwrap();
    let (_, snapshots, _) = follow(run);
    let (problem, collocation, kernel) = parts();
    let mut other = snapshots[0].clone();
    other.theta.pop();
    let error = Bilevel::restore(&problem, collocation.clone(), vec![kernel.clone()], settings.clone(), &other);
    assert!(matches!(error.err(), Some(BilevelError::Snapshot(_))));
    let mut other = snapshots[0].clone();
    other.iterate.about[1].pop();
    let error = Bilevel::restore(&problem, collocation, vec![kernel], settings, &other).err().unwrap();
    assert!(error.to_string().contains("does not fit"), "{error}");
}
