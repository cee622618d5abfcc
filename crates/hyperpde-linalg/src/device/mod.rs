//! Cholesky factorisation on a GPU: the matrix lies in a CubeCL buffer and never leaves the device.
//!
//! The right-looking blocked algorithm of the host, in blocks of 64 columns: with `A` partitioned at a block,
//!
//! ```text
//! A11 = L11 L11ᵀ,    L21 = A21 L11⁻ᵀ,    A22 ← A22 − L21 L21ᵀ    (lower tiles)
//! ```
//!
//! and on with `A22` (Golub and Van Loan, *Matrix Computations*, 4th edition, section 4.2.9): three launches to a
//! block, the last one a product of tiles in shared memory and registers. Solves take one launch per block forward
//! and one backward.
//!
//! Everything inside a block is substitution. With inverted diagonal blocks panel and solves would be products too,
//! but the blocks of kernel matrices are themselves ill conditioned: in float32 a Gaussian kernel on 260 points then
//! needed a nugget of 2.5e-5 where substitution, like a factorisation on the host, does with 1.6e-6.
//!
//! Only vectors of length `n` cross the bus: the diagonal of `A` and a finding per column before, the diagonal of `L`
//! and the first failed pivot after, and right-hand sides. Failures and jitter are those of [`crate::Cholesky`]. A
//! NaN in the matrix is found before anything is factored.

mod element;
mod kernels;
mod launch;
mod limits;
mod rows;

use cubecl::client::Client;
use cubecl::server::Handle;

pub use element::Element;
use launch::Stage;
pub use rows::{DeviceMatrix, DeviceRows};

use crate::checks::{check_rhs, check_solution};
use crate::escalate::{Attempt, condition_estimate, escalate};
use crate::{JitterPolicy, SolveError, SolveStatistics};

/// Who factors the diagonal blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiagonalBlocks {
    /// One workgroup of the device, in its shared memory: nothing is read before the end.
    #[default]
    Device,
    /// The host, in float64: one round trip of 64 x 64 entries per block, and a failed pivot ends the attempt at
    /// once. About as fast on a software device; on a card the device would wait for the bus `n / 64` times.
    Host,
}

/// The factor `L` of a symmetric positive definite matrix in a buffer of a device.
pub struct DeviceCholesky {
    stage: Stage,
    diagonal: Vec<f64>,
    info: SolveStatistics,
}

impl DeviceCholesky {
    /// Factors the symmetric matrix whose lower triangle is in `matrix`, in place.
    ///
    /// # Arguments
    /// * `client` - the device on which `matrix` lies.
    /// * `matrix` - column-major `[n, n]` of `element`; entry `(i, j)`, `i >= j`, at `i + j * n`. The strict upper
    ///   triangle is not read and is left with unspecified values.
    /// * `n` - size of the matrix, at most 65535.
    /// * `policy` - jitter to try if the plain matrix is not positive definite; [`Element::jitter`] gives one that
    ///   fits the number type.
    /// * `refill` - a buffer that holds the original matrix again, the same or another; called after each failed
    ///   attempt that is followed by another one.
    ///
    /// # Errors
    /// [`SolveError::Shape`] if `n` is zero or too large or the buffer too small; [`SolveError::NonFinite`] if
    /// the lower triangle holds a NaN or an infinity (first one in memory order); [`SolveError::NotPositiveDefinite`]
    /// if no jitter of the policy helped; [`SolveError::Device`] if the device can't compute in `element` or fails.
    pub fn factor(
        client: &Client,
        matrix: Handle,
        n: usize,
        element: Element,
        policy: &JitterPolicy,
        refill: &mut dyn FnMut() -> Handle,
    ) -> Result<Self, SolveError> {
        Self::factor_with(client, matrix, n, element, policy, refill, DiagonalBlocks::default())
    }

    /// As [`DeviceCholesky::factor`], with a choice of who factors the diagonal blocks.
    ///
    /// # Errors
    /// As [`DeviceCholesky::factor`].
    pub fn factor_with(
        client: &Client,
        matrix: Handle,
        n: usize,
        element: Element,
        policy: &JitterPolicy,
        refill: &mut dyn FnMut() -> Handle,
        blocks: DiagonalBlocks,
    ) -> Result<Self, SolveError> {
        let mut stage = Stage::new(client, matrix, n, element)?;
        let mean_diagonal = stage.check_finite()?.iter().map(|d| d / n as f64).sum();
        let mut diagonal = Vec::new();
        let info = escalate(n, mean_diagonal, element.name(), policy, &mut |added| {
            if added > 0.0 {
                stage.replace_matrix(refill())?;
                stage.add_to_diagonal(added);
            }
            let failed = stage.factor(blocks, &mut diagonal)?;
            let done = diagonal.iter().take(failed.unwrap_or(n)).copied();
            Ok(Attempt { failed, condition: condition_estimate(done) })
        })?;
        Ok(Self { stage, diagonal, info })
    }

    /// Size `n` of the matrix.
    pub fn n(&self) -> usize {
        self.stage.n()
    }

    /// Jitter, attempts and condition estimate.
    pub fn info(&self) -> SolveStatistics {
        self.info
    }

    /// `log det A = 2 Σ_i log L_ii`, of the matrix with its jitter. The sum is in float64.
    pub fn log_det(&self) -> f64 {
        2.0 * self.diagonal.iter().map(|d| d.ln()).sum::<f64>()
    }

    /// Overwrites `b` with `A⁻¹ b`, solved in the number type of the factor.
    ///
    /// # Arguments
    /// * `b` - column-major `[n, k]`.
    /// * `k` - number of right-hand sides, at most 65535.
    ///
    /// # Errors
    /// [`SolveError::Shape`] if `b` has not `n * k` entries or `k` is too large; [`SolveError::NonFinite`] if
    /// `b` holds a NaN or an infinity; [`SolveError::Overflow`] if `b` or the solution does not fit the number type
    /// (`b` then holds unusable values); [`SolveError::Device`] if the device fails.
    pub fn solve_in_place(&self, b: &mut [f64], k: usize) -> Result<(), SolveError> {
        let (n, element) = (self.n(), self.stage.element());
        check_rhs(b, n, k)?;
        if k == 0 {
            return Ok(());
        }
        let handle = self.stage.upload(b);
        self.solve_on_device(&handle, k)?;
        self.stage.download_into(handle, b)?;
        check_solution(b, n, element.name())
    }

    /// Overwrites the column-major `[n, k]` buffer `b` of the device with `A⁻¹ b`; nothing is read back.
    ///
    /// A right-hand side that is not finite, or too large, gives a solution that is not finite.
    ///
    /// # Errors
    /// [`SolveError::Shape`] if `k` is zero or too large or the buffer too small.
    pub fn solve_on_device(&self, b: &Handle, k: usize) -> Result<(), SolveError> {
        self.stage.solve(b, k)
    }

    /// The buffer that holds `L`, for the next matrix or for kernels of the caller.
    pub fn into_buffer(self) -> Handle {
        self.stage.into_matrix()
    }
}

impl std::fmt::Debug for DeviceCholesky {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceCholesky").field("n", &self.n()).field("info", &self.info).finish_non_exhaustive()
    }
}
