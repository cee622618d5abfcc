//! Failures of bilevel learning.

use hyperpde_gp::GpError;
use hyperpde_kernels::KernelError;
use hyperpde_pde::PdeError;
use thiserror::Error;

use crate::objective::ObjectiveError;
use crate::optimizer::OptimizerError;

/// What can go wrong while kernels are learned or a PDE is solved.
#[derive(Debug, Clone, Error)]
pub enum BilevelError {
    /// A setting is out of range.
    #[error("{name} = {value}: {expected}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// The inner solve failed where training can't back off from it.
    #[error("Gauss-Newton step {gauss_newton}, outer step {outer}: {source}")]
    Step {
        /// Gauss-Newton step, from 1.
        gauss_newton: usize,
        /// Outer step within it, 0 for the solve itself.
        outer: usize,
        /// The failure.
        source: GpError,
    },
    /// The loss or its gradient is not finite.
    #[error(
        "Gauss-Newton step {gauss_newton}, outer step {outer}: the {what} is not finite; lower the learning rate or raise the nugget"
    )]
    NonFinite {
        /// Gauss-Newton step, from 1.
        gauss_newton: usize,
        /// Outer step within it.
        outer: usize,
        /// Loss or gradient.
        what: &'static str,
    },
    /// The Gauss-Newton iterates grow without bound.
    #[error(
        "Gauss-Newton diverged at step {gauss_newton}: the iterate grew to {size:.1e}; start from better hyperparameters or use step control"
    )]
    Diverged {
        /// Gauss-Newton step, from 1.
        gauss_newton: usize,
        /// Largest value of the iterate.
        size: f64,
    },
    /// There is a gradient to take and nothing to take it by.
    #[error(
        "no hyperparameter is tracked by autodiff, so that nothing can be learned: build the kernels on `device.autodiff()` (those of a solution are detached from it), or take no outer steps"
    )]
    Untracked,
    /// A snapshot does not belong to this run.
    #[error("the snapshot does not fit: {0}; resume with the configuration it was made with")]
    Snapshot(String),
    /// The objective can't be taken of the solve.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// The memory in a snapshot is not that of the optimizer.
    #[error(transparent)]
    Optimizer(#[from] OptimizerError),
    /// The PDE side failed.
    #[error(transparent)]
    Pde(#[from] PdeError),
    /// The kernel side failed.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Rows or posterior failed.
    #[error(transparent)]
    Gp(#[from] GpError),
}

impl BilevelError {
    /// A failure in a solve of an outer step: with its place if another `θ` may mend it.
    pub(crate) fn from_solve(gauss_newton: usize, outer: usize, source: GpError) -> Self {
        match source {
            GpError::Factorisation { .. } | GpError::NonFinite { .. } => Self::Step { gauss_newton, outer, source },
            other => Self::Gp(other),
        }
    }

    /// Whether other hyperparameters may mend it, so that training goes back to the last good ones.
    pub(crate) fn is_recoverable(&self) -> bool {
        matches!(
            self,
            Self::NonFinite { .. }
                | Self::Step { source: GpError::Factorisation { .. } | GpError::NonFinite { .. }, .. }
        )
    }
}
