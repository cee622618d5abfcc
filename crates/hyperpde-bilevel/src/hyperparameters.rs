//! The hyperparameters of a run: the kernels, their flat vector `θ`, and the last point that worked.

use burn::module::{ModuleVisitor, Param};
use burn::tensor::Tensor;
use hyperpde_kernels::{Kernel, parameters, with_parameters};

use crate::error::BilevelError;
use crate::optimizer::Optimizer;

pub(crate) struct Hyperparameters<K: Kernel> {
    /// One per field, with the `θ` of the last solve.
    pub kernels: Vec<K>,
    /// `θ`, flat.
    pub theta: Vec<f64>,
    /// Where the regulariser pulls to.
    pub initial: Vec<f64>,
    /// The last `θ` whose inner solve succeeded.
    pub safe: Option<Vec<f64>>,
    /// Times that training may still back off.
    pub retries: usize,
}

impl<K: Kernel> Hyperparameters<K> {
    pub fn new(kernels: Vec<K>, retries: usize) -> Result<Self, BilevelError> {
        let theta = parameters(&kernels)?;
        Ok(Self { kernels, initial: theta.clone(), theta, safe: None, retries })
    }

    /// The kernels with other hyperparameters.
    pub fn kernels_at(&self, theta: &[f64]) -> Result<Vec<K>, BilevelError> {
        Ok(with_parameters(self.kernels.clone(), theta)?)
    }

    pub fn set(&mut self, theta: &[f64]) -> Result<(), BilevelError> {
        self.kernels = self.kernels_at(theta)?;
        self.theta = theta.to_vec();
        Ok(())
    }

    /// Adds `ρ ‖θ − θ⁰‖²` to a loss at `theta`, and its derivative to the gradient.
    pub fn regularise(&self, theta: &[f64], weight: f64, value: &mut f64, gradient: &mut [f64]) {
        if weight > 0.0 {
            for ((g, t), t0) in gradient.iter_mut().zip(theta).zip(&self.initial) {
                *value += weight * (t - t0).powi(2);
                *g += 2.0 * weight * (t - t0);
            }
        }
    }

    /// Returns to the last parameters that worked and lets the optimizer be more careful, or passes the error on if there is nothing to
    /// return to.
    pub fn back_off(&mut self, error: BilevelError, optimizer: &mut dyn Optimizer) -> Result<(), BilevelError> {
        match &self.safe {
            Some(safe) if error.is_recoverable() && self.retries > 0 && *safe != self.theta => {
                log::warn!("{error}; going on more carefully from the last good hyperparameters");
                self.retries -= 1;
                optimizer.retreat(&mut self.theta, safe);
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// Whether burn records what happens to at least one parameter.
    pub fn are_tracked(&self) -> bool {
        struct Tracked(bool);
        impl ModuleVisitor for Tracked {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0 |= param.val().is_require_grad();
            }
        }
        let mut tracked = Tracked(false);
        self.kernels.iter().for_each(|kernel| kernel.visit(&mut tracked));
        tracked.0
    }
}
