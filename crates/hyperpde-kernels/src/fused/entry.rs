//! One entry `ℓ_x ℓ'_y k` of a block from the prepared rows of both sides, and its gradient by those rows.
//!
//! Written once for every [`Number`]: [`super::sweep`] runs it on vector registers of the host, the GPU stage records it as the
//! body of a kernel.

use crate::form::Profile;

use super::channel::{self, Simple};
use super::gibbs;
use super::number::Number;
use super::pair::{Channel, Level, Psi, Side, SideGrad, full, second};
use super::prepared::Layout;
use super::profile;

/// The fixed part of a side: coefficients, amplitude and Gibbs channels.
#[inline(always)]
pub(crate) fn side<N: Number, const D: usize, const G: usize, const L: Level>(
    ctx: N::Context,
    layout: &Layout,
    at: impl Fn(usize) -> N,
) -> Side<N, D, G> {
    let zero = N::splat(ctx, 0.0);
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
pub(crate) fn each_gradient<N: Number, const D: usize, const G: usize, const L: Level>(
    layout: &Layout,
    g: &SideGrad<N, D, G>,
    mut put: impl FnMut(usize, N),
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
fn each_simple_gradient<N: Number, const D: usize, const L: Level>(
    base: usize,
    g: &Simple<N, D>,
    mut put: impl FnMut(usize, N),
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
fn psi<N: Number, const D: usize, const G: usize, const E: bool, const X: Level, const Y: Level>(
    ctx: N::Context,
    layout: &Layout,
    x: &Side<N, D, G>,
    y: &Side<N, D, G>,
    at_x: impl Fn(usize) -> N,
    at_y: impl Fn(usize) -> N,
) -> Psi<N, D> {
    let mut psi = Psi::zero(ctx);
    if E {
        psi = Psi::start::<G, X, Y>(ctx, x, y);
        gibbs::forward::<N, D, G, X, Y>(ctx, x, y, &mut psi);
    } else {
        psi.scale = x.amplitude * y.amplitude;
    }
    let product = is_product(layout.profile);
    for k in layout.profile.parameters()..layout.simple {
        let base = layout.simple(k);
        let dx = Simple::read::<X>(ctx, |i| at_x(base + i));
        let dy = Simple::read::<Y>(ctx, |i| at_y(base + i));
        if !E && product {
            channel::product::<N, D, X, Y>(&dx, &dy, &mut psi);
        } else {
            channel::distance::<N, D, X, Y>(&dx, &dy, &mut psi);
        }
    }
    psi
}

/// The entry. `at_x` and `at_y` read the rows of the profile's parameters and plain channels.
#[inline(always)]
pub(crate) fn value<N: Number, const D: usize, const G: usize, const E: bool, const X: Level, const Y: Level>(
    ctx: N::Context,
    layout: &Layout,
    x: &Side<N, D, G>,
    y: &Side<N, D, G>,
    at_x: impl Fn(usize) -> N,
    at_y: impl Fn(usize) -> N,
) -> N {
    let psi = psi::<N, D, G, E, X, Y>(ctx, layout, x, y, &at_x, at_y);
    if E {
        return psi.scale * psi.exponent.exp() * psi.bracket::<G, X, Y>(x, y);
    }
    let outer = profile::evaluate(ctx, layout.profile, psi.exponent, at_x(layout.simple(0)));
    psi.scale * profile::Terms::new::<D, G, X, Y>(ctx, &psi, x, y).value::<X, Y>(&outer.g)
}

/// Where the gradient of an entry goes: rows counted from the head of the layout for `y`, from the first plain channel for `x`.
pub(crate) trait Gradients<N> {
    /// A row of `y`, amplitude or Gibbs.
    fn fixed_y(&mut self, row: usize, g: N);
    /// A row of `y`, parameters and plain channels, counted from the first of them.
    fn simple_y(&mut self, row: usize, g: N);
    /// The same of `x`.
    fn simple_x(&mut self, row: usize, g: N);
}

/// Gradient of `g` times the entry; the fixed part of `x` is added to `sum`.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub(crate) fn adjoint<N: Number, const D: usize, const G: usize, const E: bool, const X: Level, const Y: Level>(
    ctx: N::Context,
    layout: &Layout,
    x: &Side<N, D, G>,
    y: &Side<N, D, G>,
    at_x: impl Fn(usize) -> N,
    at_y: impl Fn(usize) -> N,
    g: N,
    sum: &mut SideGrad<N, D, G>,
    out: &mut impl Gradients<N>,
) {
    let zero = N::splat(ctx, 0.0);
    let (parameters, product) = (layout.profile.parameters(), is_product(layout.profile));
    let first = layout.simple(0);
    let psi = psi::<N, D, G, E, X, Y>(ctx, layout, x, y, &at_x, &at_y);
    // Adjoints of ψ and its derivatives, and the gradients by log-amplitude and by the profile's parameter.
    let (bar, e, by_shape) = if E {
        let t = g * psi.scale * psi.exponent.exp();
        let e = t * psi.bracket::<G, X, Y>(x, y);
        (psi.adjoint::<G, X, Y>(ctx, x, y, t, e), e, zero)
    } else {
        let shape = at_x(first);
        let outer = profile::evaluate(ctx, layout.profile, psi.exponent, shape);
        let terms = profile::Terms::new::<D, G, X, Y>(ctx, &psi, x, y);
        let t = g * psi.scale;
        let by_shape = if parameters > 0 {
            t * terms.value::<X, Y>(&profile::by_shape(ctx, &outer, psi.exponent, shape))
        } else {
            zero
        };
        (terms.adjoint::<D, G, X, Y>(ctx, &psi, &outer.g, x, y, t), t * terms.value::<X, Y>(&outer.g), by_shape)
    };
    let mut grad = SideGrad::<N, D, G>::zero(ctx);
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
        gibbs::adjoint::<N, D, G, X, Y>(ctx, x, y, &bar, sum, &mut grad);
    }
    each_gradient::<N, D, G, Y>(layout, &grad, |row, l| out.fixed_y(row, l));
    if parameters > 0 {
        out.simple_x(0, by_shape);
    }
    for k in parameters..layout.simple {
        let base = layout.simple(k);
        let dx = Simple::read::<X>(ctx, |i| at_x(base + i));
        let dy = Simple::read::<Y>(ctx, |i| at_y(base + i));
        let (hx, hy) = if !E && product {
            channel::product_adjoint::<N, D, X, Y>(ctx, &dx, &dy, &bar)
        } else {
            channel::distance_adjoint::<N, D, X, Y>(ctx, &dx, &dy, &bar)
        };
        each_simple_gradient::<N, D, Y>(base - first, &hy, |row, l| out.simple_y(row, l));
        each_simple_gradient::<N, D, X>(base - first, &hx, |row, l| out.simple_x(row, l));
    }
}
