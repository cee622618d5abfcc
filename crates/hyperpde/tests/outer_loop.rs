//! The hypergradient of the whole outer loss, through linearisation, features, inner solve and validation rows, against finite differences.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde::bilevel::{Bilevel, BilevelSettings, Event, LossRange, Optimizer, OptimizerState, Progress};
use hyperpde::gp::{Assembly, SolveSettings};
use hyperpde::kernels::parameters;
use hyperpde::prelude::*;

/// Keeps the gradient, leaves the parameters.
#[derive(Clone, Default)]
struct Record(std::sync::Arc<std::sync::Mutex<Vec<f64>>>);

impl Optimizer for Record {
    fn name(&self) -> &str {
        "record"
    }

    fn begin(&mut self, _state: OptimizerState, _range: LossRange) {}

    fn step(&mut self, _theta: &mut [f64], _loss: f64, gradient: &[f64]) -> Progress {
        *self.0.lock().unwrap() = gradient.to_vec();
        Progress::Continue
    }

    fn retreat(&mut self, _theta: &mut [f64], _safe: &[f64]) {}
}

/// Loss and gradient of the first outer step after one Gauss-Newton step at the kernel's own start, about a frozen non-zero iterate.
fn loss_and_gradient(theta: Option<&[f64]>, assembly: Assembly) -> (f64, Vec<f64>) {
    let problem = problems::Burgers::default().problem().unwrap();
    let device = Backend::default().device().unwrap().autodiff();
    let kernel = GibbsConfig::new(2, LengthScales::PerDimension, 3.0).with_hidden([5]).init(4, &device).unwrap();
    let collocation =
        problem.sample(&SampleSizes { interior: 40, boundary: 15, validation: 20 }, Sampler::Uniform, 9).unwrap();
    let settings = BilevelSettings {
        gauss_newton_steps: 2,
        outer_steps: 1,
        batch: 12,
        loss_tolerance: 0.0,
        nugget: 1e-4,
        monitor: 0,
        solve: SolveSettings { assembly, ..SolveSettings::default() },
        ..BilevelSettings::published(problem.defaults(), 5)
    };
    let record = Record::default();
    // The first Gauss-Newton step always runs at the kernel's start, so that the frozen iterate does not depend on `theta`.
    let mut run =
        Bilevel::init(&problem, collocation, vec![kernel], settings).unwrap().with_optimizer(record.clone()).unwrap();
    let mut loss = f64::NAN;
    loop {
        match run.step().unwrap() {
            Event::Outer(r) => loss = r.loss,
            Event::GaussNewton(r, _) if r.gauss_newton == 1 => {
                if let Some(theta) = theta {
                    run.set_theta(theta).unwrap();
                }
            }
            Event::GaussNewton(..) => {}
            Event::Done(_) => break,
        }
    }
    let gradient = record.0.lock().unwrap().clone();
    (loss, gradient)
}

#[test]
fn hypergradient_equals_finite_differences() {
    for assembly in Assembly::ALL {
        let device = Backend::default().device().unwrap();
        let start = parameters(
            &GibbsConfig::new(2, LengthScales::PerDimension, 3.0).with_hidden([5]).init(4, &device).unwrap(),
        )
        .unwrap();
        let (loss, gradient) = loss_and_gradient(None, assembly);
        assert!(loss > 1e-6, "a loss worth differentiating: {loss}");
        let h = 2e-4;
        let fd: Vec<f64> = (0..start.len())
            .map(|i| {
                let at = |step: f64| {
                    let mut theta = start.clone();
                    theta[i] += step;
                    loss_and_gradient(Some(&theta), assembly).0
                };
                (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
            })
            .collect();
        let diff: f64 = gradient.iter().zip(&fd).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        let norm: f64 = fd.iter().map(|b| b * b).sum::<f64>().sqrt();
        println!("{assembly:?}: {:.1e}", diff / norm);
        assert!(diff / norm < 1e-7, "{assembly:?}: {:.2e}", diff / norm);
    }
}
