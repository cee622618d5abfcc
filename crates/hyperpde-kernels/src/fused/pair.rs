//! One pair of functionals: `ℓ^x ℓ'^y e^ψ` and its adjoint, in closed form.
//!
//! `ℓ = c + Σ_i (b_i ∂_i + a_i ∂_ii)` at `x`, `ℓ'` likewise at `y`. With `D = Σ_i b_i ∂_i + a_i ∂_ii` (and `D'` at `y`)
//! everything needed of `ψ` is
//!
//! ```text
//! ψ_i = ∂_{x_i}ψ    P = Dψ     P_j = ∂_{y_j} P      M_ij = ∂_{x_i}∂_{y_j}ψ
//! ψ'_j = ∂_{y_j}ψ   P' = D'ψ   P'_i = ∂_{x_i} P'    R = D D'ψ
//! G = c + P + Σ a_i ψ_i²       H = c' + P' + Σ a'_j ψ'_j²
//! ℓ ℓ' e^ψ = e^ψ [ G H + R + 2 Σ a'_j ψ'_j P_j + 2 Σ a_i ψ_i P'_i + Σ a_i a'_j M_ij (2 M_ij + 4 ψ_i ψ'_j) ]
//! ```
//!
//! (differentiate `e^ψ` twice in each argument and collect; [`super::profile`] has the same for another outer function). The parts of `ψ` add up, so each channel of a
//! [`crate::PairForm`] adds its share to these numbers. For a Gibbs channel `h(S, r) = −κ/2 ln S − Σ r_i²/S` the
//! chain rule needs only `h_m = ∂_S^m h` and `w_m = ∂_S^m (−2/S)`, with `∂_S^m ∂_{r_i} h = r_i w_m`.

use super::number::Number;

/// Which derivatives a side's functionals take: zero for values only, else [`FULL`] and a bit per coordinate with a second derivative.
pub(crate) type Level = u8;

/// Bit of a [`Level`] whose functionals take derivatives at all.
pub(crate) const FULL: Level = 0x80;

#[inline(always)]
pub(crate) const fn full(level: Level) -> bool {
    level & FULL != 0
}

#[inline(always)]
pub(crate) const fn second(level: Level, i: usize) -> bool {
    level >> i & 1 == 1
}

/// Whether coordinate `i` belongs to Gibbs channel `c` of `G`.
#[inline(always)]
pub(crate) const fn in_group<const G: usize>(c: usize, i: usize) -> bool {
    G == 1 || c == i
}

/// A Gibbs channel at one side: `A`, `p = DA`, `q = Σ a_i A_i²`, `t_i = a_i A_i`, `g_i = A_i`.
#[derive(Clone, Copy)]
pub(crate) struct Channel<N: Number, const D: usize> {
    pub value: N,
    pub p: N,
    pub q: N,
    pub t: [N; D],
    pub g: [N; D],
}

/// One side of a pair: the functional's coefficients, the coordinates, and the features contracted with the coefficients.
#[derive(Clone, Copy)]
pub(crate) struct Side<N: Number, const D: usize, const G: usize> {
    pub c: N,
    pub a: [N; D],
    pub b: [N; D],
    pub x: [N; D],
    /// `e^{a(x)}` of the amplitude channel.
    pub amplitude: N,
    /// `D a(x)` of the amplitude channel, and its gradient.
    pub da: N,
    pub ga: [N; D],
    pub gibbs: [Channel<N, D>; G],
}

/// Gradients with respect to one side's features; `amplitude` is the one with respect to `a(x)` itself.
#[derive(Clone, Copy)]
pub(crate) struct SideGrad<N: Number, const D: usize, const G: usize> {
    pub amplitude: N,
    pub da: N,
    pub ga: [N; D],
    pub gibbs: [Channel<N, D>; G],
}

impl<N: Number, const D: usize, const G: usize> SideGrad<N, D, G> {
    #[inline(always)]
    pub fn zero(ctx: N::Context) -> Self {
        let z = N::splat(ctx, 0.0);
        let channel = Channel { value: z, p: z, q: z, t: [z; D], g: [z; D] };
        Self { amplitude: z, da: z, ga: [z; D], gibbs: [channel; G] }
    }
}

/// The numbers that the closed form needs of `ψ` (see the module documentation), or their adjoints.
#[derive(Clone, Copy)]
pub(crate) struct Psi<N: Number, const D: usize> {
    /// Multiplicative part of `e^ψ`, and the exponent of the rest.
    pub scale: N,
    pub exponent: N,
    pub x: [N; D],
    pub y: [N; D],
    pub p: N,
    pub pp: N,
    pub r: N,
    pub py: [N; D],
    pub px: [N; D],
    pub m: [[N; D]; D],
}

impl<N: Number, const D: usize> Psi<N, D> {
    #[inline(always)]
    pub fn zero(ctx: N::Context) -> Self {
        let z = N::splat(ctx, 0.0);
        Self { scale: z, exponent: z, x: [z; D], y: [z; D], p: z, pp: z, r: z, py: [z; D], px: [z; D], m: [[z; D]; D] }
    }

    /// The amplitude channel: `ψ = a(x) + a(y)`.
    #[inline(always)]
    pub fn start<const G: usize, const X: Level, const Y: Level>(
        ctx: N::Context,
        x: &Side<N, D, G>,
        y: &Side<N, D, G>,
    ) -> Self {
        let mut psi = Self::zero(ctx);
        psi.scale = x.amplitude * y.amplitude;
        if full(X) {
            psi.p = x.da;
        }
        if full(Y) {
            psi.pp = y.da;
        }
        for i in 0..D {
            if second(X, i) {
                psi.x[i] = x.ga[i];
            }
            if second(Y, i) {
                psi.y[i] = y.ga[i];
            }
        }
        psi
    }

    /// The bracket of the closed form.
    #[inline(always)]
    pub fn bracket<const G: usize, const X: Level, const Y: Level>(&self, x: &Side<N, D, G>, y: &Side<N, D, G>) -> N {
        let (g, h) = self.factors::<G, X, Y>(x, y);
        let mut sum = g * h;
        if full(X) && full(Y) {
            sum += self.r;
        }
        for i in 0..D {
            if second(Y, i) && full(X) {
                sum = (y.a[i] * self.y[i]).times(2.0).mul_add(self.py[i], sum);
            }
            if second(X, i) && full(Y) {
                sum = (x.a[i] * self.x[i]).times(2.0).mul_add(self.px[i], sum);
            }
            for j in 0..D {
                if second(X, i) && second(Y, j) {
                    let inner = self.m[i][j].times(2.0) + (self.x[i] * self.y[j]).times(4.0);
                    sum = (x.a[i] * y.a[j] * self.m[i][j]).mul_add(inner, sum);
                }
            }
        }
        sum
    }

    #[inline(always)]
    fn factors<const G: usize, const X: Level, const Y: Level>(&self, x: &Side<N, D, G>, y: &Side<N, D, G>) -> (N, N) {
        let (mut g, mut h) = (x.c, y.c);
        if full(X) {
            g += self.p;
        }
        if full(Y) {
            h += self.pp;
        }
        for i in 0..D {
            if second(X, i) {
                g = (x.a[i] * self.x[i]).mul_add(self.x[i], g);
            }
            if second(Y, i) {
                h = (y.a[i] * self.y[i]).mul_add(self.y[i], h);
            }
        }
        (g, h)
    }

    /// Adjoints of all numbers, for the cotangent `t` of the bracket and `e` of `ψ` itself (kept in `exponent`).
    #[inline(always)]
    pub fn adjoint<const G: usize, const X: Level, const Y: Level>(
        &self,
        ctx: N::Context,
        x: &Side<N, D, G>,
        y: &Side<N, D, G>,
        t: N,
        e: N,
    ) -> Self {
        let (g, h) = self.factors::<G, X, Y>(x, y);
        let mut bar = Self::zero(ctx);
        bar.exponent = e;
        bar.p = t * h;
        bar.pp = t * g;
        bar.r = t;
        for i in 0..D {
            if second(X, i) {
                let mut inner = self.x[i] * h;
                if full(Y) {
                    inner += self.px[i];
                    bar.px[i] = (t * x.a[i] * self.x[i]).times(2.0);
                }
                bar.x[i] = (t * x.a[i]).times(2.0) * inner;
            }
            if second(Y, i) {
                let mut inner = self.y[i] * g;
                if full(X) {
                    inner += self.py[i];
                    bar.py[i] = (t * y.a[i] * self.y[i]).times(2.0);
                }
                bar.y[i] = (t * y.a[i]).times(2.0) * inner;
            }
        }
        for i in 0..D {
            for j in 0..D {
                if second(X, i) && second(Y, j) {
                    let taa = (t * x.a[i] * y.a[j]).times(4.0);
                    bar.x[i] = (taa * self.m[i][j]).mul_add(self.y[j], bar.x[i]);
                    bar.y[j] = (taa * self.m[i][j]).mul_add(self.x[i], bar.y[j]);
                    bar.m[i][j] = taa * self.x[i].mul_add(self.y[j], self.m[i][j]);
                }
            }
        }
        bar
    }
}
