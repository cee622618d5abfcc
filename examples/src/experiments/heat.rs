//! Heat equation `u_t = κ u_xx`, one length scale in time and one in space.

use hyperpde::prelude::*;
use hyperpde_run::{Experiment, RunError, Runnable};

/// The experiment.
///
/// # Errors
/// None.
pub fn experiment() -> Result<Box<dyn Runnable>, RunError> {
    let problem = problems::Heat::default().problem()?;
    Ok(Box::new(
        Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::ard([0.5, 0.5]).init(device)?]))
            .with_sampler(Sampler::Halton),
    ))
}
