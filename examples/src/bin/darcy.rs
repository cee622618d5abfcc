//! Darcy inverse problem `−∇·(e^a ∇u) = 1`: the solution and the logarithm of the permeability from 60 noisy observations of `u`.
//!
//! A quarter of the observations is held out of the inner solve while length scales are learned, and scored by the outer loss.
//!
//! `cargo run --release --bin darcy -- --out out/darcy`

use std::process::ExitCode;

use hyperpde_cli::run_example_with;
use hyperpde_examples::experiments::darcy;

#[derive(clap::Args)]
struct Flags {
    /// Score the observations that the inner solve fits, as published, in place of held-out ones
    #[arg(long)]
    published_variant: bool,
}

fn main() -> ExitCode {
    run_example_with(|flags: &Flags| darcy::experiment(flags.published_variant))
}
