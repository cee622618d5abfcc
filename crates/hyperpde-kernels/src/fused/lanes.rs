//! SIMD lanes that read like numbers.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use pulp::{Simd, bytemuck};

use super::number::Number;

/// One float64 vector register, with the arithmetic operators.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<S: Simd> {
    simd: S,
    v: S::f64s,
}

impl<S: Simd> Lanes<S> {
    #[inline(always)]
    pub fn new(simd: S, v: S::f64s) -> Self {
        Self { simd, v }
    }

    #[inline(always)]
    pub fn splat(simd: S, x: f64) -> Self {
        Self { simd, v: simd.splat_f64s(x) }
    }

    #[inline(always)]
    pub fn vector(self) -> S::f64s {
        self.v
    }

    /// `self · b + c` in one rounding where the machine can.
    #[inline(always)]
    pub fn mul_add(self, b: Self, c: Self) -> Self {
        Self { simd: self.simd, v: self.simd.mul_add_e_f64s(self.v, b.v, c.v) }
    }

    #[inline(always)]
    pub fn times(self, x: f64) -> Self {
        self * Self::splat(self.simd, x)
    }

    #[inline(always)]
    pub fn recip(self) -> Self {
        Self { simd: self.simd, v: self.simd.div_f64s(self.simd.splat_f64s(1.0), self.v) }
    }

    #[inline(always)]
    pub fn abs(self) -> Self {
        Self { simd: self.simd, v: self.simd.abs_f64s(self.v) }
    }

    #[inline(always)]
    pub fn max(self, o: Self) -> Self {
        Self { simd: self.simd, v: self.simd.max_f64s(self.v, o.v) }
    }

    #[inline(always)]
    pub fn sqrt(self) -> Self {
        Self { simd: self.simd, v: self.simd.sqrt_f64s(self.v) }
    }

    #[inline(always)]
    pub fn sum(self) -> f64 {
        self.simd.reduce_sum_f64s(self.v)
    }

    /// `f` lane by lane: for functions without a vector form here.
    #[inline(always)]
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let mut v = self.v;
        for lane in bytemuck::cast_slice_mut::<S::f64s, f64>(std::slice::from_mut(&mut v)) {
            *lane = f(*lane);
        }
        Self { simd: self.simd, v }
    }

    /// `e^x` to about one unit in the last place; arguments below −708 give (nearly) zero, above 709 saturate.
    #[inline(always)]
    pub fn exp(self) -> Self {
        let e = self.reduce();
        e.odd.mul_add(e.r, e.even.mul_add(e.r * e.r, Self::splat(self.simd, 1.0))) * e.power
    }

    /// `e^x − 1`, relatively accurate near zero too; the range of [`Lanes::exp`].
    #[inline(always)]
    pub fn exp_m1(self) -> Self {
        let e = self.reduce();
        let rest = e.odd.mul_add(e.r, e.even * (e.r * e.r));
        e.power.mul_add(rest, e.power - Self::splat(self.simd, 1.0))
    }

    /// `tanh x = m/(m + 2)`, `m = e^{2x} − 1`.
    #[inline(always)]
    pub fn tanh(self) -> Self {
        let m = (self + self).exp_m1();
        m * (m + Self::splat(self.simd, 2.0)).recip()
    }

    /// `ln(1 + x)` for finite `x ≥ 0`, to a few units in the last place.
    ///
    /// With `1 + x = 2^k m`, `√½ ≤ m < √2`, and `s = (m − 1)/(m + 1)`: `ln m = 2 Σ_j s^{2j+1}/(2j + 1)`; the rounding of `1 + x` is put right to
    /// first order.
    #[inline(always)]
    pub fn ln_1p(self) -> Self {
        let c = |x| Self::splat(self.simd, x);
        let u = self + c(1.0);
        let lost = (self - (u - c(1.0))) * u.recip();
        let (mut k, mut m) = (u.v, u.v);
        for (k, m) in bytemuck::cast_slice_mut::<S::f64s, f64>(std::slice::from_mut(&mut k))
            .iter_mut()
            .zip(bytemuck::cast_slice_mut::<S::f64s, f64>(std::slice::from_mut(&mut m)))
        {
            // Adding the bits of 1 − √½ carries into the exponent exactly for m ≥ √2.
            let bits = m.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - std::f64::consts::FRAC_1_SQRT_2.to_bits());
            let exponent = (bits >> 52) as i64 - 1023;
            *k = exponent as f64;
            *m = f64::from_bits(m.to_bits().wrapping_sub((exponent as u64) << 52));
        }
        let (k, m) = (Self::new(self.simd, k), Self::new(self.simd, m));
        let s = (m - c(1.0)) * (m + c(1.0)).recip();
        let s2 = s * s;
        let mut sum = c(1.0 / 21.0);
        for j in (1..10).rev() {
            sum = sum.mul_add(s2, c(1.0 / (2 * j + 1) as f64));
        }
        let tail = (s * s2 * sum).times(2.0) + lost;
        k.mul_add(c(LN2_HIGH), s.times(2.0) + k.mul_add(c(LN2_LOW), tail))
    }

    /// Cody-Waite reduction `x = k ln 2 + r`, `|r| ≤ ln(2)/2`, a polynomial of degree 13 in `r`, and `2^k` through the exponent bits.
    #[inline(always)]
    fn reduce(self) -> Exponential<S> {
        const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 · 2^52: adding it leaves round(x) in the low bits
        let s = self.simd;
        let c = |x| Self::splat(s, x);
        let x = Self { simd: s, v: s.max_f64s(s.splat_f64s(-708.0), s.min_f64s(s.splat_f64s(709.0), self.v)) };
        let shifted = x.mul_add(c(std::f64::consts::LOG2_E), c(MAGIC));
        let k = shifted - c(MAGIC);
        let r = k.mul_add(c(-LN2_LOW), k.mul_add(c(-LN2_HIGH), x));
        // Σ r^j/j!, j ≤ 13, in two interleaved Horner chains (even and odd powers) for instruction-level parallelism.
        let r2 = r * r;
        let even = [1.0 / 479_001_600.0, 1.0 / 3_628_800.0, 1.0 / 40_320.0, 1.0 / 720.0, 1.0 / 24.0, 0.5];
        let odd = [1.0 / 6_227_020_800.0, 1.0 / 39_916_800.0, 1.0 / 362_880.0, 1.0 / 5_040.0, 1.0 / 120.0, 1.0 / 6.0];
        let (mut p, mut q) = (c(even[0]), c(odd[0]));
        for j in 1..6 {
            p = p.mul_add(r2, c(even[j]));
            q = q.mul_add(r2, c(odd[j]));
        }
        let mut bits = s.transmute_u64s_f64s(shifted.v);
        for lane in bytemuck::cast_slice_mut::<S::u64s, u64>(std::slice::from_mut(&mut bits)) {
            *lane = lane.wrapping_add(1023) << 52;
        }
        let power = Self { simd: s, v: s.transmute_f64s_u64s(bits) };
        Exponential { r, even: p, odd: q.mul_add(r2, c(1.0)), power }
    }
}

const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `e^x = power · (1 + even · r² + odd · r)`.
struct Exponential<S: Simd> {
    r: Lanes<S>,
    even: Lanes<S>,
    odd: Lanes<S>,
    power: Lanes<S>,
}

impl<S: Simd> Add for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Self { simd: self.simd, v: self.simd.add_f64s(self.v, o.v) }
    }
}

impl<S: Simd> AddAssign for Lanes<S> {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}

impl<S: Simd> Sub for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Self { simd: self.simd, v: self.simd.sub_f64s(self.v, o.v) }
    }
}

impl<S: Simd> Mul for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Self { simd: self.simd, v: self.simd.mul_f64s(self.v, o.v) }
    }
}

impl<S: Simd> Neg for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { simd: self.simd, v: self.simd.neg_f64s(self.v) }
    }
}

impl<S: Simd> Number for Lanes<S> {
    type Context = S;

    #[inline(always)]
    fn splat(simd: S, x: f64) -> Self {
        Self::splat(simd, x)
    }

    #[inline(always)]
    fn times(self, x: f64) -> Self {
        self.times(x)
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self.mul_add(b, c)
    }

    #[inline(always)]
    fn recip(self) -> Self {
        self.recip()
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn exp(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.ln_1p()
    }
}
