//! Burgers' equation `u_t + u u_x = ν u_xx` with a Gibbs kernel whose two length-scale fields are a network learned while solving.
//!
//! `cargo run --release --bin burgers -- --out out/burgers`

use std::process::ExitCode;

use hyperpde_cli::run_example_with;
use hyperpde_examples::experiments::burgers;

#[derive(clap::Args)]
struct Flags {
    /// Viscosity
    #[arg(long, default_value_t = burgers::VISCOSITY, value_name = "NU")]
    viscosity: f64,
}

fn main() -> ExitCode {
    run_example_with(|flags: &Flags| burgers::experiment(flags.viscosity))
}
