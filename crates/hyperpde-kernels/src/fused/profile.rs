//! Outer functions `g(ψ)` other than the exponential, and `ℓ ℓ' g(ψ)` with its adjoint.
//!
//! In the notation of [`super::pair`], with `A = Σ a_i ψ_i²`, `A' = Σ a'_j ψ'_j²` and `g_m = g^(m)(ψ)`,
//!
//! ```text
//! ℓ ℓ' g(ψ) = Σ_m g_m T_m
//! T_0 = c c'
//! T_1 = c P' + c' P + R
//! T_2 = P P' + c A' + c' A + 2 Σ a'_j ψ'_j P_j + 2 Σ a_i ψ_i P'_i + 2 Σ a_i a'_j M_ij²
//! T_3 = P A' + P' A + 4 Σ a_i a'_j ψ_i ψ'_j M_ij
//! T_4 = A A'
//! ```
//!
//! (each derivative either raises the order of `g` or meets a factor that is there already). `∂_ψ g_m = g_{m+1}`, so the adjoint needs
//! `g` up to order five.

use super::number::Number;
use super::pair::{Level, Psi, Side, full, second};
use crate::form::{MATERN_TINY, MaternOrder, Profile};

/// `g_0, …, g_5` at `ψ`.
pub(crate) struct Outer<N: Number> {
    pub g: [N; 6],
    /// `ln u` of the rational quadratic profile, which [`by_shape`] needs again.
    log: N,
}

/// `g` at `ψ`, with the profile's parameter `shape` where it has one.
#[inline(always)]
pub(crate) fn evaluate<N: Number>(ctx: N::Context, profile: Profile, psi: N, shape: N) -> Outer<N> {
    let plain = |g| Outer { g, log: N::splat(ctx, 0.0) };
    match profile {
        Profile::Exponential => plain([psi.exp(); 6]),
        Profile::Matern(order) => plain(matern(ctx, order, psi)),
        Profile::RationalQuadratic => rational_quadratic(ctx, psi, shape),
        Profile::Power(p) => plain(power(ctx, p, psi)),
    }
}

/// `g_m = z^{ν−m} K_{ν−m}(z) / (z^ν K_ν)(0)`, `z² = −2ψ` (see [`crate::Matern`]).
#[inline(always)]
fn matern<N: Number>(ctx: N::Context, order: MaternOrder, psi: N) -> [N; 6] {
    let c = |v| N::splat(ctx, v);
    let top = order.smoothness();
    let square = psi.mul_add(c(-2.0), c(MATERN_TINY));
    let z = square.sqrt();
    let decay = (-z).exp().times(1.0 / order.at_zero());
    // bessel[j]: μ = j + 1/2. No less than three are needed for the negative orders of ν = 5/2.
    let mut bessel = [decay; 5];
    bessel[1] = z.mul_add(decay, decay);
    for j in 1..4 {
        bessel[j + 1] = square.mul_add(bessel[j - 1], bessel[j].times((2 * j + 1) as f64));
    }
    let inverse = z.recip();
    let inverse2 = inverse * inverse;
    let negative = [bessel[0] * inverse, bessel[1] * inverse * inverse2, bessel[2] * inverse * inverse2 * inverse2];
    let mut g = [decay; 6];
    for (m, g) in g.iter_mut().enumerate() {
        *g = if m <= top { bessel[top - m] } else { negative[m - top - 1] };
    }
    g
}

/// `g_m = u^{−α−m} Π_{j<m} (α + j)/α`, `u = 1 − ψ/α`.
#[inline(always)]
fn rational_quadratic<N: Number>(ctx: N::Context, psi: N, shape: N) -> Outer<N> {
    let one = N::splat(ctx, 1.0);
    let per = shape.recip();
    let excess = -(psi * per);
    let log = excess.ln_1p();
    let inverse = (excess + one).recip();
    let mut g = [(-(shape * log)).exp(); 6];
    for m in 0..5 {
        g[m + 1] = g[m] * inverse * per.mul_add(N::splat(ctx, m as f64), one);
    }
    Outer { g, log }
}

/// `∂g_m/∂α` of the rational quadratic profile, for `m` up to 4, from its `g`:
/// `g_m [Σ_{j<m} 1/(α + j) − m/α − ln u + (1 + m/α)(1 − 1/u)]`.
#[inline(always)]
pub(crate) fn by_shape<N: Number>(ctx: N::Context, outer: &Outer<N>, psi: N, shape: N) -> [N; 5] {
    let c = |v| N::splat(ctx, v);
    let per = shape.recip();
    let excess = -(psi * per);
    let rest = excess * (excess + c(1.0)).recip();
    let mut sum = c(0.0);
    // A loop, not `array::from_fn`: its closure would be compiled without the vector instructions.
    let mut out = [c(0.0); 5];
    for (m, out) in out.iter_mut().enumerate() {
        let share = per.times(m as f64);
        *out = outer.g[m] * (sum - share - outer.log + rest * (share + c(1.0)));
        sum += (shape + c(m as f64)).recip();
    }
    out
}

/// `g_m = p!/(p − m)! ψ^{p−m}`.
#[inline(always)]
fn power<N: Number>(ctx: N::Context, p: u8, psi: N) -> [N; 6] {
    let p = usize::from(p);
    let mut g = [N::splat(ctx, 0.0); 6];
    let mut power = N::splat(ctx, 1.0);
    for k in 0..=p {
        let m = p - k;
        if m < 6 {
            g[m] = power.times((k + 1..=p).map(|j| j as f64).product());
        }
        power = power * psi;
    }
    g
}

/// `T_0, …, T_4` and the sums they are made of.
pub(crate) struct Terms<N: Number> {
    t: [N; 5],
    a: N,
    aa: N,
}

impl<N: Number> Terms<N> {
    #[inline(always)]
    pub fn new<const D: usize, const G: usize, const X: Level, const Y: Level>(
        ctx: N::Context,
        psi: &Psi<N, D>,
        x: &Side<N, D, G>,
        y: &Side<N, D, G>,
    ) -> Self {
        let zero = N::splat(ctx, 0.0);
        let (mut a, mut aa) = (zero, zero);
        let mut t = [x.c * y.c, zero, zero, zero, zero];
        for i in 0..D {
            if second(X, i) {
                a = (x.a[i] * psi.x[i]).mul_add(psi.x[i], a);
            }
            if second(Y, i) {
                aa = (y.a[i] * psi.y[i]).mul_add(psi.y[i], aa);
            }
        }
        if full(X) {
            t[1] = y.c.mul_add(psi.p, t[1]);
            t[2] = y.c.mul_add(a, t[2]);
        }
        if full(Y) {
            t[1] = x.c.mul_add(psi.pp, t[1]);
            t[2] = x.c.mul_add(aa, t[2]);
        }
        if full(X) && full(Y) {
            t[1] += psi.r;
            t[2] = psi.p.mul_add(psi.pp, t[2]);
            t[3] = psi.p.mul_add(aa, psi.pp * a);
            t[4] = a * aa;
            for i in 0..D {
                if second(X, i) {
                    t[2] = (x.a[i] * psi.x[i]).times(2.0).mul_add(psi.px[i], t[2]);
                }
                if second(Y, i) {
                    t[2] = (y.a[i] * psi.y[i]).times(2.0).mul_add(psi.py[i], t[2]);
                }
                for j in 0..D {
                    if second(X, i) && second(Y, j) {
                        let m = x.a[i] * y.a[j] * psi.m[i][j];
                        t[2] = m.times(2.0).mul_add(psi.m[i][j], t[2]);
                        t[3] = m.times(4.0).mul_add(psi.x[i] * psi.y[j], t[3]);
                    }
                }
            }
        }
        Self { t, a, aa }
    }

    /// `Σ_m g_m T_m`.
    #[inline(always)]
    pub fn value<const X: Level, const Y: Level>(&self, g: &[N]) -> N {
        let mut sum = g[0] * self.t[0];
        for (g, t) in g[1..].iter().zip(&self.t[1..]).take(top(X, Y)) {
            sum = g.mul_add(*t, sum);
        }
        sum
    }

    /// Adjoints of `ψ` (in `exponent`) and its derivatives, for the cotangent `t` of `Σ_m g_m T_m`.
    #[inline(always)]
    pub fn adjoint<const D: usize, const G: usize, const X: Level, const Y: Level>(
        &self,
        ctx: N::Context,
        psi: &Psi<N, D>,
        g: &[N; 6],
        x: &Side<N, D, G>,
        y: &Side<N, D, G>,
        t: N,
    ) -> Psi<N, D> {
        let mut bar = Psi::zero(ctx);
        bar.exponent = t * self.value::<X, Y>(&g[1..]);
        let [_, g1, g2, g3, g4] = [t * g[0], t * g[1], t * g[2], t * g[3], t * g[4]];
        let (mut by_a, mut by_aa) = (g2 * y.c, g2 * x.c);
        if full(X) {
            bar.p = g1 * y.c;
        }
        if full(Y) {
            bar.pp = g1 * x.c;
        }
        if full(X) && full(Y) {
            bar.p = g2.mul_add(psi.pp, g3.mul_add(self.aa, bar.p));
            bar.pp = g2.mul_add(psi.p, g3.mul_add(self.a, bar.pp));
            bar.r = g1;
            by_a = g3.mul_add(psi.pp, g4.mul_add(self.aa, by_a));
            by_aa = g3.mul_add(psi.p, g4.mul_add(self.a, by_aa));
        }
        for i in 0..D {
            if second(X, i) {
                let mut inner = by_a * psi.x[i];
                if full(Y) {
                    inner = g2.mul_add(psi.px[i], inner);
                    bar.px[i] = (g2 * x.a[i] * psi.x[i]).times(2.0);
                }
                bar.x[i] = x.a[i].times(2.0) * inner;
            }
            if second(Y, i) {
                let mut inner = by_aa * psi.y[i];
                if full(X) {
                    inner = g2.mul_add(psi.py[i], inner);
                    bar.py[i] = (g2 * y.a[i] * psi.y[i]).times(2.0);
                }
                bar.y[i] = y.a[i].times(2.0) * inner;
            }
        }
        for i in 0..D {
            for j in 0..D {
                if second(X, i) && second(Y, j) {
                    let aa = (x.a[i] * y.a[j]).times(4.0);
                    let m = g3 * aa * psi.m[i][j];
                    bar.x[i] = m.mul_add(psi.y[j], bar.x[i]);
                    bar.y[j] = m.mul_add(psi.x[i], bar.y[j]);
                    bar.m[i][j] = aa * g2.mul_add(psi.m[i][j], g3 * psi.x[i] * psi.y[j]);
                }
            }
        }
        bar
    }
}

/// Highest `m` with a `T_m` that is not zero.
#[inline(always)]
const fn top(x: Level, y: Level) -> usize {
    (if full(x) { 2 } else { 0 }) + (if full(y) { 2 } else { 0 })
}
