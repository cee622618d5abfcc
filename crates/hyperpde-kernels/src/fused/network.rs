//! A multilayer perceptron and the jets of its layers on the host, point by point in cache, with its adjoint.
//!
//! Per point and hidden unit the layer's sum has Taylor coefficients `z_α`, `|α| ≤ 2`; with `φ_m = φ^(m)(z_0)` of the activation,
//!
//! ```text
//! h_0 = φ_0,    h_α = φ_1 z_α (|α| = 1),    h_α = φ_1 z_α + φ_2 Σ c z_β z_γ (|α| = 2, β + γ = α, |β| = |γ| = 1)
//! ```
//!
//! with `c = ½` for `β = γ` and 1 else. Points are cut into pieces of fixed size; a piece goes through all layers before the next one begins,
//! and the adjoint evaluates the layers again instead of keeping them. Sums over pieces are taken in order: results do not depend on the
//! number of threads.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::lanes::Lanes;
use crate::jet::JetSpace;
use crate::network::Activation;

/// Points per piece.
const POINTS: usize = 64;
/// Most Taylor coefficients: order two in three dimensions.
const TERMS: usize = 10;

/// Shape of a network and of the jets that go through it.
#[derive(Debug, PartialEq)]
pub(crate) struct Plan {
    /// Inputs, hidden widths, outputs.
    widths: Vec<usize>,
    activation: Activation,
    /// Number of Taylor coefficients.
    terms: usize,
    /// `(α, β, γ, c)`: positions with `β + γ = α`, `|β| = |γ| = 1`.
    products: Vec<(usize, usize, usize, f64)>,
}

impl Plan {
    /// `None` for jets above second order, too many of them, or an activation without vector code.
    pub fn new(widths: Vec<usize>, activation: Activation, space: &JetSpace) -> Option<Self> {
        let indices = space.indices();
        if space.order() > 2 || indices.len() > TERMS || activation == Activation::Gelu {
            return None;
        }
        let mut products = Vec::new();
        for (a, alpha) in indices.iter().enumerate() {
            let parts: Vec<usize> = alpha.iter().enumerate().flat_map(|(i, &k)| vec![i; k.into()]).collect();
            if let [i, j] = parts[..] {
                let unit = |i: usize| (0..alpha.len()).map(|k| u8::from(k == i)).collect::<Vec<_>>();
                products.push((
                    a,
                    space.position(&unit(i))?,
                    space.position(&unit(j))?,
                    if i == j { 0.5 } else { 1.0 },
                ));
            }
        }
        Some(Self { widths, activation, terms: indices.len(), products })
    }

    /// Length of the input per point, `[terms, inputs]`.
    fn inputs(&self) -> usize {
        self.terms * self.widths[0]
    }

    /// Length of the output per point, `[terms, outputs]`.
    pub fn outputs(&self) -> usize {
        self.terms * self.widths[self.widths.len() - 1]
    }

    /// `(inputs, outputs, weights [in, out], biases [out])` per layer of the flat parameters.
    fn layers<'a>(&self, mut parameters: &'a [f64]) -> Vec<(usize, usize, &'a [f64], &'a [f64])> {
        let layer = |io: &[usize]| {
            let (weights, rest) = parameters.split_at(io[0] * io[1]);
            let (bias, rest) = rest.split_at(io[1]);
            parameters = rest;
            (io[0], io[1], weights, bias)
        };
        self.widths.windows(2).map(layer).collect()
    }

    /// Output jets `[n, terms, out]` from input jets `[n, terms, in]`.
    pub fn forward(&self, input: &[f64], parameters: &[f64]) -> Vec<f64> {
        let layers = self.layers(parameters);
        let mut out = vec![0.0; input.len() / self.inputs() * self.outputs()];
        out.par_chunks_mut(POINTS * self.outputs()).zip(input.par_chunks(POINTS * self.inputs())).for_each(
            |(out, x)| {
                let sums = self.sums(x, &layers);
                if let Some((z, _)) = sums.last() {
                    out.copy_from_slice(z);
                }
            },
        );
        out
    }

    /// Gradients by the input jets and by the flat parameters, for the cotangent `[n, terms, out]` of the output.
    pub fn backward(&self, input: &[f64], parameters: &[f64], cotangent: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let layers = self.layers(parameters);
        let mut by_input = vec![0.0; input.len()];
        let parts: Vec<Vec<f64>> = by_input
            .par_chunks_mut(POINTS * self.inputs())
            .zip(input.par_chunks(POINTS * self.inputs()))
            .zip(cotangent.par_chunks(POINTS * self.outputs()))
            .map(|((by_input, x), cotangent)| {
                let mut gradient = vec![0.0; parameters.len()];
                by_input.copy_from_slice(&self.piece_backward(x, &layers, cotangent.to_vec(), &mut gradient));
                gradient
            })
            .collect();
        let mut by_parameters = vec![0.0; parameters.len()];
        for part in &parts {
            by_parameters.iter_mut().zip(part).for_each(|(sum, g)| *sum += g);
        }
        (by_input, by_parameters)
    }

    /// Per layer its sums `z = h W + b` (`b` on the values only) and what goes on to the next layer, empty for the last one.
    fn sums(&self, x: &[f64], layers: &[(usize, usize, &[f64], &[f64])]) -> Vec<(Vec<f64>, Vec<f64>)> {
        let rows = x.len() / self.widths[0];
        let mut out: Vec<(Vec<f64>, Vec<f64>)> = Vec::with_capacity(layers.len());
        for (l, &(inputs, outputs, weights, bias)) in layers.iter().enumerate() {
            let h = out.last().map_or(x, |(_, h)| h);
            let mut z = vec![0.0; rows * outputs];
            let weights = MatRef::from_row_major_slice(weights, inputs, outputs);
            product(&mut z, Accum::Replace, MatRef::from_row_major_slice(h, rows, inputs), weights);
            for values in z.chunks_exact_mut(outputs * self.terms) {
                values.iter_mut().zip(bias).for_each(|(z, b)| *z += b);
            }
            let mut next = Vec::new();
            if l + 1 < layers.len() {
                next = vec![0.0; z.len()];
                Arch::new().dispatch(Activate { plan: self, width: outputs, z: &z, out: &mut next });
            }
            out.push((z, next));
        }
        out
    }

    /// Gradient by the input of one piece; adds the gradient by the parameters to `gradient`.
    fn piece_backward(
        &self,
        x: &[f64],
        layers: &[(usize, usize, &[f64], &[f64])],
        mut cotangent: Vec<f64>,
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let rows = x.len() / self.widths[0];
        let sums = self.sums(x, layers);
        let mut end = gradient.len();
        for (l, &(inputs, outputs, weights, _)) in layers.iter().enumerate().rev() {
            if l + 1 < layers.len() {
                let z = &sums[l].0;
                Arch::new().dispatch(ActivateAdjoint { plan: self, width: outputs, z, cotangent: &mut cotangent });
            }
            let start = end - (inputs + 1) * outputs;
            let (by_weights, by_bias) = gradient[start..end].split_at_mut(inputs * outputs);
            end = start;
            for values in cotangent.chunks_exact(outputs * self.terms) {
                by_bias.iter_mut().zip(values).for_each(|(sum, g)| *sum += g);
            }
            let h = if l == 0 { x } else { &sums[l - 1].1 };
            let h = MatRef::from_row_major_slice(h, rows, inputs);
            let bar = MatRef::from_row_major_slice(&cotangent, rows, outputs);
            product(by_weights, Accum::Add, h.transpose(), bar);
            let mut next = vec![0.0; rows * inputs];
            product(&mut next, Accum::Replace, bar, MatRef::from_row_major_slice(weights, inputs, outputs).transpose());
            cotangent = next;
        }
        cotangent
    }
}

/// `C = A B` or `C += A B`, `C` row-major.
fn product(c: &mut [f64], accumulate: Accum, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let c = MatMut::from_row_major_slice_mut(c, a.nrows(), b.ncols());
    matmul(c, accumulate, a, b, 1.0, Par::Seq);
}

/// `φ, φ', φ'', φ'''` at `z`.
#[inline(always)]
fn derivatives<S: Simd>(simd: S, activation: Activation, z: Lanes<S>) -> [Lanes<S>; 4] {
    let c = |v| Lanes::splat(simd, v);
    match activation {
        Activation::Sine => {
            let (sin, cos) = (z.map(f64::sin), z.map(f64::cos));
            [sin, cos, -sin, -cos]
        }
        Activation::Softplus => {
            let tail = (-z.abs()).exp();
            let value = z.max(c(0.0)) + tail.ln_1p();
            let s = (z.times(0.5).tanh() + c(1.0)).times(0.5);
            let d = s * (c(1.0) - s);
            [value, s, d, d * (c(1.0) - s.times(2.0))]
        }
        // GELU never gets here: `Plan::new` declines it.
        Activation::Tanh | Activation::Gelu => {
            let t = z.tanh();
            let d = c(1.0) - t * t;
            [t, d, (t * d).times(-2.0), d * (t * t).mul_add(c(6.0), c(-2.0))]
        }
    }
}

/// Jets of a layer's outputs from those of its sums, both `[points, terms, width]`.
struct Activate<'a> {
    plan: &'a Plan,
    width: usize,
    z: &'a [f64],
    out: &'a mut [f64],
}

impl WithSimd for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { plan, width, z, out } = self;
        let size = width * plan.terms;
        for (z, out) in z.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
            for from in (0..width).step_by(S::F64_LANES) {
                let to = (from + S::F64_LANES).min(width);
                let at =
                    |term: usize| Lanes::new(simd, simd.partial_load_f64s(&z[term * width + from..term * width + to]));
                let phi = derivatives(simd, plan.activation, at(0));
                let mut put = |term: usize, l: Lanes<S>| {
                    simd.partial_store_f64s(&mut out[term * width + from..term * width + to], l.vector());
                };
                put(0, phi[0]);
                for term in 1..plan.terms {
                    let mut sum = phi[1] * at(term);
                    for &(_, b, c, factor) in plan.products.iter().filter(|p| p.0 == term) {
                        sum = phi[2].times(factor).mul_add(at(b) * at(c), sum);
                    }
                    put(term, sum);
                }
            }
        }
    }
}

/// Turns the cotangent of a layer's output jets into that of the jets of its sums.
struct ActivateAdjoint<'a> {
    plan: &'a Plan,
    width: usize,
    z: &'a [f64],
    cotangent: &'a mut [f64],
}

impl WithSimd for ActivateAdjoint<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { plan, width, z, cotangent } = self;
        let size = width * plan.terms;
        for (z, bar) in z.chunks_exact(size).zip(cotangent.chunks_exact_mut(size)) {
            for from in (0..width).step_by(S::F64_LANES) {
                let to = (from + S::F64_LANES).min(width);
                let load = |v: &[f64], term: usize| {
                    Lanes::new(simd, simd.partial_load_f64s(&v[term * width + from..term * width + to]))
                };
                let phi = derivatives(simd, plan.activation, load(z, 0));
                let mut by = [Lanes::splat(simd, 0.0); TERMS];
                let first = load(bar, 0);
                by[0] = phi[1] * first;
                for term in 1..plan.terms {
                    let g = load(bar, term);
                    by[term] += phi[1] * g;
                    by[0] = (phi[2] * load(z, term)).mul_add(g, by[0]);
                    for &(_, b, c, factor) in plan.products.iter().filter(|p| p.0 == term) {
                        let (zb, zc, g) = (load(z, b), load(z, c), g.times(factor));
                        by[0] = (phi[3] * zb * zc).mul_add(g, by[0]);
                        by[b] += phi[2] * zc * g;
                        by[c] += phi[2] * zb * g;
                    }
                }
                for (term, l) in by.iter().enumerate().take(plan.terms) {
                    simd.partial_store_f64s(&mut bar[term * width + from..term * width + to], l.vector());
                }
            }
        }
    }
}
