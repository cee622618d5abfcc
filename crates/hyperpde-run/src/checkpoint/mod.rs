//! The state of a run in a file, from which the run goes on bit for bit.
//!
//! A checkpoint holds the [`Snapshot`] of the learning loop between two Gauss-Newton steps, the history so far, and where both come from:
//! a digest of the configuration, the backend and the version of the program. All numbers are binary float64. A file that is
//! damaged, or that belongs to another run, is refused; see [`CheckpointError`].
//!
//! # Example
//! A run of the library that is interrupted and goes on from a file:
//!
//! ```
//! use hyperpde_bilevel::{Bilevel, BilevelSettings, Event};
//! use hyperpde_run::checkpoint::{Checkpoint, Origin};
//! use hyperpde_kernels::{Backend, GaussianConfig};
//! use hyperpde_pde::{SampleSizes, Sampler};
//! use hyperpde_problems as problems;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("step-1.checkpoint");
//! let backend = Backend::default();
//! let problem = problems::Poisson.problem()?;
//! let sizes = SampleSizes { interior: 30, boundary: 12, validation: 20 };
//! let collocation = problem.sample(&sizes, Sampler::Halton, 0)?;
//! let kernels = vec![GaussianConfig::isotropic(0.3).init(&backend.device()?.autodiff())?];
//! let settings =
//!     BilevelSettings { gauss_newton_steps: 3, outer_steps: 2, batch: 20, ..BilevelSettings::published(problem.defaults(), 0) };
//! // Whatever tells this run from others.
//! let origin = Origin::new("poisson, 30 + 12 points, isotropic Gaussian", backend);
//!
//! let mut run = Bilevel::init(&problem, collocation.clone(), kernels.clone(), settings.clone())?;
//! while !matches!(run.step()?, Event::GaussNewton(..)) {}
//! let snapshot = run.snapshot().ok_or("a Gauss-Newton step is complete")?;
//! Checkpoint { origin: origin.clone(), snapshot, history: Vec::new() }.write(&file)?;
//!
//! // Later, in another process:
//! let snapshot = Checkpoint::read(&file, &origin)?.snapshot;
//! let resumed = Bilevel::restore(&problem, collocation, kernels, settings, &snapshot)?.run(&mut ())?;
//! let uninterrupted = run.run(&mut ())?;
//! let grid = problem.test_grid().points();
//! assert_eq!(resumed.last.values(0, grid)?, uninterrupted.last.values(0, grid)?);
//! # Ok(())
//! # }
//! ```

mod content;
mod store;

use std::path::{Path, PathBuf};

use hyperpde_bilevel::Snapshot;
use serde::{Deserialize, Serialize};

use crate::digest::digest;
use crate::sealed::{self, Kind, Unsealed};
use hyperpde_config::Target;

use crate::atomic::write_atomic;
use crate::error::RunError;
use crate::report::StepRecord;

pub use store::CheckpointFolder;

/// Newest format that this program reads, and the one that it writes.
const KIND: Kind = Kind { magic: *b"HYPERPDE", version: 1 };

/// Which run a checkpoint belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Digest of the configuration and of the data that it names.
    pub configuration: String,
    /// Backend, and of a GPU device and precision: rounding differs between them.
    pub backend: String,
    /// Version of the program.
    pub version: String,
}

impl Origin {
    /// The origin of a run of this program with a configuration, given by any text that tells it from others.
    #[must_use]
    pub fn new(configuration: &str, target: impl Into<Target>) -> Self {
        Self {
            configuration: digest(configuration.as_bytes()),
            backend: target.into().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The state of a run between two Gauss-Newton steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Which run.
    pub origin: Origin,
    /// State of the learning loop.
    pub snapshot: Snapshot,
    /// The steps so far.
    pub history: Vec<StepRecord>,
}

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
