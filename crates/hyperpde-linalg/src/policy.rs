//! How much may be added to a diagonal to make a matrix positive definite.

use crate::SolveError;

/// Escalating jitter: what to add to the diagonal when a factorisation fails.
///
/// Attempt 0 factors `A` itself. Attempt `m = 1, 2, ...` factors
///
/// ```text
/// A + j_m · mean(diag A) · I,    j_1 = first,  j_{m+1} = factor · j_m,    while j_m <= max
/// ```
///
/// All values are relative to the mean of the diagonal, so that a policy does not depend on the units of the problem.
/// Jitter changes the problem that is solved; each use is logged as a warning and reported in
/// [`crate::SolveStatistics::jitter`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JitterPolicy {
    pub(crate) first: f64,
    pub(crate) factor: f64,
    pub(crate) max: f64,
}

impl JitterPolicy {
    /// A policy that starts at `first`, multiplies by `factor` and stops at `max` (relative to the mean diagonal).
    ///
    /// # Errors
    /// [`SolveError::Policy`] unless `0 < first <= max < 1` and `1 < factor < ∞`.
    pub fn new(first: f64, factor: f64, max: f64) -> Result<Self, SolveError> {
        let refuse = |name, expected, value| Err(SolveError::Policy { name, expected, value });
        if !(first > 0.0 && first < 1.0) {
            return refuse("first", "between 0 and 1, both excluded", first);
        }
        if !(factor > 1.0 && factor.is_finite()) {
            return refuse("factor", "finite and greater than 1", factor);
        }
        if !(max >= first && max < 1.0) {
            return refuse("max", "at least `first` and less than 1", max);
        }
        Ok(Self { first, factor, max })
    }

    /// No jitter: the matrix is factored as it is, or not at all.
    pub fn none() -> Self {
        Self { first: 0.0, factor: 1.0, max: 0.0 }
    }

    /// Jitter that makes a difference in float32: from 1e-7 (about its rounding error) by factors of ten up to 1e-3.
    pub(crate) fn float32() -> Self {
        Self { first: 1e-7, factor: 10.0, max: 1e-3 }
    }

    /// First relative jitter tried; 0 for [`JitterPolicy::none`].
    pub fn first(&self) -> f64 {
        self.first
    }

    /// Ratio of one jitter to the one before it.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// Largest relative jitter tried; 0 for [`JitterPolicy::none`].
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The relative jitter to try after `jitter` failed (0: the plain matrix failed), `None` to give up.
    pub(crate) fn after(&self, jitter: f64) -> Option<f64> {
        // Powers of ten are not exact: without the slack the last step (1e-6 for the defaults) could fall off the end.
        const SLACK: f64 = 1.0 + 1e-9;
        let next = if jitter == 0.0 { self.first } else { jitter * self.factor };
        (next > 0.0 && next <= self.max * SLACK).then_some(next)
    }
}

impl Default for JitterPolicy {
    /// From 1e-14 by factors of ten up to 1e-6.
    fn default() -> Self {
        Self { first: 1e-14, factor: 10.0, max: 1e-6 }
    }
}
