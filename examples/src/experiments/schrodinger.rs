//! Nonlinear Schrödinger equation `i h_t + ½ h_xx + |h|² h = 0`, periodic in space, for the real and imaginary part.

use hyperpde::bilevel::{OptimizerKind, StepControl};
use hyperpde::kernels::{Convention, PeriodicConfig};
use hyperpde::prelude::*;
use hyperpde_config::RunSettings;
use hyperpde_run::{Experiment, RunError, Runnable};

/// The experiment: learned on 1500 + 200 points, tried on 2000 + 500 new ones.
///
/// # Errors
/// None.
pub fn experiment() -> Result<Box<dyn Runnable>, RunError> {
    Ok(Box::new(
        Experiment::new(problems::Schrodinger.problem()?, |_, device| {
            let kernel = PeriodicConfig::new([None, Some(10.0)], [1.0, 1.0]).with_convention(Convention::Unit);
            Ok(vec![kernel.init(device)?, kernel.init(device)?])
        })
        .with_sampler(Sampler::Halton)
        .with_settings(|published| RunSettings {
            optimizer: OptimizerKind::Lbfgs,
            batch: 500,
            outer_steps: 12,
            increment_tolerance: 1e-4,
            // From the zero function the residual has to grow before it falls: whole steps pass through in half the time.
            step_control: StepControl::Full,
            ..published
        })
        .with_fresh_cloud(2000, 500),
    ))
}
