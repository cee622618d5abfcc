//! The checkpoints of a run: the last few, in a folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::state::{Checkpoint, Origin};
use crate::atomic::write_atomic;
use crate::error::RunError;

/// Checkpoints that are kept.
const KEPT: usize = 3;
/// Their extension.
const EXTENSION: &str = "checkpoint";

/// A folder with the last few checkpoints of a run, one per Gauss-Newton step.
#[derive(Debug, Clone)]
pub struct CheckpointFolder {
    path: PathBuf,
}

impl CheckpointFolder {
    /// The folder at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its files, oldest first.
    ///
    /// # Errors
    /// [`RunError::Io`] if the folder is there and can't be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, RunError> {
        let failed = |e| RunError::io("read the folder", &self.path, e);
        let entries = match std::fs::read_dir(&self.path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            files.extend(step_of(&path).map(|step| (step, path)));
        }
        files.sort();
        Ok(files.into_iter().map(|(_, path)| path).collect())
    }

    /// Writes a checkpoint, then removes those before the last few.
    ///
    /// # Errors
    /// [`RunError::Io`] if it can't be written. An old file that can't be removed does no harm and is left.
    pub fn write(&self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        self.write_bytes(checkpoint.snapshot.gauss_newton, &checkpoint.to_bytes()?)
    }

    pub(crate) fn write_bytes(&self, step: usize, bytes: &[u8]) -> Result<(), RunError> {
        write_atomic(&self.path.join(format!("step-{step:05}.{EXTENSION}")), bytes)?;
        let files = self.files()?;
        for old in &files[..files.len().saturating_sub(KEPT)] {
            let _ = std::fs::remove_file(old);
        }
        Ok(())
    }

    /// The newest checkpoint that is whole; damaged newer ones are told in the log. `None` if there is none.
    ///
    /// # Errors
    /// [`RunError::Input`] for a whole checkpoint of another run or a format of the future, [`RunError::Io`] for a folder that can't be
    /// read.
    pub fn newest(&self, origin: &Origin) -> Result<Option<Checkpoint>, RunError> {
        let mut damaged = 0;
        for file in self.files()?.iter().rev() {
            match Checkpoint::read(file, origin) {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(error) if error.is_damage() => {
                    log::warn!("{error}; trying the one before");
                    damaged += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
        if damaged > 0 {
            log::warn!("no checkpoint in {} can be read: the run starts from its beginning", self.path.display());
        }
        Ok(None)
    }
}

/// The Gauss-Newton step that the name of a checkpoint says.
fn step_of(path: &Path) -> Option<usize> {
    if path.extension() != Some(OsStr::new(EXTENSION)) {
        return None;
    }
    path.file_stem()?.to_str()?.strip_prefix("step-")?.parse().ok()
}
