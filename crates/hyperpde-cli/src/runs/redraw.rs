//! Figures and page of a run, drawn again from what its folder holds.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::RunFolder;
use super::journal::read_metrics;
use crate::config::Config;
use crate::experiment::Picture;
use crate::input::own_text;
use crate::logging::warnings_in;
use crate::{CliError, RunReport, figures};

/// What was drawn.
#[derive(Debug)]
pub struct Redrawn {
    /// The run's report, if the run is finished.
    pub report: Option<RunReport>,
    /// Files that are missing, which therefore could not be drawn from.
    pub missing: Vec<PathBuf>,
}

/// Draws the figures and the page of a run again, without solving anything. Of a run that is not finished, its history.
///
/// # Errors
/// [`CliError::Input`] for a folder without a run or a file in it that is damaged, [`CliError::Io`] and [`CliError::Figure`] for what can't be
/// read or written.
pub fn redraw(folder: &Path) -> Result<Redrawn, CliError> {
    let folder = RunFolder::open(folder)?;
    let config = Config::load(folder.config_file())?;
    let needed = [folder.report_file(), folder.solution_file()];
    let missing: Vec<PathBuf> = needed.into_iter().filter(|file| !file.is_file()).collect();
    if !folder.report_file().is_file() {
        let steps = read_metrics(&folder.metrics_file())?;
        figures::history(&folder.path().join("history"), &steps)?;
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
    picture.draw(folder.path(), &report, &warnings_in(&log))?;
    Ok(Redrawn { report: Some(report), missing })
}

/// The report in a folder.
pub(super) fn read_report(folder: &RunFolder, config: &Config) -> Result<RunReport, CliError> {
    let path = folder.report_file();
    let text = own_text(&path)?;
    let name = config.problem().scores().first().map_or("u", |score| score.name());
    RunReport::from_json(&text, name).map_err(|e| {
        let (why, path) = (e.full_message(), path.display());
        CliError::Input(format!("{path} is no report of a run: {why}; without it `hyperpde resume` makes it again"))
    })
}
