//! Poisson equation `−Δu = f` on the unit square, one Gaussian length scale.

use hyperpde::kernels::Gaussian;
use hyperpde::prelude::*;
use hyperpde_run::{Experiment, RunError};

/// The experiment.
///
/// # Errors
/// None.
pub fn experiment() -> Result<Experiment<Gaussian>, RunError> {
    let problem = problems::Poisson.problem()?;
    Ok(Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::isotropic(0.3).init(device)?]))
        .with_sampler(Sampler::Halton))
}
