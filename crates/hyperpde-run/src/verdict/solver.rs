//! What the solver had to do: jitter, and whether Gauss-Newton came to rest.
//!
//! A factorisation that meets a pivot that is not positive adds jitter to the diagonal, relative to it as the nugget is. Up to the nugget
//! it changes nothing that the nugget had not; beyond, it is the regularisation.
//!
//! Gauss-Newton has converged when a whole step changes nothing. From the unknowns `q^k` about which the last step was linearised, those
//! after it, and the fraction of the step that was taken,
//!
//! ```text
//! change = ‖q^{k+1} − q^k‖ / (fraction ‖q^{k+1}‖)
//! ```

use super::{Bar, Finding, ratio};

/// Jitter over nugget.
pub const JITTER: Bar = Bar { solved: 1.0, failed: f64::INFINITY };

/// A tenth of the error at which a run no longer counts as solved: what is left of a sequence that still moves by this is about as much.
pub const CONVERGENCE: Bar = Bar { solved: 1e-3, failed: f64::INFINITY };

/// Jitter as a finding, both relative to the diagonal.
#[must_use]
pub fn jitter(jitter: f64, nugget: f64) -> Finding {
    let value = ratio(jitter, nugget);
    let sentence = match jitter {
        0.0 => "the factorisation needed no jitter".to_owned(),
        _ => format!("the factorisation needed a jitter of {jitter:.0e}, beside a nugget of {nugget:.0e}"),
    };
    let advice = "the system is singular to rounding: try a shorter length scale, a larger nugget or fewer points";
    Finding::new("jitter", value, JITTER, sentence, advice)
}

/// The change of a whole Gauss-Newton step between two sets of unknowns, `[unknowns][n]` (see the module documentation).
#[must_use]
pub fn change(before: &[Vec<f64>], after: &[Vec<f64>], fraction: f64) -> f64 {
    let (mut moved, mut norm) = (0.0, 0.0);
    for (a, b) in after.iter().flatten().zip(before.iter().flatten()) {
        moved += (a - b).powi(2);
        norm += a * a;
    }
    ratio(f64::sqrt(moved), f64::sqrt(norm) * fraction)
}

/// The last change as a finding.
#[must_use]
pub fn convergence(change: f64) -> Finding {
    let sentence = format!("the last Gauss-Newton step would change the solution by {change:.1e}");
    let advice = "Gauss-Newton has not come to rest: try more steps, backtracking, or a shorter length scale";
    Finding::new("convergence", change, CONVERGENCE, sentence, advice)
}

/// Linear equations as a finding: there is no sequence that could come to rest.
#[must_use]
pub fn exact() -> Finding {
    let sentence = "the equations are linear: one Gauss-Newton step solves them".to_owned();
    Finding::new("convergence", 0.0, CONVERGENCE, sentence, "")
}
