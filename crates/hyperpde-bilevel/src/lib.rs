//! Bilevel hyperparameter learning: solve a nonlinear PDE and learn the kernel it is solved with, in one loop.
//!
//! # What it computes
//!
//! The *lower problem* is the PDE at fixed hyperparameters `θ`. Gauss-Newton solves it: equations `F(u) = 0` are linearised about the iterate
//! `u^k`, and the minimum-norm solution `u_θ` of the linear rows is one symmetric positive definite system (`hyperpde-gp`)
//!
//! ```text
//! (K_θ + N_θ) w = b,    u_θ(x) = Σ_r w_r ℓ_r k_θ(x, ·)
//! ```
//!
//! The *upper problem* chooses `θ`: it minimises an outer loss of that linear solve, by default the squared residual of the linearised
//! equations at validation points (arXiv 2510.05568),
//!
//! ```text
//! L(θ) = Σ_v weight_v (Σ c_v ∂^α u_θ(x_v) − s_v)² + ρ ‖θ − θ⁰‖²
//! ```
//!
//! The two alternate. Gauss-Newton step `k`: freeze `u^k`; linearise on the collocation points and on a fresh validation batch; take some
//! *outer steps* of an optimizer on `L`; solve at the final `θ`, which gives `u^{k+1}`.
//!
//! # Parts, each a value that a run is given
//!
//! | part | says | here |
//! |---|---|---|
//! | [`Objective`] | what the outer loss is | [`SquaredResidual`], [`Validation`], [`LeaveOneOut`], [`MarginalLikelihood`] |
//! | [`Hypergradient`] | how much of `dL/dθ` is followed | [`OneStep`] |
//! | [`Optimizer`] | how `θ` moves | [`Adam`], [`Lbfgs`] |
//! | [`StepControl`] | how far a Gauss-Newton step goes | whole steps, backtracking |
//! | [`Refiner`] | other points between steps | none by default |
//! | [`Observer`] | what is shown, and when to stop | `()` |
//!
//! [`BilevelSettings`] holds the first four. A [`Bilevel`] run takes one step at a time ([`Bilevel::step`]) or all of them ([`Bilevel::run`],
//! which gives an [`Outcome`] with its [`Termination`]). Between Gauss-Newton steps a [`Snapshot`] is enough to go on, bit for bit.
//!
//! # Failures
//!
//! Settings that can't work are refused by [`Bilevel::init`]. A solve that fails after an update of `θ` is backed off from: `θ` returns to the
//! last point that worked and the optimizer is told. What that can't mend is a [`BilevelError`] with its place; the run is then as it was
//! before the step.
//!
//! # Reading order
//!
//! `linearisation.rs` and `scales.rs` (rows, scored rows and their sizes about an iterate), `linearity.rs`, `objective/`, `outer.rs` and
//! `hypergradient/` (loss and gradient), `optimizer/`, `advance.rs` (the Gauss-Newton step), `state.rs` (what a step changes), `stage.rs`
//! and `steps.rs` (a step from its beginning to its end), `bilevel.rs`, the loop that puts them in a row, and `snapshot.rs`. The gradient
//! of any run is held against differences by [`Bilevel::check_gradient`].

mod advance;
mod batches;
mod bilevel;
mod error;
mod events;
mod gradient;
mod hypergradient;
mod hyperparameters;
mod iterate;
mod linearisation;
mod linearity;
mod objective;
mod optimizer;
mod outer;
mod recipe;
mod record;
mod refine;
mod scales;
mod settings;
mod snapshot;
mod stage;
mod state;
mod steps;
mod system;

pub use batches::Batches;
pub use bilevel::Bilevel;
pub use error::BilevelError;
pub use events::{Event, Outcome};
pub use gradient::GradientCheck;
pub use hypergradient::{Hypergradient, Implicit, IterateCotangent, OneStep, OuterProblem, OuterValue, Unrolled};
pub use objective::*;
pub use optimizer::*;
pub use recipe::{PointsSnapshot, SolveSnapshot};
pub use record::{GaussNewtonRecord, Observer, OuterRecord, Termination};
pub use refine::Refiner;
pub use settings::{BilevelSettings, StepControl};
pub use snapshot::Snapshot;
