//! Linear equations take one step, and nothing that is not linear is taken for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde::bilevel::{Bilevel, BilevelSettings, Event, Outcome, StepControl, Termination};
use hyperpde::kernels::Gaussian;
use hyperpde::pde::Collocation;
use hyperpde::prelude::*;

/// `F = u'' + f(x, u)` by name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// `(1 + x) u − 2 x`.
    Affine,
    /// `u²`: at zero neither it nor its derivative is there.
    Square,
    /// `|u|`: its derivative is the same on either side.
    Absolute,
    /// `sign u`: its derivative is zero wherever there is one.
    Sign,
    /// `u² − 9` between 2.9 and 3.1, else 0: only the solution, which is 3, is there.
    AtTheSolution,
    /// `ln u`: no value at half of all functions.
    Logarithm,
}

impl Residual for Kind {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::second(0, 1, 0), Unknown::value(0, 1)]
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        let v = u[1];
        let f = match self {
            Self::Affine => v * (1.0 + x[0]) - 2.0 * x[0],
            Self::Square => v * v,
            Self::Absolute => {
                if v.re() < 0.0 {
                    -v
                } else {
                    v
                }
            }
            Self::Sign => D::from(v.re().signum()),
            Self::AtTheSolution => {
                if (v.re() - 3.0).abs() < 0.1 {
                    v * v - 9.0
                } else {
                    D::from(0.0)
                }
            }
            Self::Logarithm => (v + 1e-3).ln(),
        };
        vec![u[0] + f]
    }
}

fn problem(kind: Kind, ends: f64) -> Problem {
    let domain = Domain::space([("x", 0.0, 1.0)]).unwrap();
    let at = |face| Condition::dirichlet(&domain, face, 0, move |_| ends).unwrap();
    let conditions = [at(Face::lower(0)), at(Face::upper(0))];
    let grid = TestGrid::uniform(&domain, &[11]).unwrap();
    Problem::builder("one", domain).equations(kind).conditions(conditions).test_grid(grid).build().unwrap()
}

fn collocation(problem: &Problem) -> Collocation {
    problem.sample(&SampleSizes { interior: 9, boundary: 2, validation: 9 }, Sampler::Halton, 1).unwrap()
}

fn settings(problem: &Problem) -> BilevelSettings {
    BilevelSettings {
        gauss_newton_steps: 3,
        outer_steps: 2,
        batch: 5,
        loss_tolerance: 0.0,
        nugget: 1e-10,
        monitor: 0,
        ..BilevelSettings::published(problem.defaults(), 0)
    }
}

fn init(kind: Kind, ends: f64, change: impl Fn(BilevelSettings) -> BilevelSettings) -> Bilevel<Gaussian> {
    let problem = problem(kind, ends);
    let kernel = GaussianConfig::isotropic(0.4).init(&Backend::default().device().unwrap().autodiff()).unwrap();
    Bilevel::init(&problem, collocation(&problem), vec![kernel], change(settings(&problem))).unwrap()
}

fn frozen(kind: Kind, ends: f64) -> Outcome<Gaussian> {
    init(kind, ends, |s| s.frozen(20, 1e-9)).run(&mut ()).unwrap()
}

#[test]
fn a_linear_problem_is_solved_in_one_step() {
    let outcome = frozen(Kind::Affine, 1.0);
    assert_eq!((outcome.termination, outcome.gauss_newton_steps, outcome.linear), (Termination::Linear, 1, true));
    // From its own solution, or with steps under control, the same: nothing is left to do.
    let values = |outcome: &Outcome<Gaussian>| outcome.last.values(0, problem(Kind::Affine, 1.0).test_grid().points());
    let solution = values(&outcome).unwrap();
    for control in [StepControl::Full, StepControl::Backtracking] {
        let again = init(Kind::Affine, 1.0, |s| BilevelSettings { step_control: control, ..s.frozen(20, 0.0) });
        let again = again.with_start(outcome.last.clone()).unwrap().run(&mut ()).unwrap();
        assert_eq!((again.termination, again.gauss_newton_steps), (Termination::Linear, 1));
        let change = solution.iter().zip(values(&again).unwrap()).fold(0.0, |c, (a, b)| f64::max(c, (a - b).abs()));
        assert!(change < 1e-9, "{change}");
    }
}

#[test]
fn what_only_looks_linear_is_not() {
    for kind in [Kind::Square, Kind::Absolute, Kind::Sign, Kind::Logarithm] {
        assert!(!init(kind, 0.5, |s| s).is_linear(), "{kind:?}");
    }
    // With nothing to do the iterate is zero, about which the rows of u² are those of no term at all.
    let zero = frozen(Kind::Square, 0.0);
    assert_eq!((zero.termination, zero.linear), (Termination::Converged, false));
    let square = frozen(Kind::Square, 0.5);
    assert!(square.gauss_newton_steps > 2 && square.termination == Termination::Converged, "{square:?}");
}

#[test]
fn the_iterate_decides_where_no_other_function_shows_the_term() {
    assert!(init(Kind::AtTheSolution, 3.0, |s| s).is_linear(), "the drawn functions miss it");
    let outcome = frozen(Kind::AtTheSolution, 3.0);
    assert!(!outcome.linear && outcome.gauss_newton_steps > 1, "{outcome:?}");
    // Where the solution is elsewhere, the term is never met.
    assert_eq!(frozen(Kind::AtTheSolution, 1.0).termination, Termination::Linear);
}

#[test]
fn learning_goes_on_about_a_linear_problem() {
    let mut run = init(Kind::Affine, 1.0, |s| s);
    let (mut outer, mut solves) = (0, 0);
    let end = loop {
        match run.step().unwrap() {
            Event::Outer(_) => outer += 1,
            Event::GaussNewton(record, _) => {
                assert_eq!(record.fraction, 1.0);
                solves += 1;
            }
            Event::Done(end) => break end,
        }
    };
    assert_eq!((outer, solves, end, run.is_linear()), (6, 3, Termination::StepsTaken, true));
}

#[test]
fn a_run_that_goes_on_knows_what_it_knew() {
    for (kind, ends) in [(Kind::Affine, 1.0), (Kind::AtTheSolution, 3.0)] {
        let change = |s: BilevelSettings| BilevelSettings { step_control: StepControl::Backtracking, ..s };
        let mut run = init(kind, ends, change);
        while run.snapshot().is_none() {
            run.step().unwrap();
        }
        let snapshot = run.snapshot().unwrap();
        let problem = problem(kind, ends);
        let kernel = GaussianConfig::isotropic(0.4).init(&Backend::default().device().unwrap().autodiff()).unwrap();
        let again =
            Bilevel::restore(&problem, collocation(&problem), vec![kernel], change(settings(&problem)), &snapshot);
        assert_eq!(again.unwrap().is_linear(), run.is_linear(), "{kind:?}");
        assert_eq!(run.is_linear(), kind == Kind::Affine);
    }
}
