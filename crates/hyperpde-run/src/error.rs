//! What can go wrong in a run.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use hyperpde_config::ConfigError;
use hyperpde_kernels::BackendError;

use crate::atomic::FileError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The plan or an input contradict each other or the problem. The text says what is allowed.
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
    #[error(transparent)]
    Io(#[from] FileError),
    /// A report could not be turned into JSON, or JSON into a report.
    #[error("the report and its JSON do not fit")]
    Json(#[from] serde_json::Error),
    /// The [`crate::Host`] could not draw.
    #[error(transparent)]
    Draw(Box<dyn Error + Send + Sync>),
    /// The user ended the run.
    #[error("interrupted{}", folder.as_deref().map(resume_advice).unwrap_or_default())]
    Interrupted {
        /// The run's folder, if there is one.
        folder: Option<PathBuf>,
    },
}

fn resume_advice(folder: &Path) -> String {
    format!("; `hyperpde resume {}` goes on with the run", folder.display())
}

impl From<hyperpde_pde::PdeError> for RunError {
    /// A problem that its parameters can't build.
    fn from(error: hyperpde_pde::PdeError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<hyperpde_pde::GeometryError> for RunError {
    /// A domain that its parameters can't build.
    fn from(error: hyperpde_pde::GeometryError) -> Self {
        Self::from(hyperpde_pde::PdeError::from(error))
    }
}

impl From<BackendError> for RunError {
    /// A device that is not there or not able.
    fn from(error: BackendError) -> Self {
        Self::Input(error.to_string())
    }
}

impl RunError {
    /// Wraps a library's error, with what was being done when it came ("learning the kernel").
    pub fn numerical(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Numerical { doing: doing.into(), source: source.into() }
    }

    /// The message followed by its chain of causes: [`full_message`].
    #[must_use]
    pub fn full_message(&self) -> String {
        full_message(self)
    }

    /// A file that could not be written or read.
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io(FileError::new(action, path, source))
    }
}

/// The text of a file that this program wrote.
pub(crate) fn own_text(path: &Path) -> Result<String, RunError> {
    std::fs::read_to_string(path).map_err(|e| match e.kind() {
        ErrorKind::InvalidData => RunError::Input(format!("{} is damaged: it is no text", path.display())),
        _ => RunError::io("read", path, e),
    })
}

/// The message of an error followed by its chain of causes, joined by ": "; a cause that an earlier one tells already is left out.
#[must_use]
pub fn full_message(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
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
