//! Darcy inverse problem `−∇·(e^a ∇u) = 1`: the solution and the logarithm of the permeability from 60 noisy observations of `u`.
//!
//! A quarter of the observations is held out of the inner solve while length scales are learned, and scored by the outer loss.
//!
//! `cargo run --release --bin darcy -- --out out/darcy`

use std::process::ExitCode;

use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        let kernel = GaussianConfig::isotropic(1.0);
        Ok(Experiment::new(problems::Darcy::default().problem()?, move |_, device| {
            Ok(vec![kernel.init(device)?, kernel.init(device)?])
        })
        .with_sampler(Sampler::Halton)
        .with_held_out(0.25))
    })
}
