//! The CubeCL kernels of the factorisation, one source for every backend and both float types.
//!
//! Matrices are column-major, entry `(i, j)` at `i + j n`. A *block* is `BLOCK x BLOCK`; the last one is padded with the
//! identity, so that every kernel has fixed loops. Kernels over blocks run 256 units to a cube, and need no more
//! than 9 KiB of shared memory in float32 and 17 KiB in float64.
//!
//! A word of *status* tells the kernels whether a pivot has failed (its index plus one, zero for none); what is launched
//! after that returns at once.

use cubecl::ir::ElemType;
use cubecl::prelude::*;

/// Edge of a block, and of a tile of the update.
pub(super) const BLOCK: usize = 64;
/// Units of a cube in the kernels over blocks and tiles.
pub(super) const UNITS: usize = 256;
/// Units of a cube in [`scan_columns`].
pub(super) const SCAN_UNITS: usize = 64;
/// Columns of a tile that are in shared memory at a time.
const SLICE: usize = 16;
/// Edge of the square of results that one unit of a tile computes.
const MICRO: usize = 4;
/// Units along an edge of a tile.
const EDGE: usize = BLOCK / MICRO;

/// Comparisons with a NaN are false.
#[cube]
fn is_finite<F: Float>(value: F) -> bool {
    value >= F::min_value() && value <= F::max_value()
}

/// For each column, its diagonal entry and the first row of the lower triangle that is NaN or infinite (`n` for none).
/// One cube per column.
#[cube(launch)]
pub(super) fn scan_columns<F: Float>(
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
pub(super) fn add_to_diagonal<F: Float>(matrix: &mut [F], value: InputScalar, n: u32, #[define(F)] _element: ElemType) {
    let i = ABSOLUTE_POS;
    if i < n as usize {
        matrix[i + i * n as usize] += value.get::<F>();
    }
}

/// Place of entry `(row, column)` of the lower triangle of a block, packed by columns.
#[cube]
fn packed(row: usize, column: usize) -> usize {
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

/// Factors the diagonal block at `start` and inverts its triangle, in one cube.
///
/// The factorisation leaves columns unscaled until its end, `A_ik ← A_ik − A_ij A_kj / A_jj`, which needs one barrier per
/// column; the inversion is in place, row by row: `X_ij ← X_ij − L_ik X_kj`, `X_ik = −L_ik X_kk`.
#[cube(launch)]
pub(super) fn factor_block<F: Float>(
    matrix: &mut [F],
    inverses: &mut [F],
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
    let mut tile = Shared::<[F]>::new_slice(comptime!(BLOCK * (BLOCK + 1) / 2));
    let mut scale = Shared::<[F]>::new_slice(BLOCK);

    let mut column = group;
    while column <= row {
        tile[packed(row, column)] = diagonal_entry::<F>(&*matrix, size, first, row, column);
        column += groups;
    }

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
        let value = tile[packed(row, column)] * scale[column];
        tile[packed(row, column)] = value;
        if first + row < size {
            matrix[first + row + (first + column) * size] = value;
        }
        column += groups;
    }

    for k in 0..BLOCK {
        sync_cube();
        let mut factor = F::new(0.0);
        if row > k {
            factor = tile[packed(row, k)] * scale[k];
        }
        sync_cube();
        if row > k {
            let mut column = group;
            while column < k {
                let change = factor * tile[packed(k, column)];
                tile[packed(row, column)] -= change;
                column += groups;
            }
            if column == k {
                tile[packed(row, k)] = -factor;
            }
        }
    }

    // A row is still to be divided by its pivot.
    let offset = first * BLOCK;
    let mut column = group;
    while column < BLOCK {
        let mut value = F::new(0.0);
        if column < row {
            value = tile[packed(row, column)] * scale[row];
        } else if column == row {
            value = scale[row];
        }
        inverses[offset + row + column * BLOCK] = value;
        column += groups;
    }
}

/// Copies the lower triangle of the diagonal block at `start` to `block`, padded with the identity.
#[cube(launch)]
pub(super) fn extract_block<F: Float>(
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

/// Writes `factor = [L, L⁻¹]` of the diagonal block at `start` to its places.
#[cube(launch)]
pub(super) fn store_block<F: Float>(
    factor: &[F],
    matrix: &mut [F],
    inverses: &mut [F],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    let size = n as usize;
    let first = start as usize;
    let row = UNIT_POS as usize % BLOCK;
    let mut column = UNIT_POS as usize / BLOCK;
    while column < BLOCK {
        let place = row + column * BLOCK;
        inverses[first * BLOCK + place] = factor[BLOCK * BLOCK + place];
        if column <= row && first + row < size {
            matrix[first + row + (first + column) * size] = factor[place];
        }
        column += comptime!(UNITS / BLOCK);
    }
}

/// Copies `SLICE` columns of up to `BLOCK` rows to shared memory, zeros below `rows`.
#[cube]
fn load_slice<F: Float>(source: &[F], offset: usize, stride: usize, rows: usize, slice: &mut Shared<[F]>) {
    let row = UNIT_POS as usize % BLOCK;
    let group = UNIT_POS as usize / BLOCK;
    #[unroll]
    for step in 0..comptime!(SLICE * BLOCK / UNITS) {
        let column = group + step * comptime!(UNITS / BLOCK);
        let mut value = F::new(0.0);
        if row < rows {
            value = source[offset + row + column * stride];
        }
        slice[row + column * BLOCK] = value;
    }
}

/// This unit's share of `A Bᵀ`, both with `BLOCK` columns: rows `x + EDGE r`, columns `y + EDGE c` at `r + MICRO c`,
/// where `x` and `y` are remainder and quotient of the unit's position by `EDGE`.
#[cube]
fn tile_product<F: Float>(
    a: &[F],
    a_offset: usize,
    a_stride: usize,
    a_rows: usize,
    b: &[F],
    b_offset: usize,
    b_stride: usize,
    b_rows: usize,
) -> Array<F> {
    let x = UNIT_POS as usize % EDGE;
    let y = UNIT_POS as usize / EDGE;
    let mut a_slice = Shared::<[F]>::new_slice(comptime!(SLICE * BLOCK));
    let mut b_slice = Shared::<[F]>::new_slice(comptime!(SLICE * BLOCK));
    let mut sums = Array::<F>::new(comptime!(MICRO * MICRO));
    let mut left = Array::<F>::new(MICRO);
    let mut column = 0;
    while column < BLOCK {
        load_slice::<F>(a, a_offset + column * a_stride, a_stride, a_rows, &mut a_slice);
        load_slice::<F>(b, b_offset + column * b_stride, b_stride, b_rows, &mut b_slice);
        sync_cube();
        for k in 0..SLICE {
            #[unroll]
            for r in 0..MICRO {
                left[r] = a_slice[x + EDGE * r + k * BLOCK];
            }
            #[unroll]
            for c in 0..MICRO {
                let right = b_slice[y + EDGE * c + k * BLOCK];
                #[unroll]
                for r in 0..MICRO {
                    sums[r + MICRO * c] += left[r] * right;
                }
            }
        }
        sync_cube();
        column += SLICE;
    }
    sums
}

/// `L21 ← A21 L11⁻ᵀ` below the diagonal block at `start`; one cube per tile of `BLOCK` rows.
#[cube(launch)]
pub(super) fn panel<F: Float>(
    matrix: &mut [F],
    inverses: &[F],
    status: &[u32],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    if status[0] != 0 {
        terminate!();
    }
    let size = n as usize;
    let first = start as usize;
    let top = first + BLOCK + CUBE_POS_X as usize * BLOCK;
    let rows = size - top;
    let corner = top + first * size;
    let sums = tile_product::<F>(&*matrix, corner, size, rows, inverses, first * BLOCK, BLOCK, BLOCK);
    let x = UNIT_POS as usize % EDGE;
    let y = UNIT_POS as usize / EDGE;
    #[unroll]
    for c in 0..MICRO {
        #[unroll]
        for r in 0..MICRO {
            if x + EDGE * r < rows {
                matrix[corner + x + EDGE * r + (y + EDGE * c) * size] = sums[r + MICRO * c];
            }
        }
    }
}

/// `A22 ← A22 − L21 L21ᵀ` behind the diagonal block at `start`; one cube per tile, those above the diagonal return at
/// once.
#[cube(launch)]
pub(super) fn update<F: Float>(matrix: &mut [F], status: &[u32], n: u32, start: u32, #[define(F)] _element: ElemType) {
    if CUBE_POS_Y > CUBE_POS_X || status[0] != 0 {
        terminate!();
    }
    let size = n as usize;
    let first = start as usize;
    let top = first + BLOCK + CUBE_POS_X as usize * BLOCK;
    let side = first + BLOCK + CUBE_POS_Y as usize * BLOCK;
    let (rows, columns) = (size - top, size - side);
    let sums =
        tile_product::<F>(&*matrix, top + first * size, size, rows, &*matrix, side + first * size, size, columns);
    let x = UNIT_POS as usize % EDGE;
    let y = UNIT_POS as usize / EDGE;
    #[unroll]
    for c in 0..MICRO {
        #[unroll]
        for r in 0..MICRO {
            let row = x + EDGE * r;
            let column = y + EDGE * c;
            if row < rows && column < columns {
                matrix[top + row + (side + column) * size] -= sums[r + MICRO * c];
            }
        }
    }
}

/// One block of `L y = b`: `y_k = L_kk⁻¹ b_k`, then `b_i ← b_i − L_ik y_k` for the rows below. Every cube computes `y_k`
/// for itself; `CUBE_POS_Y` counts right-hand sides.
#[cube(launch)]
pub(super) fn forward_block<F: Float>(
    matrix: &[F],
    inverses: &[F],
    b: &mut [F],
    y: &mut [F],
    n: u32,
    start: u32,
    #[define(F)] _element: ElemType,
) {
    let size = n as usize;
    let first = start as usize;
    let rhs = CUBE_POS_Y as usize * size;
    let mut solved = Shared::<[F]>::new_slice(BLOCK);
    let unit = UNIT_POS as usize;
    if unit < BLOCK {
        let mut sum = F::new(0.0);
        for column in 0..unit + 1 {
            if first + column < size {
                sum += inverses[first * BLOCK + unit + column * BLOCK] * b[rhs + first + column];
            }
        }
        solved[unit] = sum;
        if CUBE_POS_X == 0 && first + unit < size {
            y[rhs + first + unit] = sum;
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

/// One block of `Lᵀ x = y`: `x_k = L_kk⁻ᵀ y_k`, then `y_j ← y_j − L_kjᵀ x_k` for the rows above, `BLOCK` of them to a cube.
#[cube(launch)]
pub(super) fn backward_block<F: Float>(
    matrix: &[F],
    inverses: &[F],
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
    let mut solved = Shared::<[F]>::new_slice(BLOCK);
    if unit < BLOCK {
        let mut sum = F::new(0.0);
        for row in unit..BLOCK {
            if first + row < size {
                sum += inverses[first * BLOCK + row + unit * BLOCK] * y[rhs + first + row];
            }
        }
        solved[unit] = sum;
        if CUBE_POS_X == 0 && first + unit < size {
            x[rhs + first + unit] = sum;
        }
    }
    sync_cube();

    // Products are read along columns and summed along rows, SLICE columns at a time.
    let row = unit % BLOCK;
    let mut products = Shared::<[F]>::new_slice(comptime!(SLICE * BLOCK));
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
            products[column * BLOCK + row] = product;
        }
        sync_cube();
        if unit < SLICE && left + slice + unit < first {
            let mut sum = F::new(0.0);
            for k in 0..BLOCK {
                sum += products[unit * BLOCK + k];
            }
            y[rhs + left + slice + unit] -= sum;
        }
        sync_cube();
        slice += SLICE;
    }
}
