//! Experiments and what was published about them.

use hyperpde_cli::CliError;
use hyperpde_run::{RunError, Runnable};

/// An experiment of the study.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name, also in file names.
    pub name: &'static str,
    /// Builds it; cheap.
    pub build: fn() -> Result<Box<dyn Runnable>, RunError>,
    /// Whether runs look for baselines (`--baselines`).
    pub baselines: bool,
    /// Published wall time of learning, s.
    pub published_seconds: Option<f64>,
    /// Rough wall time of a run at the published scale, s. Only for the time left, until a run of this experiment has been timed.
    pub expected_seconds: f64,
}

/// Which error of a solve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Largest absolute error.
    Linf,
    /// Root mean square error.
    Rmse,
    /// Relative L2 error.
    RelL2,
}

impl Measure {
    /// The key in reports.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Linf => "linf",
            Self::Rmse => "rmse",
            Self::RelL2 => "rel_l2",
        }
    }

    /// The name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Linf => "L-infinity",
            Self::Rmse => "RMSE",
            Self::RelL2 => "relative L2",
        }
    }
}

/// A published number, and where its like stands in our reports.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// Name of the [`Entry`].
    pub experiment: &'static str,
    /// What the row is about.
    pub label: &'static str,
    /// Name of the cloud in the report: `training`, `larger` or `fresh`.
    pub cloud: &'static str,
    /// Name of the problem solved there.
    pub problem: &'static str,
    /// Name of the score.
    pub score: &'static str,
    /// Which error.
    pub measure: Measure,
    /// The published error.
    pub error: f64,
    /// The error that passes: the published one, or a smaller one where that is known to be the error of its reference.
    pub bar: f64,
    /// The published error with the initial hyperparameters.
    pub initial: Option<f64>,
}

/// Experiments and published numbers.
pub struct Study {
    /// The experiments, in the order of the tables.
    pub entries: Vec<Entry>,
    /// The published numbers, in the order of the table.
    pub published: Vec<Published>,
}

impl Study {
    pub(super) fn entry(&self, name: &str) -> Result<&Entry, CliError> {
        self.entries.iter().find(|e| e.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.entries.iter().map(|e| e.name).collect();
            CliError::Input(format!("no experiment is called '{name}'; there are {}", names.join(", ")))
        })
    }
}
