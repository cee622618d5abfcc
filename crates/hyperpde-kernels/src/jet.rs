//! Taylor jets over tensors: forward propagation of spatial derivatives.
//!
//! burn differentiates once, in reverse; derivatives in space therefore travel forward. A [`Jet`] carries the
//! Taylor coefficients `J_α = ∂^α f / α!` of a function of `v` variables, each a tensor `[n, m]` (one entry per point and channel, or per
//! pair of points), for the multi-indices `α` of a [`JetSpace`]. Products are truncated Cauchy products,
//! `(fg)_γ = Σ_{α+β=γ} f_α g_β`; an elementary function is composed by its own Taylor series,
//! `φ(f) = Σ_m φ^(m)(f_0)/m! N^m` with `N = f − f_0` nilpotent (Griewank and Walther, *Evaluating Derivatives*, 2008, chapter 13).
//! Coefficients that are structurally zero are absent and cost nothing.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use crate::operator::{MultiIndex, Operator};

/// Who takes jets through a [`crate::Network`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkStage {
    /// One operation on the host with an adjoint of its own, up to second derivatives; tensors beyond.
    #[default]
    Fused,
    /// Operations of burn alone, on the network's device, differentiated by burn.
    Tensors,
}

/// A downward closed set of multi-indices in `v` variables, with its multiplication table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JetSpace {
    vars: usize,
    indices: Vec<MultiIndex>,
    /// `(a, b, c)` with `indices[a] + indices[b] = indices[c]`.
    products: Vec<(usize, usize, usize)>,
    order: usize,
    networks: NetworkStage,
}

impl JetSpace {
    /// The smallest downward closed set in `vars` variables that holds all `indices` (and zero).
    pub fn covering<'a>(vars: usize, indices: impl IntoIterator<Item = &'a MultiIndex>) -> Arc<Self> {
        let mut closed = vec![vec![0; vars]];
        for index in indices {
            below(index, &mut closed);
        }
        closed.sort_by_key(|a| (total(a), std::cmp::Reverse(a.clone())));
        closed.dedup();
        let at = |sum: &MultiIndex| closed.iter().position(|c| c == sum);
        let mut products = Vec::new();
        for (a, alpha) in closed.iter().enumerate() {
            for (b, beta) in closed.iter().enumerate() {
                let sum = alpha.iter().zip(beta).map(|(x, y)| x + y).collect();
                if let Some(c) = at(&sum) {
                    products.push((a, b, c));
                }
            }
        }
        let order = closed.iter().map(|a| total(a)).max().unwrap_or(0);
        Arc::new(Self { vars, indices: closed, products, order, networks: NetworkStage::default() })
    }

    /// The set that the derivatives in `operators` need.
    pub fn of_operators<'a>(dim: usize, operators: impl IntoIterator<Item = &'a Operator>) -> Arc<Self> {
        let wanted: Vec<MultiIndex> = operators.into_iter().flat_map(|o| o.terms().map(|(a, _)| a.clone())).collect();
        Self::covering(dim, &wanted)
    }

    /// The product set `{(α, β)}` in the variables of both, for functions of two points.
    pub fn pair(x: &JetSpace, y: &JetSpace) -> Arc<Self> {
        let joint: Vec<MultiIndex> = x
            .indices
            .iter()
            .flat_map(|a| y.indices.iter().map(move |b| a.iter().chain(b).copied().collect()))
            .collect();
        Self::covering(x.vars + y.vars, &joint)
    }

    /// The same set, whose jets go through networks in another way.
    #[must_use]
    pub fn with_networks(self: Arc<Self>, networks: NetworkStage) -> Arc<Self> {
        Arc::new(Self { networks, ..Arc::unwrap_or_clone(self) })
    }

    /// Who takes its jets through networks.
    pub fn networks(&self) -> NetworkStage {
        self.networks
    }

    /// Number of variables.
    pub fn vars(&self) -> usize {
        self.vars
    }

    /// The multi-indices, zero first, then by total order.
    pub fn indices(&self) -> &[MultiIndex] {
        &self.indices
    }

    /// Highest total order.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Position of a multi-index, if the set holds it.
    pub fn position(&self, alpha: &[u8]) -> Option<usize> {
        self.indices.iter().position(|a| a == alpha)
    }
}

fn total(alpha: &[u8]) -> usize {
    alpha.iter().map(|&k| k as usize).sum()
}

/// Adds `index` and everything below it to `set`.
fn below(index: &MultiIndex, set: &mut Vec<MultiIndex>) {
    if set.contains(index) {
        return;
    }
    set.push(index.clone());
    for i in 0..index.len() {
        if index[i] > 0 {
            let mut lower = index.clone();
            lower[i] -= 1;
            below(&lower, set);
        }
    }
}

/// `α! = Π α_i!`, the factor between Taylor coefficient and derivative.
pub(crate) fn factorial(alpha: &[u8]) -> f64 {
    alpha.iter().map(|&k| (1..=u32::from(k)).map(f64::from).product::<f64>()).product()
}

/// Taylor coefficients `[n, m]` for each multi-index of a [`JetSpace`]; absent ones are zero.
#[derive(Clone, Debug)]
pub struct Jet {
    space: Arc<JetSpace>,
    coefficients: Vec<Option<Tensor<2>>>,
}

impl Jet {
    /// A function without derivatives in the set: a constant, or a value-only jet.
    pub fn constant(space: &Arc<JetSpace>, value: Tensor<2>) -> Self {
        let mut coefficients = vec![None; space.indices.len()];
        coefficients[0] = Some(value);
        Self { space: space.clone(), coefficients }
    }

    /// The coordinates themselves, `[n, d]` from row-major `points`: value `x`, first derivatives the unit vectors.
    pub fn coordinates(space: &Arc<JetSpace>, points: &crate::Points, device: &Device) -> Self {
        let (n, d) = (points.len(), points.dim());
        let mut jet = Self::constant(space, tensor(points.as_slice().to_vec(), [n, d], device));
        for i in 0..d {
            let mut alpha = vec![0; d];
            alpha[i] = 1;
            if let Some(k) = space.position(&alpha) {
                let unit = (0..n * d).map(|at| if at % d == i { 1.0 } else { 0.0 }).collect();
                jet.coefficients[k] = Some(tensor(unit, [n, d], device));
            }
        }
        jet
    }

    /// The index set.
    pub fn space(&self) -> &Arc<JetSpace> {
        &self.space
    }

    /// The value `f_0`.
    pub fn value(&self) -> Tensor<2> {
        match &self.coefficients[0] {
            Some(value) => value.clone(),
            // Every constructor sets the value; arithmetic keeps it. An all-zero jet has some coefficient to take the shape from.
            None => self
                .coefficients
                .iter()
                .flatten()
                .next()
                .map_or_else(|| Tensor::zeros([1, 1], &Device::default()), |t| t.zeros_like()),
        }
    }

    /// Taylor coefficient `∂^α f / α!`, `None` if it is structurally zero or outside the set.
    pub fn taylor(&self, alpha: &[u8]) -> Option<&Tensor<2>> {
        self.space.position(alpha).and_then(|k| self.coefficients[k].as_ref())
    }

    /// Derivative `∂^α f`, `None` if it is structurally zero or outside the set.
    pub fn derivative(&self, alpha: &[u8]) -> Option<Tensor<2>> {
        self.taylor(alpha).map(|t| scaled(t.clone(), factorial(alpha)))
    }

    /// Applies a linear map of tensors to every coefficient (a matrix product, a slice of channels, a transpose).
    pub fn linear(&self, map: impl Fn(Tensor<2>) -> Tensor<2>) -> Self {
        Self {
            space: self.space.clone(),
            coefficients: self.coefficients.iter().map(|c| c.clone().map(&map)).collect(),
        }
    }

    /// As [`Jet::linear`] but through one call on all present coefficients stacked along the rows: one matrix
    /// product instead of one per coefficient.
    pub fn linear_stacked(&self, map: impl Fn(Tensor<2>) -> Tensor<2>) -> Self {
        let present: Vec<Tensor<2>> = self.coefficients.iter().flatten().cloned().collect();
        let [n, _] = self.value().dims();
        let mapped = map(Tensor::cat(present, 0));
        let mut start = 0;
        let coefficients = self
            .coefficients
            .iter()
            .map(|c| {
                c.as_ref().map(|_| {
                    start += n;
                    mapped.clone().narrow(0, start - n, n)
                })
            })
            .collect();
        Self { space: self.space.clone(), coefficients }
    }

    /// All coefficients side by side, `[n, coefficients · m]`, zeros for absent ones.
    pub(crate) fn stacked(&self) -> Tensor<2> {
        let zero = || self.value().zeros_like();
        Tensor::cat(self.coefficients.iter().map(|c| c.clone().unwrap_or_else(zero)).collect(), 1)
    }

    /// The inverse of [`Jet::stacked`]; every coefficient is present.
    pub(crate) fn unstacked(space: &Arc<JetSpace>, stacked: Tensor<2>) -> Self {
        let [_, width] = stacked.dims();
        let m = width / space.indices.len();
        let coefficients = (0..space.indices.len()).map(|k| Some(stacked.clone().narrow(1, k * m, m))).collect();
        Self { space: space.clone(), coefficients }
    }

    /// Channel `c` alone, `[n, 1]`.
    pub fn channel(&self, c: usize) -> Self {
        self.linear(|t| t.narrow(1, c, 1))
    }

    /// Channels `start..start + count`, `count` at least one.
    pub fn channels(&self, start: usize, count: usize) -> Self {
        self.linear(|t| t.narrow(1, start, count))
    }

    /// All channels of `parts` side by side.
    pub fn concat_channels(parts: &[Jet]) -> Self {
        let space = parts[0].space.clone();
        let coefficients = (0..space.indices.len())
            .map(|k| {
                if parts.iter().all(|p| p.coefficients[k].is_none()) {
                    return None;
                }
                let columns = parts.iter().map(|p| p.coefficients[k].clone().unwrap_or_else(|| p.value().zeros_like()));
                Some(Tensor::cat(columns.collect(), 1))
            })
            .collect();
        Self { space, coefficients }
    }

    /// The jet as a function of the first (`x`) variables of a pair space: `[n, 1]` columns.
    pub(crate) fn lift_x(&self, pair: &Arc<JetSpace>) -> Self {
        self.lift(pair, |alpha, pad| alpha.iter().copied().chain(pad).collect(), |t| t)
    }

    /// The jet as a function of the second (`y`) variables of a pair space: `[1, m]` rows.
    pub(crate) fn lift_y(&self, pair: &Arc<JetSpace>) -> Self {
        self.lift(pair, |alpha, pad| pad.into_iter().chain(alpha.iter().copied()).collect(), |t| t.transpose())
    }

    fn lift(
        &self,
        pair: &Arc<JetSpace>,
        place: impl Fn(&[u8], Vec<u8>) -> MultiIndex,
        map: impl Fn(Tensor<2>) -> Tensor<2>,
    ) -> Self {
        let mut coefficients = vec![None; pair.indices.len()];
        let pad = vec![0; pair.vars - self.space.vars];
        for (alpha, c) in self.space.indices.iter().zip(&self.coefficients) {
            if let (Some(k), Some(c)) = (pair.position(&place(alpha, pad.clone())), c) {
                coefficients[k] = Some(map(c.clone()));
            }
        }
        Self { space: pair.clone(), coefficients }
    }

    /// `f + g`.
    pub fn add(&self, other: &Jet) -> Self {
        self.zip(other, |a, b| a + b, |b| b)
    }

    /// `f − g`.
    pub fn sub(&self, other: &Jet) -> Self {
        self.zip(other, |a, b| a - b, |b| -b)
    }

    fn zip(
        &self,
        other: &Jet,
        both: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2>,
        right: impl Fn(Tensor<2>) -> Tensor<2>,
    ) -> Self {
        let coefficients = self
            .coefficients
            .iter()
            .zip(&other.coefficients)
            .map(|(a, b)| match (a, b) {
                (Some(a), Some(b)) => Some(both(a.clone(), b.clone())),
                (Some(a), None) => Some(a.clone()),
                (None, Some(b)) => Some(right(b.clone())),
                (None, None) => None,
            })
            .collect();
        Self { space: self.space.clone(), coefficients }
    }

    /// `c · f` for a number.
    pub fn scale(&self, c: f64) -> Self {
        self.linear(|t| scaled(t, c))
    }

    /// `f + c` for a number.
    pub fn shift(&self, c: f64) -> Self {
        let mut out = self.clone();
        out.coefficients[0] = Some(self.value() + c);
        out
    }

    /// `f + c` for a tensor that does not depend on the point, `[1, m]`.
    pub fn shift_by(&self, c: Tensor<2>) -> Self {
        let mut out = self.clone();
        out.coefficients[0] = Some(self.value() + c);
        out
    }

    /// `f · c` for a tensor that does not depend on the point, `[1, m]` or `[1, 1]`.
    pub fn scale_by(&self, c: Tensor<2>) -> Self {
        self.linear(|t| t * c.clone())
    }

    /// `f · g`, truncated to the set; shapes broadcast.
    pub fn mul(&self, other: &Jet) -> Self {
        let mut out: Vec<Option<Tensor<2>>> = vec![None; self.space.indices.len()];
        for &(a, b, c) in &self.space.products {
            if let (Some(f), Some(g)) = (&self.coefficients[a], &other.coefficients[b]) {
                let term = f.clone() * g.clone();
                out[c] = Some(match out[c].take() {
                    Some(sum) => sum + term,
                    None => term,
                });
            }
        }
        Self { space: self.space.clone(), coefficients: out }
    }

    /// `f²`.
    pub fn square(&self) -> Self {
        self.mul(self)
    }

    /// `φ(f)` from the derivatives `φ^(m)(f_0)`, `m = 0..=order`, each `[n, m]`.
    pub fn compose(&self, derivatives: &[Tensor<2>]) -> Self {
        let mut nilpotent = self.clone();
        nilpotent.coefficients[0] = None;
        let top = self.space.order.min(derivatives.len() - 1);
        let coefficient = |m: usize| {
            let inverse = 1.0 / (1..=m).map(|k| k as f64).product::<f64>();
            scaled(derivatives[m].clone(), inverse)
        };
        // Horner in the nilpotent part: ((φ_K N + φ_{K-1}) N + …) N + φ_0.
        let mut sum = Self::constant(&self.space, coefficient(top));
        for m in (0..top).rev() {
            sum = sum.mul(&nilpotent);
            sum.coefficients[0] = Some(coefficient(m));
        }
        sum
    }
}

/// `t · c`, sparing the operation for one.
pub(crate) fn scaled(t: Tensor<2>, c: f64) -> Tensor<2> {
    if c == 1.0 { t } else { t * c }
}

/// A tensor of the device's float type ([`crate::float_dtype`]) from row-major data.
pub(crate) fn tensor(data: Vec<f64>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(burn::tensor::TensorData::new(data, shape), (device, crate::float_dtype(device)))
}
