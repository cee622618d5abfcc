//! Hypergradients: value and gradient of the outer loss by the hyperparameters `θ`.
//!
//! The outer loss depends on `θ` in two ways: directly, through the solve of the linear problem about the iterate `u^k`, and through `u^k`
//! itself, which earlier solves with `θ` made. A [`Hypergradient`] decides how much of the second is followed. It sees the run through an
//! [`OuterProblem`]: the linear problems about the frozen iterate, their objective, and burn's derivative of whatever it makes of them.
//!
//! - [`OneStep`], published: `u^k` is a constant.
//!
//! A new one is one file: a value that implements [`Hypergradient`], put into `BilevelSettings::hypergradient`.

mod one_step;

use std::fmt::Debug;

use burn::tensor::Tensor;
use hyperpde_linalg::SolveStatistics;

use crate::error::BilevelError;

pub use one_step::OneStep;

/// Value and gradient of the outer loss at one `θ`.
#[derive(Clone, Debug, PartialEq)]
pub struct OuterValue {
    /// `L(θ)`.
    pub value: f64,
    /// `dL/dθ`, flat.
    pub gradient: Vec<f64>,
    /// Of the worst conditioned of the solves.
    pub statistics: SolveStatistics,
}

/// What a hypergradient knows of the run: the outer problem at fixed `θ`, about a frozen iterate.
pub trait OuterProblem {
    /// Number of linear problems whose objectives add up to the loss: one, or one per fold.
    fn terms(&self) -> usize;

    /// Solves linear problem `term` at `θ` and takes the objective of it, `[1]`, differentiable.
    ///
    /// # Errors
    /// Those of the solve and of the objective.
    fn objective(&self, term: usize) -> Result<(Tensor<1>, SolveStatistics), BilevelError>;

    /// The gradient by `θ` of a scalar `[1]` made from [`OuterProblem::objective`], flat.
    ///
    /// # Errors
    /// [`BilevelError::Untracked`] if it does not depend on `θ`.
    fn gradient(&self, value: &Tensor<1>) -> Result<Vec<f64>, BilevelError>;
}

/// A way to differentiate the outer loss.
pub trait Hypergradient: Debug + Send + Sync {
    /// Name, for messages and reports.
    fn name(&self) -> &'static str;

    /// Value and gradient at the hyperparameters of `outer`.
    ///
    /// # Errors
    /// Those of `outer`; the loop backs off from failed solves and from values that are not finite.
    fn evaluate(&self, outer: &dyn OuterProblem) -> Result<OuterValue, BilevelError>;
}
