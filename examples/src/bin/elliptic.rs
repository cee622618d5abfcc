//! Nonlinear elliptic equation `−Δu + u³ = f` on the unit square, one Gaussian length scale learned from 1.
//!
//! `cargo run --release --bin elliptic -- --out out/elliptic`

use std::process::ExitCode;

use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        let problem = problems::Elliptic::default().problem()?;
        Ok(Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::isotropic(1.0).init(device)?]))
            .with_sampler(Sampler::Halton))
    })
}
