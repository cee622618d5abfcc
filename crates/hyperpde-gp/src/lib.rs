//! Gaussian-process fields under linear rows: the inner solve, differentiable in the kernels, and the posterior.
//!
//! Unknown functions `u_f` have priors `GP(0, k_f)`. Everything known about them is a row, a linear functional `ℓ_r[u] = b_r`: a linearised
//! equation at a point, a condition, an observation. The minimum-norm fields under `n` rows, and other rows applied to them, are
//!
//! ```text
//! A w = b,   A = K + N,   K_rs = Σ_f ℓ_r ℓ_s k_f,        u_f(x) = Σ_r w_r ℓ_r k_f(x, ·),        p = V w,   V_vr = Σ_f ℓ_v ℓ_r k_f
//! ```
//!
//! with the nugget `N` and one symmetric positive definite system, whatever the number of fields and derivatives.
//!
//! Read in this order (files of `src/`, each a chapter that needs only the ones before it):
//! 1. `rows`: [`RowBlock`], the one currency: points, operators, coefficients, right-hand sides.
//! 2. `sites`: rows sorted by field and by distinct set of points, so that features are computed once per point.
//! 3. `nugget`: the regularisation `N` in row form.
//! 4. `settings`, `setup`: what a solve is told; rows, sites and nugget together.
//! 5. `system`: `A` as a [`hyperpde_linalg::RowSystem`], by the fused pair stage or as tensors, and the way back to the features.
//! 6. `solve`: [`Solve`], what a linear inner solve gives to an objective on the tape of the kernels; [`Needs`], what is asked of it.
//! 7. `posterior`: [`Posterior`], any derivative of any field anywhere, and its variance; `amplitude`, how large the fields are by leave-one-out.
//! 8. `reverse`: the reverse product of a solve by the coefficients of its rows, for hypergradients that follow the iterate.
//! 9. `problem`: [`InnerProblem`], the front door.
//!
//! Who solves `A w = b` is a setting: any [`hyperpde_linalg::InnerSolver`], by default [`hyperpde_linalg::DenseCholesky`]. An example of
//! another one, conjugate gradients on products alone, is in `tests/solver_seam.rs`.

mod amplitude;
mod error;
mod nugget;
mod pairs;
mod posterior;
mod problem;
mod reverse;
mod rows;
mod settings;
mod setup;
mod sites;
mod solve;
mod stages;
mod system;

pub use error::GpError;
pub use posterior::Posterior;
pub use problem::InnerProblem;
pub use reverse::{PulledBack, RowCotangent};
pub use rows::{RowBlock, Term};
pub use settings::{Assembly, SolveSettings};
pub use solve::{Needs, Prediction, Solve};
pub use stages::{Stage, StageTimes};
