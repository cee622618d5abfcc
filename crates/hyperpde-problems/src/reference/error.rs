//! Why a reference solution could not be computed or evaluated.

use thiserror::Error;

/// A reference solution that could not be computed or evaluated.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ReferenceError {
    /// A parameter of the equation or of the discretisation has no meaning.
    #[error("{solver}: {name} = {value} must be {expected}")]
    Parameter {
        /// The solver that refused it.
        solver: &'static str,
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it has to be.
        expected: &'static str,
    },
    /// The list of evaluation points is not of shape `[n, 2]`.
    #[error("evaluation points: expected n pairs of coordinates, row-major [n, 2], got {got} numbers")]
    Shape {
        /// Length of the list.
        got: usize,
    },
    /// An evaluation point lies outside the domain of the solution, or is not finite.
    #[error(
        "point {point}: coordinate {coordinate} is {value}, outside [{low}, {high}] where the solution is known; \
         check the order of the columns"
    )]
    OutsideDomain {
        /// Index of the point.
        point: usize,
        /// Index of the coordinate.
        coordinate: usize,
        /// The coordinate.
        value: f64,
        /// Lower end of the domain.
        low: f64,
        /// Upper end of the domain.
        high: f64,
    },
    /// Data supplied as a function (initial values, a coefficient) has a bad value.
    #[error("{name} at {at:?} is {value}: it must be {expected}")]
    Data {
        /// The function.
        name: &'static str,
        /// Where it was evaluated.
        at: Vec<f64>,
        /// What it returned.
        value: f64,
        /// What it has to be.
        expected: &'static str,
    },
    /// The discrete elliptic operator could not be factored.
    #[error("sparse Cholesky factorisation of the {size} x {size} operator failed ({reason}); use a coarser grid")]
    Factorisation {
        /// Number of unknowns.
        size: usize,
        /// What the factorisation reported.
        reason: String,
    },
    /// The time integration left the finite numbers.
    #[error(
        "{solver}: the solution is not finite at t = {time}; use more time steps, or data for which it does not blow up"
    )]
    NotFinite {
        /// The solver.
        solver: &'static str,
        /// First time at which a value was not finite.
        time: f64,
    },
}

/// Refuses a parameter that is not a positive finite number.
pub(super) fn positive(solver: &'static str, name: &'static str, value: f64) -> Result<(), ReferenceError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(ReferenceError::Parameter { solver, name, value, expected: "positive and finite" })
}
