//! Nonlinear elliptic equation with the additive kernel `σ² exp(−|x−y|²/(2l²)) + (α x·y + c)²`, four hyperparameters learned from 1.
//!
//! `cargo run --release --bin elliptic_additive -- --out out/elliptic_additive`

use std::process::ExitCode;

use hyperpde::kernels::{PolynomialConfig, Scaled, Transform};
use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        Ok(Experiment::new(problems::Elliptic::default().problem()?, |_, device| {
            let gaussian = Scaled::new(GaussianConfig::isotropic(1.0).init(device)?, 1.0, Transform::Log, device)?;
            Ok(vec![gaussian + PolynomialConfig::new(1.0, 1.0, 2).init(device)?])
        })
        .with_sampler(Sampler::Halton))
    })
}
