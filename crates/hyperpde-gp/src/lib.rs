//! Gaussian-process fields and rows, the inner solve, and the posterior.
//!
//! Everything known about the fields is a [`RowBlock`] of linear functionals; an [`InnerProblem`] solves the rows for the
//! minimum-norm fields, differentiably in the kernels; a [`Posterior`] evaluates any derivative anywhere.

mod error;
mod factor;
mod fused_job;
mod fused_solve;
mod nugget;
mod pairs;
mod posterior;
mod problem;
mod rows;
mod sites;
mod stages;

pub use error::GpError;
pub use factor::FactorOn;
pub use posterior::Posterior;
pub use problem::{Assembly, InnerProblem, Prediction, SolveSettings, Workspace};
pub use rows::{RowBlock, Term};
pub use stages::{Stage, StageTimes};
