//! Gray-Scott reaction and diffusion of `u` and `v`, each with a length scale in time and one in space.
//!
//! `cargo run --release --bin gray_scott -- --out out/gray_scott`

use std::process::ExitCode;

use hyperpde::kernels::Convention;
use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        Ok(Experiment::new(problems::GrayScott::default().problem()?, |_, device| {
            let kernel = GaussianConfig::ard([1.0, 1.0]).with_convention(Convention::Unit);
            Ok(vec![kernel.init(device)?, kernel.init(device)?])
        })
        .with_sampler(Sampler::Halton))
    })
}
