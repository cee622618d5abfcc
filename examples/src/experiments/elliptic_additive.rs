//! Nonlinear elliptic equation with the additive kernel `σ² exp(−|x−y|²/(2l²)) + (α x·y + c)²`, four hyperparameters from 1.

use hyperpde::bilevel::OptimizerKind;
use hyperpde::kernels::{Gaussian, Polynomial, PolynomialConfig, Scaled, Sum, Transform};
use hyperpde::prelude::*;
use hyperpde_config::RunSettings;
use hyperpde_run::{Experiment, RunError, Runnable};

/// `σ² exp(−|x−y|²/(2l²)) + (α x·y + c)²`.
pub type Additive = Sum<Scaled<Gaussian>, Polynomial>;

/// The experiment.
///
/// # Errors
/// None.
pub fn experiment() -> Result<Box<dyn Runnable>, RunError> {
    Ok(Box::new(
        Experiment::new(problems::Elliptic::default().problem()?, |_, device| {
            let gaussian = Scaled::new(GaussianConfig::isotropic(1.0).init(device)?, 1.0, Transform::Log, device)?;
            Ok(vec![gaussian + PolynomialConfig::new(1.0, 1.0, 2).init(device)?])
        })
        .with_constant_scales(["length scale"], 0.02..=2.0, |scales, device| {
            Ok(vec![GaussianConfig::ard(scales).init(device)?.into()])
        })
        .with_sampler(Sampler::Halton)
        // The published script has this nugget, its logs 1e-10. The loss is flat, down to rounding, along directions in which amplitudes grow
        // together; the regulariser keeps them from doing so.
        .with_settings(|published| RunSettings {
            optimizer: OptimizerKind::Lbfgs,
            batch: published.validation,
            loss_tolerance: 4.5e-5,
            increment_tolerance: 1e-6,
            nugget: 1e-12,
            regularisation: 1e-4,
            ..published
        }),
    ))
}
