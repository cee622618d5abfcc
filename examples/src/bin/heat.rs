//! Heat equation `u_t = κ u_xx`, one length scale in time and one in space.
//!
//! `cargo run --release --bin heat -- --out out/heat`

use std::process::ExitCode;

use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        let problem = problems::Heat::default().problem()?;
        Ok(Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::ard([0.5, 0.5]).init(device)?]))
            .with_sampler(Sampler::Halton))
    })
}
