//! Nonlinear elliptic equation `−Δu + u³ = f` on the unit cube, one Gaussian length scale.
//!
//! `cargo run --release --bin elliptic_3d -- --out out/elliptic_3d`

use std::process::ExitCode;

use hyperpde_cli::run_example;
use hyperpde_examples::experiments::elliptic_3d;

fn main() -> ExitCode {
    run_example(elliptic_3d::experiment)
}
