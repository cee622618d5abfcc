//! Training backs off from a kernel that can be solved with but not evaluated at other points.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

#[path = "common/cubic.rs"]
mod cubic;

use hyperpde::bilevel::{BilevelSettings, Event, LossRange, Optimizer, OptimizerState, Progress};
use hyperpde::burn;
use hyperpde::burn::module::Module;
use hyperpde::kernels::{Gaussian, Jet, KernelError, PairPoint};
use hyperpde::prelude::*;

/// A Gaussian kernel that overflows at the points where the residual is watched, known by their number, once its length scale is beyond 1.
#[derive(Module, Debug)]
struct Brittle {
    inner: Gaussian,
}

impl Kernel for Brittle {
    fn name(&self) -> String {
        "brittle".into()
    }

    fn check_dim(&self, dim: usize) -> Result<(), KernelError> {
        self.inner.check_dim(dim)
    }

    fn channels(&self, dim: usize) -> usize {
        self.inner.channels(dim)
    }

    fn features(&self, x: &Jet) -> Jet {
        let features = self.inner.features(x);
        let watched = x.value().dims()[0] == 20;
        let long = self.inner.length_scales.to_vec().unwrap()[0] > 1.0;
        if watched && long { features.scale(f64::INFINITY) } else { features }
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        self.inner.pair(x, y)
    }
}

/// Makes the length scale much longer, once.
struct Lengthen(bool);

impl Optimizer for Lengthen {
    fn name(&self) -> &str {
        "lengthen"
    }

    fn begin(&mut self, _state: OptimizerState, _range: LossRange) {}

    fn step(&mut self, theta: &mut [f64], _loss: f64, _gradient: &[f64]) -> Progress {
        if std::mem::take(&mut self.0) {
            theta[0] += 1.5;
        }
        Progress::Continue
    }

    fn retreat(&mut self, theta: &mut [f64], safe: &[f64]) {
        theta.copy_from_slice(safe);
    }
}

#[test]
fn a_solution_that_overflows_is_backed_off_from() {
    let problem = cubic::problem(None);
    let settings = BilevelSettings {
        outer_steps: 1,
        gauss_newton_steps: 2,
        nugget: 1e-4,
        monitor: 20,
        ..cubic::settings(&problem)
    };
    let kernel = Brittle { inner: cubic::kernel() };
    let mut run = Bilevel::init(&problem, cubic::collocation(&problem), vec![kernel], settings)
        .unwrap()
        .with_optimizer(Lengthen(true))
        .unwrap();
    let start = run.theta().to_vec();
    assert!(matches!(run.step().unwrap(), Event::Outer(record) if !record.backed_off));
    assert!(run.theta()[0] > start[0] + 1.0, "the bad point is where the inner solve is to be made");
    let Event::GaussNewton(record, _) = run.step().unwrap() else { panic!("the inner solve follows") };
    assert_eq!(record.gauss_newton, 1);
    assert_eq!(run.theta(), start, "and it was made at the last good one");
}
