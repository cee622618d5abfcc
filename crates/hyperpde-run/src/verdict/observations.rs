//! Do the observations fit to their noise?
//!
//! With standard deviation `σ` of the noise, `chi² = mean((D u (x_i) − y_i)² / σ²)` over all observations that have noise. Of a solution that
//! is right it is 1, with a standard deviation of `sqrt(2/n)`, less what was fitted to the noise.

use hyperpde_gp::{GpError, Posterior, RowBlock};
use hyperpde_kernels::Kernel;

use super::conditions::apply;
use super::{Bar, Finding};

/// Twice the noise's variance, and more for few observations: see [`finding`]. A misfit of ten standard deviations is no fit.
pub const OBSERVATIONS: Bar = Bar { solved: 2.0, failed: 100.0 };

/// `chi²` and the number of observations; none if no observation has noise.
///
/// # Errors
/// [`GpError`] if the solution can't be evaluated or is not finite.
pub fn chi_square<K: Kernel>(solution: &Posterior<K>, rows: &[RowBlock]) -> Result<Option<(f64, usize)>, GpError> {
    let (mut sum, mut count) = (0.0, 0);
    for block in rows.iter().filter(|block| block.noise_variance() > 0.0) {
        let misfits = apply(solution, block)?.into_iter().zip(block.rhs()).map(|(l, y)| (l - y).powi(2));
        sum += misfits.sum::<f64>() / block.noise_variance();
        count += block.len();
    }
    Ok((count > 0).then(|| (sum / count as f64, count)))
}

/// `chi²` of `count` observations as a finding. The bar grows for few: by chance a right answer is five standard deviations off in one
/// run of a million.
#[must_use]
pub fn finding(chi_square: f64, count: usize) -> Finding {
    let chance = 5.0 * (2.0 / count.max(1) as f64).sqrt();
    let bar = Bar { solved: OBSERVATIONS.solved.max(1.0 + chance), ..OBSERVATIONS };
    let sentence =
        format!("{count} observations are missed by {:.2} times their noise (root mean square)", chi_square.sqrt());
    let advice = "equations and observations do not go together: check the standard deviation of the noise and the equations, \
                  or try a shorter length scale for the unknown field";
    Finding::new("observations", chi_square, bar, sentence, advice)
}
