//! Forward and backward substitution, a block to a launch.

use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::block::{load_block, packed};
use super::{BLOCK, PACKED, SLICE, UNITS};

/// One block of `L y = b`: `L_kk y_k = b_k`, then `b_i ← b_i − L_ik y_k` for the rows below. Every cube computes `y_k`
/// for itself; `CUBE_POS_Y` counts right-hand sides.
#[cube(launch)]
pub(in crate::device) fn forward_block<F: Float>(
    matrix: &[F],
    b: &mut [F],
    y: &mut [F],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    let size = n as usize;
    let first = start as usize;
    let rhs = CUBE_POS_Y as usize * size;
    let unit = UNIT_POS as usize;
    let mut factor = Shared::<[F]>::new_slice(PACKED);
    let mut solved = Shared::<[F]>::new_slice(BLOCK);
    load_block::<F>(matrix, size, first, &mut factor, UNITS);
    if unit < BLOCK {
        let mut value = F::new(0.0);
        if first + unit < size {
            value = b[rhs + first + unit];
        }
        solved[unit] = value;
    }
    for k in 0..BLOCK {
        sync_cube();
        if unit > k && unit < BLOCK {
            let change = factor[packed(unit, k)] * (solved[k] / factor[packed(k, k)]);
            solved[unit] -= change;
        }
    }
    sync_cube();
    if unit < BLOCK {
        let value = solved[unit] / factor[packed(unit, unit)];
        solved[unit] = value;
        if CUBE_POS_X == 0 && first + unit < size {
            y[rhs + first + unit] = value;
        }
    }
    sync_cube();
    let row = first + BLOCK + CUBE_POS_X as usize * UNITS + unit;
    if row < size {
        let mut sum = F::new(0.0);
        for column in 0..BLOCK {
            sum += matrix[row + (first + column) * size] * solved[column];
        }
        b[rhs + row] -= sum;
    }
}

/// One block of `Lᵀ x = y`: `L_kkᵀ x_k = y_k`, then `y_j ← y_j − L_kjᵀ x_k` for the rows
/// above, `BLOCK` of them to a cube.
#[cube(launch)]
pub(in crate::device) fn backward_block<F: Float>(
    matrix: &[F],
    y: &mut [F],
    x: &mut [F],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    let size = n as usize;
    let first = start as usize;
    let rhs = CUBE_POS_Y as usize * size;
    let unit = UNIT_POS as usize;
    let mut factor = Shared::<[F]>::new_slice(PACKED);
    let mut solved = Shared::<[F]>::new_slice(BLOCK);
    load_block::<F>(matrix, size, first, &mut factor, UNITS);
    if unit < BLOCK {
        let mut value = F::new(0.0);
        if first + unit < size {
            value = y[rhs + first + unit];
        }
        solved[unit] = value;
    }
    for step in 0..BLOCK {
        let k = BLOCK - 1 - step;
        sync_cube();
        if unit < k {
            let change = factor[packed(k, unit)] * (solved[k] / factor[packed(k, k)]);
            solved[unit] -= change;
        }
    }
    sync_cube();
    if unit < BLOCK {
        let value = solved[unit] / factor[packed(unit, unit)];
        solved[unit] = value;
        if CUBE_POS_X == 0 && first + unit < size {
            x[rhs + first + unit] = value;
        }
    }
    sync_cube();

    // Products are read along columns and summed along rows, SLICE columns at a time.
    let row = unit % BLOCK;
    // One more than a block apart, so that summing units meet different banks.
    let mut products = Shared::<[F]>::new_slice(comptime!(SLICE * (BLOCK + 1)));
    let left = CUBE_POS_X as usize * BLOCK;
    let mut slice = 0;
    while slice < BLOCK {
        #[unroll]
        for step in 0..comptime!(SLICE * BLOCK / UNITS) {
            let column = unit / BLOCK + step * comptime!(UNITS / BLOCK);
            let mut product = F::new(0.0);
            if first + row < size && left + slice + column < first {
                product = matrix[first + row + (left + slice + column) * size] * solved[row];
            }
            products[column * (BLOCK + 1) + row] = product;
        }
        sync_cube();
        if unit < SLICE && left + slice + unit < first {
            let mut sum = F::new(0.0);
            for k in 0..BLOCK {
                sum += products[unit * (BLOCK + 1) + k];
            }
            y[rhs + left + slice + unit] -= sum;
        }
        sync_cube();
        slice += SLICE;
    }
}
