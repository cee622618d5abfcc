//! Nonlinear elliptic equation `−Δu + u³ = f` on the unit cube, one Gaussian length scale.
//!
//! `cargo run --release --bin elliptic_3d -- --out out/elliptic_3d`

use std::process::ExitCode;

use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        let problem = problems::Elliptic3d::default().problem()?;
        Ok(Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::isotropic(0.5).init(device)?]))
            .with_sampler(Sampler::Halton))
    })
}
