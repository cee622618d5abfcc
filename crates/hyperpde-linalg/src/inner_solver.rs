//! The seam of the inner solve: whoever can solve `A x = b` from rows can be the solver of every inner problem.

use std::fmt::Debug;
use std::sync::Arc;

use burn::tensor::Tensor;

use crate::{Factor, RowSystem, SolveError, SpdNeeds, SpdSolution};

/// Turns the system of an inner solve into something that answers solves.
///
/// [`crate::DenseCholesky`] is the default. An implementation outside this workspace needs nothing else: an iteration keeps the system
/// and calls [`RowSystem::apply`] in [`Factor::solve`]; a sparse factor asks for [`RowSystem::locations`] and for blocks of neighbours.
/// Gradients come for free: the adjoint of a solve is another solve with the same factor.
pub trait InnerSolver: Debug + Send + Sync {
    /// Name in messages and records, for example "dense Cholesky".
    fn name(&self) -> &'static str;

    /// Prepares the solves with `A`. The factor may keep the system.
    ///
    /// # Errors
    /// [`SolveError::NotPositiveDefinite`] and the like; an error here is one that training backs off from.
    fn factor(&self, system: &Arc<dyn RowSystem>) -> Result<Box<dyn Factor>, SolveError>;

    /// `A⁻¹ B` and what else is wanted, for tensors `[n, n]` and `[n, k]`, by operations of burn alone: on their device, differentiated by burn. Solvers
    /// need not offer it; `Assembly::PureTensor` of `hyperpde-gp` asks for it.
    ///
    /// # Errors
    /// [`SolveError::Unsupported`] by default; as [`crate::spd_solve_in_tensors`].
    fn solve_in_tensors(&self, a: Tensor<2>, b: Tensor<2>, needs: SpdNeeds) -> Result<SpdSolution, SolveError> {
        let _ = (a, b, needs);
        Err(SolveError::Unsupported { solver: self.name(), what: "form in operations of burn (`pure-tensor`)" })
    }
}
