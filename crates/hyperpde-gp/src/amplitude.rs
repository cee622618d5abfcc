//! The amplitude of the prior by leave-one-out: how large the fields are, told by how far rows are from what all others predict.
//!
//! Without noisy observations the solution does not depend on a common factor `s²` of `A = K + N`, but its variance is proportional to it. With
//! `w = A⁻¹ b` and `d = diag A⁻¹`, row `r` is missed by the prediction from all other rows by `w_r/d_r`, of prior variance `1/d_r` (Rasmussen and
//! Williams 2006, section 5.4.2). The factor with which these agree is
//!
//! ```text
//! s² = mean_r (w_r/d_r)² d_r = mean_r w_r²/d_r
//! ```
//!
//! over the rows in which the field takes part: a field may be of another size than its neighbour. The maximum of the likelihood, `bᵀ w / n`, is another
//! estimate; it sums over all directions alike, also over those that the nugget rules, and is wrong by orders of magnitude where the kernel is too smooth.
//!
//! **Noise.** The noise of observations has a size of its own, which a factor of all of `A` would change. So in a system with noisy rows no factor is below
//! one, also that of a field which is known through the equations alone: rows that agree better than prior and noise say may do so by chance, and don't make the data better than they are.

use hyperpde_kernels::Kernel;

use crate::error::GpError;
use crate::posterior::Posterior;
use crate::rows::RowBlock;

impl<K: Kernel> Posterior<K> {
    /// `s²` of each field, `[fields]` (see the formula in `amplitude.rs`): [`Posterior::variance`] times this is the variance that the rows
    /// themselves bear out. One for a field whose rows are all zero, with nothing to be told.
    ///
    /// # Errors
    /// [`GpError::Factorisation`] if the factor can't be had or does not know the diagonal of the inverse.
    pub fn amplitudes(&self) -> Result<Vec<f64>, GpError> {
        let d = self.factor()?.inverse_diagonal().map_err(|e| self.unsolved(e))?;
        let fields = 0..self.kernels().len();
        Ok(fields.map(|field| amplitude(field, self.blocks(), self.weights(), &d)).collect())
    }
}

/// `s²` of one field from weights and diagonal of the inverse, `[n]`.
fn amplitude(field: usize, blocks: &[RowBlock], w: &[f64], d: &[f64]) -> f64 {
    let (mut sum, mut count, mut start) = (0.0, 0.0, 0);
    let noisy = blocks.iter().any(|block| block.noise_variance() > 0.0);
    for block in blocks {
        let rows = start..start + block.len();
        start = rows.end;
        if block.terms().iter().any(|term| term.field == field) {
            for r in rows {
                sum += w[r] * w[r] / d[r];
                count += 1.0;
            }
        }
    }
    let mean = sum / f64::max(count, 1.0);
    match mean > 0.0 && mean.is_finite() {
        true if noisy => mean.max(1.0),
        true => mean,
        false => 1.0,
    }
}
