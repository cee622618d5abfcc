//! Loops over pairs: blocks of Gram matrices, and the contraction of their derivative with cotangents.
//!
//! A block is column-major with the second argument `y` along the column, so that lanes run over `y` and the first argument is
//! broadcast. Rows are tiled so that the `y` data of a tile stays in the first-level cache for a block of columns.

use pulp::{Simd, WithSimd};

use super::cotangent::Cotangent;
use super::entry::{self, Gradients};
use super::lanes::Lanes;
use super::pair::{Level, SideGrad};
use super::prepared::{Layout, PAD, Prepared, position};

/// Vectors of `y` per tile.
const TILE: usize = 16;

/// Which entries `(y, x)` of a block are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// All.
    Full,
    /// Those with `y ≥ x` (by index): a diagonal block of a symmetric matrix.
    Lower,
    /// Those with `y = x`.
    Diagonal,
}

/// Range of `y` vectors (of `lanes` lanes) that column `s` needs.
#[inline(always)]
fn span(region: Region, s: usize, vectors: usize, lanes: usize) -> (usize, usize) {
    match region {
        Region::Full => (0, vectors),
        Region::Lower => (s / lanes, vectors),
        Region::Diagonal => (s / lanes, s / lanes + 1),
    }
}

/// Writes (or adds) a block of `ℓ ℓ' k` for some columns.
pub(crate) struct Forward<'a, const D: usize, const G: usize, const E: bool, const X: Level, const Y: Level> {
    pub x: &'a Prepared,
    pub y: &'a Prepared,
    /// First column and number of columns.
    pub columns: (usize, usize),
    pub region: Region,
    /// The columns, `ld` apart; the block starts at `offset` in each.
    pub out: &'a mut [f64],
    pub ld: usize,
    pub offset: usize,
    pub add: bool,
}

impl<const D: usize, const G: usize, const E: bool, const X: Level, const Y: Level> WithSimd
    for Forward<'_, D, G, E, X, Y>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, y, columns: (start, count), region, out, ld, offset, add } = self;
        // The dimension and the Gibbs channels as constants: rows of the layout are then known at compile time.
        let (layout, lanes) = (Layout { dim: D, gibbs: G, ..y.layout }, S::F64_LANES);
        let (rows, fixed) = (layout.rows(), layout.simple(0));
        let ydata = S::as_simd_f64s(&y.data).0;
        // Vectors with a point in them: of less than eight lanes, the last ones of the stride may be all padding.
        let (ys, per) = (y.n.div_ceil(lanes), PAD / lanes);
        for tile in (0..ys).step_by(TILE) {
            let end = (tile + TILE).min(ys);
            for s in 0..count {
                let (lo, hi) = span(region, start + s, ys, lanes);
                let (lo, hi) = (lo.max(tile), hi.min(end));
                if lo >= hi {
                    continue;
                }
                let xs = |row: usize| Lanes::splat(simd, x.data[position(rows, row, start + s)]);
                let sx = entry::side::<Lanes<S>, D, G, X>(simd, &layout, xs);
                let column = &mut out[s * ld + offset..s * ld + offset + y.n];
                for v in lo..hi {
                    let (head, tail) = ydata[v / per * rows * per..][..rows * per].split_at(fixed * per);
                    let at = |row: usize| Lanes::new(simd, head[row * per + v % per]);
                    let at_simple = |row: usize| Lanes::new(simd, tail[(row - fixed) * per + v % per]);
                    let sy = entry::side::<Lanes<S>, D, G, Y>(simd, &layout, at);
                    let mut value = entry::value::<Lanes<S>, D, G, E, X, Y>(simd, &layout, &sx, &sy, xs, at_simple);
                    let slot = &mut column[v * lanes..(v * lanes + lanes).min(y.n)];
                    if add {
                        value += Lanes::new(simd, simd.partial_load_f64s(slot));
                    }
                    simd.partial_store_f64s(slot, value.vector());
                }
            }
        }
    }
}

/// Accumulators of the gradient rows: those of a vector of `y` in memory, the plain channels of one `x` beside them.
struct Rows<'a, S: Simd> {
    fixed: &'a mut [S::f64s],
    simple: &'a mut [S::f64s],
    sums: &'a mut [Lanes<S>],
    /// Vectors per block of points, and which of them this is.
    per: usize,
    v: usize,
    simd: S,
}

impl<S: Simd> Gradients<Lanes<S>> for Rows<'_, S> {
    #[inline(always)]
    fn fixed_y(&mut self, row: usize, g: Lanes<S>) {
        let slot = &mut self.fixed[row * self.per + self.v];
        *slot = (Lanes::new(self.simd, *slot) + g).vector();
    }

    #[inline(always)]
    fn simple_y(&mut self, row: usize, g: Lanes<S>) {
        let slot = &mut self.simple[row * self.per + self.v];
        *slot = (Lanes::new(self.simd, *slot) + g).vector();
    }

    #[inline(always)]
    fn simple_x(&mut self, row: usize, g: Lanes<S>) {
        self.sums[row] += g;
    }
}

/// Adds `Σ ḡ_{yx} ∂(ℓ ℓ' k)_{yx}/∂(features)` for some columns to the gradient rows of both sides.
pub(crate) struct Adjoint<'a, const D: usize, const G: usize, const E: bool, const X: Level, const Y: Level> {
    pub x: &'a Prepared,
    pub y: &'a Prepared,
    pub columns: (usize, usize),
    pub region: Region,
    pub cotangent: Cotangent<'a>,
    pub gx: &'a mut [f64],
    pub gy: &'a mut [f64],
}

impl<const D: usize, const G: usize, const E: bool, const X: Level, const Y: Level> WithSimd
    for Adjoint<'_, D, G, E, X, Y>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, y, columns: (start, count), region, cotangent, gx, gy } = self;
        let (layout, lanes) = (Layout { dim: D, gibbs: G, ..y.layout }, S::F64_LANES);
        let (rows, gradient_rows) = (layout.rows(), layout.gradient_rows());
        let (fixed, fixed_gradient) = (layout.simple(0), layout.simple(0) - layout.head());
        let ydata = S::as_simd_f64s(&y.data).0;
        let gy = S::as_mut_simd_f64s(gy).0;
        let (ys, per) = (y.n.div_ceil(lanes), PAD / lanes);
        let zero = Lanes::splat(simd, 0.0);
        let mut simple_sums = vec![zero; layout.simple * (3 + D)];
        let mut given = [zero.vector(); TILE];
        for tile in (0..ys).step_by(TILE) {
            let end = (tile + TILE).min(ys);
            for s in start..start + count {
                let (lo, hi) = span(region, s, ys, lanes);
                let (lo, hi) = (lo.max(tile), hi.min(end));
                if lo >= hi {
                    continue;
                }
                let xs = |row: usize| Lanes::splat(simd, x.data[position(rows, row, s)]);
                let sx = entry::side::<Lanes<S>, D, G, X>(simd, &layout, xs);
                let given = &mut given[..hi - lo];
                cotangent.read(simd, region, s, lo, y.n, given);
                let mut sum = SideGrad::<Lanes<S>, D, G>::zero(simd);
                simple_sums.fill(zero);
                for v in lo..hi {
                    let (head, tail) = ydata[v / per * rows * per..][..rows * per].split_at(fixed * per);
                    let at = |row: usize| Lanes::new(simd, head[row * per + v % per]);
                    let at_simple = |row: usize| Lanes::new(simd, tail[(row - fixed) * per + v % per]);
                    let (gradient_head, gradient_tail) =
                        gy[v / per * gradient_rows * per..][..gradient_rows * per].split_at_mut(fixed_gradient * per);
                    let g = Lanes::new(simd, given[v - lo]);
                    let sy = entry::side::<Lanes<S>, D, G, Y>(simd, &layout, at);
                    let mut rows = Rows {
                        fixed: gradient_head,
                        simple: gradient_tail,
                        sums: &mut simple_sums,
                        per,
                        v: v % per,
                        simd,
                    };
                    entry::adjoint::<Lanes<S>, D, G, E, X, Y>(
                        simd, &layout, &sx, &sy, xs, at_simple, g, &mut sum, &mut rows,
                    );
                }
                let mut put = |row: usize, l: Lanes<S>| gx[position(gradient_rows, row, s)] += l.sum();
                entry::each_gradient::<Lanes<S>, D, G, X>(&layout, &sum, &mut put);
                for (i, l) in simple_sums.iter().enumerate() {
                    put(fixed_gradient + i, *l);
                }
            }
        }
    }
}
