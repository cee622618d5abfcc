//! Nonlinear elliptic equation with the additive kernel `σ² exp(−|x−y|²/(2l²)) + (α x·y + c)²`, four hyperparameters learned from 1.
//!
//! `cargo run --release --bin elliptic_additive -- --out out/elliptic_additive`

use std::process::ExitCode;

use hyperpde_cli::run_example;
use hyperpde_examples::experiments::elliptic_additive;

fn main() -> ExitCode {
    run_example(elliptic_additive::experiment)
}
