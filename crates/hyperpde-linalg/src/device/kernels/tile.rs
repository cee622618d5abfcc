//! Panel and update, the bulk of a factorisation.

use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::block::{load_block, packed};
use super::{BLOCK, PACKED, SLICE};

/// Rows of the panel in a cube, and units of that cube.
pub(in crate::device) const PANEL_ROWS: usize = 16;
pub(in crate::device) const PANEL_UNITS: usize = 128;

/// Rows and columns of a tile that one unit computes: among 4 x 4, 8 x 4, 4 x 8, 8 x 8 and 16 x 4 the fastest on a
/// software device at n = 2048, and small enough for the registers of a GPU in float64.
const ROWS: usize = 4;
const COLUMNS: usize = 8;
/// Units along a column and along a row of a tile.
const HIGH: usize = BLOCK / ROWS;
const WIDE: usize = BLOCK / COLUMNS;
/// Units of a cube of the update.
pub(in crate::device) const TILE_UNITS: usize = HIGH * WIDE;

/// Copies `SLICE` columns of up to `BLOCK` rows from `offset` on to shared memory, zeros below `rows`.
#[cube]
fn load_slice<F: Float>(source: &[F], size: usize, offset: usize, rows: usize, slice: &mut Shared<[F]>) {
    let row = UNIT_POS as usize % BLOCK;
    let group = UNIT_POS as usize / BLOCK;
    #[unroll]
    for step in 0..comptime!(SLICE * BLOCK / TILE_UNITS) {
        let column = group + step * comptime!(TILE_UNITS / BLOCK);
        let mut value = F::new(0.0);
        if row < rows {
            value = source[offset + row + column * size];
        }
        slice[row + column * BLOCK] = value;
    }
}

/// This unit's share of `A Bᵀ`, where `A` and `B` have `BLOCK` columns and begin at `a` and `b`: rows `x + HIGH r` and
/// columns `y + WIDE c` at `r + ROWS c`, where `x` and `y` are remainder and quotient of the unit's position by `HIGH`.
#[cube]
fn tile_product<F: Float>(matrix: &[F], size: usize, a: usize, a_rows: usize, b: usize, b_rows: usize) -> Array<F> {
    let x = UNIT_POS as usize % HIGH;
    let y = UNIT_POS as usize / HIGH;
    let mut a_slice = Shared::<[F]>::new_slice(comptime!(SLICE * BLOCK));
    let mut b_slice = Shared::<[F]>::new_slice(comptime!(SLICE * BLOCK));
    let mut sums = Array::<F>::new(comptime!(ROWS * COLUMNS));
    let mut left = Array::<F>::new(ROWS);
    let mut column = 0;
    while column < BLOCK {
        load_slice::<F>(matrix, size, a + column * size, a_rows, &mut a_slice);
        load_slice::<F>(matrix, size, b + column * size, b_rows, &mut b_slice);
        sync_cube();
        for k in 0..SLICE {
            #[unroll]
            for r in 0..ROWS {
                left[r] = a_slice[x + HIGH * r + k * BLOCK];
            }
            #[unroll]
            for c in 0..COLUMNS {
                let right = b_slice[y + WIDE * c + k * BLOCK];
                #[unroll]
                for r in 0..ROWS {
                    sums[r + ROWS * c] += left[r] * right;
                }
            }
        }
        sync_cube();
        column += SLICE;
    }
    sums
}

/// `L21 ← A21 L11⁻ᵀ` below the diagonal block at `start`, by substitution, `PANEL_ROWS` rows to a cube. As in the
/// block itself, columns are divided by their pivot at the end.
#[cube(launch)]
pub(in crate::device) fn panel<F: Float>(
    matrix: &mut [F],
    status: &[u32],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    if status[0] != 0 {
        terminate!();
    }
    let groups = comptime!(PANEL_UNITS / PANEL_ROWS);
    let size = n as usize;
    let first = start as usize;
    let row = UNIT_POS as usize % PANEL_ROWS;
    let group = UNIT_POS as usize / PANEL_ROWS;
    let top = first + BLOCK + CUBE_POS_X as usize * PANEL_ROWS + row;
    let mut factor = Shared::<[F]>::new_slice(PACKED);
    let mut rows = Shared::<[F]>::new_slice(comptime!(PANEL_ROWS * BLOCK));
    load_block::<F>(&*matrix, size, first, &mut factor, PANEL_UNITS);
    let mut column = group;
    while column < BLOCK {
        let mut value = F::new(0.0);
        if top < size {
            value = matrix[top + (first + column) * size];
        }
        rows[row + column * PANEL_ROWS] = value;
        column += groups;
    }
    for k in 0..BLOCK {
        sync_cube();
        let solved = rows[row + k * PANEL_ROWS] / factor[packed(k, k)];
        let mut column = k + 1 + group;
        while column < BLOCK {
            let change = solved * factor[packed(column, k)];
            rows[row + column * PANEL_ROWS] -= change;
            column += groups;
        }
    }
    sync_cube();
    let mut column = group;
    while column < BLOCK {
        if top < size {
            matrix[top + (first + column) * size] = rows[row + column * PANEL_ROWS] / factor[packed(column, column)];
        }
        column += groups;
    }
}

/// `A22 ← A22 − L21 L21ᵀ` behind the diagonal block at `start`; one cube per tile, those above the diagonal return at
/// once.
#[cube(launch)]
pub(in crate::device) fn update<F: Float>(
    matrix: &mut [F],
    status: &[u32],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    if CUBE_POS_Y > CUBE_POS_X || status[0] != 0 {
        terminate!();
    }
    let size = n as usize;
    let first = start as usize;
    let top = first + BLOCK + CUBE_POS_X as usize * BLOCK;
    let side = first + BLOCK + CUBE_POS_Y as usize * BLOCK;
    let (rows, columns) = (size - top, size - side);
    let sums = tile_product::<F>(&*matrix, size, top + first * size, rows, side + first * size, columns);
    let x = UNIT_POS as usize % HIGH;
    let y = UNIT_POS as usize / HIGH;
    #[unroll]
    for c in 0..COLUMNS {
        #[unroll]
        for r in 0..ROWS {
            let row = x + HIGH * r;
            let column = y + WIDE * c;
            if row < rows && column < columns {
                matrix[top + row + (side + column) * size] -= sums[r + ROWS * c];
            }
        }
    }
}
