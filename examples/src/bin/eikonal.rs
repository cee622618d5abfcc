//! Regularised eikonal equation `|∇u|² = 1 + ε Δu` with an isotropic Gibbs kernel whose length-scale field is a learned network.
//!
//! `cargo run --release --bin eikonal -- --out out/eikonal`

use std::process::ExitCode;

use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        let problem = problems::Eikonal::default().problem()?;
        // Published network: 2-50-50-1, tanh, length scale softplus(.)/3.
        let kernel = GibbsConfig::new(2, LengthScales::Isotropic, 3.0);
        Ok(Experiment::new(problem, move |seed, device| Ok(vec![kernel.init(seed, device)?]))
            .with_sampler(Sampler::Halton)
            .with_larger_cloud())
    })
}
