//! Failures of row construction and of the inner solve.

use hyperpde_kernels::KernelError;
use hyperpde_linalg::SolveError;
use hyperpde_linalg::host_op::ReadError;
use thiserror::Error;

/// What can go wrong between rows and a posterior.
#[derive(Debug, Clone, Error)]
pub enum GpError {
    /// A block of rows is malformed.
    #[error("rows '{block}': {why}")]
    Rows {
        /// Name of the block.
        block: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system as a whole is malformed.
    #[error("system: {0}")]
    System(String),
    /// Points, operators or kernels are invalid.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The system could not be solved.
    #[error(
        "inner solve of {rows} rows: {source}. Larger nuggets, longer length scales or fewer near-duplicate points make the system better conditioned"
    )]
    Factorisation {
        /// Size of the system.
        rows: usize,
        /// The failure of the solver.
        source: SolveError,
    },
    /// Features or their gradients could not be read from the device they are on.
    #[error("inner solve: {0}")]
    Read(#[from] ReadError),
    /// A result is not finite.
    #[error("{what} is not finite; {advice}")]
    NonFinite {
        /// What is not finite.
        what: String,
        /// What to do about it.
        advice: &'static str,
    },
}
