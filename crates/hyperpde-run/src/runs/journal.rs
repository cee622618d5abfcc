//! What a run with a folder writes down while it goes on.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use hyperpde_bilevel::Snapshot;

use super::folder::RunFolder;
use crate::atomic::write_atomic;
use crate::checkpoint::{Checkpoint, CheckpointFolder, Origin};
use crate::error::{RunError, own_text};
use crate::report::StepRecord;
use hyperpde_config::Config;

/// The record of a run on disk, step by step.
pub(crate) struct Journal {
    folder: PathBuf,
    metrics_file: PathBuf,
    metrics: File,
    checkpoints: CheckpointFolder,
    origin: Origin,
    /// Gauss-Newton steps from one checkpoint to the next.
    every: usize,
    /// The last complete step, if it is not written yet.
    pending: Option<Checkpoint>,
    /// Where the run goes on from.
    start: Option<Checkpoint>,
}

impl Journal {
    /// Opens the journal of a folder: finds the newest checkpoint and cuts the metrics to it.
    pub fn open(folder: &RunFolder, config: &Config) -> Result<Self, RunError> {
        folder.tidy();
        let (origin, checkpoints) = (RunFolder::origin(config)?, folder.checkpoints());
        let start = checkpoints.newest(&origin)?;
        let metrics_file = folder.metrics_file();
        let mut lines = Vec::new();
        for record in start.iter().flat_map(|s| &s.history) {
            lines.extend(line(record)?);
        }
        write_atomic(&metrics_file, &lines)?;
        let metrics =
            OpenOptions::new().append(true).open(&metrics_file).map_err(|e| RunError::io("write", &metrics_file, e))?;
        let every = config.checkpoint_every();
        let folder = folder.path().to_path_buf();
        Ok(Self { folder, metrics_file, metrics, checkpoints, origin, every, pending: None, start })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// State and history that the run goes on from; nothing at its beginning, and nothing when asked again.
    pub fn take_start(&mut self) -> Option<(Snapshot, Vec<StepRecord>)> {
        self.start.take().map(|c| (c.snapshot, c.history))
    }

    /// Writes down a step; the line is with the system when this returns.
    pub fn step(&mut self, record: &StepRecord) -> Result<(), RunError> {
        self.metrics.write_all(&line(record)?).map_err(|e| RunError::io("write", &self.metrics_file, e))
    }

    /// Takes the state after a Gauss-Newton step, and writes a checkpoint if it is time.
    pub fn save(&mut self, snapshot: Snapshot, history: &[StepRecord]) -> Result<(), RunError> {
        let due = snapshot.termination.is_some() || snapshot.gauss_newton.is_multiple_of(self.every);
        self.pending = Some(Checkpoint { origin: self.origin.clone(), snapshot, history: history.to_vec() });
        if due { self.flush() } else { Ok(()) }
    }

    /// Writes the last complete step, if that has not been done.
    pub fn flush(&mut self) -> Result<(), RunError> {
        match self.pending.take() {
            Some(checkpoint) => self.checkpoints.write(&checkpoint),
            None => Ok(()),
        }
    }
}

/// The records in a file of metrics. A last line without its end was being written when the process was killed, and is left out.
pub(super) fn read_metrics(path: &Path) -> Result<Vec<StepRecord>, RunError> {
    let text = own_text(path)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut records = Vec::new();
    for (i, line) in whole.lines().enumerate() {
        let wrong = |e| RunError::Input(format!("line {} of {} is no step of a run: {e}", i + 1, path.display()));
        records.push(serde_json::from_str(line).map_err(wrong)?);
    }
    Ok(records)
}

fn line(record: &StepRecord) -> Result<Vec<u8>, RunError> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    Ok(line)
}
