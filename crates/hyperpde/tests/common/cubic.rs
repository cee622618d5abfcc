//! A small nonlinear problem that solves in milliseconds: `u'' − u³ + f = 0` on an interval with observations, made so that
//! `u = sin 3x + x/2`.

use hyperpde::bilevel::{BilevelSettings, Event};
use hyperpde::burn::tensor::Device;
use hyperpde::kernels::Gaussian;
use hyperpde::pde::{Collocation, Observations};
use hyperpde::prelude::*;

/// The solution.
pub fn truth(x: f64) -> f64 {
    (3.0 * x).sin() + 0.5 * x
}

/// `F = u'' − u³ + f`.
pub struct Cubic;

impl Residual for Cubic {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::second(0, 1, 0), Unknown::value(0, 1)]
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        let source = 9.0 * (3.0 * x[0]).sin() + truth(x[0]).powi(3);
        vec![u[0] - u[1] * u[1] * u[1] + source]
    }
}

/// Where it is observed.
pub const OBSERVED: [f64; 6] = [0.15, 0.3, 0.42, 0.55, 0.71, 0.9];

/// The problem, with observations of standard deviation `noise` (off by a third of it, to either side) unless that is `None`.
pub fn problem(noise: Option<f64>) -> Problem {
    let domain = Domain::space([("x", 0.0, 1.0)]).unwrap();
    let left = Condition::dirichlet(&domain, Face::lower(0), 0, |x| truth(x[0])).unwrap();
    let right = Condition::dirichlet(&domain, Face::upper(0), 0, |x| truth(x[0])).unwrap();
    let grid = TestGrid::uniform(&domain, &[21]).unwrap();
    let mut problem = Problem::builder("cubic", domain).equations(Cubic).conditions([left, right]).test_grid(grid);
    if let Some(noise) = noise {
        let values = OBSERVED.iter().zip([1.0, -1.0].into_iter().cycle()).map(|(x, s)| truth(*x) + s * noise / 3.0);
        let points = Points::new(1, OBSERVED.to_vec()).unwrap();
        let data = Observations::new("data", 0, Operator::identity(1), points, values.collect(), noise).unwrap();
        problem = problem.observations(data);
    }
    problem.build().unwrap()
}

pub fn collocation(problem: &Problem) -> Collocation {
    problem.sample(&SampleSizes { interior: 12, boundary: 2, validation: 9 }, Sampler::Halton, 3).unwrap()
}

pub fn device() -> Device {
    Backend::default().device().unwrap().autodiff()
}

pub fn kernel() -> Gaussian {
    GaussianConfig::isotropic(0.35).init(&device()).unwrap()
}

pub fn settings(problem: &Problem) -> BilevelSettings {
    BilevelSettings {
        gauss_newton_steps: 4,
        outer_steps: 3,
        batch: 5,
        monitor: 20,
        nugget: 1e-8,
        loss_tolerance: 0.0,
        ..BilevelSettings::published(problem.defaults(), 5)
    }
}

pub fn init(settings: BilevelSettings) -> Bilevel<Gaussian> {
    let problem = problem(None);
    Bilevel::init(&problem, collocation(&problem), vec![kernel()], settings).unwrap()
}

/// Takes one step, which must be one of the two kinds: its loss, or its increment and residual.
pub fn numbers<K: Kernel>(event: Event<K>) -> Vec<f64> {
    match event {
        Event::Outer(record) => vec![record.loss, record.gradient_norm],
        Event::GaussNewton(record, _) => vec![record.increment, record.residual.unwrap_or(0.0)],
        Event::Done(_) => Vec::new(),
    }
}
