//! Allen-Cahn equation `u_t = ε u_xx + u − u³`, one length scale in time and one in space.
//!
//! `cargo run --release --bin allen_cahn -- --out out/allen_cahn`

use std::process::ExitCode;

use hyperpde_cli::run_example;
use hyperpde_examples::experiments::allen_cahn;

fn main() -> ExitCode {
    run_example(allen_cahn::experiment)
}
