//! The `main` of an example binary.

use std::process::ExitCode;

use clap::Parser;
use hyperpde_run::{RunError, RunReport, Runnable};

use crate::error::{CliError, exit_code};
use crate::flags::CommonFlags;
use crate::host::Terminal;
use crate::logging::init_logging;

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

/// Runs an experiment as the flags say, with the terminal as its host.
///
/// # Errors
/// As [`Runnable::run`], and [`CliError::Input`] for flags that don't fit.
pub fn run(experiment: &(impl Runnable + ?Sized), flags: &CommonFlags) -> Result<RunReport, CliError> {
    let plan = flags.plan(experiment.plan())?;
    Ok(experiment.run(&plan, &Terminal::new(flags.quiet))?)
}

/// Parses the common flags, runs the experiment and prints its table. The exit status says what the run is worth: [`exit_code`].
pub fn run_example<R: Runnable>(build: impl FnOnce() -> Result<R, RunError>) -> ExitCode {
    run_example_with(|_: &NoFlags| build())
}

/// As [`run_example`], for an experiment with flags of its own.
pub fn run_example_with<F: clap::Args, R: Runnable>(build: impl FnOnce(&F) -> Result<R, RunError>) -> ExitCode {
    let Arguments { own, common } = Arguments::<F>::parse();
    init_logging(common.quiet);
    let report = build(&own).map_err(CliError::from).and_then(|experiment| run(&experiment, &common));
    exit_code(report.map(|report| {
        print!("{}", report.table());
        report.outcome()
    }))
}
