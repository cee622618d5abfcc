//! The linear inner problem: rows in, predictions at other rows out, differentiable in the kernel.
//!
//! The minimum-norm solution under the rows `ℓ_r[u] = b_r` is `u_f(x) = Σ_r w_r ℓ_r^y k_f(x, y)` with
//!
//! ```text
//! (K + N) w = b,    K_rs = Σ_f ℓ_r^x ℓ_s^y k_f(x, y),    p = V w,    V_vr = Σ_f ℓ_v^x ℓ_r^y k_f(x, y)
//! ```
//!
//! with `p` the validation rows applied to it. One symmetric positive definite system of as many unknowns as rows, whatever the number of
//! fields and derivatives: minimising `cᵀ Θ⁻¹ c` over the latents `c` subject to `A c = b` gives `c = Θ Aᵀ (A Θ Aᵀ)⁻¹ b`, so the
//! Gram matrix `Θ` of all latents is never formed.

use std::sync::Arc;

use hyperpde_kernels::Kernel;

use crate::error::GpError;
use crate::posterior::Posterior;
use crate::rows::RowBlock;
use crate::settings::SolveSettings;
use crate::setup::Setup;
use crate::solve::{Needs, Prediction, Solve, evaluate};

/// Training rows, validation rows and nugget of one linear inner problem (see the module documentation).
#[derive(Debug)]
pub struct InnerProblem {
    setup: Arc<Setup>,
}

impl InnerProblem {
    /// Sets up the problem of `fields` fields from training rows, validation rows (may be empty) and the nugget `η ≥ 0`.
    ///
    /// # Errors
    /// [`GpError::System`] without rows, with a negative nugget or a field nobody mentions; [`GpError::Rows`] for rows that do not fit.
    pub fn new(
        fields: usize,
        training: Vec<RowBlock>,
        validation: &[RowBlock],
        nugget: f64,
        settings: SolveSettings,
    ) -> Result<Arc<Self>, GpError> {
        let setup = Arc::new(Setup::new(fields, training, validation, nugget, settings)?);
        Ok(Arc::new(Self { setup }))
    }

    /// Number of training rows `n`.
    pub fn rows(&self) -> usize {
        self.setup.rows()
    }

    /// Right-hand sides `b` of the training rows, `[n]`.
    pub fn rhs(&self) -> &[f64] {
        &self.setup.rhs
    }

    /// Right-hand sides of the validation rows, `[m]`.
    pub fn validation_rhs(&self) -> &[f64] {
        &self.setup.validation_rhs
    }

    /// `p = V w` at the validation rows for one kernel per field.
    ///
    /// # Errors
    /// [`GpError::Factorisation`] if the system is not positive definite, [`GpError::NonFinite`] if the kernel gives NaN.
    pub fn predict<K: Kernel>(self: &Arc<Self>, kernels: &[K]) -> Result<Prediction, GpError> {
        let solve = self.evaluate(kernels, Needs::default())?;
        Ok(Prediction { values: solve.predictions, info: solve.statistics })
    }

    /// The solve as an objective sees it: predictions, and what else `needs` asks for, on the tape of the kernels.
    ///
    /// # Errors
    /// As [`InnerProblem::predict`]; [`GpError::Factorisation`] with [`hyperpde_linalg::SolveError::Unsupported`] if the solver can't tell.
    pub fn evaluate<K: Kernel>(self: &Arc<Self>, kernels: &[K], needs: Needs) -> Result<Solve, GpError> {
        self.setup.check(kernels)?;
        evaluate(&self.setup, kernels, needs)
    }

    /// The inner solve: the posterior under the training rows. Gradients do not reach through it.
    ///
    /// The posterior keeps the factor for variances and other right-hand sides, n x n floats with a dense solver, until
    /// [`Posterior::without_factor`] or its end.
    ///
    /// # Errors
    /// As [`InnerProblem::predict`].
    pub fn solve<K: Kernel>(self: &Arc<Self>, kernels: &[K]) -> Result<Posterior<K>, GpError> {
        self.setup.check(kernels)?;
        Posterior::solve(&self.setup, kernels.iter().map(|k| k.valid()).collect())
    }
}
