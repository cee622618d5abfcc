//! The two kernels: entries of a block, and their gradient contracted with a cotangent.
//!
//! A side is an array `[rows, n]` of its prepared rows, point by point; with two float32 per number a second such array holds the low parts.

use cubecl::prelude::*;

use super::super::entry::{self, Gradients};
use super::super::pair::{FULL, Level, SideGrad};
use super::super::prepared::Layout;
use super::Arithmetic;
use super::traced::{Pen, Traced, Value, Var};

/// Threads of a workgroup.
pub(super) const THREADS: u32 = 64;

/// What a kernel is compiled for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub layout: Layout,
    pub arithmetic: Arithmetic,
    /// Rows of `x` and `y` that are zero at all points: they are left out.
    pub zero_x: Vec<bool>,
    pub zero_y: Vec<bool>,
    /// Whether to add to what is there.
    pub add: bool,
}

#[cube]
fn load<F: Float>(data: &[F], row: usize, n: usize, k: usize) -> F {
    data[row * n + k]
}

#[cube]
pub(super) fn put<F: Float>(out: &mut [F], at: usize, v: F, #[comptime] add: bool) {
    if add {
        out[at] += v;
    } else {
        out[at] = v;
    }
}

#[cube]
fn get<F: Float>(sums: &Array<F>, #[comptime] at: usize) -> F {
    sums[at]
}

#[cube]
fn set<F: Float>(sums: &mut Array<F>, #[comptime] at: usize, v: F) {
    sums[at] = v;
}

/// Code for the dimension and the number of Gibbs channels of a layout.
macro_rules! for_form {
    ($layout:expr, $call:ident) => {
        match ($layout.dim, $layout.gibbs) {
            (1, 0) => $call!(1, 0),
            (1, _) => $call!(1, 1),
            (2, 0) => $call!(2, 0),
            (2, 1) => $call!(2, 1),
            (2, _) => $call!(2, 2),
            (_, 0) => $call!(3, 0),
            (_, 1) => $call!(3, 1),
            (_, _) => $call!(3, 3),
        }
    };
}

/// All derivatives in `dim` dimensions; what a side does not take is zero there and is folded away.
const fn all(dim: usize) -> Level {
    FULL | ((1 << dim) - 1)
}

/// Reads rows of one side at one point.
struct Rows<'a, 's, F: Float> {
    pen: Pen<'s>,
    data: &'a NativeExpand<[F]>,
    zero: &'a [bool],
    n: NativeExpand<usize>,
    k: NativeExpand<usize>,
}

impl<'s, F: Float> Rows<'_, 's, F> {
    fn at(&self, row: usize) -> Traced<'s> {
        let scope = self.pen.scope;
        if self.zero[row] {
            return Traced::new(self.pen, Value::Constant(0.0));
        }
        let read = |row: usize| -> Var {
            load::expand::<F>(scope, self.data, row.into_expand(scope), self.n, self.k).expand.into()
        };
        Traced::new(
            self.pen,
            match self.pen.arithmetic {
                Arithmetic::TwoF32 => Value::Two(read(row), read(row + self.zero.len())),
                _ => Value::One(read(row)),
            },
        )
    }
}

/// Entry `(i, j)` of the block: writes its high part to `out[at]`, its low part `plane` further on.
#[cube]
#[allow(unused_variables)]
fn store_entry<F: Float>(
    x: &[F],
    y: &[F],
    out: &mut [F],
    n: usize,
    m: usize,
    j: usize,
    i: usize,
    at: usize,
    plane: usize,
    zero: u32,
    #[comptime] shape: Shape,
) {
    intrinsic!(|scope| {
        let pen = Pen { scope, arithmetic: shape.arithmetic, zero };
        let sx = Rows { pen, data: x, zero: &shape.zero_x, n, k: j };
        let sy = Rows { pen, data: y, zero: &shape.zero_y, n: m, k: i };
        let layout = &shape.layout;
        macro_rules! call {
            ($d:literal, $g:literal) => {{
                let (px, py) = (
                    entry::side::<Traced<'_>, $d, $g, { all($d) }>(pen, layout, |r| sx.at(r)),
                    entry::side::<Traced<'_>, $d, $g, { all($d) }>(pen, layout, |r| sy.at(r)),
                );
                entry::value::<Traced<'_>, $d, $g, true, { all($d) }, { all($d) }>(
                    pen,
                    layout,
                    &px,
                    &py,
                    |r| sx.at(r),
                    |r| sy.at(r),
                )
            }};
        }
        let value = for_form!(layout, call);
        let (hi, lo) = value.two();
        let number = |v: Var| -> NativeExpand<F> { v.expand.into() };
        if shape.arithmetic == Arithmetic::TwoF32 {
            let (hi, lo) = if shape.add {
                let old_hi = load::expand::<F>(scope, out, 0usize.into_expand(scope), n, at).expand.into();
                let low = add_indices::expand(scope, at, plane);
                let old_lo = load::expand::<F>(scope, out, 0usize.into_expand(scope), n, low).expand.into();
                (value + Traced::new(pen, Value::Two(old_hi, old_lo))).two()
            } else {
                (hi, lo)
            };
            put::expand::<F>(scope, out, at, number(hi), false);
            let low = add_indices::expand(scope, at, plane);
            put::expand::<F>(scope, out, low, number(lo), false);
        } else {
            put::expand::<F>(scope, out, at, number(hi), shape.add);
        }
    })
}

#[cube]
fn add_indices(a: usize, b: usize) -> usize {
    a + b
}

/// A block `[m, n]` of `ℓ_y ℓ_x k` into the column-major matrix `out`, `ld` apart, from `(row, column)` on; unless `lower` is zero only what
/// lies on and below its diagonal.
#[cube(launch_unchecked)]
pub(super) fn gram<F: Float>(
    x: &[F],
    y: &[F],
    out: &mut [F],
    n: usize,
    m: usize,
    row: usize,
    column: usize,
    ld: usize,
    plane: usize,
    zero: u32,
    lower: u32,
    #[comptime] shape: Shape,
) {
    let i = ABSOLUTE_POS_X as usize;
    let j = ABSOLUTE_POS_Y as usize;
    if i < m && j < n && (lower == 0u32 || i >= j) {
        let at = row + i + (column + j) * ld;
        store_entry::<F>(x, y, out, n, m, j, i, at, plane, zero, shape);
    }
}

/// Adds `ḡ_{ij}` times the gradient of entry `(i, j)` by the rows of `y` to the sums.
#[cube]
#[allow(unused_variables)]
fn add_gradient<F: Float>(
    x: &[F],
    y: &[F],
    left: &[F],
    right: &[F],
    sums: &mut Array<F>,
    n: usize,
    m: usize,
    j: usize,
    i: usize,
    zero: u32,
    #[comptime] shape: Shape,
) {
    intrinsic!(|scope| {
        let pen = Pen { scope, arithmetic: shape.arithmetic, zero };
        let sx = Rows { pen, data: x, zero: &shape.zero_x, n, k: j };
        let sy = Rows { pen, data: y, zero: &shape.zero_y, n: m, k: i };
        let cotangents = [false; 2];
        let l = Rows { pen, data: left, zero: &cotangents, n: m, k: i };
        let r = Rows { pen, data: right, zero: &cotangents, n, k: j };
        let g = l.at(0) * r.at(0) + l.at(1) * r.at(1);
        let layout = &shape.layout;
        let mut out = Sums { pen, sums, simple: layout.simple(0) - layout.head(), rows: layout.gradient_rows() };
        macro_rules! call {
            ($d:literal, $g:literal) => {{
                let (px, py) = (
                    entry::side::<Traced<'_>, $d, $g, { all($d) }>(pen, layout, |r| sx.at(r)),
                    entry::side::<Traced<'_>, $d, $g, { all($d) }>(pen, layout, |r| sy.at(r)),
                );
                let mut unused = SideGrad::<Traced<'_>, $d, $g>::zero(pen);
                entry::adjoint::<Traced<'_>, $d, $g, true, { all($d) }, { all($d) }>(
                    pen,
                    layout,
                    &px,
                    &py,
                    |r| sx.at(r),
                    |r| sy.at(r),
                    g,
                    &mut unused,
                    &mut out,
                )
            }};
        }
        for_form!(layout, call);
    })
}

/// Sums of gradient rows in the kernel's registers: high parts, then low parts.
struct Sums<'a, 's, F: Float> {
    pen: Pen<'s>,
    sums: &'a mut NativeExpand<Array<F>>,
    /// First row of the plain channels, and number of rows.
    simple: usize,
    rows: usize,
}

impl<'s, F: Float> Gradients<Traced<'s>> for Sums<'_, 's, F> {
    fn fixed_y(&mut self, row: usize, g: Traced<'s>) {
        let scope = self.pen.scope;
        let old = |at: usize| -> Var { get::expand::<F>(scope, &*self.sums, at).expand.into() };
        let two = self.pen.arithmetic == Arithmetic::TwoF32;
        let old = if two { Value::Two(old(row), old(row + self.rows)) } else { Value::One(old(row)) };
        let (hi, lo) = (Traced::new(self.pen, old) + g).two();
        set::expand::<F>(scope, self.sums, row, hi.expand.into());
        if two {
            set::expand::<F>(scope, self.sums, row + self.rows, lo.expand.into());
        }
    }

    fn simple_y(&mut self, row: usize, g: Traced<'s>) {
        self.fixed_y(self.simple + row, g);
    }

    fn simple_x(&mut self, _row: usize, _g: Traced<'s>) {}
}

/// Gradient rows of `Σ_{ij} ḡ_{ij} K_{ij}`, `ḡ_{ij} = Σ_k left_k[i] right_k[j]`, by the rows of `y`: `out` is `[pieces, rows, m]`, one
/// piece per `length` points of `x`.
#[cube(launch_unchecked)]
pub(super) fn gradient<F: Float>(
    x: &[F],
    y: &[F],
    left: &[F],
    right: &[F],
    out: &mut [F],
    n: usize,
    m: usize,
    length: usize,
    zero: u32,
    #[comptime] shape: Shape,
) {
    let i = ABSOLUTE_POS_X as usize;
    let piece = ABSOLUTE_POS_Y as usize;
    let rows = comptime!(shape.arithmetic.planes() * shape.layout.gradient_rows());
    let start = piece * length;
    if i < m && start < n {
        let mut sums = Array::<F>::new(rows);
        #[unroll]
        for row in 0..rows {
            sums[row] = F::new(0.0);
        }
        let end = if start + length < n { start + length } else { n };
        for j in start..end {
            add_gradient::<F>(x, y, left, right, &mut sums, n, m, j, i, zero, shape.clone());
        }
        #[unroll]
        for row in 0..rows {
            out[(piece * rows + row) * m + i] = sums[row];
        }
    }
}

/// Zeros, word by word; each of `threads` threads takes every `threads`-th one.
#[cube(launch_unchecked)]
pub(super) fn clear(out: &mut [u32], len: usize, threads: usize) {
    for k in range_stepped(ABSOLUTE_POS_X as usize, len, threads) {
        out[k] = 0u32;
    }
}

/// `out[places[k]] += values[k]`.
#[cube(launch_unchecked)]
pub(super) fn add_at<F: Float>(out: &mut [F], values: &[F], places: &[u32], n: usize) {
    let k = ABSOLUTE_POS_X as usize;
    if k < n {
        out[places[k] as usize] += values[k];
    }
}
