//! What can go wrong in a command, and the exit status that says so.

use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use hyperpde_config::ConfigError;
use hyperpde_config::input::printable;
use hyperpde_kernels::BackendError;
use hyperpde_plot::FigureError;
use hyperpde_run::verdict::Outcome;
use hyperpde_run::{FileError, RunError, full_message};

use crate::interrupt;

/// A failure of a command.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The flags or an input contradict each other or the problem. The text says what is allowed.
    #[error("{0}")]
    Input(String),
    /// A configuration or a file that it names has a fault; shown with the place.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A run failed.
    #[error(transparent)]
    Run(RunError),
    /// A file could not be written or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Input(why) => Self::Input(why),
            RunError::Config(fault) => Self::Config(fault),
            RunError::Io(error) => Self::File(error),
            other => Self::Run(other),
        }
    }
}

impl From<BackendError> for CliError {
    /// A device that is not there or not able.
    fn from(error: BackendError) -> Self {
        RunError::from(error).into()
    }
}

impl From<serde_json::Error> for CliError {
    fn from(error: serde_json::Error) -> Self {
        RunError::from(error).into()
    }
}

impl From<hyperpde_pde::GeometryError> for CliError {
    /// A domain that can't be.
    fn from(error: hyperpde_pde::GeometryError) -> Self {
        Self::Input(error.to_string())
    }
}

impl CliError {
    /// The process exit status: 2 for bad input, which the user can correct ([`CliError::Input`], [`CliError::Config`]), 130 for a run that Ctrl-C
    /// ended, 1 for everything that fails later (numerics, files, figures). clap itself ends with 2 on a flag it refuses.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Config(_) => 2,
            Self::Run(RunError::Interrupted { .. }) => interrupt::STATUS,
            Self::Run(_) | Self::File(_) | Self::Figure(_) => 1,
        }
    }

    /// The message followed by its chain of causes: [`full_message`].
    #[must_use]
    pub fn full_message(&self) -> String {
        full_message(self)
    }
}

/// Turns the outcome of a command into its exit status: 0 if what it solved is solved (or there was nothing to solve), 3 if it is doubtful, 1 if
/// the run failed, and for an error [`CliError::status`]. An error goes to standard error as one line, causes included; a fault of a
/// configuration with the lines it points at, in colour on a terminal unless the variable `NO_COLOR` is set.
#[must_use]
pub fn exit_code(outcome: Result<impl Into<Outcome>, CliError>) -> ExitCode {
    match outcome {
        Ok(outcome) => ExitCode::from(outcome.into().status()),
        Err(error) => {
            let told = match &error {
                CliError::Config(fault) => {
                    fault.render(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
                }
                CliError::Run(RunError::Interrupted { .. }) => printable(&error.to_string()).into_owned(),
                _ => format!("error: {}", printable(&error.full_message())),
            };
            // The status tells it even if nobody can be told.
            let _ = writeln!(io::stderr(), "{told}");
            ExitCode::from(error.status())
        }
    }
}
