//! The factor of the inner system, on the host or on the GPU where the system was assembled.

#[cfg(feature = "gpu")]
use hyperpde_linalg::device::DeviceCholesky;
use hyperpde_linalg::{Cholesky, SolveError, SolveStatistics};

/// Where the systems of solves with a GPU are factored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FactorOn {
    /// On the GPU in float64 if it is a card; in float32 and in two float32 per number on the host, in float64.
    #[default]
    Auto,
    /// On the host.
    Host,
    /// On the GPU, in its own number type; with two float32 per number on the host.
    Device,
}

/// `L` of `K + N = L Lᵀ`.
#[derive(Debug)]
pub(crate) enum Factor {
    Host(Cholesky),
    #[cfg(feature = "gpu")]
    Device(DeviceCholesky),
}

impl Factor {
    pub fn info(&self) -> SolveStatistics {
        match self {
            Self::Host(cholesky) => cholesky.info(),
            #[cfg(feature = "gpu")]
            Self::Device(cholesky) => cholesky.info(),
        }
    }

    /// Overwrites `b`, `[n]`, with `(K + N)⁻¹ b`.
    pub fn solve_in_place(&self, b: &mut [f64]) -> Result<(), SolveError> {
        match self {
            Self::Host(cholesky) => cholesky.solve_in_place(b, 1),
            #[cfg(feature = "gpu")]
            Self::Device(cholesky) => cholesky.solve_in_place(b, 1),
        }
    }

    /// The factor, if it is on the host.
    pub fn into_host(self) -> Option<Cholesky> {
        match self {
            Self::Host(cholesky) => Some(cholesky),
            #[cfg(feature = "gpu")]
            Self::Device(_) => None,
        }
    }
}
