//! What can go wrong when kernels, points and operators are put together.

use thiserror::Error;

/// Failure in the kernel crate: invalid input (refused at construction) or a request that no path supports.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum KernelError {
    /// A shape does not fit.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// What has the wrong shape.
        what: &'static str,
        /// The shape that would be right.
        expected: String,
        /// The shape that came.
        got: String,
    },
    /// A coordinate is NaN or infinite.
    #[error("coordinate {coordinate} of point {point} is {value}: points must be finite")]
    NonFinitePoint {
        /// Index of the point.
        point: usize,
        /// Index of the coordinate.
        coordinate: usize,
        /// The offending value.
        value: f64,
    },
    /// A differential operator is malformed.
    #[error("operator: {0}")]
    Operator(String),
    /// A kernel or network setting is out of range.
    #[error("{name} = {value}: {expected}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// The kernel is not smooth enough for the derivatives that the rows ask for.
    #[error("{kernel} has {have} derivatives per argument, the rows need {need}: choose a smoother kernel")]
    Smoothness {
        /// Name of the kernel.
        kernel: String,
        /// Derivatives that exist.
        have: usize,
        /// Derivatives asked for.
        need: usize,
    },
    /// A tensor could not be read back or has another element type than float64.
    #[error("tensor data: {0}")]
    Tensor(String),
}
