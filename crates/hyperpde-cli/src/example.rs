//! The `main` of an example binary that takes the common flags only.

use std::process::ExitCode;

use clap::Parser;
use hyperpde_kernels::Kernel;

use crate::{CliError, CommonFlags, Experiment, exit_code, init_logging};

#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    common: CommonFlags,
}

/// Parses the common flags, runs the experiment and prints its table.
pub fn run_example<K: Kernel>(build: impl FnOnce() -> Result<Experiment<K>, CliError>) -> ExitCode {
    let flags = Arguments::parse().common;
    init_logging(flags.quiet);
    exit_code(build().and_then(|experiment| experiment.run(&flags)).map(|report| print!("{}", report.table())))
}
