//! Viscous eikonal equation `|∇u|² = 1 + ε Δu` on the unit square, `u = 0` on its boundary: the solution as one integral.
//!
//! The Hopf-Cole substitution `v = exp(-u/ε)` makes it linear, `v - ε² Δv = 0` with `v = 1` on the boundary. Hence
//! `v(x, y) = E[exp(-τ/ε²)]`, where `τ` is the time at which a diffusion with generator `Δ` started at `(x, y)` leaves the
//! square. That is the earlier of the exit times from the interval (0, 1) of the two coordinates, which are independent:
//!
//! ```text
//! v(x, y) = ∫_0^∞ exp(-t/ε²) [ f(x,t) S(y,t) + S(x,t) f(y,t) ] dt.
//! ```
//!
//! `S(x, t)` is the probability that a coordinate has not left (0, 1) by time `t`: the solution of `S_t = S_xx`, `S = 0` at
//! both ends, `S = 1` initially; `f = -S_t` is the density of its exit time. Both are theta functions (Carslaw and Jaeger,
//! *Conduction of Heat in Solids*, 2nd ed., sections 2.4 and 3.3), with one series for short and one for long times:
//!
//! ```text
//! S = 1 - Σ_{j>=0} (-1)^j [erfc((j+x)/2√t) + erfc((j+1-x)/2√t)]        = Σ_{m odd} 4/(mπ) sin(mπx) exp(-m²π²t)
//! f = Σ_{j>=0} (-1)^j [g(j+x,t) + g(j+1-x,t)],  g(a,t) = a exp(-a²/4t) / (2 √π t^{3/2})
//!                                                                      = Σ_{m odd} 4mπ sin(mπx) exp(-m²π²t)
//! ```
//!
//! **Quadrature.** In `s = ln t` the integrand is analytic for `|Im s| < π/2` and falls double exponentially at both ends, so
//! the trapezoidal rule converges geometrically. All terms carry the factor `exp(d/ε)`, `d` the distance to the nearest side, so
//! that nothing underflows however small `ε` is, and `u = d - ε ln(v exp(d/ε))`. The integrand is non-negative: no cancellation.
//!
//! **Accuracy.** `1e-13 max(1, ε)`, absolute, at every point of the closed square; there is no grid and no interpolation. Found
//! by comparing with twice and 0.7 times the number of quadrature nodes (differences below 1e-15 for `ε <= 0.1`), and confirmed
//! by the residual of the equation and by the convergence of [`EikonalGrid`](super::EikonalGrid) to it with the square of the
//! mesh width.

use std::f64::consts::PI;

use super::error::ReferenceError;
use super::interpolation::pairs;

/// Integrand values below `exp(-CUTOFF)` times its scale are neglected: under the rounding error of the sum.
const CUTOFF: f64 = 42.0;

/// Closer to the boundary than this `u` is zero: `u` is at most proportional to the distance, and `t` would underflow.
const NEGLIGIBLE_DISTANCE: f64 = 1e-30;

/// Viscosities for which nothing overflows and `u` (about `0.07/ε` for large `ε`) stays above the rounding error.
const EPSILONS: [f64; 2] = [1e-8, 1e3];

/// Time at which the two theta series are exchanged; either needs at most six terms for full precision there.
const SERIES_SWITCH: f64 = 0.1;

/// The solution of the viscous eikonal equation for one `ε`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eikonal {
    epsilon: f64,
}

impl Eikonal {
    /// The solution for viscosity `epsilon` (units of length).
    ///
    /// # Errors
    /// [`ReferenceError::Parameter`] unless `1e-8 <= epsilon <= 1e3`.
    pub fn new(epsilon: f64) -> Result<Self, ReferenceError> {
        if !(EPSILONS[0]..=EPSILONS[1]).contains(&epsilon) {
            return Err(ReferenceError::Parameter {
                solver: "eikonal",
                name: "epsilon",
                value: epsilon,
                expected: "between 1e-8 and 1e3",
            });
        }
        Ok(Self { epsilon })
    }

    /// Values of `u` at points `[n, 2]` of the closed unit square, row-major.
    ///
    /// # Errors
    /// [`ReferenceError::Shape`] for an odd number of coordinates, [`ReferenceError::OutsideDomain`] for a point outside.
    pub fn evaluate(&self, points: &[f64]) -> Result<Vec<f64>, ReferenceError> {
        Ok(pairs(points, [[0.0, 1.0]; 2])?.into_iter().map(|p| self.value(p, 1.0)).collect())
    }

    /// Stated L∞ accuracy, `1e-13 max(1, ε)`.
    pub fn accuracy(&self) -> f64 {
        1e-13 * self.epsilon.max(1.0)
    }

    /// `u` at one point, with `refinement` times as many quadrature nodes as needed.
    fn value(&self, point: [f64; 2], refinement: f64) -> f64 {
        let [x, y] = point.map(|c| c.min(1.0 - c));
        let distance = x.min(y);
        if distance < NEGLIGIBLE_DISTANCE {
            return 0.0;
        }
        let rate = self.epsilon.powi(-2);
        let shift = distance / self.epsilon;
        let first = (distance * distance / (4.0 * (CUTOFF + shift))).ln();
        let last = ((CUTOFF + shift) / rate).ln();
        let step = quadrature_step(shift + CUTOFF) / refinement;
        let count = ((last - first) / step).ceil();
        let step = (last - first) / count;
        let mut sum = 0.0;
        for i in 0..=count as usize {
            let t = (first + i as f64 * step).exp();
            let exponent = shift - rate * t;
            let exits = exit_density(x, t, exponent) * survival(y, t) + survival(x, t) * exit_density(y, t, exponent);
            sum += t * exits;
        }
        (distance - self.epsilon * (step * sum).ln()).max(0.0)
    }
}

/// Step of the trapezoidal rule in `ln t` with aliasing error below `exp(-CUTOFF)` for integrands like
/// `exp(-κ (cosh s - 1))`: the Fourier transform at `2π/step` is below `exp(κ - ωπ/2)` and, for `ω < κ`, about `exp(-ω²/2κ)`.
fn quadrature_step(kappa: f64) -> f64 {
    let omega = f64::max((CUTOFF + kappa) * 2.0 / PI, (2.0 * CUTOFF * kappa).sqrt());
    2.0 * PI / omega
}

/// `S(x, t)`.
fn survival(x: f64, t: f64) -> f64 {
    if t > SERIES_SWITCH {
        return odd_modes(x, t, |m| 4.0 / m, 0.0);
    }
    let scale = 0.5 / t.sqrt();
    let left = images(x, scale, |_, z| libm::erfc(z));
    // Clamped because rounding may leave -1e-17 where a point sits on the boundary.
    (1.0 - left).max(0.0)
}

/// `f(x, t) exp(exponent)`.
fn exit_density(x: f64, t: f64, exponent: f64) -> f64 {
    if t > SERIES_SWITCH {
        return odd_modes(x, t, |m| 4.0 * m, exponent);
    }
    let scale = 0.5 / t.sqrt();
    images(x, scale, |a, z| a * (exponent - z * z).exp()) / (2.0 * PI.sqrt() * t * t.sqrt())
}

/// `Σ_j (-1)^j [term(j + x) + term(j + 1 - x)]` over the images that matter; `term` gets `a` and `a * scale`.
fn images(x: f64, scale: f64, term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut sum = 0.0;
    let mut sign = 1.0;
    let mut j = 0.0;
    while j == 0.0 || (j * scale).powi(2) < CUTOFF {
        for a in [j + x, j + 1.0 - x] {
            sum += sign * term(a, a * scale);
        }
        sign = -sign;
        j += 1.0;
    }
    sum
}

/// `Σ_{m odd} coefficient(mπ) sin(mπx) exp(-m²π²t + exponent)`.
fn odd_modes(x: f64, t: f64, coefficient: impl Fn(f64) -> f64, exponent: f64) -> f64 {
    let mut sum = 0.0;
    let mut m = PI;
    while m * m * t < CUTOFF + PI * PI * t {
        sum += coefficient(m) * (m * x).sin() * (exponent - m * m * t).exp();
        m += 2.0 * PI;
    }
    sum
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn quadrature_has_converged() {
        let coordinates = [1e-9, 1e-4, 0.003, 0.02, 0.11, 0.27, 0.4, 0.5, 0.73, 0.999];
        for epsilon in [1e-5, 1e-3, 0.01, 0.1, 1.0, 100.0] {
            let eikonal = Eikonal::new(epsilon).unwrap();
            for x in coordinates {
                for y in coordinates {
                    let value = eikonal.value([x, y], 1.0);
                    for refinement in [0.8, 2.0] {
                        let change = (eikonal.value([x, y], refinement) - value).abs();
                        assert!(change < 0.1 * eikonal.accuracy(), "ε = {epsilon}, ({x}, {y}): {change:e}");
                    }
                }
            }
        }
    }

    #[test]
    fn both_series_agree_where_they_are_exchanged() {
        let (before, after) = (SERIES_SWITCH, SERIES_SWITCH * (1.0 + 1e-15));
        for x in [1e-6, 0.01, 0.2, 0.5] {
            let (s, f) = (survival(x, before), exit_density(x, before, 0.0));
            assert!((survival(x, after) - s).abs() < 3e-15, "S at {x}");
            assert!((exit_density(x, after, 0.0) - f).abs() < 1e-13, "f at {x}");
        }
    }

    #[test]
    fn exit_density_is_the_decay_of_survival() {
        for t in [1e-3, 0.02, 0.09, 0.3] {
            for x in [0.05, 0.3, 0.5] {
                let h = 1e-4 * t;
                let slope = (survival(x, t + h) - survival(x, t - h)) / (2.0 * h);
                let f = exit_density(x, t, 0.0);
                assert!((f + slope).abs() < 1e-6 * (1.0 + f), "t = {t}, x = {x}: {f} against {}", -slope);
            }
        }
    }
}
