//! Poisson equation `−Δu = f` on the unit square, one Gaussian length scale.

use hyperpde::prelude::*;
use hyperpde_run::{Experiment, RunError, Runnable};

/// The experiment.
///
/// # Errors
/// None.
pub fn experiment() -> Result<Box<dyn Runnable>, RunError> {
    let problem = problems::Poisson.problem()?;
    Ok(Box::new(
        Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::isotropic(0.3).init(device)?]))
            .with_sampler(Sampler::Halton),
    ))
}
