//! Gray-Scott reaction and diffusion of `u` and `v`, each with a length scale in time and one in space.

use hyperpde::bilevel::OptimizerKind;
use hyperpde::kernels::Convention;
use hyperpde::prelude::*;
use hyperpde::problems::GrayScottCase;
use hyperpde_config::RunSettings;
use hyperpde_run::{Experiment, RunError, Runnable};

/// The experiment: learned on the base case, tried on new points of it and of the cases a, b and c.
///
/// # Errors
/// None.
pub fn experiment() -> Result<Box<dyn Runnable>, RunError> {
    let kernel = GaussianConfig::ard([1.0, 1.0]).with_convention(Convention::Unit);
    let others = [GrayScottCase::A, GrayScottCase::B, GrayScottCase::C].map(|c| problems::GrayScott::new(c).problem());
    Ok(Box::new(
        Experiment::new(problems::GrayScott::default().problem()?, move |_, device| {
            Ok(vec![kernel.init(device)?, kernel.init(device)?])
        })
        .with_sampler(Sampler::Halton)
        .with_settings(|published| RunSettings {
            optimizer: OptimizerKind::Lbfgs,
            batch: published.validation,
            loss_tolerance: 0.0,
            increment_tolerance: 1e-6,
            ..published
        })
        .with_fresh_cloud(600, 400)
        .with_transfers(others.into_iter().collect::<Result<Vec<_>, _>>()?),
    ))
}
