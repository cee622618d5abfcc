//! Burgers' equation `u_t + u u_x = ν u_xx` with a Gibbs kernel whose two length-scale fields are a network.

use hyperpde::burn::module::Module;
use hyperpde::kernels::{Gibbs, Jet, JetSpace, KernelError, tensor_to_vec};
use hyperpde::prelude::*;
use hyperpde_run::{Experiment, RunError, Runnable};

/// The viscosity of the publication.
pub const VISCOSITY: f64 = 0.02;

/// The experiment with viscosity `ν`.
///
/// # Errors
/// [`RunError::Input`] for a viscosity out of range.
pub fn experiment(viscosity: f64) -> Result<Box<dyn Runnable>, RunError> {
    let problem = problems::Burgers::new(viscosity)?.problem()?;
    // Published network: 2-50-50-2, tanh, length scales softplus(.)/4.
    let kernel = GibbsConfig::new(2, LengthScales::PerDimension, 4.0);
    Ok(Box::new(
        Experiment::new(problem, move |seed, device| Ok(vec![kernel.init(seed, device)?]))
            .with_kernel_fields(length_scales)
            .with_constant_scales(["length scale in t", "length scale in x"], 0.02..=1.0, |scales, device| {
                Ok(vec![GaussianConfig::ard(scales).init(device)?.into()])
            })
            // The published clouds are uniform (`--sampler uniform`); a low-discrepancy sequence leaves no holes.
            .with_sampler(Sampler::Halton)
            .with_larger_cloud(),
    ))
}

/// The learned length scales in t and x.
fn length_scales(kernels: &[Gibbs], points: &Points) -> Result<Vec<(String, Vec<f64>)>, KernelError> {
    let mut fields = Vec::new();
    for kernel in kernels {
        let device = kernel.devices().into_iter().next().unwrap_or_default();
        let x = Jet::coordinates(&JetSpace::covering(2, []), points, &device);
        let scales = kernel.length_scales(&x);
        for (c, name) in ["length scale in t", "length scale in x"].into_iter().enumerate() {
            fields.push((name.to_owned(), tensor_to_vec(scales.channel(c).value())?));
        }
    }
    Ok(fields)
}
