//! Nonlinear Schrödinger equation `i h_t + ½ h_xx + |h|² h = 0`, periodic in space, for the real and imaginary part.
//!
//! `cargo run --release --bin schrodinger -- --out out/schrodinger`

use std::process::ExitCode;

use hyperpde::kernels::{Convention, PeriodicConfig};
use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        Ok(Experiment::new(problems::Schrodinger.problem()?, |_, device| {
            let kernel = PeriodicConfig::new([None, Some(10.0)], [1.0, 1.0]).with_convention(Convention::Unit);
            Ok(vec![kernel.init(device)?, kernel.init(device)?])
        })
        .with_sampler(Sampler::Halton)
        .with_larger_cloud())
    })
}
