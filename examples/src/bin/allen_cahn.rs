//! Allen-Cahn equation `u_t = ε u_xx + u − u³`, one length scale in time and one in space.
//!
//! `cargo run --release --bin allen_cahn -- --out out/allen_cahn`

use std::process::ExitCode;

use hyperpde::prelude::*;
use hyperpde_cli::{Experiment, run_example};

fn main() -> ExitCode {
    run_example(|| {
        let problem = problems::AllenCahn::default().problem()?;
        Ok(Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::ard([0.5, 0.2]).init(device)?]))
            .with_sampler(Sampler::Halton))
    })
}
