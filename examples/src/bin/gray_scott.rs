//! Gray-Scott reaction and diffusion of `u` and `v`, each with a length scale in time and one in space; the kernel learned on
//! the base case also solves three others.
//!
//! `cargo run --release --bin gray_scott -- --out out/gray_scott`

use std::process::ExitCode;

use hyperpde_cli::run_example;
use hyperpde_examples::experiments::gray_scott;

fn main() -> ExitCode {
    run_example(gray_scott::experiment)
}
