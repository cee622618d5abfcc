//! The experiment that a configuration describes.

use hyperpde_config::Config;
use hyperpde_kernels::{AnyKernel, Kernel, KernelError, Points};

use super::cloud::CloudPlan;
use super::definition::{Experiment, ScoredData};

impl Experiment<AnyKernel> {
    /// The experiment of a configuration: the numbers are those of an example binary with the same problem, points, kernels and settings.
    #[must_use]
    pub fn from_config(config: &Config) -> Self {
        let problem = config.problem().clone();
        let own = config.clone();
        let (axes, fields) = (problem.domain().names(), problem.fields().to_vec());
        let mut experiment = Self::new(problem, move |seed, device| own.kernels(seed, device))
            .with_sampler(config.sampler())
            .with_settings(|_| config.run_settings());
        experiment.base = config.bilevel_settings();
        experiment.scored = match (config.folds(), config.held_out()) {
            (Some(folds), _) => ScoredData::Folds(folds),
            (None, fraction) if fraction > 0.0 => ScoredData::HeldOut(fraction),
            (None, _) => ScoredData::None,
        };
        let clouds = config.clouds();
        if clouds.larger {
            experiment.clouds.push(CloudPlan::Larger);
        }
        if let Some((interior, boundary)) = clouds.fresh {
            experiment.clouds.push(CloudPlan::Fresh { interior, boundary });
        }
        experiment = experiment.with_transfers(clouds.transfers.iter().cloned());
        experiment =
            experiment.with_kernel_fields(move |kernels, points| length_scales(kernels, points, &axes, &fields));
        experiment.config = Some(config.clone());
        experiment
    }
}

/// The length-scale fields of all kernels that have them, with the names of coordinates and, if there are several, fields.
fn length_scales(
    kernels: &[AnyKernel],
    points: &Points,
    axes: &[String],
    fields: &[String],
) -> Result<Vec<(String, Vec<f64>)>, KernelError> {
    let mut all = Vec::new();
    for (kernel, field) in kernels.iter().zip(fields) {
        let of = if fields.len() > 1 { format!(" of {field}") } else { String::new() };
        let scales = kernel.fields(points)?;
        let several = scales.len() > 1;
        for (values, axis) in scales.into_iter().zip(axes) {
            let along = if several { format!(" in {axis}") } else { String::new() };
            all.push((format!("length scale{of}{along}"), values));
        }
    }
    Ok(all)
}
