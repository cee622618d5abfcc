//! Failures in setting up a problem, sampling it, or linearising its equations.

use hyperpde_geometry::GeometryError;
use hyperpde_gp::GpError;
use hyperpde_kernels::KernelError;
use thiserror::Error;

/// What can go wrong between the description of a PDE and its rows.
#[derive(Debug, Clone, Error)]
pub enum PdeError {
    /// A shape does not fit.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// What has the wrong shape.
        what: String,
        /// The shape that would be right.
        expected: String,
        /// The shape that came.
        got: String,
    },
    /// A number is out of range.
    #[error("{name} = {value}: {expected}")]
    Setting {
        /// Name of the setting.
        name: String,
        /// Its value.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// A residual, a coefficient or an unknown is NaN or infinite at a point.
    #[error(
        "equation {equation} at x = {point:?}: {what} is {value}. Check the residual for divisions, roots or logarithms outside their domain, and the iterate for divergence"
    )]
    NonFiniteResidual {
        /// Index of the equation.
        equation: usize,
        /// Coordinates of the point, `[d]`.
        point: Vec<f64>,
        /// The residual itself, or which unknown or derivative.
        what: String,
        /// The offending value.
        value: f64,
    },
    /// The domain is malformed, or something lies outside it.
    #[error("domain: {0}")]
    Domain(String),
    /// Points cannot be sampled as asked.
    #[error("sampling: {0}")]
    Sampling(String),
    /// A boundary condition is malformed or its data are not finite.
    #[error("condition '{condition}': {why}")]
    Condition {
        /// Name of the condition.
        condition: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A set of observations is malformed.
    #[error("observations '{observations}': {why}")]
    Observations {
        /// Name of the set.
        observations: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The parts of a problem do not fit together.
    #[error("problem '{problem}': {why}")]
    Problem {
        /// Name of the problem.
        problem: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A reference solution cannot be evaluated.
    #[error("reference '{reference}': {why}")]
    Reference {
        /// Name of the reference.
        reference: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Predictions and reference cannot be compared.
    #[error("error metrics: {0}")]
    Metrics(String),
    /// Rows could not be formed.
    #[error(transparent)]
    Rows(#[from] GpError),
    /// Points or operators are invalid.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl From<GeometryError> for PdeError {
    fn from(error: GeometryError) -> Self {
        match error {
            GeometryError::Domain(why) => Self::Domain(why),
            GeometryError::Sampling(why) => Self::Sampling(why),
            GeometryError::Points(error) => Self::Kernel(error),
        }
    }
}
