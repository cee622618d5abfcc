//! Runs every problem of a folder with the program's own settings and holds what the runs say of themselves against the exact solutions.
//!
//! `cargo run --release --bin zoo -- assets/zoo --json out/zoo.json`

use std::process::ExitCode;

use hyperpde_examples::zoo;

fn main() -> ExitCode {
    zoo::main()
}
