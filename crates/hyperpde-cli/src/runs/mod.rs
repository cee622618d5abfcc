//! Runs that have a folder: begun, interrupted, resumed, drawn again.
//!
//! `docs/runs.md` says what the folder holds. A run that goes on from a checkpoint ends with the same numbers, bit for bit, as one that was not
//! interrupted: the folder's own `config.toml` is what both are made from.
//!
//! ```
//! use hyperpde_cli::config::Config;
//! use hyperpde_cli::runs::{self, RunOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let place = tempfile::tempdir()?;
//! # let folder = place.path().join("run");
//! let text = r#"
//!     problem = "poisson"
//!     [sampling]
//!     interior = 30
//!     boundary = 12
//!     validation = 20
//!     [solver]
//!     gauss_newton_steps = 2
//!     [outer]
//!     steps = 3
//! "#;
//! let config = Config::parse("example.toml", text, ".")?;
//! let options = RunOptions { json: None, quiet: true };
//! let report = runs::start(&config, &folder, &options)?;
//! assert!(folder.join("solution.safetensors").exists());
//! // Nothing is left to do.
//! assert_eq!(runs::resume(&folder, &options)?.outer_steps, report.outer_steps);
//! # Ok(())
//! # }
//! ```

mod folder;
pub(crate) mod interrupt;
mod journal;
mod redraw;

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::logging::{LogCopy, copy_line};
use crate::{CliError, Experiment, RunReport, memory};

use folder::RunFolder;
pub(crate) use journal::Journal;
pub use redraw::{Redrawn, redraw};

/// What does not change the numbers of a run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Where to write another copy of the report.
    pub json: Option<PathBuf>,
    /// Show no progress.
    pub quiet: bool,
}

/// Begins the run of a configuration in a new folder, and goes through with it. With `steps = 0` in `[outer]` the kernel is kept.
///
/// # Errors
/// [`CliError::Input`] for a folder that is not empty, a device that is not there and a run that does not fit into memory, [`CliError::Config`] for equations or conditions without values,
/// [`CliError::Numerical`] if solving fails, [`CliError::Io`] or [`CliError::Figure`] for files that can't be written,
/// [`CliError::Interrupted`] after Ctrl-C in the `hyperpde` command.
pub fn start(config: &Config, folder: &Path, options: &RunOptions) -> Result<RunReport, CliError> {
    config.try_equations(&config.sample()?)?;
    memory::ensure_fits(config)?;
    // The folder says in which precision the run computes, whatever a later program would choose.
    let config = config.clone().with_target(config.target().open()?.target);
    go_on(&RunFolder::create(folder, &config)?, options)
}

/// Goes on with the run in a folder from its newest checkpoint that is whole. Of a run that is finished only the report is read, and its
/// page drawn if it is missing.
///
/// # Errors
/// As [`start`]; [`CliError::Input`] for a folder without a run, one in which a process is running, and a checkpoint of another run.
pub fn resume(folder: &Path, options: &RunOptions) -> Result<RunReport, CliError> {
    let folder = RunFolder::open(folder)?;
    if !folder.report_file().is_file() {
        memory::ensure_fits(&Config::load(folder.config_file())?)?;
        return go_on(&folder, options);
    }
    log::info!("the run in {} is finished", folder.path().display());
    let report = redraw::read_report(&folder, &Config::load(folder.config_file())?)?;
    if !folder.page_file().is_file() {
        redraw(folder.path())?;
    }
    if let Some(file) = &options.json {
        fs::copy(folder.report_file(), file).map_err(|e| CliError::io("write", file, e))?;
    }
    Ok(report)
}

fn go_on(folder: &RunFolder, options: &RunOptions) -> Result<RunReport, CliError> {
    let log = LogCopy::to(folder.lock()?);
    let outcome = (|| {
        // What is run is what is in the folder, the first time too.
        let config = Config::load(folder.config_file())?;
        let mut journal = Journal::open(folder, &config)?;
        Experiment::from_config(&config).run_in_folder(&config, &mut journal, options)
    })()
    .map_err(|error| match error {
        CliError::Interrupted { .. } => CliError::Interrupted { folder: Some(folder.path().to_path_buf()) },
        other => other,
    });
    if let Err(error) = &outcome {
        copy_line(&error.full_message());
    }
    drop(log);
    outcome
}
