//! The `hyperpde` command, and the flags and the `main` that every example binary shares.
//!
//! Nothing is computed here: flags become plain values ([`CommonFlags::plan`]), a run's messages, progress and figures are those of [`Terminal`], its
//! host, and its outcome becomes the exit status of the process ([`exit_code`]). Runs are in `hyperpde_run`, configurations in `hyperpde_config`,
//! figures in `hyperpde_plot`.
//!
//! A binary of one's own is an experiment and one call:
//!
//! ```no_run
//! use hyperpde_cli::run_example;
//! use hyperpde_kernels::{AnyKernel, GaussianConfig, KernelConfig};
//! use hyperpde_run::Experiment;
//!
//! fn main() -> std::process::ExitCode {
//!     run_example(|| {
//!         let kernel = KernelConfig::Gaussian(GaussianConfig::ard(vec![0.3, 0.3]));
//!         let kernels = move |seed, device: &_| Ok::<Vec<AnyKernel>, _>(vec![kernel.init(seed, device)?]);
//!         Ok(Experiment::new(hyperpde_problems::by_name("poisson")?, kernels))
//!     })
//! }
//! ```
//!
//! Read on: [`command`], one file per subcommand.

pub mod command;
mod error;
mod example;
mod flags;
mod host;
mod interrupt;
mod logging;
mod progress;
mod target;

pub use error::{CliError, exit_code};
pub use example::{run, run_example, run_example_with};
pub use flags::CommonFlags;
pub use host::Terminal;
pub use logging::{init_logging, take_warnings};
pub use progress::{RunProgress, clock};
pub use target::TargetFlags;
