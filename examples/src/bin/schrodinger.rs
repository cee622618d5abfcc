//! Nonlinear Schrödinger equation `i h_t + ½ h_xx + |h|² h = 0`, periodic in space, for the real and imaginary part.
//!
//! `cargo run --release --bin schrodinger -- --out out/schrodinger`

use std::process::ExitCode;

use hyperpde_cli::run_example;
use hyperpde_examples::experiments::schrodinger;

fn main() -> ExitCode {
    run_example(schrodinger::experiment)
}
