//! The CubeCL kernels of factorisation and solves, one source for every backend and both float types.
//!
//! Matrices are column-major, entry `(i, j)` at `i + j n`. A *block* is `BLOCK x BLOCK`; the last one is padded with
//! the identity, so that every kernel has fixed loops. No kernel needs more than [`SHARED`] entries of shared memory
//! (13 KiB in float32, 25 KiB in float64) or 256 units to a cube.
//!
//! A word of *status* tells the kernels whether a pivot has failed (its index plus one, zero for none); what is
//! launched after that returns at once.

pub(super) mod block;
pub(super) mod scan;
pub(super) mod tile;
pub(super) mod triangle;

/// Edge of a block, and of a tile of the update.
pub(super) const BLOCK: usize = 64;
/// Entries of the lower triangle of a block.
pub(super) const PACKED: usize = BLOCK * (BLOCK + 1) / 2;
/// Columns of a tile that are in shared memory at a time.
const SLICE: usize = 16;
/// Shared memory of the hungriest kernel (`backward_block`), in entries.
pub(super) const SHARED: usize = PACKED + BLOCK + SLICE * (BLOCK + 1);
/// Units of a cube in the kernels over blocks and vectors.
pub(super) const UNITS: usize = 256;
