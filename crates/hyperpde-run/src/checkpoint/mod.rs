//! The state of a run in a file, from which the run goes on bit for bit.
//!
//! A checkpoint holds the [`Snapshot`](hyperpde_bilevel::Snapshot) of the learning loop between two Gauss-Newton steps, the history so far, and where both come from:
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
mod file;
mod state;
mod store;

pub use file::CheckpointError;
pub use state::{Checkpoint, Origin};
pub use store::CheckpointFolder;
