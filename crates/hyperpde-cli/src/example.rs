//! The `main` of an example binary.

use std::process::ExitCode;

use clap::Parser;
use hyperpde_kernels::Kernel;

use crate::{CliError, CommonFlags, Experiment, exit_code, init_logging};

#[derive(Parser)]
#[command(version)]
struct Arguments<F: clap::Args> {
    #[command(flatten)]
    own: F,
    #[command(flatten)]
    common: CommonFlags,
}

/// No flags of one's own.
#[derive(clap::Args)]
struct NoFlags {}

/// Parses the common flags, runs the experiment and prints its table.
pub fn run_example<K: Kernel>(build: impl FnOnce() -> Result<Experiment<K>, CliError>) -> ExitCode {
    run_example_with(|_: &NoFlags| build())
}

/// As [`run_example`], for an experiment with flags of its own.
pub fn run_example_with<F: clap::Args, K: Kernel>(
    build: impl FnOnce(&F) -> Result<Experiment<K>, CliError>,
) -> ExitCode {
    let Arguments { own, common } = Arguments::<F>::parse();
    init_logging(common.quiet);
    exit_code(build(&own).and_then(|experiment| experiment.run(&common)).map(|report| print!("{}", report.table())))
}
