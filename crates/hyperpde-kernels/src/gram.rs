//! The tensor path of the pair stage: Gram blocks with the row coefficients contracted in, by jets of pairs.
//!
//! `K_{xy} = Σ_{α,β} c_α(x) c'_β(y) ∂_x^α ∂_y^β k(x, y)`. Any kernel, any operator, any backend; every intermediate is an `[n, m]` tensor
//! on the tape, so it is the oracle and the fallback, not the fast path.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use crate::jet::{Jet, JetSpace, tensor};
use crate::kernel::{Kernel, PointJets};
use crate::operator::{MultiIndex, Operator};

/// A functional `Σ_α c_α ∂^α` at each of `n` points: coefficients `[n]` per multi-index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Functional {
    terms: Vec<(MultiIndex, Vec<f64>)>,
}

impl Functional {
    /// Adds `c_i · operator` at point `i`.
    pub fn add(&mut self, operator: &Operator, coefficients: &[f64]) {
        for (alpha, c) in operator.terms() {
            let at = match self.terms.iter().position(|(a, _)| a == alpha) {
                Some(at) => at,
                None => {
                    self.terms.push((alpha.clone(), vec![0.0; coefficients.len()]));
                    self.terms.len() - 1
                }
            };
            for (sum, x) in self.terms[at].1.iter_mut().zip(coefficients) {
                *sum += c * x;
            }
        }
    }

    /// The same operator with coefficient one at `n` points.
    pub fn uniform(operator: &Operator, n: usize) -> Self {
        let mut out = Self::default();
        out.add(operator, &vec![1.0; n]);
        out
    }

    /// The terms `(α, c_α)`.
    pub fn terms(&self) -> &[(MultiIndex, Vec<f64>)] {
        &self.terms
    }

    /// The coefficients in the form of the fused stage, `None` if a multi-index is mixed or above second order.
    pub fn separable(&self, dim: usize) -> Option<crate::fused::Coefficients> {
        let mut out = crate::fused::Coefficients { c: Vec::new(), b: vec![Vec::new(); dim], a: vec![Vec::new(); dim] };
        for (alpha, c) in &self.terms {
            let mut active = alpha.iter().enumerate().filter(|&(_, &k)| k > 0);
            match (active.next(), active.next()) {
                (None, _) => out.c = c.clone(),
                (Some((i, 1)), None) => out.b[i] = c.clone(),
                (Some((i, 2)), None) => out.a[i] = c.clone(),
                _ => return None,
            }
        }
        Some(out)
    }
}

/// Functionals at points of known jets.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// The functional.
    pub functional: &'a Functional,
    /// The point jets.
    pub jets: &'a PointJets,
}

/// The block `ℓ_x ℓ'_y k`, `[n, m]`, differentiable in the kernel's parameters.
pub fn gram_block<K: Kernel>(kernel: &K, x: Applied<'_>, y: Applied<'_>) -> Tensor<2> {
    let pair = pair_space(x, y);
    let k = kernel.pair(&x.jets.first(&pair), &y.jets.second(&pair));
    contract(&k, x, y, |t| t.transpose())
}

/// The diagonal `ℓ_x ℓ'_x k(x, x)` of two functionals at the same points, `[n, 1]`.
pub fn gram_diagonal<K: Kernel>(kernel: &K, x: Applied<'_>, y: Applied<'_>) -> Tensor<2> {
    let pair = pair_space(x, y);
    let k = kernel.pair(&x.jets.first(&pair), &y.jets.second_diagonal(&pair));
    contract(&k, x, y, |t| t)
}

fn pair_space(x: Applied<'_>, y: Applied<'_>) -> Arc<JetSpace> {
    let closure = |a: &Applied<'_>| {
        JetSpace::covering(a.jets.x.space().vars(), a.functional.terms.iter().map(|(alpha, _)| alpha))
    };
    JetSpace::pair(&closure(&x), &closure(&y))
}

fn contract(k: &Jet, x: Applied<'_>, y: Applied<'_>, place: impl Fn(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
    let device = k.value().device();
    let [n, _] = x.jets.x.value().dims();
    let [m, _] = y.jets.x.value().dims();
    let shape = k.value().dims();
    let mut sum: Option<Tensor<2>> = None;
    for (alpha, c) in &x.functional.terms {
        let cx = column(c, n, &device);
        for (beta, c) in &y.functional.terms {
            let index: MultiIndex = alpha.iter().chain(beta).copied().collect();
            if let Some(derivative) = k.derivative(&index) {
                let term = derivative * cx.clone() * place(column(c, m, &device));
                sum = Some(match sum {
                    Some(s) => s + term,
                    None => term,
                });
            }
        }
    }
    sum.map_or_else(|| k.value().zeros_like(), |s| if s.dims() == shape { s } else { s.expand(shape) })
}

fn column(c: &[f64], n: usize, device: &Device) -> Tensor<2> {
    tensor(c.to_vec(), [n, 1], device)
}
