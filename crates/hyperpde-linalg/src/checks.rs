//! What right-hand sides and solutions are held to, on the host and on devices.

use crate::SolveError;

/// Refuses a right-hand side that is not `[n, k]` or not finite.
pub(crate) fn check_rhs(b: &[f64], n: usize, k: usize) -> Result<(), SolveError> {
    if b.len() != n * k {
        return Err(SolveError::Shape {
            what: "right-hand side",
            expected: format!("{n} x {k} = {} entries", n * k),
            got: format!("{} entries", b.len()),
        });
    }
    match b.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(p) => Err(SolveError::NonFinite { what: "right-hand side", row: p % n, col: p / n, value: b[p] }),
    }
}

/// Refuses a solution `[n, k]`, computed in `dtype`, that is not finite.
pub(crate) fn check_solution(x: &[f64], n: usize, dtype: &'static str) -> Result<(), SolveError> {
    match x.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(p) => Err(SolveError::Overflow { what: "solution", row: p % n, col: p / n, value: x[p], dtype }),
    }
}
