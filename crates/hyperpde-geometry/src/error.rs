//! Failures in describing a domain or drawing points in it.

use hyperpde_kernels::KernelError;
use thiserror::Error;

/// What can be wrong with a domain, or with a wish for points in it.
#[derive(Debug, Clone, Error)]
pub enum GeometryError {
    /// The domain is malformed, or has no such part.
    #[error("domain: {0}")]
    Domain(String),
    /// Points cannot be drawn as asked.
    #[error("sampling: {0}")]
    Sampling(String),
    /// Coordinates are not finite or do not make up points.
    #[error(transparent)]
    Points(#[from] KernelError),
}
