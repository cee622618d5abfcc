//! Two float32 for one number: about 47 bits where a device has no float64.
//!
//! A number is the unevaluated sum `hi + lo` with `|lo| ≤ ulp(hi)/2`. The sums and products below are error-free transformations
//! (Dekker 1971; Knuth, TAOCP 2, 4.2.2; Hida, Li, Bailey 2001). They are right only if every operation is rounded as written, so
//! intermediate results go through [`hide`], which no compiler can see through: shader compilers otherwise replace `(a + b) − a` by `b`.

use cubecl::prelude::*;

/// `hi + lo`.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Two {
    pub hi: f32,
    pub lo: f32,
}

/// `x`, made opaque: `zero` is 0, but known only when the kernel runs.
#[cube]
fn hide(x: f32, zero: u32) -> f32 {
    f32::reinterpret(u32::reinterpret(x) ^ zero)
}

/// The upper 12 bits of `x`: products of such parts are exact.
#[cube]
fn upper(x: f32) -> f32 {
    f32::reinterpret(u32::reinterpret(x) & 0xffff_f000u32)
}

/// `a + b` exactly, for `|a| ≥ |b|`.
#[cube]
fn quick_sum(a: f32, b: f32, zero: u32) -> Two {
    let s = hide(a + b, zero);
    Two { hi: s, lo: b - (s - a) }
}

/// `a + b` exactly.
#[cube]
fn exact_sum(a: f32, b: f32, zero: u32) -> Two {
    let s = hide(a + b, zero);
    let bb = hide(s - a, zero);
    Two { hi: s, lo: (a - (s - bb)) + (b - bb) }
}

/// `a b` exactly.
#[cube]
fn exact_product(a: f32, b: f32, zero: u32) -> Two {
    let p = hide(a * b, zero);
    let ah = upper(a);
    let bh = upper(b);
    let al = a - ah;
    let bl = b - bh;
    // Hidden where two products share a factor, which compilers take out.
    let first = hide(ah * bh, zero);
    let last = hide(al * bl, zero);
    Two { hi: p, lo: ((first - p) + ah * bl + al * bh) + last }
}

/// `a + b`, to about `2^-46 (|a| + |b|)`.
#[cube]
pub(crate) fn add(ah: f32, al: f32, bh: f32, bl: f32, zero: u32) -> Two {
    let s = exact_sum(ah, bh, zero);
    quick_sum(s.hi, s.lo + (al + bl), zero)
}

/// `a b`, to about `2^-46` relative.
#[cube]
pub(crate) fn mul(ah: f32, al: f32, bh: f32, bl: f32, zero: u32) -> Two {
    let p = exact_product(ah, bh, zero);
    quick_sum(p.hi, p.lo + (ah * bl + al * bh), zero)
}

/// `1/b`: one Newton step from the float32 quotient.
#[cube]
pub(crate) fn recip(bh: f32, bl: f32, zero: u32) -> Two {
    let q = hide(1.0f32 / bh, zero);
    let p = exact_product(q, bh, zero);
    // 1 − q b, small: its leading part is exact.
    let rest = ((1.0f32 - p.hi) - p.lo) - q * bl;
    quick_sum(q, q * rest, zero)
}

/// `√a` for `a > 0`: one Newton step from the float32 root; 0 for 0.
#[cube]
pub(crate) fn sqrt(ah: f32, al: f32, zero: u32) -> Two {
    let s = hide(f32::sqrt(ah), zero);
    let p = exact_product(s, s, zero);
    let rest = ((ah - p.hi) - p.lo) + al;
    // A tiny number keeps 0/0 away.
    quick_sum(s, rest / f32::max(s + s, 1e-37f32), zero)
}

/// `e^x`; below −85 (nearly) zero.
///
/// `x = k ln 2 + r`, `|r| ≤ ln(2)/2`, with ln 2 in three parts of which `k` times the first two is exact. Terms of the series from degree
/// seven on are below `2^-22` of the sum: float32 is enough for them.
#[cube]
#[allow(
    clippy::approx_constant,
    clippy::manual_clamp,
    reason = "the upper 16 bits of ln 2, not ln 2; single instructions"
)]
pub(crate) fn exp(xh: f32, xl: f32, zero: u32) -> Two {
    let x = f32::max(f32::min(xh, 88.0f32), -86.0f32);
    let k = f32::floor(x * std::f32::consts::LOG2_E + 0.5f32);
    let first = exact_sum(x, -(k * 0.693_145_75f32), zero);
    let r = add(first.hi, first.lo, -(k * 1.428_590_6e-6f32), xl - k * 1.619_851e-11f32, zero);
    let t = r.hi;
    let mut tail = 1.605_904_4e-10f32;
    tail = tail * t + 2.087_675_6e-9f32;
    tail = tail * t + 2.505_210_8e-8f32;
    tail = tail * t + 2.755_732e-7f32;
    tail = tail * t + 2.755_732e-6f32;
    tail = tail * t + 2.480_158_8e-5f32;
    tail = tail * t + 1.984_127e-4f32;
    let s6 = quick_sum(1.388_888_9e-3f32, tail * t - 3.363_109_4e-11f32, zero);
    let s5 = next_term(s6.hi, s6.lo, r.hi, r.lo, 8.333_334e-3f32, -4.346_172e-10f32, zero);
    let s4 = next_term(s5.hi, s5.lo, r.hi, r.lo, 0.041_666_668f32, -1.241_763_5e-9f32, zero);
    let s3 = next_term(s4.hi, s4.lo, r.hi, r.lo, 0.166_666_67f32, -4.967_054e-9f32, zero);
    let s2 = next_term(s3.hi, s3.lo, r.hi, r.lo, 0.5f32, 0.0f32, zero);
    let s1 = next_term(s2.hi, s2.lo, r.hi, r.lo, 1.0f32, 0.0f32, zero);
    let s0 = next_term(s1.hi, s1.lo, r.hi, r.lo, 1.0f32, 0.0f32, zero);
    let power = f32::reinterpret(u32::cast_from((i32::cast_from(k) + 127i32) << 23i32));
    Two { hi: s0.hi * power, lo: s0.lo * power }
}

/// One step of Horner's scheme: `s r + c`.
#[cube]
fn next_term(sh: f32, sl: f32, rh: f32, rl: f32, ch: f32, cl: f32, zero: u32) -> Two {
    let p = mul(sh, sl, rh, rl, zero);
    add(ch, cl, p.hi, p.lo, zero)
}
