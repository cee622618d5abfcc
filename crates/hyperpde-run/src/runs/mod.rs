//! Runs that have a folder: begun, interrupted, resumed, drawn again.
//!
//! `docs/runs.md` says what the folder holds. A run that goes on from a checkpoint ends with the same numbers, bit for bit, as one that was not
//! interrupted: the folder's own `config.toml` is what both are made from.
//!
//! ```
//! use hyperpde_config::Config;
//! use hyperpde_run::runs;
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
//! let report = runs::start(&config, &folder, None, &())?;
//! assert!(folder.join("solution.safetensors").exists());
//! // Nothing is left to do.
//! assert_eq!(runs::resume(&folder, None, &())?.outer_steps, report.outer_steps);
//! # Ok(())
//! # }
//! ```

mod folder;
pub(crate) mod journal;
mod redraw;

use std::fs;
use std::path::Path;

use hyperpde_config::Config;

use crate::error::RunError;
use crate::experiment::{Experiment, Plan};
use crate::host::Host;
use crate::memory;
use crate::report::RunReport;

use folder::RunFolder;
use journal::Journal;
pub use redraw::{Redrawn, redraw};

/// Begins the run of a configuration in a new folder, with another copy of the report in `json`, and goes through with it. With `steps = 0` in `[outer]` the kernel is kept.
///
/// # Errors
/// [`RunError::Input`] for a folder that is not empty, a device that is not there and a run that does not fit into memory, [`RunError::Config`] for equations or conditions without values,
/// [`RunError::Numerical`] if solving fails, [`RunError::Io`] or [`RunError::Draw`] for files that can't be written,
/// [`RunError::Interrupted`] if the host asks for an end.
pub fn start(config: &Config, folder: &Path, json: Option<&Path>, host: &dyn Host) -> Result<RunReport, RunError> {
    config.try_equations(&config.sample()?)?;
    memory::ensure_fits(config)?;
    // The folder says in which precision the run computes, whatever a later program would choose.
    let config = config.clone().with_target(config.target().open()?.target);
    go_on(&RunFolder::create(folder, &config)?, json, host)
}

/// Goes on with the run in a folder from its newest checkpoint that is whole. Of a run that is finished only the report is read, and its
/// page drawn if it is missing.
///
/// # Errors
/// As [`start`]; [`RunError::Input`] for a folder without a run, one in which a process is running, and a checkpoint of another run.
pub fn resume(folder: &Path, json: Option<&Path>, host: &dyn Host) -> Result<RunReport, RunError> {
    let folder = RunFolder::open(folder)?;
    if !folder.report_file().is_file() {
        memory::ensure_fits(&Config::load(folder.config_file())?)?;
        return go_on(&folder, json, host);
    }
    log::info!("the run in {} is finished", folder.path().display());
    let report = redraw::read_report(&folder, &Config::load(folder.config_file())?)?;
    if !folder.page_file().is_file() {
        redraw(folder.path(), host)?;
    }
    if let Some(file) = json {
        fs::copy(folder.report_file(), file).map_err(|e| RunError::io("write", file, e))?;
    }
    Ok(report)
}

fn go_on(folder: &RunFolder, json: Option<&Path>, host: &dyn Host) -> Result<RunReport, RunError> {
    host.log_to(Some(folder.lock()?));
    let outcome = (|| {
        // What is run is what is in the folder, the first time too.
        let config = Config::load(folder.config_file())?;
        let mut journal = Journal::open(folder, &config)?;
        let (out, json) = (Some(folder.path().to_path_buf()), json.map(Path::to_path_buf));
        let plan = Plan { out, json, ..Plan::of(config.spec()) };
        Experiment::from_config(&config).run_in_folder(&plan, &mut journal, host)
    })()
    .map_err(|error| match error {
        RunError::Interrupted { .. } => RunError::Interrupted { folder: Some(folder.path().to_path_buf()) },
        other => other,
    });
    if let Err(error) = &outcome {
        host.log_line(&error.full_message());
    }
    host.log_to(None);
    outcome
}
