//! Short runs of three problems: 300 interior and 100 boundary points, four Gauss-Newton steps of five outer steps each, so that the
//! twenty losses see four linearisations.

use hyperpde::bilevel::Event;
use hyperpde::burn::tensor::Device;
use hyperpde::gp::SolveSettings;
use hyperpde::kernels::AnyKernel;
use hyperpde::prelude::*;

/// A problem with its published kernel.
pub struct Short {
    pub problem: Problem,
    kernel: fn(&Device) -> AnyKernel,
    /// 1e-6 and 1e-5 for networks. With the 1e-10 of full runs a nugget that differs by 1e-14 of itself already changes losses by 6e-7 within twenty
    /// steps: they are not determined to more.
    nugget: f64,
}

/// What a run gives.
pub struct Ran {
    /// Of its twenty outer steps.
    pub losses: Vec<f64>,
    /// Relative L2 error of the solution at the validation points.
    pub error: f64,
}

pub fn all() -> [Short; 3] {
    [
        Short {
            problem: problems::Burgers::default().problem().unwrap(),
            kernel: |d| GibbsConfig::new(2, LengthScales::PerDimension, 4.0).init(1, d).unwrap().into(),
            nugget: 1e-6,
        },
        Short {
            problem: problems::Elliptic::default().problem().unwrap(),
            kernel: |d| GaussianConfig::isotropic(0.1).init(d).unwrap().into(),
            nugget: 1e-10,
        },
        Short {
            problem: problems::Eikonal::default().problem().unwrap(),
            kernel: |d| GibbsConfig::new(2, LengthScales::Isotropic, 3.0).init(1, d).unwrap().into(),
            nugget: 1e-5,
        },
    ]
}

impl Short {
    /// Runs with kernels on `device`, always from the same points, batches and hyperparameters.
    pub fn run(&self, device: &Device, solve: SolveSettings) -> Ran {
        let sizes = SampleSizes { interior: 300, boundary: 100, validation: 200 };
        let collocation = self.problem.sample(&sizes, Sampler::Halton, 1).unwrap();
        let points = collocation.pool.clone();
        let settings = BilevelSettings {
            gauss_newton_steps: 4,
            outer_steps: 5,
            batch: 100,
            loss_tolerance: 0.0,
            monitor: 0,
            nugget: self.nugget,
            solve,
            ..BilevelSettings::published(self.problem.defaults(), 1)
        };
        let kernels = vec![(self.kernel)(&device.clone().autodiff())];
        let mut run = Bilevel::init(&self.problem, collocation, kernels, settings).unwrap();
        let (mut losses, mut solution) = (Vec::new(), Vec::new());
        loop {
            match run.step().unwrap() {
                Event::Outer(record) => {
                    assert!(!record.backed_off, "{}: a solve failed", self.problem.name());
                    losses.push(record.loss);
                }
                Event::GaussNewton(_, posterior) => solution = posterior.values(0, &points).unwrap(),
                Event::Done(_) => break,
            }
        }
        let reference = self.problem.reference().unwrap().evaluate(&points).unwrap();
        let errors = self.problem.errors(&[solution], &reference).unwrap();
        Ran { losses, error: errors[0].1.rel_l2 }
    }
}

/// Largest relative difference between the losses of two runs.
pub fn difference(a: &Ran, b: &Ran) -> f64 {
    assert!(a.losses.len() == 20 && b.losses.len() == 20);
    a.losses.iter().zip(&b.losses).map(|(x, y)| ((x - y) / y).abs()).fold(0.0, f64::max)
}
