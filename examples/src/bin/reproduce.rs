//! Runs every published experiment with several seeds and writes the table that compares them with what was published.
//!
//! `cargo run --release --bin reproduce -- --seeds 3`

use std::process::ExitCode;

use hyperpde_examples::{published, reproduce};

fn main() -> ExitCode {
    reproduce::main(&published::study())
}
