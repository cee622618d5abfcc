//! Typed failures of factorisations and solves.

use thiserror::Error;

/// Why a symmetric positive definite system could not be factored or solved, or not be differentiated.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SolveError {
    /// The matrix or the right-hand side holds a NaN or an infinity.
    #[error(
        "{what}[{row}, {col}] is {value}: the input must be finite (look for a length scale at zero or \
         overflowing hyperparameters)"
    )]
    NonFinite {
        /// Which operand.
        what: &'static str,
        /// Row of the first offending entry.
        row: usize,
        /// Column of the first offending entry.
        col: usize,
        /// The entry.
        value: f64,
    },
    /// Finite input, but the result does not fit its number type.
    #[error(
        "{what}[{row}, {col}] = {value:e} does not fit {dtype}: scale the right-hand side down, use a larger nugget, \
         or compute in float64"
    )]
    Overflow {
        /// Which result.
        what: &'static str,
        /// Row of the first offending entry.
        row: usize,
        /// Column of the first offending entry.
        col: usize,
        /// The entry, as computed in float64.
        value: f64,
        /// The number type that can't hold it.
        dtype: &'static str,
    },
    /// No jitter up to the bound made the matrix positive definite.
    #[error(
        "matrix of size {size} is not positive definite: pivot {pivot} failed with relative jitter up to {jitter:.1e} \
         (condition estimate {condition:.1e}); use a larger nugget, move coincident points apart, or shorten the \
         length scales"
    )]
    NotPositiveDefinite {
        /// Size of the matrix.
        size: usize,
        /// First pivot that was not positive at the last attempt, counted from zero.
        pivot: usize,
        /// Largest relative jitter tried, 0 if none was.
        jitter: f64,
        /// Estimate of the condition number: ratio of the extreme diagonal entries of the factor computed before the
        /// pivot failed, squared. Infinite if the first pivot failed.
        condition: f64,
    },
    /// An iterative solver did not reach its tolerance.
    #[error(
        "{solver} stopped at relative residual {residual:.1e} after {iterations} iterations, {tolerance:.1e} was asked \
         for; use a larger nugget, more iterations or a larger tolerance, or solve with `DenseCholesky`"
    )]
    NotConverged {
        /// Name of the solver.
        solver: &'static str,
        /// Iterations done.
        iterations: usize,
        /// `|b − A x| / |b|` that was reached.
        residual: f64,
        /// `|b − A x| / |b|` that was asked for.
        tolerance: f64,
    },
    /// A factor can't answer what it was asked.
    #[error("the factor of {solver} has no {what}; solve with `DenseCholesky`, which has")]
    Unsupported {
        /// Name of the solver.
        solver: &'static str,
        /// What it was asked for.
        what: &'static str,
    },
    /// The rows of a system could not be evaluated.
    #[error("rows of the system: {0}")]
    Rows(String),
    /// Shapes do not fit.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// What has the wrong shape.
        what: &'static str,
        /// What would be right.
        expected: String,
        /// What came.
        got: String,
    },
    /// A jitter policy was given values that make no sense.
    #[error("jitter policy: {name} must be {expected}, got {value}")]
    Policy {
        /// Name of the parameter.
        name: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What came.
        value: f64,
    },
    /// A device lacks something the computation needs, or failed on the way.
    #[error("device: {0}")]
    Device(String),
    /// Tensor data could not be read back from the device, or the operands do not belong together.
    #[error("tensor data: {0}")]
    Tensor(String),
}
