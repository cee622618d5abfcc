//! Adam, with the published constants.

use serde::{Deserialize, Serialize};

use super::{LossRange, Optimizer, OptimizerError, OptimizerSnapshot, OptimizerState, Progress};

/// Constants of [`Adam`], by default those of its authors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamSettings {
    /// Decay `β₁` of the first moment, at least 0 and below 1.
    pub beta1: f64,
    /// Decay `β₂` of the second moment, at least 0 and below 1.
    pub beta2: f64,
    /// `ε > 0`, which keeps the step finite where gradients vanish.
    pub epsilon: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl AdamSettings {
    /// Adam with these constants.
    pub fn build(&self, learning_rate: f64) -> Adam {
        Adam { constants: *self, ..Adam::new(learning_rate) }
    }
}

/// Adam (Kingma and Ba, *Adam: a method for stochastic optimization*, 2015, algorithm 1).
///
/// ```text
/// m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²,   θ ← θ − r · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)
/// ```
///
/// All constants in full float64, `ε` outside the root, as the published code has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate `r`.
    pub learning_rate: f64,
    /// Decays and `ε`.
    pub constants: AdamSettings,
    first: Vec<f64>,
    second: Vec<f64>,
    steps: i32,
}

impl Adam {
    /// Adam with the published constants `β₁ = 0.9`, `β₂ = 0.999`, `ε = 1e-8`.
    pub fn new(learning_rate: f64) -> Self {
        let constants = AdamSettings::default();
        Self { learning_rate, constants, first: Vec::new(), second: Vec::new(), steps: 0 }
    }

    fn forget(&mut self) {
        self.first.clear();
        self.second.clear();
        self.steps = 0;
    }
}

impl Optimizer for Adam {
    fn name(&self) -> &str {
        "adam"
    }

    /// The scale of the loss drops out of the step, so its range does not matter.
    fn begin(&mut self, state: OptimizerState, _range: LossRange) {
        if state == OptimizerState::Reset {
            self.forget();
        }
    }

    fn step(&mut self, theta: &mut [f64], _loss: f64, gradient: &[f64]) -> Progress {
        let AdamSettings { beta1, beta2, epsilon } = self.constants;
        self.first.resize(theta.len(), 0.0);
        self.second.resize(theta.len(), 0.0);
        self.steps = self.steps.saturating_add(1);
        let (c1, c2) = (1.0 - beta1.powi(self.steps), 1.0 - beta2.powi(self.steps));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((t, g), (m, v)) in theta.iter_mut().zip(gradient).zip(moments) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *t -= self.learning_rate * (*m / c1) / ((*v / c2).sqrt() + epsilon);
        }
        Progress::Continue
    }

    /// Back to the safe point, with half the learning rate from now on.
    fn retreat(&mut self, theta: &mut [f64], safe: &[f64]) {
        theta.copy_from_slice(safe);
        self.forget();
        self.learning_rate *= 0.5;
    }

    fn save(&self) -> OptimizerSnapshot {
        OptimizerSnapshot {
            scalars: vec![self.learning_rate, f64::from(self.steps)],
            vectors: vec![self.first.clone(), self.second.clone()],
            ..OptimizerSnapshot::of(self.name())
        }
    }

    fn load(&mut self, snapshot: &OptimizerSnapshot) -> Result<(), OptimizerError> {
        snapshot.check(self.name(), 2)?;
        let [first, second] = snapshot.vectors.as_slice() else {
            return snapshot.expect(false, "two vectors, the moments");
        };
        (self.learning_rate, self.steps) = (snapshot.scalars[0], snapshot.scalars[1] as i32);
        (self.first, self.second) = (first.clone(), second.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` and `b` to rounding: both are a handful of operations on numbers of order one.
    fn assert_close(a: &[f64], b: &[f64]) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-15), "{a:?} and {b:?}");
    }

    #[test]
    fn three_steps_by_hand() {
        // g = 1, 0.5, −2 with r = 0.1, β₁ = 0.5, β₂ = 0.75, ε = 0.25:
        //   m = 0.5, 0.5, −0.75;        m/(1 − β₁ᵗ) = 1, 2/3, −6/7
        //   v = 0.25, 0.25, 1.1875;     v/(1 − β₂ᵗ) = 1, 4/7, 76/37
        let mut adam = AdamSettings { beta1: 0.5, beta2: 0.75, epsilon: 0.25 }.build(0.1);
        let mut theta = [1.0];
        let steps =
            [1.0 / 1.25, (2.0 / 3.0) / ((4.0f64 / 7.0).sqrt() + 0.25), (-6.0 / 7.0) / ((76.0f64 / 37.0).sqrt() + 0.25)];
        let mut expected = 1.0;
        for (g, step) in [1.0, 0.5, -2.0].into_iter().zip(steps) {
            assert_eq!(adam.step(&mut theta, 0.0, &[g]), Progress::Continue);
            expected -= 0.1 * step;
            assert_close(&theta, &[expected]);
        }
    }

    #[test]
    fn a_retreat_halves_the_steps_and_forgets_the_moments() {
        let mut adam = Adam::new(0.1);
        let mut theta = [0.0, 0.0];
        adam.step(&mut theta, 1.0, &[3.0, -0.2]);
        // The first step has the length of the learning rate in every coordinate, but for ε.
        assert!((theta[0] + 0.1).abs() < 1e-8 && (theta[1] - 0.1).abs() < 1e-8, "{theta:?}");
        adam.retreat(&mut theta, &[0.5, 0.5]);
        assert_eq!(theta, [0.5, 0.5]);
        adam.step(&mut theta, 1.0, &[-7.0, 4.0]);
        assert!((theta[0] - 0.55).abs() < 1e-8 && (theta[1] - 0.45).abs() < 1e-8, "{theta:?}");
    }

    #[test]
    fn memory_is_kept_or_reset_at_a_new_loss() {
        let mut kept = Adam::new(0.1);
        kept.step(&mut [0.0], 1.0, &[3.0]);
        let mut reset = kept.clone();
        kept.begin(OptimizerState::Keep, LossRange::Positive);
        reset.begin(OptimizerState::Reset, LossRange::Positive);
        let (mut a, mut b, mut fresh) = ([0.0], [0.0], [0.0]);
        kept.step(&mut a, 1.0, &[-1.0]);
        reset.step(&mut b, 1.0, &[-1.0]);
        Adam::new(0.1).step(&mut fresh, 1.0, &[-1.0]);
        assert_eq!(b, fresh);
        assert!(a[0] < b[0], "{a:?} remembers a gradient the other way, {b:?} does not");
    }
}
