//! Nonlinear elliptic equation `−Δu + u³ = f` on the unit cube, one Gaussian length scale.

use hyperpde::kernels::Gaussian;
use hyperpde::prelude::*;
use hyperpde_run::{Experiment, RunError};

/// The experiment.
///
/// # Errors
/// None.
pub fn experiment() -> Result<Experiment<Gaussian>, RunError> {
    let problem = problems::Elliptic3d::default().problem()?;
    Ok(Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::isotropic(0.5).init(device)?]))
        .with_sampler(Sampler::Halton))
}
