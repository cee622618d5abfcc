//! The command-line harness that every example binary shares.
//!
//! A binary flattens [`CommonFlags`] into its own arguments, merges them with the problem's defaults
//! ([`CommonFlags::resolve`]), shows a run with [`RunProgress`], and ends with a [`RunReport`] (JSON and a plain-text
//! table) and figures ([`figures`]). [`exit_code`] turns the outcome into the process's exit status.
//!
//! ```no_run
//! use clap::Parser;
//! use hyperpde_bilevel::{OptimizerKind, StepControl};
//! use hyperpde_cli::{CliError, CommonFlags, RunSettings, exit_code, init_logging};
//!
//! #[derive(Parser)]
//! struct Args {
//!     #[command(flatten)]
//!     common: CommonFlags,
//! }
//!
//! const DEFAULTS: RunSettings = RunSettings {
//!     seed: 1,
//!     interior: 900,
//!     boundary: 300,
//!     validation: 900,
//!     batch: 200,
//!     gauss_newton_steps: 20,
//!     outer_steps: 50,
//!     warm_up: 0,
//!     nugget: 1e-10,
//!     learning_rate: 1e-2,
//!     loss_tolerance: 1e-5,
//!     optimizer: OptimizerKind::Adam,
//!     step_control: StepControl::Backtracking,
//!     increment_tolerance: 0.0,
//!     regularisation: 0.0,
//! };
//!
//! fn run(flags: &CommonFlags) -> Result<(), CliError> {
//!     let settings = flags.resolve(&DEFAULTS)?;
//!     // ... solve, report, draw ...
//!     println!("{} interior points", settings.interior);
//!     Ok(())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     let args = Args::parse();
//!     init_logging(args.common.quiet);
//!     exit_code(run(&args.common))
//! }
//! ```

mod arrays;
mod atomic;
pub mod checkpoint;
pub mod command;
pub mod config;
mod digest;
mod error;
mod evaluate;
mod example;
mod experiment;
pub mod figures;
mod flags;
pub mod html;
mod input;
mod logging;
pub mod memory;
mod model;
mod per_field;
mod progress;
mod report;
pub mod reproduce;
pub mod runs;
mod sealed;
mod settings;
mod table;
mod tables;
mod target;
mod trial;

pub use arrays::{NamedArray, read_arrays, write_arrays};
pub use atomic::write_atomic;
pub use error::{CliError, exit_code};
pub use evaluate::{Evaluation, evaluate};
pub use example::{run_example, run_example_with};
pub use experiment::{Experiment, KernelBuilder, KernelFields, Runnable};
pub use flags::CommonFlags;
pub use hyperpde_kernels::{Backend, Precision};
pub use logging::{init_logging, take_warnings};
pub use model::{MODEL_FILE, Model};
pub use per_field::PerField;
pub use progress::{RunProgress, StepLine};
pub use report::{
    CloudErrors, ConstantKernel, FieldErrors, KernelState, LargerCloud, RunReport, StepRecord, peak_rss_mb,
};
pub use settings::RunSettings;
pub use table::{TableRow, table};
pub use target::{Opened, Target, TargetFlags};
