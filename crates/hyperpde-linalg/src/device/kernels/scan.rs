//! Before a factorisation: is the matrix finite, what is its diagonal; and jitter.

use cubecl::ir::ElemType;
use cubecl::prelude::*;

/// Units of a cube in [`scan_columns`].
pub(in crate::device) const SCAN_UNITS: usize = 64;

/// Comparisons with a NaN are false.
#[cube]
pub(super) fn is_finite<F: Float>(value: F) -> bool {
    value >= F::min_value() && value <= F::max_value()
}

/// For each column, its diagonal entry and the first row of the lower triangle that is NaN or infinite (`n` for none).
/// One cube per column.
#[cube(launch)]
pub(in crate::device) fn scan_columns<F: Float>(
    matrix: &[F],
    diagonal: &mut [F],
    first_bad: &mut [u32],
    n: u32,
    #[define(F)] _element: ElemType,
) {
    let size = n as usize;
    let column = CUBE_POS_X as usize;
    let mut first = size;
    let mut row = column + UNIT_POS as usize;
    while row < size {
        let value = matrix[row + column * size];
        if !is_finite::<F>(value) && row < first {
            first = row;
        }
        row += SCAN_UNITS;
    }
    let mut firsts = Shared::<[u32]>::new_slice(SCAN_UNITS);
    firsts[UNIT_POS as usize] = first as u32;
    sync_cube();
    if UNIT_POS == 0 {
        let mut least = firsts[0];
        for unit in 1..SCAN_UNITS {
            if firsts[unit] < least {
                least = firsts[unit];
            }
        }
        first_bad[column] = least;
        diagonal[column] = matrix[column + column * size];
    }
}

/// `A ← A + value I`.
#[cube(launch)]
pub(in crate::device) fn add_to_diagonal<F: Float>(
    matrix: &mut [F],
    value: InputScalar,
    n: u32,
    #[define(F)] _element: ElemType,
) {
    let i = ABSOLUTE_POS;
    if i < n as usize {
        matrix[i + i * n as usize] += value.get::<F>();
    }
}
