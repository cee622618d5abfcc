//! What a run is made with, as plain values.

use std::path::PathBuf;

use hyperpde_config::{RunSettings, RunSpec, Target};
use hyperpde_pde::Sampler;

/// What a run is made with beside the problem and its kernels.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Seed, numbers of points, and the numbers of the loop.
    pub settings: RunSettings,
    /// Where the run computes.
    pub target: Target,
    /// How points are spread.
    pub sampler: Sampler,
    /// Learn the kernel between two solves, or solve once with the kernel as it is.
    pub learn: bool,
    /// Also solve with the initial hyperparameters wherever the learned ones are tried, and search for the best constant length scales.
    pub baselines: bool,
    /// Folder for solution, report and figures.
    pub out: Option<PathBuf>,
    /// File for the report as JSON.
    pub json: Option<PathBuf>,
}

impl Plan {
    /// Of a specification: without outer steps there is nothing to learn, and one solve is made. Writes nothing unless told so.
    #[must_use]
    pub fn of(spec: &RunSpec) -> Self {
        Self {
            settings: spec.settings,
            target: spec.target,
            sampler: spec.sampler,
            learn: spec.settings.outer_steps > 0,
            baselines: false,
            out: None,
            json: None,
        }
    }
}
