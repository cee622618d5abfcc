//! What a checkpoint holds.

use hyperpde_bilevel::Snapshot;
use hyperpde_config::Target;
use serde::{Deserialize, Serialize};

use crate::digest::digest;
use crate::report::StepRecord;

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
