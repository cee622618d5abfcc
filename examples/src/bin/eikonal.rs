//! Regularised eikonal equation `|∇u|² = 1 + ε Δu` with an isotropic Gibbs kernel whose length-scale field is a learned network.
//!
//! `cargo run --release --bin eikonal -- --out out/eikonal`

use std::process::ExitCode;

use hyperpde_cli::run_example;
use hyperpde_examples::experiments::eikonal;

fn main() -> ExitCode {
    run_example(eikonal::experiment)
}
