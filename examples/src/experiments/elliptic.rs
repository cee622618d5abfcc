//! Nonlinear elliptic equation `−Δu + u³ = f` on the unit square, one Gaussian length scale.

use hyperpde::bilevel::OptimizerKind;
use hyperpde::prelude::*;
use hyperpde_config::RunSettings;
use hyperpde_run::{Experiment, RunError, Runnable};

/// The experiment with this initial length scale.
///
/// # Errors
/// [`RunError::Input`] for a length scale that is not positive and finite.
pub fn experiment(length_scale: f64) -> Result<Box<dyn Runnable>, RunError> {
    if !(length_scale > 0.0 && length_scale.is_finite()) {
        return Err(RunError::Input(format!("the length scale {length_scale} must be positive and finite")));
    }
    let problem = problems::Elliptic::default().problem()?;
    Ok(Box::new(
        Experiment::new(problem, move |_, device| Ok(vec![GaussianConfig::isotropic(length_scale).init(device)?]))
            .with_constant_scales(["length scale"], 0.02..=2.0, |scales, device| {
                Ok(vec![GaussianConfig::ard(scales).init(device)?.into()])
            })
            .with_sampler(Sampler::Halton)
            // One hyperparameter and the whole pool: a smooth loss, for which L-BFGS needs a few evaluations per step.
            .with_settings(|published| RunSettings {
                optimizer: OptimizerKind::Lbfgs,
                batch: published.validation,
                outer_steps: 20,
                loss_tolerance: 4.5e-5,
                increment_tolerance: 1e-6,
                ..published
            }),
    ))
}
