//! An estimate of the error, from a second solution.
//!
//! The same kernel is solved on twice as many points, those of the run and as many of another draw, from the first solution on. Per score
//!
//! ```text
//! difference = ‖u_2 − u_1‖ / ‖u_1‖
//! ```
//!
//! on the test grid. The second solution is better than the first, so that the difference is about the error of the first, also where
//! that is no accident of its points: a kernel of minimal norm lags behind a steep front in the same way on any points as dense as these, and two
//! solutions on points of two draws agree on it. (Beyond a few thousand rows the second solution has the other points alone, for its memory.) What both
//! have in common it can't see. Of that, what matters is known otherwise, and the estimate is the largest of
//!
//! - the difference,
//! - the relative misfit of the conditions at new points: two solutions that ignore their conditions agree;
//! - the posterior's standard deviation over the size of the score (beyond a few thousand rows with noisy observations only): what noisy observations, which both solutions fit, leave open, and what the
//!   nugget, which is the same in both, does to the answer.

use super::{Bar, Finding};
use crate::per_field::PerField;

/// A run is called solved with an estimate of one percent at most; the number itself is printed for those who need more. An estimate
/// of half the solution's size means that the second solution is another one.
pub const ERROR: Bar = Bar { solved: 1e-2, failed: 0.5 };

/// With noisy observations the noise decides what can be known: a field within a third of its size is found, and the estimate says how
/// well.
pub const ERROR_WITH_NOISE: Bar = Bar { solved: 0.3, failed: 2.0 };

/// The largest of the parts per score (see the module documentation); `misfit` is the worst condition's.
#[must_use]
pub fn estimate(difference: Vec<(String, f64)>, misfit: f64, deviation: &[(String, f64)]) -> PerField {
    let of = |score: &str| deviation.iter().find(|(name, _)| name == score).map_or(0.0, |(_, d)| *d);
    let worst = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
    PerField(difference.into_iter().map(|(score, d)| (score.clone(), worst(worst(d, misfit), of(&score)))).collect())
}

/// The largest estimate as a finding.
#[must_use]
pub fn finding(estimate: f64, noisy: bool) -> Finding {
    let bar = if noisy { ERROR_WITH_NOISE } else { ERROR };
    let sentence =
        format!("the relative error is about {estimate:.1e}, from a second solution on twice as many points");
    let advice = "the points don't determine the solution: try more of them, or another kernel";
    Finding::new("error", estimate, bar, sentence, advice)
}

/// The finding of a run whose second solution could not be had.
#[must_use]
pub fn unknown(why: &str, noisy: bool) -> Finding {
    let bar = if noisy { ERROR_WITH_NOISE } else { ERROR };
    let sentence = format!("the error could not be estimated: on more points there is no solution ({why})");
    let advice = "the run hangs on its points: try another seed, more points, or a shorter length scale";
    let mut finding = Finding::new("error", f64::NAN, bar, sentence, advice);
    finding.outcome = super::Outcome::Doubtful;
    finding
}
