//! A run restored from a snapshot gives bit for bit the numbers of the run that was not interrupted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde::bilevel::{
    Adam, Bilevel, BilevelError, BilevelSettings, Event, ObjectiveKind, Optimizer, OptimizerKind, OptimizerState,
    Snapshot, StepControl, Termination,
};
use hyperpde::kernels::Gaussian;
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
fn follow<K: Kernel>(mut run: Bilevel<K>) -> (Vec<u64>, Vec<Snapshot>, Vec<f64>) {
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

#[test]
fn every_objective_resumes_bit_for_bit() {
    for &kind in ObjectiveKind::ALL {
        let settings = BilevelSettings {
            objective: kind.build(),
            gauss_newton_steps: 3,
            ..settings(OptimizerKind::Adam, OptimizerState::Reset)
        };
        let (problem, collocation, kernel) = parts();
        let run = Bilevel::init(&problem, collocation, vec![kernel], settings.clone()).unwrap();
        let (bits, snapshots, theta) = follow(run);
        for snapshot in &snapshots {
            let (problem, collocation, kernel) = parts();
            let run = Bilevel::restore(&problem, collocation, vec![kernel], settings.clone(), snapshot).unwrap();
            let (rest, _, end) = follow(run);
            assert_eq!(rest, bits[bits.len() - rest.len()..], "{} from {}", kind.name(), snapshot.gauss_newton);
            assert_eq!(end, theta);
        }
    }
}

/// With few hyperparameters L-BFGS scans its first loss; a run that goes on has done so.
#[test]
fn a_scan_is_not_repeated_after_a_resume() {
    let settings = BilevelSettings { outer_steps: 10, ..settings(OptimizerKind::Lbfgs, OptimizerState::Keep) };
    let run = |snapshot: Option<&Snapshot>| -> Bilevel<Gaussian> {
        let (problem, collocation, _) = parts();
        let device = Backend::default().device().unwrap().autodiff();
        let kernels = vec![GaussianConfig::ard([0.3, 0.2]).init(&device).unwrap()];
        match snapshot {
            None => Bilevel::init(&problem, collocation, kernels, settings.clone()).unwrap(),
            Some(snapshot) => Bilevel::restore(&problem, collocation, kernels, settings.clone(), snapshot).unwrap(),
        }
    };
    let (bits, snapshots, theta) = follow(run(None));
    for snapshot in &snapshots {
        let (rest, _, end) = follow(run(Some(snapshot)));
        assert_eq!(rest, bits[bits.len() - rest.len()..], "from step {}", snapshot.gauss_newton);
        assert_eq!(end, theta);
    }
}

#[test]
fn a_run_that_was_over_is_over_for_the_same_reason() {
    let restored = |snapshot: &Snapshot, settings: &BilevelSettings| {
        let (problem, collocation, kernel) = parts();
        let mut run = Bilevel::restore(&problem, collocation, vec![kernel], settings.clone(), snapshot).unwrap();
        assert_eq!(run.snapshot().unwrap().termination, snapshot.termination);
        let Event::Done(termination) = run.step().unwrap() else { panic!("the run was over") };
        termination
    };
    let last = |settings: &BilevelSettings, stop: Option<usize>| {
        let (problem, collocation, kernel) = parts();
        let mut run = Bilevel::init(&problem, collocation, vec![kernel], settings.clone()).unwrap();
        loop {
            match run.step().unwrap() {
                Event::GaussNewton(record, _) if Some(record.gauss_newton) == stop => run.stop(),
                Event::Done(_) => return run.snapshot().unwrap(),
                _ => {}
            }
        }
    };
    let learning = settings(OptimizerKind::Adam, OptimizerState::Reset);
    let frozen = BilevelSettings { step_control: StepControl::Full, ..learning.clone().frozen(30, 1e-6) };
    for (settings, stop, expected) in [
        (&learning, None, Termination::StepsTaken),
        (&learning, Some(2), Termination::Stopped),
        (&frozen, None, Termination::Converged),
    ] {
        let snapshot = last(settings, stop);
        assert_eq!(snapshot.termination, Some(expected));
        assert_eq!(restored(&snapshot, settings), expected);
    }
}

#[test]
fn memory_of_another_optimizer_is_refused_and_that_of_ones_own_is_kept() {
    let settings = settings(OptimizerKind::Adam, OptimizerState::Keep);
    let (problem, collocation, kernel) = parts();
    let (bits, snapshots, _) = follow(Bilevel::init(&problem, collocation, vec![kernel], settings.clone()).unwrap());
    let restore = |optimizer: Option<Box<dyn Optimizer>>, settings: &BilevelSettings| {
        let (problem, collocation, kernel) = parts();
        let (settings, snapshot) = (settings.clone(), &snapshots[1]);
        match optimizer {
            None => Bilevel::restore(&problem, collocation, vec![kernel], settings, snapshot),
            Some(optimizer) => {
                Bilevel::restore_with(&problem, collocation, vec![kernel], settings, snapshot, optimizer)
            }
        }
    };
    let other = BilevelSettings { optimizer: OptimizerKind::Lbfgs, ..settings.clone() };
    let error = restore(None, &other).err().unwrap();
    assert!(matches!(error, BilevelError::Optimizer(_)), "{error:?}");
    assert!(error.to_string().contains("'adam'") && error.to_string().contains("'lbfgs'"), "{error}");
    // An optimizer of one's own takes the memory; one that would forget it is refused.
    let (rest, _, _) = follow(restore(Some(Box::new(Adam::new(settings.learning_rate))), &other).unwrap());
    assert_eq!(rest, bits[bits.len() - rest.len()..]);
    let late = restore(None, &settings).unwrap().with_optimizer(Adam::new(1e-2)).err().unwrap();
    assert!(late.to_string().contains("restore_with"), "{late}");
}
