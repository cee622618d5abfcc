//! Adam, with the published constants.

use super::{Optimizer, OptimizerSnapshot, Progress};
use crate::settings::OptimizerState;

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
    /// Decay `β₁` of the first moment.
    pub beta1: f64,
    /// Decay `β₂` of the second moment.
    pub beta2: f64,
    /// `ε`.
    pub epsilon: f64,
    first: Vec<f64>,
    second: Vec<f64>,
    steps: i32,
}

impl Adam {
    /// Adam with the published constants `β₁ = 0.9`, `β₂ = 0.999`, `ε = 1e-8`.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, first: Vec::new(), second: Vec::new(), steps: 0 }
    }
}

impl Adam {
    fn forget(&mut self) {
        self.first.clear();
        self.second.clear();
        self.steps = 0;
    }
}

impl Optimizer for Adam {
    fn begin(&mut self, state: OptimizerState) {
        if state == OptimizerState::Reset {
            self.forget();
        }
    }

    fn step(&mut self, theta: &mut [f64], _loss: f64, gradient: &[f64]) -> Progress {
        self.first.resize(theta.len(), 0.0);
        self.second.resize(theta.len(), 0.0);
        self.steps = self.steps.saturating_add(1);
        let (c1, c2) = (1.0 - self.beta1.powi(self.steps), 1.0 - self.beta2.powi(self.steps));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((t, g), (m, v)) in theta.iter_mut().zip(gradient).zip(moments) {
            *m = self.beta1 * *m + (1.0 - self.beta1) * g;
            *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
            *t -= self.learning_rate * (*m / c1) / ((*v / c2).sqrt() + self.epsilon);
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
        }
    }

    fn load(&mut self, snapshot: &OptimizerSnapshot) {
        if let ([rate, steps], [first, second]) = (snapshot.scalars.as_slice(), snapshot.vectors.as_slice()) {
            (self.learning_rate, self.steps) = (*rate, *steps as i32);
            (self.first, self.second) = (first.clone(), second.clone());
        }
    }
}
