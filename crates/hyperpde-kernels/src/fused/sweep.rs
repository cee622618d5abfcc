//! Loops over pairs: blocks of Gram matrices, and the contraction of their derivative with rank-one cotangents.
//!
//! A block is column-major with the second argument `y` along the column, so that lanes run over `y` and the first argument is
//! broadcast. Rows are tiled so that the `y` data of a tile stays in the first-level cache for a block of columns.

use pulp::{Simd, WithSimd};

use crate::form::Profile;

use super::channel::{self, Simple};
use super::gibbs;
use super::lanes::Lanes;
use super::pair::{Channel, Level, Psi, Side, SideGrad, full, second};
use super::prepared::{Layout, PAD, Prepared, position};
use super::profile;

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

#[inline(always)]
fn side<S: Simd, const D: usize, const G: usize, const L: Level>(
    simd: S,
    layout: &Layout,
    at: impl Fn(usize) -> Lanes<S>,
) -> Side<S, D, G> {
    let zero = Lanes::splat(simd, 0.0);
    let empty = Channel { value: zero, p: zero, q: zero, t: [zero; D], g: [zero; D] };
    let head = layout.head();
    let mut out = Side {
        c: at(Layout::C),
        a: [zero; D],
        b: [zero; D],
        x: [zero; D],
        amplitude: at(head),
        da: zero,
        ga: [zero; D],
        gibbs: [empty; G],
    };
    for i in 0..D {
        if G > 0 {
            out.x[i] = at(layout.x() + i);
        }
        if full(L) {
            out.b[i] = at(layout.b() + i);
        }
        if second(L, i) {
            out.a[i] = at(Layout::A + i);
            out.ga[i] = at(head + 2 + i);
        }
    }
    if full(L) {
        out.da = at(head + 1);
    }
    for c in 0..G {
        let base = layout.gibbs(c);
        out.gibbs[c].value = at(base);
        if full(L) {
            out.gibbs[c].p = at(base + 1);
            out.gibbs[c].q = at(base + 2);
            for i in 0..D {
                if second(L, i) {
                    out.gibbs[c].t[i] = at(base + 3 + i);
                    out.gibbs[c].g[i] = at(base + 3 + D + i);
                }
            }
        }
    }
    out
}

/// Visits the rows of a side's gradient, as `(row, lanes)` from the head on.
#[inline(always)]
fn each_gradient<S: Simd, const D: usize, const G: usize, const L: Level>(
    layout: &Layout,
    g: &SideGrad<S, D, G>,
    mut put: impl FnMut(usize, Lanes<S>),
) {
    let head = layout.head();
    put(0, g.amplitude);
    if full(L) {
        put(1, g.da);
    }
    for i in 0..D {
        if second(L, i) {
            put(2 + i, g.ga[i]);
        }
    }
    for c in 0..G {
        let base = layout.gibbs(c) - head;
        put(base, g.gibbs[c].value);
        if full(L) {
            put(base + 1, g.gibbs[c].p);
            put(base + 2, g.gibbs[c].q);
            for i in 0..D {
                if second(L, i) {
                    put(base + 3 + i, g.gibbs[c].t[i]);
                    put(base + 3 + D + i, g.gibbs[c].g[i]);
                }
            }
        }
    }
}

#[inline(always)]
fn each_simple_gradient<S: Simd, const D: usize, const L: Level>(
    base: usize,
    g: &Simple<S, D>,
    mut put: impl FnMut(usize, Lanes<S>),
) {
    put(base, g.value);
    if full(L) {
        put(base + 1, g.p);
        put(base + 2, g.q);
        for i in 0..D {
            if second(L, i) {
                put(base + 3 + i, g.g[i]);
            }
        }
    }
}

#[inline(always)]
fn is_product(profile: Profile) -> bool {
    matches!(profile, Profile::Power(_))
}

/// `ψ` and its derivatives; `E` for the exponential profile, whose log-amplitude and Gibbs channels are parts of `ψ`.
#[inline(always)]
fn psi<S: Simd, const D: usize, const G: usize, const E: bool, const X: Level, const Y: Level>(
    simd: S,
    layout: &Layout,
    x: &Side<S, D, G>,
    y: &Side<S, D, G>,
    at_x: impl Fn(usize) -> Lanes<S>,
    at_y: impl Fn(usize) -> Lanes<S>,
) -> Psi<S, D> {
    let mut psi = Psi::zero(simd);
    if E {
        psi = Psi::start::<G, X, Y>(simd, x, y);
        gibbs::forward::<S, D, G, X, Y>(simd, x, y, &mut psi);
    } else {
        psi.scale = x.amplitude * y.amplitude;
    }
    let product = is_product(layout.profile);
    for k in layout.profile.parameters()..layout.simple {
        let base = layout.simple(k);
        let dx = Simple::read::<X>(simd, |i| at_x(base + i));
        let dy = Simple::read::<Y>(simd, |i| at_y(base + i));
        if !E && product {
            channel::product::<S, D, X, Y>(&dx, &dy, &mut psi);
        } else {
            channel::distance::<S, D, X, Y>(&dx, &dy, &mut psi);
        }
    }
    psi
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
        let (ys, per) = (y.stride / lanes, PAD / lanes);
        for tile in (0..ys).step_by(TILE) {
            let end = (tile + TILE).min(ys);
            for s in 0..count {
                let (lo, hi) = span(region, start + s, ys, lanes);
                let (lo, hi) = (lo.max(tile), hi.min(end));
                if lo >= hi {
                    continue;
                }
                let xs = |row: usize| Lanes::splat(simd, x.data[position(rows, row, start + s)]);
                let sx = side::<S, D, G, X>(simd, &layout, xs);
                let column = &mut out[s * ld + offset..s * ld + offset + y.n];
                for v in lo..hi {
                    let (head, tail) = ydata[v / per * rows * per..][..rows * per].split_at(fixed * per);
                    let at = |row: usize| Lanes::new(simd, head[row * per + v % per]);
                    let at_simple = |row: usize| Lanes::new(simd, tail[(row - fixed) * per + v % per]);
                    let sy = side::<S, D, G, Y>(simd, &layout, at);
                    let psi = psi::<S, D, G, E, X, Y>(simd, &layout, &sx, &sy, xs, at_simple);
                    let mut value = if E {
                        psi.scale * psi.exponent.exp() * psi.bracket::<G, X, Y>(&sx, &sy)
                    } else {
                        let shape = xs(layout.simple(0));
                        let outer = profile::evaluate(simd, layout.profile, psi.exponent, shape);
                        let terms = profile::Terms::new::<D, G, X, Y>(simd, &psi, &sx, &sy);
                        psi.scale * terms.value::<X, Y>(&outer.g)
                    };
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

/// A cotangent `ḡ_{yx} = Σ_k left_k[y] · right_k[x]` of a block, of rank one or two.
#[derive(Clone, Copy)]
pub(crate) struct Cotangent<'a> {
    /// `left_k` over the padded `y`, zero in the padding.
    pub left: [&'a [f64]; 2],
    /// `right_k` over `x`.
    pub right: [&'a [f64]; 2],
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
        let left = [S::as_simd_f64s(cotangent.left[0]).0, S::as_simd_f64s(cotangent.left[1]).0];
        let gy = S::as_mut_simd_f64s(gy).0;
        let (ys, per) = (y.stride / lanes, PAD / lanes);
        let zero = Lanes::splat(simd, 0.0);
        let (parameters, product) = (layout.profile.parameters(), is_product(layout.profile));
        let mut simple_sums = vec![zero; layout.simple * (3 + D)];
        for tile in (0..ys).step_by(TILE) {
            let end = (tile + TILE).min(ys);
            for s in start..start + count {
                let (lo, hi) = span(region, s, ys, lanes);
                let (lo, hi) = (lo.max(tile), hi.min(end));
                if lo >= hi {
                    continue;
                }
                let xs = |row: usize| Lanes::splat(simd, x.data[position(rows, row, s)]);
                let sx = side::<S, D, G, X>(simd, &layout, xs);
                let right = [Lanes::splat(simd, cotangent.right[0][s]), Lanes::splat(simd, cotangent.right[1][s])];
                let mut sum = SideGrad::<S, D, G>::zero(simd);
                simple_sums.fill(zero);
                for v in lo..hi {
                    let (head, tail) = ydata[v / per * rows * per..][..rows * per].split_at(fixed * per);
                    let at = |row: usize| Lanes::new(simd, head[row * per + v % per]);
                    let at_simple = |row: usize| Lanes::new(simd, tail[(row - fixed) * per + v % per]);
                    let (gradient_head, gradient_tail) =
                        gy[v / per * gradient_rows * per..][..gradient_rows * per].split_at_mut(fixed_gradient * per);
                    let mut g = Lanes::new(simd, left[0][v]).mul_add(right[0], Lanes::new(simd, left[1][v]) * right[1]);
                    if region != Region::Full && v == s / lanes {
                        g = g * region_weight(simd, region, s % lanes);
                    }
                    let sy = side::<S, D, G, Y>(simd, &layout, at);
                    let psi = psi::<S, D, G, E, X, Y>(simd, &layout, &sx, &sy, xs, at_simple);
                    // Adjoints of ψ and its derivatives, and the gradients by log-amplitude and by the profile's parameter.
                    let (bar, e, shape) = if E {
                        let t = g * psi.scale * psi.exponent.exp();
                        let e = t * psi.bracket::<G, X, Y>(&sx, &sy);
                        (psi.adjoint::<G, X, Y>(simd, &sx, &sy, t, e), e, zero)
                    } else {
                        let shape = xs(layout.simple(0));
                        let outer = profile::evaluate(simd, layout.profile, psi.exponent, shape);
                        let terms = profile::Terms::new::<D, G, X, Y>(simd, &psi, &sx, &sy);
                        let t = g * psi.scale;
                        let by_shape = if parameters > 0 {
                            t * terms.value::<X, Y>(&profile::by_shape(simd, &outer, psi.exponent, shape))
                        } else {
                            zero
                        };
                        (
                            terms.adjoint::<D, G, X, Y>(simd, &psi, &outer.g, &sx, &sy, t),
                            t * terms.value::<X, Y>(&outer.g),
                            by_shape,
                        )
                    };
                    let mut grad = SideGrad::<S, D, G>::zero(simd);
                    sum.amplitude += e;
                    grad.amplitude = e;
                    // With other profiles the log-amplitude does not depend on the point.
                    if E && full(X) {
                        sum.da += bar.p;
                    }
                    if E && full(Y) {
                        grad.da = bar.pp;
                    }
                    for i in 0..D {
                        if E && second(X, i) {
                            sum.ga[i] += bar.x[i];
                        }
                        if E && second(Y, i) {
                            grad.ga[i] = bar.y[i];
                        }
                    }
                    if E {
                        gibbs::adjoint::<S, D, G, X, Y>(simd, &sx, &sy, &bar, &mut sum, &mut grad);
                    }
                    each_gradient::<S, D, G, Y>(&layout, &grad, |row, l| {
                        let slot = &mut gradient_head[row * per + v % per];
                        *slot = (Lanes::new(simd, *slot) + l).vector();
                    });
                    if parameters > 0 {
                        simple_sums[0] += shape;
                    }
                    for k in parameters..layout.simple {
                        let base = layout.simple(k);
                        let dx = Simple::read::<X>(simd, |i| xs(base + i));
                        let dy = Simple::read::<Y>(simd, |i| at_simple(base + i));
                        let (hx, hy) = if !E && product {
                            channel::product_adjoint::<S, D, X, Y>(simd, &dx, &dy, &bar)
                        } else {
                            channel::distance_adjoint::<S, D, X, Y>(simd, &dx, &dy, &bar)
                        };
                        each_simple_gradient::<S, D, Y>(base - fixed, &hy, |row, l| {
                            let slot = &mut gradient_tail[row * per + v % per];
                            *slot = (Lanes::new(simd, *slot) + l).vector();
                        });
                        each_simple_gradient::<S, D, X>(k * (3 + D), &hx, |i, l| simple_sums[i] += l);
                    }
                }
                let mut put = |row: usize, l: Lanes<S>| gx[position(gradient_rows, row, s)] += l.sum();
                each_gradient::<S, D, G, X>(&layout, &sum, &mut put);
                for (i, l) in simple_sums.iter().enumerate() {
                    put(fixed_gradient + i, *l);
                }
            }
        }
    }
}

/// Weights of the vector that holds the diagonal, at lane `diagonal`: one half there (an off-diagonal pair of a symmetric matrix counts twice,
/// the diagonal once) with [`Region::Lower`], one with [`Region::Diagonal`].
#[inline(always)]
fn region_weight<S: Simd>(simd: S, region: Region, diagonal: usize) -> Lanes<S> {
    let mut weights = simd.splat_f64s(0.0);
    for (lane, w) in
        pulp::bytemuck::cast_slice_mut::<S::f64s, f64>(std::slice::from_mut(&mut weights)).iter_mut().enumerate()
    {
        *w = match region {
            Region::Lower if lane > diagonal => 1.0,
            Region::Lower if lane == diagonal => 0.5,
            Region::Diagonal if lane == diagonal => 1.0,
            Region::Full => 1.0,
            _ => 0.0,
        };
    }
    Lanes::new(simd, weights)
}
