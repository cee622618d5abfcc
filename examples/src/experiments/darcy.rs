//! Darcy inverse problem `−∇·(e^a ∇u) = 1`: the solution and the logarithm of the permeability from 60 noisy observations of `u`.

use hyperpde::bilevel::OptimizerKind;
use hyperpde::prelude::*;
use hyperpde_config::RunSettings;
use hyperpde_run::{Experiment, RunError, Runnable};

/// The experiment. Length scales are judged by five-fold cross-validation over the observations and by the equation at the validation
/// points, with a nugget that enforces the equation: the published 1e-5, multiplied by the traces of second derivatives, leaves it a
/// slack as large as its terms.
///
/// With `published_variant` all is as published: the loss scores the same 60 observations that are fitted.
///
/// # Errors
/// None.
pub fn experiment(published_variant: bool) -> Result<Box<dyn Runnable>, RunError> {
    let kernel = GaussianConfig::isotropic(if published_variant { 1.0 } else { 0.5 });
    let experiment = Experiment::new(problems::Darcy::default().problem()?, move |_, device| {
        Ok(vec![kernel.init(device)?, kernel.init(device)?])
    })
    .with_constant_scales(["length scale of u", "length scale of a"], 0.05..=2.0, |scales, device| {
        scales.iter().map(|&l| Ok(GaussianConfig::isotropic(l).init(device)?.into())).collect()
    })
    .with_sampler(Sampler::Halton);
    if published_variant {
        return Ok(Box::new(experiment.with_scored_fit()));
    }
    Ok(Box::new(experiment.with_folds(5).with_settings(|published| RunSettings {
        optimizer: OptimizerKind::Lbfgs,
        batch: 200,
        gauss_newton_steps: 8,
        outer_steps: 30,
        increment_tolerance: 1e-4,
        nugget: 1e-8,
        ..published
    })))
}
