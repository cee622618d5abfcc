//! Cotangents `ḡ_{yx}` of a block, as products of vectors or entry by entry, read a few vectors of `y` at a time.
//!
//! The adjoint of a pair costs hundreds of flops and needs one number of the cotangent: any number of products is summed there, in one sweep
//! over the pairs, and a full matrix is read along its columns.

use pulp::{Simd, bytemuck};

use super::lanes::Lanes;
use super::sweep::Region;

/// A block to read in a column-major matrix: entry `(y_i, x_j)` is `data[row + i + (column + j) · ld]`.
#[derive(Clone, Copy, Debug)]
pub struct Tile<'a> {
    /// The matrix.
    pub data: &'a [f64],
    /// Distance between columns.
    pub ld: usize,
    /// First row of the block.
    pub row: usize,
    /// First column of the block.
    pub column: usize,
}

/// A cotangent `ḡ_{yx}` of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cotangent<'a> {
    /// `Σ_k left_k[y] · right_k[x]`; `left_k` over the padded `y`, zero in the padding.
    Terms(&'a [(Vec<f64>, &'a [f64])]),
    /// Entry by entry.
    Dense(Tile<'a>),
}

impl Cotangent<'_> {
    /// Column `s` at the vectors of `y` from `first` on, of `n` points, each entry times its share in the region's sum: one; for
    /// [`Region::Lower`] one half on the diagonal (an off-diagonal pair of a symmetric matrix counts twice, the diagonal once). What lies
    /// outside the region is zero, whatever is stored there.
    #[inline(always)]
    pub fn read<S: Simd>(&self, simd: S, region: Region, s: usize, first: usize, n: usize, out: &mut [S::f64s]) {
        let lanes = S::F64_LANES;
        match self {
            Self::Terms(terms) => {
                out.fill(simd.splat_f64s(0.0));
                for (left, right) in terms.iter().rev() {
                    let (left, right) = (S::as_simd_f64s(left).0, Lanes::splat(simd, right[s]));
                    for (g, l) in out.iter_mut().zip(&left[first..]) {
                        *g = Lanes::new(simd, *l).mul_add(right, Lanes::new(simd, *g)).vector();
                    }
                }
            }
            Self::Dense(Tile { data, ld, row, column }) => {
                let column = &data[row + (column + s) * ld..][..n];
                for (k, g) in out.iter_mut().enumerate() {
                    let start = (first + k) * lanes;
                    *g = simd.partial_load_f64s(&column[start..(start + lanes).min(n)]);
                }
            }
        }
        let diagonal = s / lanes;
        if region == Region::Full || diagonal < first || diagonal >= first + out.len() {
            return;
        }
        let vector = &mut out[diagonal - first..][..1];
        for (lane, g) in bytemuck::cast_slice_mut::<S::f64s, f64>(vector).iter_mut().enumerate() {
            let at = s % lanes;
            match region {
                Region::Lower if lane == at => *g *= 0.5,
                Region::Lower if lane > at => {}
                Region::Diagonal if lane == at => {}
                _ => *g = 0.0,
            }
        }
    }
}
