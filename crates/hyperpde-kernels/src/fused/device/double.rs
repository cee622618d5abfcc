//! `e^x` in float64 from products, sums and conversions alone: WGSL and Vulkan have no elementary functions of float64.

use cubecl::prelude::*;

/// `e^x` to a few units in the last place; below −172 (nearly) zero, above 88 it saturates.
///
/// `x = k ln 2 + r`, `|r| ≤ ln(2)/2`; the series in `r` to degree 13; `2^k` as two powers made of float32 exponent bits.
#[cube]
#[allow(clippy::manual_clamp, reason = "minimum and maximum are single instructions everywhere")]
pub(crate) fn exp(x: f64) -> f64 {
    // Clamped in float32, where every device has a minimum; the exponent k fits twice into that of a float32.
    let near = f32::max(f32::min(f32::cast_from(x), 88.0f32), -172.0f32);
    let k = i32::cast_from(f32::floor(near * std::f32::consts::LOG2_E + 0.5f32));
    let whole = f64::cast_from(k);
    let mut r = x - whole * 0.693_147_180_369_123_8f64;
    r -= whole * 1.908_214_929_270_587_7e-10f64;
    let mut s = 1.605_904_383_682_161_3e-10f64;
    s = s * r + 2.087_675_698_786_81e-9f64;
    s = s * r + 2.505_210_838_544_172e-8f64;
    s = s * r + 2.755_731_922_398_589e-7f64;
    s = s * r + 2.755_731_922_398_589_3e-6f64;
    s = s * r + 2.480_158_730_158_73e-5f64;
    s = s * r + 1.984_126_984_126_984e-4f64;
    s = s * r + 1.388_888_888_888_889e-3f64;
    s = s * r + 8.333_333_333_333_333e-3f64;
    s = s * r + 4.166_666_666_666_666_4e-2f64;
    s = s * r + 1.666_666_666_666_666_6e-1f64;
    s = s * r + 0.5f64;
    s = s * r + 1.0f64;
    s = s * r + 1.0f64;
    let half = k >> 1i32;
    let power = f64::cast_from(power_of_two(half)) * f64::cast_from(power_of_two(k - half));
    // Far below, r is not small: the series means nothing there.
    let kept = if near > -172.0f32 { power } else { 0.0f64.runtime() };
    s * kept
}

/// `2^k` for `−127 < k < 128`.
#[cube]
fn power_of_two(k: i32) -> f32 {
    f32::reinterpret(u32::cast_from((k + 127i32) << 23i32))
}
