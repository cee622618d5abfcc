//! Independent oracles: kernels written again over nested dual numbers.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod case;

use std::ops::{Add, Mul, Neg, Sub};

/// Arithmetic that kernels are written in.
pub trait Num:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self> + 'static
{
    fn of(x: f64) -> Self;
    fn real(self) -> f64;
    /// `φ(self)` from a table of `φ, φ', φ'', …` at a real number.
    fn apply(self, table: &dyn Fn(usize, f64) -> f64, at: usize) -> Self;

    fn exp(self) -> Self {
        self.apply(&|_, x| x.exp(), 0)
    }
    fn recip(self) -> Self {
        self.pow(-1.0)
    }
    fn sqrt(self) -> Self {
        self.pow(0.5)
    }
    /// `self^p` for positive `self`.
    fn pow(self, p: f64) -> Self {
        self.apply(&|m, x| (0..m).map(|k| p - k as f64).product::<f64>() * x.powf(p - m as f64), 0)
    }
    fn ln(self) -> Self {
        let table = |m: usize, x: f64| match m {
            0 => x.ln(),
            _ => -(1..m).map(|k| k as f64).product::<f64>() * (-1.0 / x).powi(m as i32),
        };
        self.apply(&table, 0)
    }
    fn sin(self) -> Self {
        self.apply(&|m, x| (x + m as f64 * std::f64::consts::FRAC_PI_2).sin(), 0)
    }
    fn tanh(self) -> Self {
        let e = (self + self).exp();
        Self::of(1.0) - Self::of(2.0) * (e + Self::of(1.0)).recip()
    }
    fn softplus(self) -> Self {
        (self.exp() + Self::of(1.0)).ln()
    }
    fn scale(self, c: f64) -> Self {
        self * Self::of(c)
    }
}

impl Num for f64 {
    fn of(x: f64) -> Self {
        x
    }
    fn real(self) -> f64 {
        self
    }
    fn apply(self, table: &dyn Fn(usize, f64) -> f64, at: usize) -> Self {
        table(at, self)
    }
}

/// `v + e ε` with `ε² = 0`.
#[derive(Clone, Copy, Debug)]
pub struct D<T> {
    pub v: T,
    pub e: T,
}

impl<T: Num> Add for D<T> {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self { v: self.v + o.v, e: self.e + o.e }
    }
}
impl<T: Num> Sub for D<T> {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self { v: self.v - o.v, e: self.e - o.e }
    }
}
impl<T: Num> Mul for D<T> {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self { v: self.v * o.v, e: self.v * o.e + self.e * o.v }
    }
}
impl<T: Num> Neg for D<T> {
    type Output = Self;
    fn neg(self) -> Self {
        Self { v: -self.v, e: -self.e }
    }
}
impl<T: Num> Num for D<T> {
    fn of(x: f64) -> Self {
        Self { v: T::of(x), e: T::of(0.0) }
    }
    fn real(self) -> f64 {
        self.v.real()
    }
    fn apply(self, table: &dyn Fn(usize, f64) -> f64, at: usize) -> Self {
        Self { v: self.v.apply(table, at), e: self.e * self.v.apply(table, at + 1) }
    }
}

/// Four derivatives at once.
pub type D4 = D<D<D<D<f64>>>>;

/// `x` with a derivative seed at each level in `levels`.
fn seeded(x: f64, levels: [bool; 4]) -> D4 {
    let unit = |on: bool| if on { 1.0 } else { 0.0 };
    let one = D { v: x, e: unit(levels[0]) };
    let two = D { v: one, e: D::of(unit(levels[1])) };
    let three = D { v: two, e: D::of(unit(levels[2])) };
    D { v: three, e: D::of(unit(levels[3])) }
}

/// `∂_x^α ∂_y^β k(x, y)` of a kernel written over [`D4`]; at most four derivatives in all.
pub fn derivative(k: &dyn Fn(&[D4], &[D4]) -> D4, x: &[f64], y: &[f64], alpha: &[u8], beta: &[u8]) -> f64 {
    // Level l differentiates by the variable `wanted[l]` of (x, y).
    let wanted: Vec<usize> = alpha.iter().chain(beta).enumerate().flat_map(|(i, &k)| vec![i; k as usize]).collect();
    assert!(wanted.len() <= 4);
    let seed = |offset: usize, p: &[f64]| -> Vec<D4> {
        let levels = |i: usize| std::array::from_fn(|l| wanted.get(l) == Some(&(offset + i)));
        p.iter().enumerate().map(|(i, &v)| seeded(v, levels(i))).collect()
    };
    let out = k(&seed(0, x), &seed(x.len(), y));
    let used = |l: usize| l < wanted.len();
    let a = if used(3) { out.e } else { out.v };
    let b = if used(2) { a.e } else { a.v };
    let c = if used(1) { b.e } else { b.v };
    if used(0) { c.e } else { c.v }
}

/// Layers of a multilayer perceptron: weights `(in, out)` row-major, and biases.
pub type Layers = Vec<(Vec<f64>, Vec<f64>)>;

/// `W_L σ(… σ(W_1 x + b_1) …) + b_L`.
pub fn mlp<T: Num>(layers: &Layers, x: &[T], activation: impl Fn(T) -> T) -> Vec<T> {
    let mut h = x.to_vec();
    for (l, (w, b)) in layers.iter().enumerate() {
        let out = b.len();
        h = (0..out)
            .map(|o| {
                let sum = h.iter().enumerate().fold(T::of(b[o]), |s, (i, v)| s + v.scale(w[i * out + o]));
                if l + 1 < layers.len() { activation(sum) } else { sum }
            })
            .collect();
    }
    h
}

/// A small reproducible generator of numbers in `[-1, 1)`.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub fn vec(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next()).collect()
    }

    pub fn layers(&mut self, sizes: &[usize]) -> Layers {
        sizes
            .windows(2)
            .map(|io| {
                let w = self.vec(io[0] * io[1]).iter().map(|v| v * 1.5 / (io[0] as f64).sqrt()).collect();
                (w, self.vec(io[1]).iter().map(|v| 0.5 * v).collect())
            })
            .collect()
    }
}
