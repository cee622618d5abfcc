//! The `hyperpde` command.

use std::process::ExitCode;

use clap::Parser;
use hyperpde_cli::command::Program;
use hyperpde_cli::{exit_code, init_logging};

fn main() -> ExitCode {
    let program = Program::parse();
    init_logging(program.command.quiet());
    exit_code(program.command.run())
}
