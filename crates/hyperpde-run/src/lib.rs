//! From the specification of a run to its results and its folder.
//!
//! An [`Experiment`] is a problem with the kernels learned on it: from a configuration ([`Experiment::from_config`]) or from code
//! ([`Experiment::new`]). [`Experiment::run`] takes a [`Plan`] of plain values, solves, learns, solves again and scores; its [`RunReport`] has every number.
//! [`runs`] does the same in a folder, from which an interrupted run goes on, bit for bit.
//!
//! What goes on meanwhile is told to a [`Host`], which the caller gives: it shows progress, draws figures, keeps warnings, and may ask for an end.
//! `()` is the host that does nothing. Nothing in this crate writes to the terminal.
//!
//! ```
//! use hyperpde_config::{Config, RunSpec};
//! use hyperpde_run::{Experiment, Plan};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut spec = RunSpec::built_in("poisson")?;
//! (spec.settings.interior, spec.settings.boundary, spec.settings.validation, spec.settings.batch) = (30, 12, 20, 10);
//! (spec.settings.gauss_newton_steps, spec.settings.outer_steps) = (2, 3);
//! let config = Config::from_spec(&spec, ".")?;
//! let report = Experiment::from_config(&config).run(&Plan::of(&spec), &())?;
//! assert!(report.linf.0[0].1 < 1.0);
//! # Ok(())
//! # }
//! ```
//!
//! Read on: [`Plan`] and [`RunReport`], then `experiment/run.rs`, the run itself; [`memory`] and [`trial`] for what a run costs; [`Model`] and
//! [`evaluate`] for what is done with a solution.

mod arrays;
mod atomic;
pub mod checkpoint;
mod cost;
mod digest;
mod error;
mod evaluate;
mod experiment;
mod host;
pub mod memory;
mod model;
mod per_field;
mod report;
mod rows;
pub mod runs;
mod sealed;
mod table;
pub mod trial;
pub mod verdict;
mod warnings;

pub use arrays::{NamedArray, read_arrays, write_arrays};
pub use atomic::{FileError, write_atomic};
pub use cost::{Size, Tensors, shown as mebibytes};
pub use digest::digest;
pub use error::{RunError, full_message};
pub use evaluate::{Evaluation, evaluate, quantities};
pub use experiment::{Experiment, KernelBuilder, KernelFields, Picture, Plan, Quantity, Runnable};
pub use host::{Goal, Host};
pub use model::{MODEL_FILE, Model};
pub use per_field::PerField;
pub use report::{CloudErrors, ConstantKernel, KernelState, LargerCloud, RunReport, StepLine, StepRecord, peak_rss_mb};
pub use rows::count as row_count;
pub use table::{TableRow, table};
pub use warnings::{MOST_WARNINGS, WARNING, warnings_in};
