//! When a run ends and what it says about it; what it does in which step; what is left of it after an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "common/cubic.rs"]
mod cubic;

use std::ops::ControlFlow;

use cubic::{collocation, init, kernel, numbers, problem, settings};
use hyperpde::bilevel::{BilevelSettings, Event, Termination};
use hyperpde::kernels::Gaussian;
use hyperpde::prelude::*;

/// Gauss-Newton and outer steps of each event, and the end.
fn events(mut run: Bilevel<Gaussian>) -> (Vec<(usize, usize)>, Vec<f64>, Termination) {
    let (mut steps, mut increments) = (Vec::new(), Vec::new());
    loop {
        match run.step().unwrap() {
            Event::Outer(record) => steps.push((record.gauss_newton, record.outer)),
            Event::GaussNewton(record, _) => {
                steps.push((record.gauss_newton, 0));
                increments.push(record.increment);
            }
            Event::Done(termination) => return (steps, increments, termination),
        }
    }
}

#[test]
fn a_frozen_kernel_ends_when_the_iterate_stands_still() {
    let problem = problem(None);
    let run = || settings(&problem).frozen(20, 1e-8);
    let (_, increments, termination) = events(init(run()));
    assert_eq!(termination, Termination::Converged);
    let (last, before) = increments.split_last().unwrap();
    assert!(*last <= 1e-8 && before.iter().all(|i| *i > 1e-8), "{increments:?}");
    assert!((3..10).contains(&increments.len()), "Newton's method converges in a few steps: {increments:?}");
    // Without a tolerance all steps are taken, however small they get.
    let (_, increments, termination) = events(init(settings(&problem).frozen(8, 0.0)));
    assert_eq!((increments.len(), termination), (8, Termination::StepsTaken));
    // Too few steps to get there.
    let (_, increments, termination) = events(init(settings(&problem).frozen(2, 1e-8)));
    assert_eq!((increments.len(), termination), (2, Termination::StepsTaken));
}

#[test]
fn learning_ends_early_only_where_no_outer_step_is_left() {
    let problem = problem(None);
    let base = || BilevelSettings { gauss_newton_steps: 12, increment_tolerance: 1e-6, ..settings(&problem) };
    // A loss that is always small enough: one evaluation a step, no update.
    let small = BilevelSettings { loss_tolerance: 1e30, ..base() };
    let (steps, _, termination) = events(init(small));
    assert_eq!(termination, Termination::Converged);
    assert!(steps.len() < 24 && steps.iter().all(|(_, outer)| *outer <= 1), "{steps:?}");
    // The optimizer is never done, so neither is the run, although the kernel hardly moves.
    let busy = BilevelSettings { learning_rate: 1e-12, ..base() };
    let (steps, increments, termination) = events(init(busy));
    assert_eq!((termination, steps.len()), (Termination::StepsTaken, 12 * 4));
    assert!(increments.last().unwrap() < &1e-6);
}

#[test]
fn learning_ends_when_it_gains_nothing() {
    let problem = problem(None);
    // Updates this small lower the loss by next to nothing.
    let base =
        || BilevelSettings { gauss_newton_steps: 9, learning_rate: 1e-12, gain_tolerance: 1e-3, ..settings(&problem) };
    for gain_steps in [1, 2, 4] {
        let (steps, _, termination) = events(init(BilevelSettings { gain_steps, ..base() }));
        assert_eq!((termination, steps.len()), (Termination::NothingToGain, 4 * gain_steps));
    }
    // Steps without an update are not idle ones, and a tolerance of zero asks for nothing.
    let (steps, _, _) = events(init(BilevelSettings { gain_steps: 2, warm_up: 3, ..base() }));
    assert_eq!(steps.len(), 3 + 2 * 4);
    let (_, _, termination) = events(init(BilevelSettings { gain_tolerance: 0.0, ..base() }));
    assert_eq!(termination, Termination::StepsTaken);
    // Where there is something to gain the count begins anew.
    let learning = BilevelSettings { gauss_newton_steps: 4, learning_rate: 0.1, gain_steps: 1, ..base() };
    let (steps, _, termination) = events(init(learning));
    assert_eq!((termination, steps.len()), (Termination::StepsTaken, 16));
    assert!(matches!(
        Bilevel::init(&problem, collocation(&problem), vec![kernel()], BilevelSettings { gain_steps: 0, ..base() }),
        Err(BilevelError::Setting { name: "gain steps", .. })
    ));
}

#[test]
fn a_resumed_run_remembers_its_idle_steps() {
    let problem = problem(None);
    let settings = || BilevelSettings {
        gauss_newton_steps: 9,
        learning_rate: 1e-12,
        gain_tolerance: 1e-3,
        gain_steps: 3,
        ..settings(&problem)
    };
    let mut run = init(settings());
    let snapshot = loop {
        run.step().unwrap();
        if let Some(snapshot) = run.snapshot().filter(|s| s.gauss_newton == 2) {
            break snapshot;
        }
    };
    let resumed =
        Bilevel::restore(&problem, collocation(&problem), vec![kernel()], settings(), &snapshot).unwrap().run(&mut ());
    let resumed = resumed.unwrap();
    assert_eq!((resumed.termination, resumed.gauss_newton_steps), (Termination::NothingToGain, 3));
}

#[test]
fn no_outer_step_is_taken_while_warming_up() {
    let problem = problem(None);
    for warm_up in [0, 1, 2] {
        let settings = BilevelSettings { gauss_newton_steps: 3, warm_up, ..settings(&problem) };
        let (steps, _, _) = events(init(settings));
        let expected: Vec<(usize, usize)> =
            (1..=3).flat_map(|k| (1..=if k > warm_up { 3 } else { 0 }).map(move |j| (k, j)).chain([(k, 0)])).collect();
        assert_eq!(steps, expected);
    }
}

struct StopAfter(usize);

impl Observer<Gaussian> for StopAfter {
    fn gauss_newton(&mut self, record: &GaussNewtonRecord, _: &Posterior<Gaussian>) -> ControlFlow<()> {
        if record.gauss_newton == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn the_outcome_says_why_and_after_how_many_steps() {
    let problem = problem(None);
    let outcome = init(settings(&problem)).run(&mut StopAfter(2)).unwrap();
    assert_eq!((outcome.termination, outcome.gauss_newton_steps), (Termination::Stopped, 2));
    let outcome = init(settings(&problem)).run(&mut ()).unwrap();
    assert_eq!((outcome.termination, outcome.gauss_newton_steps), (Termination::StepsTaken, 4));
    assert_eq!(outcome.termination.to_string(), "steps-taken");
}

#[test]
fn a_step_that_failed_can_be_taken_again() {
    let problem = problem(None);
    // Training may not return to its last good point by itself: then it would go on, elsewhere.
    let settings = || BilevelSettings { retries: 0, ..settings(&problem) };
    let (mut whole, mut failing) = (init(settings()), init(settings()));
    let start = failing.theta().to_vec();
    for count in 0..16 {
        // Outer steps, the first of a Gauss-Newton step among them, and inner solves.
        if [0, 3, 4, 6, 11].contains(&count) {
            let theta = failing.theta().to_vec();
            failing.set_theta(&[f64::NAN]).unwrap();
            assert!(matches!(failing.step(), Err(BilevelError::Step { .. })), "event {count}");
            failing.set_theta(&theta).unwrap();
        }
        assert_eq!(numbers(failing.step().unwrap()), numbers(whole.step().unwrap()), "event {count}");
    }
    assert!(matches!(failing.step().unwrap(), Event::Done(Termination::StepsTaken)));
    assert_ne!(failing.theta(), start);
}
