//! Shares of the plain channels in `ψ`, and their adjoints (notation of [`super::pair`]).
//!
//! With `p = Dφ`, `q = Σ a_i φ_i²`, `g_i = φ_i`, every term is bilinear. A distance channel has `h = −r²/2`, `r = φ(x) − φ(y)`:
//!
//! ```text
//! P = −r p − q    P' = r p' − q'    R = p p'    ψ_i = −r g_i    ψ'_j = r g'_j    P_j = g'_j p    P'_i = g_i p'    M_ij = g_i g'_j
//! ```
//!
//! A product channel has `h = φ(x) φ(y)`:
//!
//! ```text
//! P = φ' p        P' = φ p'         R = p p'    ψ_i = φ' g_i    ψ'_j = φ g'_j    P_j = g'_j p    P'_i = g_i p'    M_ij = g_i g'_j
//! ```
//!
//! The number of channels is known at run time only, so both sides are read channel by channel.

use super::number::Number;
use super::pair::{Level, Psi, full, second};

/// One channel at one side.
#[derive(Clone, Copy)]
pub(crate) struct Simple<N: Number, const D: usize> {
    pub value: N,
    pub p: N,
    pub q: N,
    pub g: [N; D],
}

impl<N: Number, const D: usize> Simple<N, D> {
    /// Reads a channel through `at`, which maps the position in the channel to lanes.
    #[inline(always)]
    pub fn read<const L: Level>(ctx: N::Context, at: impl Fn(usize) -> N) -> Self {
        let zero = N::splat(ctx, 0.0);
        let mut out = Self { value: at(0), p: zero, q: zero, g: [zero; D] };
        if full(L) {
            out.p = at(1);
            out.q = at(2);
            for i in 0..D {
                if second(L, i) {
                    out.g[i] = at(3 + i);
                }
            }
        }
        out
    }
}

/// Adds a distance channel to `psi`.
#[inline(always)]
pub(crate) fn distance<N: Number, const D: usize, const X: Level, const Y: Level>(
    x: &Simple<N, D>,
    y: &Simple<N, D>,
    psi: &mut Psi<N, D>,
) {
    let r = x.value - y.value;
    psi.exponent = (r * r).times(-0.5) + psi.exponent;
    if full(X) {
        psi.p = psi.p - r.mul_add(x.p, x.q);
    }
    if full(Y) {
        psi.pp += r * y.p - y.q;
    }
    if full(X) && full(Y) {
        psi.r = x.p.mul_add(y.p, psi.r);
    }
    for i in 0..D {
        if second(X, i) {
            psi.x[i] = psi.x[i] - r * x.g[i];
            if full(Y) {
                psi.px[i] = x.g[i].mul_add(y.p, psi.px[i]);
            }
        }
        if second(Y, i) {
            psi.y[i] = r.mul_add(y.g[i], psi.y[i]);
            if full(X) {
                psi.py[i] = y.g[i].mul_add(x.p, psi.py[i]);
            }
        }
        for j in 0..D {
            if second(X, i) && second(Y, j) {
                psi.m[i][j] = x.g[i].mul_add(y.g[j], psi.m[i][j]);
            }
        }
    }
}

/// Gradients `(x, y)` of a distance channel for the adjoints `bar` of `psi`.
#[inline(always)]
pub(crate) fn distance_adjoint<N: Number, const D: usize, const X: Level, const Y: Level>(
    ctx: N::Context,
    x: &Simple<N, D>,
    y: &Simple<N, D>,
    bar: &Psi<N, D>,
) -> (Simple<N, D>, Simple<N, D>) {
    let zero = N::splat(ctx, 0.0);
    let r = x.value - y.value;
    let mut gx = Simple { value: zero, p: zero, q: zero, g: [zero; D] };
    let mut gy = gx;
    let mut gr = -(bar.exponent * r);
    if full(X) {
        gr = gr - bar.p * x.p;
        gx.p = -(bar.p * r);
        gx.q = -bar.p;
    }
    if full(Y) {
        gr = bar.pp.mul_add(y.p, gr);
        gy.p = bar.pp * r;
        gy.q = -bar.pp;
    }
    if full(X) && full(Y) {
        gx.p = bar.r.mul_add(y.p, gx.p);
        gy.p = bar.r.mul_add(x.p, gy.p);
    }
    for i in 0..D {
        if second(X, i) {
            gr = gr - bar.x[i] * x.g[i];
            gx.g[i] = gx.g[i] - bar.x[i] * r;
            if full(Y) {
                gx.g[i] = bar.px[i].mul_add(y.p, gx.g[i]);
                gy.p = bar.px[i].mul_add(x.g[i], gy.p);
            }
        }
        if second(Y, i) {
            gr = bar.y[i].mul_add(y.g[i], gr);
            gy.g[i] = bar.y[i].mul_add(r, gy.g[i]);
            if full(X) {
                gy.g[i] = bar.py[i].mul_add(x.p, gy.g[i]);
                gx.p = bar.py[i].mul_add(y.g[i], gx.p);
            }
        }
        for j in 0..D {
            if second(X, i) && second(Y, j) {
                gx.g[i] = bar.m[i][j].mul_add(y.g[j], gx.g[i]);
                gy.g[j] = bar.m[i][j].mul_add(x.g[i], gy.g[j]);
            }
        }
    }
    gx.value = gr;
    gy.value = -gr;
    (gx, gy)
}

/// Adds a product channel to `psi`.
#[inline(always)]
pub(crate) fn product<N: Number, const D: usize, const X: Level, const Y: Level>(
    x: &Simple<N, D>,
    y: &Simple<N, D>,
    psi: &mut Psi<N, D>,
) {
    psi.exponent = x.value.mul_add(y.value, psi.exponent);
    if full(X) {
        psi.p = x.p.mul_add(y.value, psi.p);
    }
    if full(Y) {
        psi.pp = x.value.mul_add(y.p, psi.pp);
    }
    if full(X) && full(Y) {
        psi.r = x.p.mul_add(y.p, psi.r);
    }
    for i in 0..D {
        if second(X, i) {
            psi.x[i] = x.g[i].mul_add(y.value, psi.x[i]);
            if full(Y) {
                psi.px[i] = x.g[i].mul_add(y.p, psi.px[i]);
            }
        }
        if second(Y, i) {
            psi.y[i] = x.value.mul_add(y.g[i], psi.y[i]);
            if full(X) {
                psi.py[i] = y.g[i].mul_add(x.p, psi.py[i]);
            }
        }
        for j in 0..D {
            if second(X, i) && second(Y, j) {
                psi.m[i][j] = x.g[i].mul_add(y.g[j], psi.m[i][j]);
            }
        }
    }
}

/// Gradients `(x, y)` of a product channel for the adjoints `bar` of `psi`.
#[inline(always)]
pub(crate) fn product_adjoint<N: Number, const D: usize, const X: Level, const Y: Level>(
    ctx: N::Context,
    x: &Simple<N, D>,
    y: &Simple<N, D>,
    bar: &Psi<N, D>,
) -> (Simple<N, D>, Simple<N, D>) {
    let zero = N::splat(ctx, 0.0);
    let mut gx = Simple { value: bar.exponent * y.value, p: zero, q: zero, g: [zero; D] };
    let mut gy = Simple { value: bar.exponent * x.value, p: zero, q: zero, g: [zero; D] };
    if full(X) {
        gx.p = bar.p * y.value;
        gy.value = bar.p.mul_add(x.p, gy.value);
    }
    if full(Y) {
        gy.p = bar.pp * x.value;
        gx.value = bar.pp.mul_add(y.p, gx.value);
    }
    if full(X) && full(Y) {
        gx.p = bar.r.mul_add(y.p, gx.p);
        gy.p = bar.r.mul_add(x.p, gy.p);
    }
    for i in 0..D {
        if second(X, i) {
            gx.g[i] = bar.x[i].mul_add(y.value, gx.g[i]);
            gy.value = bar.x[i].mul_add(x.g[i], gy.value);
            if full(Y) {
                gx.g[i] = bar.px[i].mul_add(y.p, gx.g[i]);
                gy.p = bar.px[i].mul_add(x.g[i], gy.p);
            }
        }
        if second(Y, i) {
            gy.g[i] = bar.y[i].mul_add(x.value, gy.g[i]);
            gx.value = bar.y[i].mul_add(y.g[i], gx.value);
            if full(X) {
                gy.g[i] = bar.py[i].mul_add(x.p, gy.g[i]);
                gx.p = bar.py[i].mul_add(y.g[i], gx.p);
            }
        }
        for j in 0..D {
            if second(X, i) && second(Y, j) {
                gx.g[i] = bar.m[i][j].mul_add(y.g[j], gx.g[i]);
                gy.g[j] = bar.m[i][j].mul_add(x.g[i], gy.g[j]);
            }
        }
    }
    (gx, gy)
}
