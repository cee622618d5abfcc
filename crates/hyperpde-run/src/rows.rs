//! Counts of rows.

use hyperpde_gp::RowBlock;

/// Rows in all.
#[must_use]
pub fn count(blocks: &[RowBlock]) -> usize {
    blocks.iter().map(RowBlock::len).sum()
}

/// Rows of a run up to which the second solution of its verdict has twice as many: eight times the work of one step, four times the memory.
pub(crate) const MOST_JUDGED_TWICE: usize = 4000;

/// Rows of that second solution, which has the same observations; none of a large run's, which takes no more than the run did.
pub(crate) fn judged(rows: usize, observed: usize) -> Option<usize> {
    (rows <= MOST_JUDGED_TWICE).then(|| 2 * rows - observed.min(rows))
}
