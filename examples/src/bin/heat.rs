//! Heat equation `u_t = κ u_xx`, one length scale in time and one in space.
//!
//! `cargo run --release --bin heat -- --out out/heat`

use std::process::ExitCode;

use hyperpde_cli::run_example;
use hyperpde_examples::experiments::heat;

fn main() -> ExitCode {
    run_example(heat::experiment)
}
