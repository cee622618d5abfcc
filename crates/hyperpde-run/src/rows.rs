//! Counts and weights of rows.

use hyperpde_gp::RowBlock;

/// Rows in all.
#[must_use]
pub fn count(blocks: &[RowBlock]) -> usize {
    blocks.iter().map(RowBlock::len).sum()
}

/// Weight of a square of these rows in the outer loss: `1/σ²`, or 1 without noise.
#[must_use]
pub fn weight(rows: &RowBlock) -> f64 {
    let variance = rows.noise_variance();
    if variance > 0.0 { 1.0 / variance } else { 1.0 }
}
