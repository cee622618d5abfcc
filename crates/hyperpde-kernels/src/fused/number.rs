//! What the pair arithmetic needs of a number, so that one source serves vector registers on the host and kernels on a GPU.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// A real number (or a vector of them) of the closed forms.
///
/// On the host it is [`super::lanes::Lanes`]; on a GPU a value of the kernel that is being written, where each operation
/// appends an instruction.
pub(crate) trait Number:
    Copy + Add<Output = Self> + AddAssign + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// What it takes to make a constant.
    type Context: Copy;

    /// The constant `x`.
    fn splat(ctx: Self::Context, x: f64) -> Self;

    /// `self · x` for a constant.
    fn times(self, x: f64) -> Self;

    /// `self · b + c`, in one rounding where the machine can.
    fn mul_add(self, b: Self, c: Self) -> Self;

    /// `1/self`.
    fn recip(self) -> Self;

    /// `√self`.
    fn sqrt(self) -> Self;

    /// `e^self`.
    fn exp(self) -> Self;

    /// `ln(1 + self)` for `self ≥ 0`.
    fn ln_1p(self) -> Self;
}
