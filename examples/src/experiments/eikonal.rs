//! Regularised eikonal equation `|∇u|² = 1 + ε Δu` with an isotropic Gibbs kernel whose length-scale field is a network.

use hyperpde::bilevel::StepControl;
use hyperpde::prelude::*;
use hyperpde_config::RunSettings;
use hyperpde_run::{Experiment, RunError, Runnable};

/// The experiment.
///
/// # Errors
/// None.
pub fn experiment() -> Result<Box<dyn Runnable>, RunError> {
    let problem = problems::Eikonal::default().problem()?;
    // Published network: 2-50-50-1, tanh, length scale softplus(.)/3.
    let kernel = GibbsConfig::new(2, LengthScales::Isotropic, 3.0);
    Ok(Box::new(
        Experiment::new(problem, move |seed, device| Ok(vec![kernel.init(seed, device)?]))
            .with_constant_scales(["length scale"], 0.03..=1.0, |scales, device| {
                Ok(vec![GaussianConfig::ard(scales).init(device)?.into()])
            })
            .with_sampler(Sampler::Sobol)
            // From the zero function the iterates are high by several units at first and come down by whole steps only. A kernel fitted to
            // them may settle on a solution that bends at the boundary where no points are, and makes the residual small elsewhere.
            .with_settings(|published| RunSettings {
                warm_up: 10,
                batch: 900,
                step_control: StepControl::Full,
                ..published
            })
            .with_larger_cloud(),
    ))
}
