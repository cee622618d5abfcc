//! Counts of rows.

use hyperpde_gp::RowBlock;

/// Rows in all.
#[must_use]
pub fn count(blocks: &[RowBlock]) -> usize {
    blocks.iter().map(RowBlock::len).sum()
}
