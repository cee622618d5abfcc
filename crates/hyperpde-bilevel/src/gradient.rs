//! The hypergradient against differences of the outer loss.
//!
//! Along a direction `v` of length one,
//!
//! ```text
//! gᵀ v  ≈  (8 (L(θ + h v) − L(θ − h v)) − (L(θ + 2h v) − L(θ − 2h v))) / (12 h)
//! ```
//!
//! with an error of `O(h⁴)` and rounding of `O(ε κ/h)`, where `κ` is the condition number of the inner system. No one step length suits all
//! problems, so of a few the one that agrees best counts: a wrong gradient agrees with none.

use hyperpde_kernels::Kernel;
use hyperpde_pde::seeded;
use rand::RngExt;

use crate::bilevel::Bilevel;
use crate::error::BilevelError;

/// Step lengths along a direction of length one; hyperparameters are of order one, most of them logarithms.
const STEPS: [f64; 4] = [3e-2, 3e-3, 3e-4, 3e-5];
/// A derivative along a direction is held to its own size, and to this fraction of the gradient's norm if it is smaller.
const FLOOR: f64 = 1e-2;
/// Stream of the run's seed for directions.
const DIRECTION_STREAM: u64 = (1 << 32) + 2;

/// What [`Bilevel::check_gradient`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientCheck {
    /// The outer loss.
    pub loss: f64,
    /// Euclidean norm of its gradient.
    pub norm: f64,
    /// Largest relative deviation of the gradient from differences, over the directions.
    pub deviation: f64,
    /// Directions that were tried: each hyperparameter, or random ones if there are more.
    pub directions: usize,
    /// Hyperparameters.
    pub parameters: usize,
}

impl<K: Kernel> Bilevel<K> {
    /// Outer loss and hypergradient at `theta`, about the present linearisation; a Gauss-Newton step is begun if none is in progress. The
    /// run's own hyperparameters stay.
    ///
    /// # Errors
    /// [`BilevelError::Setting`] if the run has no outer steps or `theta` a wrong length, [`BilevelError::Step`] or
    /// [`BilevelError::NonFinite`] if the inner solve fails there.
    pub fn outer_loss(&mut self, theta: &[f64]) -> Result<(f64, Vec<f64>), BilevelError> {
        if self.settings.outer_steps == 0 {
            let expected = "without outer steps there is no outer loss";
            return Err(BilevelError::Setting { name: "outer steps", value: "0".into(), expected: expected.into() });
        }
        if theta.len() != self.hyper.theta.len() {
            let expected = format!("the run has {} hyperparameters", self.hyper.theta.len());
            return Err(BilevelError::Setting { name: "length of theta", value: theta.len().to_string(), expected });
        }
        let stage = match self.stage.take() {
            Some(stage) => stage,
            None => self.begin()?,
        };
        let outcome = self.outer_value(&stage, theta);
        self.stage = Some(stage);
        outcome.map(|outcome| (outcome.value, outcome.gradient))
    }

    /// Holds the hypergradient at the present hyperparameters against differences (see the module's formula): along each of them if there
    /// are at most `directions`, else along as many random directions. It costs 17 evaluations of the loss a direction.
    ///
    /// # Errors
    /// As [`Bilevel::outer_loss`].
    pub fn check_gradient(&mut self, directions: usize) -> Result<GradientCheck, BilevelError> {
        let theta = self.hyper.theta.clone();
        let directions = directions_of(theta.len(), directions, self.settings.seed);
        compare(&theta, &directions, |theta| self.outer_loss(theta))
    }
}

fn directions_of(parameters: usize, most: usize, seed: u64) -> Vec<Vec<f64>> {
    if parameters <= most {
        let unit = |i| (0..parameters).map(|k| f64::from(u8::from(k == i))).collect();
        return (0..parameters).map(unit).collect();
    }
    let mut rng = seeded(seed, DIRECTION_STREAM);
    (0..most)
        .map(|_| {
            let v: Vec<f64> = (0..parameters).map(|_| rng.random_range(-1.0..1.0)).collect();
            let length = norm(&v);
            v.into_iter().map(|x| x / length).collect()
        })
        .collect()
}

fn compare(
    theta: &[f64],
    directions: &[Vec<f64>],
    mut at: impl FnMut(&[f64]) -> Result<(f64, Vec<f64>), BilevelError>,
) -> Result<GradientCheck, BilevelError> {
    let (loss, gradient) = at(theta)?;
    let size = norm(&gradient);
    let mut deviation = 0.0f64;
    for v in directions {
        let exact: f64 = gradient.iter().zip(v).map(|(g, v)| g * v).sum();
        let mut best = f64::INFINITY;
        for h in STEPS {
            let mut moved = |s: f64| {
                let theta: Vec<f64> = theta.iter().zip(v).map(|(t, v)| t + s * h * v).collect();
                at(&theta).map(|(loss, _)| loss)
            };
            let near = moved(1.0)? - moved(-1.0)?;
            let far = moved(2.0)? - moved(-2.0)?;
            let difference = (8.0 * near - far) / (12.0 * h);
            let scale = exact.abs().max(difference.abs()).max(FLOOR * size).max(f64::MIN_POSITIVE);
            best = best.min((difference - exact).abs() / scale);
        }
        deviation = deviation.max(best);
    }
    Ok(GradientCheck { loss, norm: size, deviation, directions: directions.len(), parameters: theta.len() })
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `Σ (i + 1) exp(θ_i)` with a gradient that is off by `error` in its first entry.
    fn loss(theta: &[f64], error: f64) -> Result<(f64, Vec<f64>), BilevelError> {
        let mut gradient: Vec<f64> = theta.iter().zip(1..).map(|(t, i)| f64::from(i) * t.exp()).collect();
        let value = gradient.iter().sum();
        gradient[0] *= 1.0 + error;
        Ok((value, gradient))
    }

    #[test]
    fn right_gradients_agree_and_wrong_ones_do_not() {
        let theta = [0.3, -0.2, 0.1];
        for most in [2, 5] {
            let directions = directions_of(3, most, 1);
            assert_eq!(directions.len(), most.min(3));
            assert!(directions.iter().all(|v| (norm(v) - 1.0).abs() < 1e-12));
            let right = compare(&theta, &directions, |t| loss(t, 0.0)).unwrap();
            assert!(right.deviation < 1e-8, "{right:?}");
            let wrong = compare(&theta, &directions, |t| loss(t, 0.03)).unwrap();
            assert!(wrong.deviation > 1e-3, "{wrong:?}");
        }
    }
}
