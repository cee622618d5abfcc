//! Functionals at points, laid out for the pair loops, and the way back to feature gradients.
//!
//! A functional `ℓ = c + Σ_i (b_i ∂_i + a_i ∂_ii)` meets a feature channel `f` only through `f`, `p = Σ b_i f_i + a_i f_ii`,
//! `q = Σ a_i f_i²`, `t_i = a_i f_i` and `g_i = f_i`. These are computed once per point here, O(n). Blocks of [`PAD`] points follow one
//! another, and in a block row follows row, so that all a pair needs of one side is one contiguous piece; the last block is filled up with
//! points whose coefficients are zero.

use crate::form::{Component, Profile};
use crate::points::Points;

use super::pair::{FULL, Level};

/// Rows are padded to a multiple of this: the widest vector, in float64 lanes.
pub(crate) const PAD: usize = 8;

/// Index of `row` of point `k` among arrays of `rows` rows.
pub(crate) fn position(rows: usize, row: usize, k: usize) -> usize {
    (k / PAD * rows + row) * PAD + k % PAD
}

/// Where things are in a prepared set, in units of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    pub dim: usize,
    pub profile: Profile,
    pub gibbs: usize,
    /// Parameters of the profile and channels of `ψ`, stored alike.
    pub simple: usize,
    /// First feature channel of the component.
    pub first: usize,
}

impl Layout {
    pub fn new(component: &Component, dim: usize, first: usize) -> Self {
        let simple = component.profile.parameters() + component.channels;
        Self { dim, profile: component.profile, gibbs: component.gibbs.count(dim), simple, first }
    }

    /// Number of feature channels, the amplitude included.
    pub fn channels(&self) -> usize {
        1 + self.gibbs + self.simple
    }

    pub const C: usize = 0;
    pub const A: usize = 1;

    pub fn b(&self) -> usize {
        1 + self.dim
    }

    pub fn x(&self) -> usize {
        1 + 2 * self.dim
    }

    /// First row of the features: amplitude, its `p`, its gradient; gradients are stored from here on.
    pub fn head(&self) -> usize {
        1 + 3 * self.dim
    }

    /// Gibbs channel `c`: value, p, q, t, g.
    pub fn gibbs(&self, c: usize) -> usize {
        self.head() + 2 + self.dim + c * (3 + 2 * self.dim)
    }

    /// Channel `k` of the parameters and of `ψ`: value, p, q, g.
    pub fn simple(&self, k: usize) -> usize {
        self.gibbs(self.gibbs) + k * (3 + self.dim)
    }

    pub fn rows(&self) -> usize {
        self.simple(self.simple)
    }

    pub fn gradient_rows(&self) -> usize {
        self.rows() - self.head()
    }
}

/// Derivatives of the feature channels at `n` points: value, first and second derivatives along each coordinate, each `[n, C]` row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureData {
    pub(crate) n: usize,
    pub(crate) channels: usize,
    /// `1 + 2d` slots: value, `∂_i` for each `i`, `∂_ii` for each `i`; `None` is zero.
    pub(crate) slots: Vec<Option<Vec<f64>>>,
}

impl FeatureData {
    /// The features of points `start..start + n`.
    pub fn rows(&self, start: usize, n: usize) -> Self {
        let width = self.channels;
        let cut = |v: &Vec<f64>| v[start * width..(start + n) * width].to_vec();
        Self { n, channels: width, slots: self.slots.iter().map(|s| s.as_ref().map(cut)).collect() }
    }

    /// The features of the given points, in their order.
    pub fn select(&self, points: &[usize]) -> Self {
        let width = self.channels;
        let pick = |v: &Vec<f64>| points.iter().flat_map(|&i| v[i * width..(i + 1) * width].iter().copied()).collect();
        Self { n: points.len(), channels: width, slots: self.slots.iter().map(|s| s.as_ref().map(pick)).collect() }
    }

    /// Adds `part` to the rows from `start` on.
    pub fn add_rows(&mut self, start: usize, part: &Self) {
        let width = self.channels;
        for (to, from) in self.slots.iter_mut().zip(&part.slots) {
            if let (Some(to), Some(from)) = (to, from) {
                to[start * width..].iter_mut().zip(from).for_each(|(a, b)| *a += b);
            }
        }
    }

    /// Adds `factor · other`.
    pub fn add_scaled(&mut self, other: &Self, factor: f64) {
        for (to, from) in self.slots.iter_mut().zip(&other.slots) {
            if let (Some(to), Some(from)) = (to, from) {
                to.iter_mut().zip(from).for_each(|(a, b)| *a += factor * b);
            }
        }
    }

    pub(crate) fn zeros_like(&self) -> Self {
        let slots = self.slots.iter().map(|s| s.as_ref().map(|v| vec![0.0; v.len()])).collect();
        Self { n: self.n, channels: self.channels, slots }
    }

    fn at(&self, slot: usize, i: usize, channel: usize) -> f64 {
        self.slots[slot].as_ref().map_or(0.0, |v| v[i * self.channels + channel])
    }

    fn add(&mut self, slot: usize, i: usize, channel: usize, g: f64) {
        let channels = self.channels;
        if let Some(v) = &mut self.slots[slot] {
            v[i * channels + channel] += g;
        }
    }
}

/// Coefficients of the functionals `c + Σ b_i ∂_i + a_i ∂_ii` at a set of points; empty vectors are zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coefficients {
    /// `c`, `[n]`.
    pub c: Vec<f64>,
    /// `b_i`, `[n]` for each coordinate.
    pub b: Vec<Vec<f64>>,
    /// `a_i`, `[n]` for each coordinate.
    pub a: Vec<Vec<f64>>,
}

impl Coefficients {
    pub(crate) fn level(&self) -> Level {
        let nonzero = |v: &Vec<f64>| v.iter().any(|&x| x != 0.0);
        let mut level = if self.b.iter().any(nonzero) { FULL } else { 0 };
        for (i, a) in self.a.iter().enumerate() {
            if nonzero(a) {
                level |= FULL | 1 << i;
            }
        }
        level
    }

    fn get(v: &[Vec<f64>], k: usize, i: usize) -> f64 {
        v.get(k).and_then(|v| v.get(i)).copied().unwrap_or(0.0)
    }
}

/// Functionals of one field at one set of points, ready for the pair loops.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub layout: Layout,
    pub n: usize,
    pub stride: usize,
    pub level: Level,
    pub data: Vec<f64>,
}

impl Prepared {
    pub fn new(layout: Layout, points: &Points, functional: &Coefficients, features: &FeatureData) -> Self {
        let (n, d) = (points.len(), layout.dim);
        let stride = n.next_multiple_of(PAD);
        let rows = layout.rows();
        let mut data = vec![0.0; rows * stride];
        for k in 0..stride {
            // Padding repeats the last point, so that every number stays finite; its coefficients stay zero.
            let i = k.min(n - 1);
            let mut put = |row: usize, v: f64| data[position(rows, row, k)] = v;
            let real = if k < n { 1.0 } else { 0.0 };
            put(Layout::C, real * functional.c.get(i).copied().unwrap_or(0.0));
            for (j, &x) in points.row(i).iter().enumerate() {
                put(Layout::A + j, real * Coefficients::get(&functional.a, j, i));
                put(layout.b() + j, real * Coefficients::get(&functional.b, j, i));
                put(layout.x() + j, x);
            }
            let a = |j: usize| real * Coefficients::get(&functional.a, j, i);
            let b = |j: usize| real * Coefficients::get(&functional.b, j, i);
            let value = |ch: usize| features.at(0, i, layout.first + ch);
            let first = |ch: usize, j: usize| features.at(1 + j, i, layout.first + ch);
            let second = |ch: usize, j: usize| features.at(1 + d + j, i, layout.first + ch);
            let p = |ch: usize| (0..d).map(|j| b(j) * first(ch, j) + a(j) * second(ch, j)).sum::<f64>();
            let q = |ch: usize| (0..d).map(|j| a(j) * first(ch, j) * first(ch, j)).sum::<f64>();
            let head = layout.head();
            put(head, value(0).exp());
            put(head + 1, p(0));
            for j in 0..d {
                put(head + 2 + j, first(0, j));
            }
            for c in 0..layout.gibbs {
                let (at, ch) = (layout.gibbs(c), 1 + c);
                put(at, value(ch));
                put(at + 1, p(ch));
                put(at + 2, q(ch));
                for j in 0..d {
                    put(at + 3 + j, a(j) * first(ch, j));
                    put(at + 3 + d + j, first(ch, j));
                }
            }
            for m in 0..layout.simple {
                let (at, ch) = (layout.simple(m), 1 + layout.gibbs + m);
                put(at, value(ch));
                put(at + 1, p(ch));
                put(at + 2, q(ch));
                for j in 0..d {
                    put(at + 3 + j, first(ch, j));
                }
            }
        }
        Self { layout, n, stride, level: functional.level(), data }
    }

    /// Length of the gradient rows.
    pub fn gradient_len(&self) -> usize {
        self.layout.gradient_rows() * self.stride
    }

    /// Gradient by the log-amplitudes, which is the contracted value itself, point by point.
    pub fn values<'a>(&'a self, grad: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        (0..self.n).map(|i| grad[position(self.layout.gradient_rows(), 0, i)])
    }

    /// Adds the gradients by features that follow from `grad` (rows from [`Layout::head`] on).
    pub fn chain(&self, grad: &[f64], functional: &Coefficients, features: &FeatureData, out: &mut FeatureData) {
        let (d, head) = (self.layout.dim, self.layout.head());
        for i in 0..self.n {
            let g = |row: usize| grad[position(self.layout.gradient_rows(), row - head, i)];
            let a = |j: usize| Coefficients::get(&functional.a, j, i);
            let b = |j: usize| Coefficients::get(&functional.b, j, i);
            let mut add = |slot: usize, ch: usize, v: f64| out.add(slot, i, self.layout.first + ch, v);
            add(0, 0, g(head));
            for j in 0..d {
                add(1 + j, 0, g(head + 1) * b(j) + g(head + 2 + j));
                add(1 + d + j, 0, g(head + 1) * a(j));
            }
            for ch in 1..self.layout.channels() {
                let gibbs = ch <= self.layout.gibbs;
                let at = if gibbs { self.layout.gibbs(ch - 1) } else { self.layout.simple(ch - 1 - self.layout.gibbs) };
                add(0, ch, g(at));
                for j in 0..d {
                    let first = features.at(1 + j, i, self.layout.first + ch);
                    let mut by_first = g(at + 1) * b(j) + 2.0 * g(at + 2) * a(j) * first;
                    by_first += if gibbs { g(at + 3 + j) * a(j) + g(at + 3 + d + j) } else { g(at + 3 + j) };
                    add(1 + j, ch, by_first);
                    add(1 + d + j, ch, g(at + 1) * a(j));
                }
            }
        }
    }
}
