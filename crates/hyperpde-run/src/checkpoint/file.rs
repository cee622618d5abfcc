//! The file of a checkpoint, and why one is refused.

use std::path::{Path, PathBuf};

use super::content;
use super::state::{Checkpoint, Origin};
use crate::atomic::write_atomic;
use crate::error::RunError;
use crate::sealed::{self, Kind, Unsealed};

/// Newest format that this program reads, and the one that it writes.
const KIND: Kind = Kind { magic: *b"HYPERPDE", version: 2 };

/// Why a file is not the checkpoint that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file can't be read.
    #[error("the checkpoint {} can't be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Something else.
    #[error("{} is not a checkpoint", path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// A format of the future.
    #[error("the checkpoint {} has format {version}, this program reads up to {known}: use a newer version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
        /// The newest format that is read.
        known: u32,
    },
    /// The end is missing.
    #[error("the checkpoint {} is truncated: it has {bytes} bytes of {expected}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that are there.
        bytes: u64,
        /// Bytes that should be.
        expected: u64,
    },
    /// Bits changed.
    #[error("the checkpoint {} is corrupted: {why}", path.display())]
    Corrupted {
        /// The file.
        path: PathBuf,
        /// What shows it.
        why: String,
    },
    /// It is whole, but of another run.
    #[error("the checkpoint {} was made with another {what}{detail}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// The two values, if they say something to a reader.
        detail: String,
    },
}

impl CheckpointError {
    /// Whether an older checkpoint of the same folder may do: the file is damaged, not one of another run.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        !matches!(self, Self::Newer { .. } | Self::Other { .. })
    }
}

impl From<CheckpointError> for RunError {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Unreadable { path, source } => Self::io("read the checkpoint", &path, source),
            other => Self::Input(other.to_string()),
        }
    }
}

impl Checkpoint {
    /// Writes the checkpoint with [`write_atomic`]: a reader finds all of it or nothing.
    ///
    /// # Errors
    /// [`RunError::Io`] with the path.
    pub fn write(&self, path: &Path) -> Result<(), RunError> {
        Ok(write_atomic(path, &self.to_bytes()?)?)
    }

    /// Reads the checkpoint of a given run.
    ///
    /// # Errors
    /// [`CheckpointError`] for a file that can't be read, is no checkpoint, is damaged, or belongs to another run.
    pub fn read(path: &Path, origin: &Origin) -> Result<Self, CheckpointError> {
        let path = || path.to_path_buf();
        let bytes = std::fs::read(path()).map_err(|source| CheckpointError::Unreadable { path: path(), source })?;
        let corrupted = |why| CheckpointError::Corrupted { path: path(), why };
        let (arrays, meta) = sealed::unseal(KIND, &bytes).map_err(|refused| match refused {
            Unsealed::OtherKind => CheckpointError::NotACheckpoint { path: path() },
            Unsealed::Newer { version } => CheckpointError::Newer { path: path(), version, known: KIND.version },
            Unsealed::Truncated { bytes, expected } => CheckpointError::Truncated { path: path(), bytes, expected },
            Unsealed::Corrupted(why) => corrupted(why),
        })?;
        let checkpoint = content::unpack(arrays, meta).map_err(corrupted)?;
        let found = &checkpoint.origin;
        let both = |found: &str, own: &str| format!(": {found}, not {own}");
        let detail = if found.configuration != origin.configuration {
            Some(("configuration", String::new()))
        } else if found.backend != origin.backend {
            Some(("backend", both(&found.backend, &origin.backend)))
        } else if found.version != origin.version {
            Some(("version of the program", both(&found.version, &origin.version)))
        } else {
            None
        };
        match detail {
            Some((what, detail)) => Err(CheckpointError::Other { path: path(), what, detail }),
            None => Ok(checkpoint),
        }
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, RunError> {
        let (arrays, meta) = content::pack(self);
        // Shapes are made from the values here, so that they fit.
        sealed::seal(KIND, &arrays, &meta).map_err(|why| RunError::numerical("packing a checkpoint", why))
    }
}
