//! What a run tells its caller, and what it asks of it.

use std::error::Error;
use std::fs::File;
use std::path::Path;

use crate::experiment::picture::Picture;
use crate::report::{RunReport, StepLine, StepRecord};

/// How far a loop goes, told at its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Gauss-Newton steps.
    pub gauss_newton_steps: usize,
    /// Kernel updates in each, 0 without learning.
    pub outer_steps: usize,
    /// The last step of the run that this one goes on with.
    pub resumed: Option<StepLine>,
}

/// The caller of a run. Every method does nothing unless it is written.
///
/// A host is shared: one that keeps something keeps it behind a cell or a lock of its own.
pub trait Host {
    /// A loop begins. Nothing is told of the short solves beside it.
    fn begin(&self, _goal: &Goal) {}

    /// A step of the loop was taken.
    fn step(&self, _step: &StepLine) {}

    /// The loop came to its end, with a sentence on it.
    fn finish(&self, _message: &str) {}

    /// Whether the run should end at the next good moment: it then writes a checkpoint, if it has a folder, and is
    /// [`crate::RunError::Interrupted`].
    fn interrupted(&self) -> bool {
        false
    }

    /// From now on messages go to this file too, the log of a run; with `None` no longer.
    fn log_to(&self, _file: Option<File>) {}

    /// A line for the log of the run, and for nobody else.
    fn log_line(&self, _line: &str) {}

    /// Takes the warnings since the last call.
    fn take_warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Draws figures and the page of a run into its folder. All numbers are written already.
    ///
    /// # Errors
    /// Whatever keeps it from drawing.
    fn draw(
        &self,
        _folder: &Path,
        _picture: &Picture<'_>,
        _report: &RunReport,
        _warnings: &[String],
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    /// Draws the history of a run that is not finished into its folder.
    ///
    /// # Errors
    /// Whatever keeps it from drawing.
    fn draw_history(&self, _folder: &Path, _steps: &[StepRecord]) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

impl Host for () {}
