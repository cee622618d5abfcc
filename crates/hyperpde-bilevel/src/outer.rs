//! The outer problem at one `θ`: what a hypergradient differentiates.

use burn::tensor::Tensor;
use hyperpde_kernels::{Kernel, gradient};
use hyperpde_linalg::SolveStatistics;

use crate::error::BilevelError;
use crate::hypergradient::OuterProblem;
use crate::linearisation::Linearisation;
use crate::objective::Objective;

/// The linear problems of a Gauss-Newton step with kernels at one `θ`.
pub(crate) struct Outer<'a, K: Kernel> {
    pub linearisation: &'a Linearisation,
    pub objective: &'a dyn Objective,
    pub kernels: Vec<K>,
    /// Where the run is, for messages: Gauss-Newton step and outer step, from 1.
    pub position: (usize, usize),
}

impl<K: Kernel> OuterProblem for Outer<'_, K> {
    fn terms(&self) -> usize {
        self.linearisation.terms.len()
    }

    fn objective(&self, term: usize) -> Result<(Tensor<1>, SolveStatistics), BilevelError> {
        let Some(term) = self.linearisation.terms.get(term) else {
            let expected = format!("the outer loss has {} terms, numbered from 0", self.terms());
            return Err(BilevelError::Setting { name: "term of the outer loss", value: term.to_string(), expected });
        };
        let (gauss_newton, outer) = self.position;
        let solve = term
            .problem
            .evaluate(&self.kernels, self.objective.needs())
            .map_err(|e| BilevelError::from_solve(gauss_newton, outer, e))?;
        Ok((self.objective.value(&solve, &term.rows)?, solve.statistics))
    }

    fn gradient(&self, value: &Tensor<1>) -> Result<Vec<f64>, BilevelError> {
        if !value.is_tracked() {
            return Err(BilevelError::Untracked);
        }
        Ok(gradient(&self.kernels, &value.backward())?)
    }
}
