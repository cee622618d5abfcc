//! Every failure is a typed error or a stated recovery: never a panic, never a NaN in a result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde::bilevel::{
    Bilevel, BilevelError, BilevelSettings, Event, LossRange, Optimizer, OptimizerState, Progress,
};
use hyperpde::burn::module::Module;
use hyperpde::burn::tensor::Device;
use hyperpde::gp::{GpError, InnerProblem, RowBlock, SolveSettings};
use hyperpde::kernels::{Gibbs, parameters, with_parameters};
use hyperpde::linalg::{DenseCholesky, JitterPolicy, SolveError};
use hyperpde::pde::{Collocation, PdeError};
use hyperpde::prelude::*;

fn device() -> Device {
    Backend::default().device().unwrap().autodiff()
}

fn burgers() -> Problem {
    problems::Burgers::default().problem().unwrap()
}

fn small() -> SampleSizes {
    SampleSizes { interior: 40, boundary: 15, validation: 30 }
}

fn settings() -> BilevelSettings {
    BilevelSettings {
        gauss_newton_steps: 2,
        outer_steps: 3,
        batch: 10,
        monitor: 20,
        ..BilevelSettings::published(burgers().defaults(), 1)
    }
}

fn collocation() -> Collocation {
    burgers().sample(&small(), Sampler::Uniform, 1).unwrap()
}

fn gibbs() -> Gibbs {
    GibbsConfig::new(2, LengthScales::PerDimension, 4.0).with_hidden([8]).init(1, &device()).unwrap()
}

fn init(kernel: Gibbs, settings: BilevelSettings) -> Result<Bilevel<Gibbs>, BilevelError> {
    Bilevel::init(&burgers(), collocation(), vec![kernel], settings)
}

#[test]
fn a_length_scale_driven_to_zero_is_named() {
    // A bias of −800 on the outputs: softplus underflows to an exact zero.
    let kernel = gibbs();
    let mut theta = parameters(&kernel).unwrap();
    let n = theta.len();
    theta[n - 2..].fill(-800.0);
    let error = init(with_parameters(kernel, &theta).unwrap(), settings()).unwrap().run(&mut ()).unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(error, BilevelError::Step { gauss_newton: 1, source: GpError::NonFinite { .. }, .. }),
        "{error:?}"
    );
    assert!(text.contains("length scale has reached zero"), "{text}");
}

#[test]
fn a_nan_in_a_weight_is_named() {
    for at in [0, 5, 30] {
        let kernel = gibbs();
        let mut theta = parameters(&kernel).unwrap();
        theta[at] = f64::NAN;
        let error = init(with_parameters(kernel, &theta).unwrap(), settings()).unwrap().run(&mut ()).unwrap_err();
        assert!(error.to_string().contains("weight is NaN"), "{error}");
    }
}

/// Jumps to a useless point once, then behaves.
struct Jump {
    armed: bool,
    damped: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Optimizer for Jump {
    fn name(&self) -> &str {
        "jump"
    }

    fn begin(&mut self, _state: OptimizerState, _range: LossRange) {}

    fn step(&mut self, theta: &mut [f64], _loss: f64, _gradient: &[f64]) -> Progress {
        if std::mem::take(&mut self.armed) {
            theta.fill(f64::NAN);
        }
        Progress::Continue
    }

    fn retreat(&mut self, theta: &mut [f64], safe: &[f64]) {
        theta.copy_from_slice(safe);
        self.damped.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn training_backs_off_from_a_bad_update_and_goes_on() {
    let damped = std::sync::Arc::default();
    let optimizer = Jump { armed: true, damped: std::sync::Arc::clone(&damped) };
    let start = parameters(&gibbs()).unwrap();
    let mut run = init(gibbs(), settings()).unwrap().with_optimizer(optimizer).unwrap();
    let mut backed_off = 0;
    loop {
        match run.step().unwrap() {
            Event::Outer(record) => {
                assert!(record.loss.is_finite());
                backed_off += usize::from(record.backed_off);
            }
            Event::GaussNewton(_, posterior) => {
                assert!(posterior.values(0, burgers().test_grid().points()).unwrap().iter().all(|v| v.is_finite()));
            }
            Event::Done(_) => break,
        }
    }
    assert_eq!((backed_off, damped.load(std::sync::atomic::Ordering::Relaxed)), (1, 1));
    assert_eq!(run.theta(), start, "training is back at the last good hyperparameters");
}

#[test]
fn duplicate_points_without_a_nugget_get_reported_jitter_or_a_typed_error() {
    let points = Points::new(2, [0.3, 0.4].repeat(6)).unwrap();
    let rows = |jitter| {
        let block = RowBlock::simple("data", 0, Operator::identity(2), points.clone(), vec![1.0; 6], 0.0).unwrap();
        let solver = std::sync::Arc::new(DenseCholesky::new().with_jitter(jitter));
        let settings = SolveSettings { solver, ..SolveSettings::default() };
        InnerProblem::new(1, vec![block], &[], 0.0, settings).unwrap()
    };
    let kernel = [GaussianConfig::isotropic(0.3).init(&device()).unwrap()];
    let posterior = rows(JitterPolicy::default()).solve(&kernel).unwrap();
    assert!(posterior.info().jitter > 0.0, "the jitter that made it work is reported");
    let value = posterior.values(0, &Points::new(2, vec![0.3, 0.4]).unwrap()).unwrap()[0];
    assert!((value - 1.0).abs() < 1e-6, "{value}");
    let error = rows(JitterPolicy::none()).solve(&kernel).unwrap_err();
    assert!(
        matches!(error, GpError::Factorisation { rows: 6, source: SolveError::NotPositiveDefinite { size: 6, .. } }),
        "{error:?}"
    );
    assert!(error.to_string().contains("nugget"), "{error}");
}

#[test]
fn duplicate_collocation_points_of_a_pde_without_a_nugget() {
    let mut cloud = collocation();
    cloud.interior = Points::concat(&[&cloud.interior, &cloud.interior]).unwrap();
    let settings = BilevelSettings { nugget: 0.0, outer_steps: 0, ..settings() };
    match Bilevel::init(&burgers(), cloud, vec![gibbs()], settings).unwrap().run(&mut ()) {
        Ok(outcome) => {
            assert!(outcome.last.info().jitter > 0.0);
            assert!(outcome.last.weights().iter().all(|w| w.is_finite()));
        }
        Err(error) => assert!(matches!(error, BilevelError::Step { .. } | BilevelError::Diverged { .. }), "{error:?}"),
    }
}

#[test]
fn an_empty_boundary_and_zero_points_are_refused() {
    for sizes in [SampleSizes { boundary: 0, ..small() }, SampleSizes { interior: 0, ..small() }] {
        let error = burgers().sample(&sizes, Sampler::Uniform, 1).unwrap_err();
        assert!(
            matches!(error, PdeError::Sampling(_) | PdeError::Setting { .. } | PdeError::Problem { .. }),
            "{error:?}"
        );
    }
    let empty = Points::new(2, Vec::new()).unwrap();
    let error = RowBlock::simple("boundary", 0, Operator::identity(2), empty, Vec::new(), 0.0).unwrap_err();
    assert!(error.to_string().contains("no points"), "{error}");
    let error = InnerProblem::new(1, Vec::new(), &[], 1e-10, SolveSettings::default()).unwrap_err();
    assert!(error.to_string().contains("no rows"), "{error}");
    // Without boundary rows the system still solves, for the minimum-norm function: zero here, since the equation is homogeneous.
    let cloud = Collocation { boundary: Vec::new(), ..collocation() };
    let outcome = Bilevel::init(&burgers(), cloud, vec![gibbs()], BilevelSettings { outer_steps: 0, ..settings() })
        .unwrap()
        .run(&mut ())
        .unwrap();
    assert!(outcome.last.values(0, burgers().test_grid().points()).unwrap().iter().all(|v| v.abs() < 1e-12));
}

#[test]
fn settings_out_of_range_say_what_is_allowed() {
    let cases = [
        (BilevelSettings { batch: 31, ..settings() }, "size of the validation pool, 30"),
        (BilevelSettings { batch: 0, ..settings() }, "at least 1"),
        (BilevelSettings { gauss_newton_steps: 0, ..settings() }, "at least 1"),
        (BilevelSettings { learning_rate: f64::NAN, ..settings() }, "positive"),
        (BilevelSettings { nugget: -1.0, ..settings() }, "not negative"),
    ];
    for (settings, expected) in cases {
        let Err(error) = init(gibbs(), settings) else { panic!("accepted: {expected}") };
        assert!(error.to_string().contains(expected), "{error}");
    }
    let two = vec![gibbs(), gibbs()];
    assert!(Bilevel::init(&burgers(), collocation(), two, settings()).is_err());
}

#[test]
fn kernels_without_gradients_are_refused_where_something_is_to_be_learned() {
    let tracked = gibbs();
    let detached = init(tracked.clone(), settings()).unwrap().run(&mut ()).unwrap().last.kernels()[0].clone();
    for kernel in [tracked.clone().no_grad(), tracked.valid(), detached] {
        let error = init(kernel.clone(), settings()).err();
        assert!(matches!(error, Some(BilevelError::Untracked)), "{error:?}");
        assert!(error.unwrap().to_string().contains("autodiff"));
        // Without outer steps they are all that is needed.
        init(kernel, BilevelSettings { outer_steps: 0, ..settings() }).unwrap().run(&mut ()).unwrap();
    }
}
