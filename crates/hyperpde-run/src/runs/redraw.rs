//! Figures and page of a run, drawn again from what its folder holds.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::RunFolder;
use super::journal::read_metrics;
use hyperpde_config::Config;

use crate::error::{RunError, own_text};
use crate::experiment::Picture;
use crate::host::Host;
use crate::report::RunReport;
use crate::warnings::warnings_in;

/// What was drawn.
#[derive(Debug)]
pub struct Redrawn {
    /// The run's report, if the run is finished.
    pub report: Option<RunReport>,
    /// Files that are missing, which therefore could not be drawn from.
    pub missing: Vec<PathBuf>,
}

/// Lets the host draw the figures and the page of a run again, without solving anything. Of a run that is not finished, its history.
///
/// # Errors
/// [`RunError::Input`] for a folder without a run or a file in it that is damaged, [`RunError::Io`] and [`RunError::Draw`] for what can't be
/// read or written.
pub fn redraw(folder: &Path, host: &dyn Host) -> Result<Redrawn, RunError> {
    let folder = RunFolder::open(folder)?;
    let config = Config::load(folder.config_file())?;
    let needed = [folder.report_file(), folder.solution_file()];
    let missing: Vec<PathBuf> = needed.into_iter().filter(|file| !file.is_file()).collect();
    if !folder.report_file().is_file() {
        let steps = read_metrics(&folder.metrics_file())?;
        host.draw_history(folder.path(), &steps).map_err(RunError::Draw)?;
        return Ok(Redrawn { report: None, missing });
    }
    let report = read_report(&folder, &config)?;
    let collocation = config.sample()?;
    let mut picture = Picture::new(config.problem(), &collocation);
    if folder.solution_file().is_file() {
        picture = picture.with_solution(&folder.solution_file())?;
    }
    // A log that is missing or no text has nothing to add.
    let log = fs::read_to_string(folder.log_file()).unwrap_or_default();
    host.draw(folder.path(), &picture, &report, &warnings_in(&log)).map_err(RunError::Draw)?;
    Ok(Redrawn { report: Some(report), missing })
}

/// The report in a folder.
pub(super) fn read_report(folder: &RunFolder, config: &Config) -> Result<RunReport, RunError> {
    let path = folder.report_file();
    let text = own_text(&path)?;
    let name = config.problem().scores().first().map_or("u", |score| score.name());
    RunReport::from_json(&text, name).map_err(|e| {
        let (why, path) = (e.full_message(), path.display());
        RunError::Input(format!("{path} is no report of a run: {why}; without it `hyperpde resume` makes it again"))
    })
}
