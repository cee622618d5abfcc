//! Darcy inverse problem `−∇·(e^a ∇u) = 1`: the solution and the logarithm of the permeability from 60 noisy observations of `u`.

use hyperpde::kernels::Gaussian;
use hyperpde::prelude::*;
use hyperpde_cli::{CliError, Experiment};

/// The experiment. A quarter of the observations is held out of the inner solve while length scales are learned, and scored by the
/// outer loss; with `published_variant` the loss scores the same 60 observations that are fitted.
///
/// # Errors
/// None.
pub fn experiment(published_variant: bool) -> Result<Experiment<Gaussian>, CliError> {
    let kernel = GaussianConfig::isotropic(1.0);
    let experiment = Experiment::new(problems::Darcy::default().problem()?, move |_, device| {
        Ok(vec![kernel.init(device)?, kernel.init(device)?])
    })
    .with_constant_scales(["length scale of u", "length scale of a"], 0.05..=2.0, |scales, device| {
        scales.iter().map(|&l| Ok(GaussianConfig::isotropic(l).init(device)?.into())).collect()
    })
    .with_sampler(Sampler::Halton);
    Ok(if published_variant { experiment.with_scored_fit() } else { experiment.with_held_out(0.25) })
}
