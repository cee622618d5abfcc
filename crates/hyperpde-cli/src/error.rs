//! What can go wrong in a command, and the exit status that says so.

use std::error::Error;
use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::figures::FigureError;
use crate::input::printable;
use crate::runs::interrupt;

/// A failure of a command.
///
/// Exit status ([`CliError::status`]): 2 for bad input, which the user can correct on the command line; 1 for
/// everything that fails later (numerics, files, figures). clap itself ends with 2 on a flag it refuses.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The flags or an input contradict each other or the problem. The text says what is allowed.
    #[error("{0}")]
    Input(String),
    /// A configuration or a file that it names has a fault; shown with the place.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A solver or the training gave up; the source carries the reason and the advice.
    #[error("the run failed while {doing}")]
    Numerical {
        /// What was being computed, as in "learning the kernel".
        doing: String,
        /// The library's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A file could not be written or read.
    #[error("cannot {action} {}{}", path.display(), io_advice(action))]
    Io {
        /// "write", "create the folder", ...
        action: &'static str,
        /// The file concerned.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A report could not be turned into JSON, or JSON into a report.
    #[error("the report and its JSON do not fit")]
    Json(#[from] serde_json::Error),
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The user ended the run.
    #[error("interrupted{}", folder.as_deref().map(resume_advice).unwrap_or_default())]
    Interrupted {
        /// The run's folder, if there is one.
        folder: Option<PathBuf>,
    },
}

/// What to look at; reasons for which a file can't be read stand for themselves.
fn io_advice(action: &str) -> &'static str {
    if action.starts_with("read") { "" } else { "; check that the folder is writable and has room" }
}

fn resume_advice(folder: &Path) -> String {
    format!("; `hyperpde resume {}` goes on with the run", folder.display())
}

impl From<hyperpde_pde::PdeError> for CliError {
    /// A problem that its parameters can't build.
    fn from(error: hyperpde_pde::PdeError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<hyperpde_pde::GeometryError> for CliError {
    /// A domain that can't be.
    fn from(error: hyperpde_pde::GeometryError) -> Self {
        Self::Input(error.to_string())
    }
}

impl CliError {
    /// Wraps a library's error, with what was being done when it came ("learning the kernel").
    pub fn numerical(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Numerical { doing: doing.into(), source: source.into() }
    }

    /// The process exit status: 2 for [`CliError::Input`] and [`CliError::Config`], 130 for [`CliError::Interrupted`], else 1.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Config(_) => 2,
            Self::Interrupted { .. } => interrupt::STATUS,
            Self::Numerical { .. } | Self::Io { .. } | Self::Json(_) | Self::Figure(_) => 1,
        }
    }

    /// The message followed by its chain of causes, joined by ": "; a cause that an earlier one tells already is left out.
    #[must_use]
    pub fn full_message(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let told = error.to_string();
            if !text.contains(&told) {
                text.push_str(": ");
                text.push_str(&told);
            }
            cause = error.source();
        }
        text
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_path_buf(), source }
    }
}

/// Turns the outcome of a command into its exit status. An error goes to standard error as one line, causes included; a fault of a
/// configuration with the lines it points at, in colour on a terminal unless the variable `NO_COLOR` is set.
#[must_use]
pub fn exit_code(outcome: Result<(), CliError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let told = match &error {
                CliError::Config(fault) => {
                    fault.render(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
                }
                CliError::Interrupted { .. } => printable(&error.to_string()).into_owned(),
                _ => format!("error: {}", printable(&error.full_message())),
            };
            // The status tells it even if nobody can be told.
            let _ = writeln!(io::stderr(), "{told}");
            ExitCode::from(error.status())
        }
    }
}
