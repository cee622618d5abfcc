//! Hypergradients: value and gradient of the outer loss by the hyperparameters `θ`.
//!
//! The outer loss depends on `θ` in two ways: directly, through the solve of the linear problem about the iterate `u^k`, and through `u^k`
//! itself, which earlier solves with `θ` made. A [`Hypergradient`] decides how much of the second is followed. It sees the run through an
//! [`OuterProblem`]: the linear problems about the frozen iterate, their objective, and burn's derivative of whatever it makes of them.
//!
//! - [`OneStep`], published: `u^k` is a constant.
//! - [`Unrolled`]: `k` further Gauss-Newton steps at `θ`, differentiated one by one.
//! - [`Implicit`]: Gauss-Newton at `θ` to its end, and the adjoint of its fixed point.
//!
//! With `u⁺ = G(u, θ)` the step and `L(u, θ)` the loss about `u`, the transposed derivatives are [`OuterProblem::by_iterate`] (`∂L/∂u`),
//! [`OuterProblem::pull_back`] (`μ ↦ (∂G/∂u)ᵀ μ`) and [`OuterProblem::step_gradient`] (`μ ↦ (∂G/∂θ)ᵀ μ`); none of them forms a matrix.
//!
//! A new one is one file: a value that implements [`Hypergradient`], put into `BilevelSettings::hypergradient`.

mod implicit;
mod one_step;
mod unrolled;

use std::fmt::Debug;

use burn::tensor::Tensor;
use hyperpde_linalg::SolveStatistics;

use crate::error::BilevelError;

pub use implicit::Implicit;
pub use one_step::OneStep;
pub use unrolled::Unrolled;

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

    /// The outer problem one whole Gauss-Newton step at `θ` further, and how far that moved the iterate, `‖u⁺ − u‖/‖u⁺‖`.
    ///
    /// # Errors
    /// Those of the solve and of the equations at the new iterate.
    fn advance(&self) -> Result<(Box<dyn OuterProblem + '_>, f64), BilevelError>;

    /// `∂L/∂u`: how the loss moves with the iterate that it is linearised about. The sizes of rows that weights are made of are constants.
    ///
    /// # Errors
    /// [`BilevelError::Setting`] for an objective that takes more of a solve than its predictions, and those of the solves.
    fn by_iterate(&self) -> Result<IterateCotangent, BilevelError>;

    /// `(∂G/∂u)ᵀ μ` of the step from this iterate.
    ///
    /// # Errors
    /// Those of the solve and of second derivatives of the equations.
    fn pull_back(&self, next: &IterateCotangent) -> Result<IterateCotangent, BilevelError>;

    /// `(∂G/∂θ)ᵀ μ` of the step from this iterate, flat.
    ///
    /// # Errors
    /// Those of the solve.
    fn step_gradient(&self, next: &IterateCotangent) -> Result<Vec<f64>, BilevelError>;
}

/// A cotangent `μ` of an iterate: of its unknowns where the equations are solved, and where they are scored.
#[derive(Clone, Debug, PartialEq)]
pub struct IterateCotangent {
    /// At the collocation points, `[unknowns][n]`.
    pub at_collocation: Vec<Vec<f64>>,
    /// On the batch, `[unknowns][m]`.
    pub at_batch: Vec<Vec<f64>>,
}

impl IterateCotangent {
    /// Adds another one of the same shape.
    pub fn add(&mut self, other: &Self) {
        let pairs = |own: &mut Vec<Vec<f64>>, other: &[Vec<f64>]| {
            let both = own.iter_mut().zip(other);
            both.for_each(|(own, other)| own.iter_mut().zip(other).for_each(|(a, b)| *a += b));
        };
        pairs(&mut self.at_collocation, &other.at_collocation);
        pairs(&mut self.at_batch, &other.at_batch);
    }

    /// Euclidean norm.
    #[must_use]
    pub fn norm(&self) -> f64 {
        self.at_collocation.iter().chain(&self.at_batch).flatten().map(|v| v * v).sum::<f64>().sqrt()
    }
}

/// Adds a part to a gradient.
fn add(gradient: &mut [f64], part: &[f64]) {
    gradient.iter_mut().zip(part).for_each(|(g, p)| *g += p);
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
