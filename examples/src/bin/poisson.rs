//! Poisson equation `−Δu = f` on the unit square, one Gaussian length scale.
//!
//! `cargo run --release --bin poisson -- --out out/poisson`

use std::process::ExitCode;

use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        let problem = problems::Poisson.problem()?;
        Ok(Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::isotropic(0.3).init(device)?]))
            .with_sampler(Sampler::Halton))
    })
}
