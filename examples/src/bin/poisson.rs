//! Poisson equation `−Δu = f` on the unit square, one Gaussian length scale.
//!
//! `cargo run --release --bin poisson -- --out out/poisson`

use std::process::ExitCode;

use hyperpde_cli::run_example;
use hyperpde_examples::experiments::poisson;

fn main() -> ExitCode {
    run_example(poisson::experiment)
}
