//! The terminal as the host of a run: progress, log, Ctrl-C, figures.

use std::cell::RefCell;
use std::error::Error;
use std::fs::File;
use std::path::Path;

use hyperpde_plot::{draw_run, history};
use hyperpde_run::{Goal, Host, Picture, RunReport, StepLine, StepRecord};

use crate::progress::RunProgress;
use crate::{interrupt, logging};

/// Shows how far a run is, copies messages into its log, ends it on Ctrl-C ([`crate::command`] catches that), and draws its figures.
pub struct Terminal {
    quiet: bool,
    progress: RefCell<Option<RunProgress>>,
}

impl Terminal {
    /// With `quiet` no progress is shown.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self { quiet, progress: RefCell::new(None) }
    }
}

impl Host for Terminal {
    fn begin(&self, goal: &Goal) {
        let mut progress = RunProgress::new(goal.gauss_newton_steps, self.quiet).with_outer_steps(goal.outer_steps);
        if let Some(step) = &goal.resumed {
            progress = progress.resumed_at(step);
        }
        *self.progress.borrow_mut() = Some(progress);
    }

    fn step(&self, step: &StepLine) {
        if let Some(progress) = self.progress.borrow_mut().as_mut() {
            progress.update(step);
        }
    }

    fn finish(&self, message: &str) {
        if let Some(progress) = self.progress.take() {
            progress.finish(message);
        }
    }

    fn interrupted(&self) -> bool {
        interrupt::requested()
    }

    fn log_to(&self, file: Option<File>) {
        logging::copy_to(file);
    }

    fn log_line(&self, line: &str) {
        logging::copy_line(line);
    }

    fn take_warnings(&self) -> Vec<String> {
        logging::take_warnings()
    }

    fn draw(
        &self,
        folder: &Path,
        picture: &Picture<'_>,
        report: &RunReport,
        warnings: &[String],
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(draw_run(folder, picture, report, warnings)?)
    }

    fn draw_history(&self, folder: &Path, steps: &[StepRecord]) -> Result<(), Box<dyn Error + Send + Sync>> {
        history(&folder.join("history"), steps)?;
        Ok(())
    }
}
