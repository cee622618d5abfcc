//! A Gibbs channel's share of `ψ` and its adjoint (notation of [`super::pair`]).
//!
//! `h_m = ∂_S^m h` and `w_m = ∂_S^m(−2/S)`, so `∂_S^m ∂_{r_i} h = r_i w_m` and `∂_S^m ∂_{r_i}∂_{r_j} h = δ_ij w_m`. With `D'` applied
//! in `y` (where `r` changes sign) and `m` further derivatives by `S`:
//!
//! ```text
//! Y_m   = p' h_{m+1} + q' h_{m+2} + w_m Σ(a'_i − b'_i r_i) − 2 w_{m+1} Σ t'_i r_i
//! Z_m   = p' w_{m+1} + q' w_{m+2}                        (two derivatives by r_i)
//! Y_m,i = r_i Z_m − b'_i w_m − 2 t'_i w_{m+1}            (one derivative by r_i)
//! ```
//!
//! and the same at `x` with the signs of `b` and `t` turned.

use super::number::Number;
use super::pair::{Channel, Level, Psi, Side, SideGrad, full, in_group, second};

/// `h_m` and `w_m`, and the differences `r`.
struct Table<N: Number, const D: usize> {
    h: [N; 6],
    w: [N; 5],
    r: [N; D],
}

/// `Y_m`, `Z_m`, `Y_{m,i}` of one side, for `m` up to 3, 2 and 2.
struct Applied<N: Number, const D: usize> {
    v: [N; 4],
    z: [N; 3],
    i: [[N; D]; 3],
}

/// `sign` is −1 for `y`, +1 for `x`; `top` is 2 for values, 3 with adjoints.
#[inline(always)]
fn apply<N: Number, const D: usize, const G: usize, const L: Level>(
    ctx: N::Context,
    table: &Table<N, D>,
    side: &Side<N, D, G>,
    c: usize,
    sign: f64,
    top: usize,
) -> Applied<N, D> {
    let zero = N::splat(ctx, 0.0);
    let ch = &side.gibbs[c];
    let (mut first, mut cross) = (zero, zero);
    for i in 0..D {
        if in_group::<G>(c, i) {
            first = (side.b[i].times(sign)).mul_add(table.r[i], first);
            if second(L, i) {
                first += side.a[i];
                cross = ch.t[i].times(2.0 * sign).mul_add(table.r[i], cross);
            }
        }
    }
    let mut out = Applied { v: [zero; 4], z: [zero; 3], i: [[zero; D]; 3] };
    for m in 0..=top {
        let mut sum = ch.p * table.h[m + 1] + first * table.w[m];
        if m + 2 < 6 {
            sum = ch.q.mul_add(table.h[m + 2], sum);
        }
        out.v[m] = cross.mul_add(table.w[m + 1], sum);
    }
    for m in 0..top {
        out.z[m] = ch.p * table.w[m + 1] + ch.q * table.w[m + 2];
        for i in 0..D {
            if in_group::<G>(c, i) {
                let mut sum = table.r[i].mul_add(out.z[m], (side.b[i].times(sign)) * table.w[m]);
                if second(L, i) {
                    sum = ch.t[i].times(2.0 * sign).mul_add(table.w[m + 1], sum);
                }
                out.i[m][i] = sum;
            }
        }
    }
    out
}

#[inline(always)]
fn table<N: Number, const D: usize, const G: usize>(
    ctx: N::Context,
    x: &Side<N, D, G>,
    y: &Side<N, D, G>,
    c: usize,
) -> (Table<N, D>, N, N) {
    let u = (x.gibbs[c].value + y.gibbs[c].value).recip();
    let mut r = [N::splat(ctx, 0.0); D];
    let mut rho = N::splat(ctx, 0.0);
    let mut kappa = 0.0;
    // Indices throughout, as in the other loops over coordinates.
    #[allow(clippy::needless_range_loop)]
    for i in 0..D {
        if in_group::<G>(c, i) {
            r[i] = x.x[i] - y.x[i];
            rho = r[i].mul_add(r[i], rho);
            kappa += 1.0;
        }
    }
    let q = rho * u;
    let k = |v| N::splat(ctx, v);
    let (u2, u3, u4, u5) = (u * u, u * u * u, (u * u) * (u * u), (u * u) * (u * u) * u);
    let h = [
        -q,
        u * (q - k(0.5 * kappa)),
        u2 * q.mul_add(k(-2.0), k(0.5 * kappa)),
        u3 * q.mul_add(k(6.0), k(-kappa)),
        u4 * q.mul_add(k(-24.0), k(3.0 * kappa)),
        u5 * q.mul_add(k(120.0), k(-12.0 * kappa)),
    ];
    let w = [u.times(-2.0), u2.times(2.0), u3.times(-4.0), u4.times(12.0), u5.times(-48.0)];
    (Table { h, w, r }, u, q)
}

/// Adds all Gibbs channels to `psi`.
#[inline(always)]
pub(crate) fn forward<N: Number, const D: usize, const G: usize, const X: Level, const Y: Level>(
    ctx: N::Context,
    x: &Side<N, D, G>,
    y: &Side<N, D, G>,
    psi: &mut Psi<N, D>,
) {
    let mut root = N::splat(ctx, 1.0);
    for c in 0..G {
        let (tab, u, q) = table::<N, D, G>(ctx, x, y, c);
        psi.exponent = psi.exponent - q;
        // Π_c u^{κ/2}: one root for all channels.
        for i in 0..D {
            if in_group::<G>(c, i) {
                root = root * u;
            }
        }
        let (cx, cy) = (&x.gibbs[c], &y.gibbs[c]);
        if full(X) {
            let ax = apply::<N, D, G, X>(ctx, &tab, x, c, 1.0, 2);
            psi.p += ax.v[0];
            for j in 0..D {
                if second(Y, j) {
                    psi.py[j] = cy.g[j].mul_add(ax.v[1], psi.py[j]);
                    if in_group::<G>(c, j) {
                        psi.py[j] = psi.py[j] - ax.i[0][j];
                    }
                }
            }
        }
        if full(Y) {
            let ay = apply::<N, D, G, Y>(ctx, &tab, y, c, -1.0, 2);
            psi.pp += ay.v[0];
            for i in 0..D {
                if second(X, i) {
                    psi.px[i] = cx.g[i].mul_add(ay.v[1], psi.px[i]);
                    if in_group::<G>(c, i) {
                        psi.px[i] += ay.i[0][i];
                    }
                }
            }
            if full(X) {
                psi.r = cx.p.mul_add(ay.v[1], cx.q.mul_add(ay.v[2], psi.r));
                for i in 0..D {
                    if in_group::<G>(c, i) {
                        psi.r = x.b[i].mul_add(ay.i[0][i], psi.r);
                        if second(X, i) {
                            psi.r = cx.t[i].times(2.0).mul_add(ay.i[1][i], psi.r);
                            psi.r = x.a[i].mul_add(ay.z[0], psi.r);
                        }
                    }
                }
            }
        }
        for i in 0..D {
            if second(X, i) {
                psi.x[i] = cx.g[i].mul_add(tab.h[1], psi.x[i]);
                if in_group::<G>(c, i) {
                    psi.x[i] = tab.r[i].mul_add(tab.w[0], psi.x[i]);
                }
            }
            if second(Y, i) {
                psi.y[i] = cy.g[i].mul_add(tab.h[1], psi.y[i]);
                if in_group::<G>(c, i) {
                    psi.y[i] = psi.y[i] - tab.r[i] * tab.w[0];
                }
            }
            for j in 0..D {
                if second(X, i) && second(Y, j) {
                    psi.m[i][j] += mixed::<N, D, G>(&tab, c, cx, cy, i, j, 0);
                }
            }
        }
    }
    if G > 0 {
        psi.scale = psi.scale * root.sqrt();
    }
}

/// `∂_S^m M_ij`.
#[inline(always)]
fn mixed<N: Number, const D: usize, const G: usize>(
    tab: &Table<N, D>,
    c: usize,
    cx: &Channel<N, D>,
    cy: &Channel<N, D>,
    i: usize,
    j: usize,
    m: usize,
) -> N {
    let mut sum = cx.g[i] * cy.g[j] * tab.h[m + 2];
    if in_group::<G>(c, i) {
        sum = (cy.g[j] * tab.r[i]).mul_add(tab.w[m + 1], sum);
    }
    if in_group::<G>(c, j) {
        sum = sum - cx.g[i] * tab.r[j] * tab.w[m + 1];
    }
    if i == j && in_group::<G>(c, i) {
        sum = sum - tab.w[m];
    }
    sum
}

/// Adds the gradients of both sides' Gibbs channels for the adjoints `bar` of `psi`.
#[inline(always)]
pub(crate) fn adjoint<N: Number, const D: usize, const G: usize, const X: Level, const Y: Level>(
    ctx: N::Context,
    x: &Side<N, D, G>,
    y: &Side<N, D, G>,
    bar: &Psi<N, D>,
    gx: &mut SideGrad<N, D, G>,
    gy: &mut SideGrad<N, D, G>,
) {
    for c in 0..G {
        let (tab, _, _) = table::<N, D, G>(ctx, x, y, c);
        let (cx, cy) = (&x.gibbs[c], &y.gibbs[c]);
        let (hx, hy) = (&mut gx.gibbs[c], &mut gy.gibbs[c]);
        let ax = apply::<N, D, G, X>(ctx, &tab, x, c, 1.0, 3);
        let ay = apply::<N, D, G, Y>(ctx, &tab, y, c, -1.0, 3);
        let group = |i: usize| in_group::<G>(c, i);
        let mut s = bar.exponent * tab.h[1];
        if full(X) {
            s = bar.p.mul_add(ax.v[1], s);
            hx.p = bar.p.mul_add(tab.h[1], hx.p);
            hx.q = bar.p.mul_add(tab.h[2], hx.q);
        }
        if full(Y) {
            s = bar.pp.mul_add(ay.v[1], s);
            hy.p = bar.pp.mul_add(tab.h[1], hy.p);
            hy.q = bar.pp.mul_add(tab.h[2], hy.q);
        }
        if full(X) && full(Y) {
            let mut rs = cx.p.mul_add(ay.v[2], cx.q * ay.v[3]);
            hx.p = bar.r.mul_add(ay.v[1], hx.p);
            hx.q = bar.r.mul_add(ay.v[2], hx.q);
            hy.p = bar.r.mul_add(ax.v[1], hy.p);
            hy.q = bar.r.mul_add(ax.v[2], hy.q);
            for i in 0..D {
                if group(i) {
                    rs = x.b[i].mul_add(ay.i[1][i], rs);
                    if second(X, i) {
                        rs = cx.t[i].times(2.0).mul_add(ay.i[2][i], x.a[i].mul_add(ay.z[1], rs));
                        hx.t[i] = (bar.r * ay.i[1][i]).times(2.0) + hx.t[i];
                    }
                    if second(Y, i) {
                        hy.t[i] = (bar.r * ax.i[1][i]).times(-2.0) + hy.t[i];
                    }
                }
            }
            s = bar.r.mul_add(rs, s);
        }
        for i in 0..D {
            if second(X, i) {
                let ri = if group(i) { tab.r[i] } else { N::splat(ctx, 0.0) };
                s = bar.x[i].mul_add(cx.g[i].mul_add(tab.h[2], ri * tab.w[1]), s);
                hx.g[i] = bar.x[i].mul_add(tab.h[1], hx.g[i]);
                if group(i) {
                    hx.t[i] = (bar.p * ri * tab.w[1]).times(2.0) + hx.t[i];
                }
                if full(Y) {
                    // P'_i = A_i Y_1 + [i ∈ I] Y_{0,i}
                    let mut ps = cx.g[i] * ay.v[2];
                    if group(i) {
                        ps += ay.i[1][i];
                    }
                    s = bar.px[i].mul_add(ps, s);
                    hx.g[i] = bar.px[i].mul_add(ay.v[1], hx.g[i]);
                    hy.p = bar.px[i].mul_add(cx.g[i].mul_add(tab.h[2], ri * tab.w[1]), hy.p);
                    hy.q = bar.px[i].mul_add(cx.g[i].mul_add(tab.h[3], ri * tab.w[2]), hy.q);
                    for j in 0..D {
                        if group(j) && second(Y, j) {
                            let mut pt = cx.g[i] * tab.r[j] * tab.w[2];
                            if i == j {
                                pt += tab.w[1];
                            }
                            hy.t[j] = (bar.px[i] * pt).times(-2.0) + hy.t[j];
                        }
                    }
                }
            }
            if second(Y, i) {
                let ri = if group(i) { tab.r[i] } else { N::splat(ctx, 0.0) };
                s = bar.y[i].mul_add(cy.g[i] * tab.h[2] - ri * tab.w[1], s);
                hy.g[i] = bar.y[i].mul_add(tab.h[1], hy.g[i]);
                if group(i) {
                    hy.t[i] = (bar.pp * ri * tab.w[1]).times(-2.0) + hy.t[i];
                }
                if full(X) {
                    // P_i = A'_i X_1 − [i ∈ I] X_{0,i}
                    let mut ps = cy.g[i] * ax.v[2];
                    if group(i) {
                        ps = ps - ax.i[1][i];
                    }
                    s = bar.py[i].mul_add(ps, s);
                    hy.g[i] = bar.py[i].mul_add(ax.v[1], hy.g[i]);
                    hx.p = bar.py[i].mul_add(cy.g[i] * tab.h[2] - ri * tab.w[1], hx.p);
                    hx.q = bar.py[i].mul_add(cy.g[i] * tab.h[3] - ri * tab.w[2], hx.q);
                    for j in 0..D {
                        if group(j) && second(X, j) {
                            let mut pt = cy.g[i] * tab.r[j] * tab.w[2];
                            if i == j {
                                pt = pt - tab.w[1];
                            }
                            hx.t[j] = (bar.py[i] * pt).times(2.0) + hx.t[j];
                        }
                    }
                }
            }
            for j in 0..D {
                if second(X, i) && second(Y, j) {
                    let m = bar.m[i][j];
                    s = m.mul_add(mixed::<N, D, G>(&tab, c, cx, cy, i, j, 1), s);
                    let mut by_gx = cy.g[j] * tab.h[2];
                    if group(j) {
                        by_gx = by_gx - tab.r[j] * tab.w[1];
                    }
                    hx.g[i] = m.mul_add(by_gx, hx.g[i]);
                    let mut by_gy = cx.g[i] * tab.h[2];
                    if group(i) {
                        by_gy = tab.r[i].mul_add(tab.w[1], by_gy);
                    }
                    hy.g[j] = m.mul_add(by_gy, hy.g[j]);
                }
            }
        }
        hx.value += s;
        hy.value += s;
    }
}
