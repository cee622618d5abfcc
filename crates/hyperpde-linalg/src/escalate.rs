//! The loop of attempts that every factorisation runs: plain first, then with growing jitter, then a typed failure.

use crate::{JitterPolicy, SolveError, SolveStatistics};

/// What one attempt came to.
pub(crate) struct Attempt {
    /// The index of the pivot that was not positive and finite, if one was not.
    pub(crate) failed: Option<usize>,
    /// Estimate of the condition number over the columns before that pivot, see [`condition_estimate`].
    pub(crate) condition: f64,
}

/// Calls `attempt` with growing jitter until it succeeds or the policy ends.
///
/// # Arguments
/// * `n` - size of the matrix.
/// * `mean_diagonal` - the unit of the jitter.
/// * `dtype` - number type of the factorisation, for the log.
/// * `attempt` - factors the matrix with the given value added to its diagonal. A value above zero means that an
///   earlier
///   attempt has destroyed the matrix.
///
/// # Errors
/// [`SolveError::NotPositiveDefinite`] if no jitter of the policy helped, at once if the mean of the diagonal is not
/// positive; what `attempt` returns.
pub(crate) fn escalate(
    n: usize,
    mean_diagonal: f64,
    dtype: &str,
    policy: &JitterPolicy,
    attempt: &mut dyn FnMut(f64) -> Result<Attempt, SolveError>,
) -> Result<SolveStatistics, SolveError> {
    let (mut jitter, mut attempts) = (0.0, 1);
    loop {
        let Attempt { failed, condition } = attempt(jitter * mean_diagonal)?;
        let Some(pivot) = failed else {
            if jitter > 0.0 {
                log::warn!(
                    "matrix of size {n} is not positive definite in {dtype}: added relative jitter {jitter:.1e} to \
                     its diagonal (attempt {attempts}, condition estimate {condition:.1e})"
                );
            }
            return Ok(SolveStatistics::direct(jitter, attempts, condition));
        };
        // Negated so that a mean that overflowed to NaN ends here too.
        let positive = mean_diagonal > 0.0 && mean_diagonal.is_finite();
        let Some(next) = policy.after(jitter).filter(|_| positive) else {
            return Err(SolveError::NotPositiveDefinite { size: n, pivot, jitter, condition });
        };
        log::debug!("pivot {pivot} of {n} failed with relative jitter {jitter:.1e}, trying {next:.1e}");
        (jitter, attempts) = (next, attempts + 1);
    }
}

/// `(max L_ii / min L_ii)²` over the given part of the diagonal of `L`, infinite if it is empty.
pub(crate) fn condition_estimate(diagonal: impl Iterator<Item = f64>) -> f64 {
    let (min, max) = diagonal.fold((f64::INFINITY, 0.0_f64), |(lo, hi), d| (lo.min(d), hi.max(d)));
    if max == 0.0 { f64::INFINITY } else { (max / min).powi(2) }
}
