//! Elementary functions of jets, by the derivatives of the outer function at the value.
//!
//! Only operations whose float64 values and gradients are exact on every burn backend are used (no division of
//! a tracked tensor by a number, no `powf`, no built-in sigmoid).

use burn::tensor::Tensor;
use burn::tensor::activation::softplus_with_threshold;

use crate::jet::Jet;

impl Jet {
    /// `exp(f)`.
    pub fn exp(&self) -> Self {
        let e = self.value().exp();
        self.compose(&vec![e; self.space().order() + 1])
    }

    /// `1/f`.
    pub fn recip(&self) -> Self {
        // φ^(m) = (−1)^m m! v^{-(m+1)}
        let u = self.value().recip();
        let mut derivatives = vec![u.clone()];
        for m in 1..=self.space().order() {
            derivatives.push(derivatives[m - 1].clone() * u.clone() * -(m as f64));
        }
        self.compose(&derivatives)
    }

    /// `ln f`.
    pub fn ln(&self) -> Self {
        let u = self.value().recip();
        let mut derivatives = vec![self.value().log(), u.clone()];
        for m in 2..=self.space().order() {
            derivatives.push(derivatives[m - 1].clone() * u.clone() * -((m - 1) as f64));
        }
        self.compose(&derivatives)
    }

    /// `√f`.
    pub fn sqrt(&self) -> Self {
        let u = self.value().recip();
        let mut derivatives = vec![self.value().sqrt()];
        for m in 1..=self.space().order() {
            derivatives.push(derivatives[m - 1].clone() * u.clone() * (1.5 - m as f64));
        }
        self.compose(&derivatives)
    }

    /// `(sin f, cos f)`.
    pub fn sin_cos(&self) -> (Self, Self) {
        let (s, c) = (self.value().sin(), self.value().cos());
        let cycle = [s.clone(), c.clone(), -s, -c];
        let from = |start: usize| -> Vec<Tensor<2>> {
            (0..=self.space().order()).map(|m| cycle[(start + m) % 4].clone()).collect()
        };
        (self.compose(&from(0)), self.compose(&from(1)))
    }

    /// `tanh f`.
    pub fn tanh(&self) -> Self {
        let t = self.value().tanh();
        // φ' = 1 − t²: every derivative is a polynomial in t.
        self.compose(&polynomial_derivatives(t, &[1.0, 0.0, -1.0], self.space().order()))
    }

    /// `f Φ(f)` with the normal distribution function `Φ(f) = (1 + erf(f/√2))/2`: GELU without approximation.
    pub fn gelu(&self) -> Self {
        let x = self.value();
        let phi = (x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() * 0.5 + 0.5;
        let order = self.space().order();
        let mut derivatives = vec![x.clone() * phi.clone()];
        if order > 0 {
            let density = (x.clone() * x.clone() * -0.5).exp() * (0.5 / std::f64::consts::PI).sqrt();
            derivatives.push(phi + x.clone() * density.clone());
            // From the second on, density times a polynomial: (φ p)' = φ (p' − x p), starting from 2 − x².
            let mut p = vec![2.0, 0.0, -1.0];
            for _ in 2..=order {
                derivatives.push(density.clone() * horner(&x, &p));
                let mut next = vec![0.0; p.len() + 1];
                for (k, c) in p.iter().enumerate() {
                    next[k + 1] -= c;
                    if k > 0 {
                        next[k - 1] += k as f64 * c;
                    }
                }
                p = next;
            }
        }
        self.compose(&derivatives)
    }

    /// `f^p` for a whole number `p`.
    pub fn power(&self, p: u8) -> Self {
        let one = Self::constant(self.space(), self.value().ones_like());
        (0..p).fold(one, |product, _| product.mul(self))
    }

    /// Softplus `ln(1 + e^f)`.
    pub fn softplus(&self) -> Self {
        let value = softplus_with_threshold(self.value(), 1.0, 40.0);
        let order = self.space().order();
        let mut derivatives = vec![value];
        if order > 0 {
            // σ = (1 + tanh(x/2))/2, and σ' = σ − σ²: derivatives of softplus from the first on.
            let sigma = ((self.value() * 0.5).tanh() + 1.0) * 0.5;
            derivatives.extend(polynomial_derivatives(sigma, &[0.0, 1.0, -1.0], order - 1));
        }
        self.compose(&derivatives)
    }
}

/// `[t, t', t'', …, t^(order)]` for a function with `t' = slope(t)`, `slope` a polynomial by ascending coefficients.
fn polynomial_derivatives(t: Tensor<2>, slope: &[f64], order: usize) -> Vec<Tensor<2>> {
    let mut derivatives = vec![t.clone()];
    let mut p = vec![0.0, 1.0];
    for _ in 0..order {
        // d/dx p(t) = p'(t) · slope(t)
        let dp: Vec<f64> = p.iter().enumerate().skip(1).map(|(k, c)| k as f64 * c).collect();
        let mut next = vec![0.0; dp.len() + slope.len() - 1];
        for (i, a) in dp.iter().enumerate() {
            for (j, b) in slope.iter().enumerate() {
                next[i + j] += a * b;
            }
        }
        p = next;
        derivatives.push(horner(&t, &p));
    }
    derivatives
}

/// Polynomial by ascending coefficients at a tensor.
fn horner(t: &Tensor<2>, p: &[f64]) -> Tensor<2> {
    let top = p.len() - 1;
    let mut sum = t.clone() * p[top];
    for k in (1..top).rev() {
        if p[k] != 0.0 {
            sum = sum + p[k];
        }
        sum = sum * t.clone();
    }
    if p[0] != 0.0 { sum + p[0] } else { sum }
}
