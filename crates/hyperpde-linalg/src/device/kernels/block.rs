//! A diagonal block: factored by one cube, or on its way to the host and back.

use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::scan::is_finite;
use super::{BLOCK, PACKED, UNITS};

/// Place of entry `(row, column)` of the lower triangle of a block, packed by columns.
#[cube]
pub(super) fn packed(row: usize, column: usize) -> usize {
    column * (2 * BLOCK - 1 - column) / 2 + row
}

/// Entry `(row, column)`, `row >= column`, of the diagonal block at `start`, padded with the identity.
#[cube]
fn diagonal_entry<F: Float>(matrix: &[F], size: usize, start: usize, row: usize, column: usize) -> F {
    let mut value = F::new(0.0);
    if start + row < size {
        value = matrix[start + row + (start + column) * size];
    } else if row == column {
        value = F::new(1.0);
    }
    value
}

/// Copies the lower triangle of the diagonal block at `start` to shared memory, packed by columns.
#[cube]
pub(super) fn load_block<F: Float>(
    matrix: &[F],
    size: usize,
    start: usize,
    tile: &mut Shared<[F]>,
    #[comptime] units: usize,
) {
    let row = UNIT_POS as usize % BLOCK;
    let mut column = UNIT_POS as usize / BLOCK;
    while column <= row {
        tile[packed(row, column)] = diagonal_entry::<F>(matrix, size, start, row, column);
        column += comptime!(units / BLOCK);
    }
}

/// Factors the diagonal block at `start` in one cube.
///
/// Columns stay unscaled until the end, `A_ik ← A_ik − A_ij A_kj / A_jj`, which needs one barrier to a column.
#[cube(launch)]
pub(in crate::device) fn factor_block<F: Float>(
    matrix: &mut [F],
    diagonal: &mut [F],
    status: &mut [u32],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    if status[0] != 0 {
        terminate!();
    }
    let groups = comptime!(UNITS / BLOCK);
    let size = n as usize;
    let first = start as usize;
    let row = UNIT_POS as usize % BLOCK;
    let group = UNIT_POS as usize / BLOCK;
    let mut tile = Shared::<[F]>::new_slice(PACKED);
    let mut scale = Shared::<[F]>::new_slice(BLOCK);

    load_block::<F>(&*matrix, size, first, &mut tile, UNITS);
    let mut failed = 0u32;
    for j in 0..BLOCK {
        sync_cube();
        let mut pivot = tile[packed(j, j)];
        if !(pivot > F::new(0.0) && is_finite::<F>(pivot)) {
            if failed == 0 {
                failed = start + j as u32 + 1;
            }
            pivot = F::new(1.0);
        }
        if row > j {
            let factor = tile[packed(row, j)] / pivot;
            let mut column = j + 1 + group;
            while column <= row {
                let change = factor * tile[packed(column, j)];
                tile[packed(row, column)] -= change;
                column += groups;
            }
        }
    }
    if failed != 0 && UNIT_POS == 0 {
        status[0] = failed;
    }
    if group == 0 {
        let pivot = tile[packed(row, row)];
        let mut root = F::new(1.0);
        if pivot > F::new(0.0) {
            root = pivot.sqrt();
        }
        scale[row] = F::new(1.0) / root;
        if first + row < size {
            diagonal[first + row] = root;
        }
    }
    sync_cube();

    let mut column = group;
    while column <= row {
        if first + row < size {
            matrix[first + row + (first + column) * size] = tile[packed(row, column)] * scale[column];
        }
        column += groups;
    }
}

/// Copies the lower triangle of the diagonal block at `start` to `block`, padded with the identity.
#[cube(launch)]
pub(in crate::device) fn extract_block<F: Float>(
    matrix: &[F],
    block: &mut [F],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    let row = UNIT_POS as usize % BLOCK;
    let mut column = UNIT_POS as usize / BLOCK;
    while column < BLOCK {
        let mut value = F::new(0.0);
        if column <= row {
            value = diagonal_entry::<F>(matrix, n as usize, start as usize, row, column);
        }
        block[row + column * BLOCK] = value;
        column += comptime!(UNITS / BLOCK);
    }
}

/// Writes the factor of the diagonal block at `start` to its place.
#[cube(launch)]
pub(in crate::device) fn store_block<F: Float>(
    factor: &[F],
    matrix: &mut [F],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    let size = n as usize;
    let first = start as usize;
    let row = UNIT_POS as usize % BLOCK;
    let mut column = UNIT_POS as usize / BLOCK;
    while column < BLOCK {
        if column <= row && first + row < size {
            matrix[first + row + (first + column) * size] = factor[row + column * BLOCK];
        }
        column += comptime!(UNITS / BLOCK);
    }
}
