//! Nonlinear elliptic equation `−Δu + u³ = f` on the unit cube, one Gaussian length scale.

use hyperpde::prelude::*;
use hyperpde_run::{Experiment, RunError, Runnable};

/// The experiment.
///
/// # Errors
/// None.
pub fn experiment() -> Result<Box<dyn Runnable>, RunError> {
    let problem = problems::Elliptic3d::default().problem()?;
    Ok(Box::new(
        Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::isotropic(0.5).init(device)?]))
            .with_sampler(Sampler::Halton),
    ))
}
