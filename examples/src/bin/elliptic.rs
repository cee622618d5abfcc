//! Nonlinear elliptic equation `−Δu + u³ = f` on the unit square, one Gaussian length scale learned from 1 or another value.
//!
//! `cargo run --release --bin elliptic -- --out out/elliptic`

use std::process::ExitCode;

use hyperpde_cli::run_example_with;
use hyperpde_examples::experiments::elliptic;

#[derive(clap::Args)]
struct Flags {
    /// Initial length scale
    #[arg(long, default_value_t = 1.0, value_name = "L", allow_negative_numbers = true)]
    length_scale: f64,
}

fn main() -> ExitCode {
    run_example_with(|flags: &Flags| elliptic::experiment(flags.length_scale))
}
