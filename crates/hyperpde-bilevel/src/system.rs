//! The equations with all that is known about the fields, and the linear problems that come of them.

use std::sync::Arc;

use hyperpde_gp::{InnerProblem, Posterior, RowBlock, SolveSettings};
use hyperpde_kernels::{Kernel, Points};
use hyperpde_pde::{Collocation, Equations, Problem, Unknown};

use crate::error::BilevelError;
use crate::iterate::unknowns_of;
use crate::settings::BilevelSettings;

/// What is solved and how, but for the points: the same for a whole run.
pub(crate) struct System {
    pub equations: Arc<dyn Equations>,
    pub unknowns: Vec<Unknown>,
    pub fields: usize,
    /// Nugget `η`.
    pub nugget: f64,
    pub solve: SolveSettings,
}

impl System {
    /// The system of a problem.
    ///
    /// # Errors
    /// [`BilevelError::Setting`] unless there is one kernel per field.
    pub fn new(problem: &Problem, kernels: usize, settings: &BilevelSettings) -> Result<Self, BilevelError> {
        if kernels != problem.fields().len() {
            let expected = format!("one kernel per field: {}", problem.fields().join(", "));
            return Err(BilevelError::Setting { name: "kernels", value: kernels.to_string(), expected });
        }
        let equations = problem.equations().clone();
        let unknowns = equations.unknowns();
        Ok(Self { equations, unknowns, fields: kernels, nugget: settings.nugget, solve: settings.solve.clone() })
    }

    /// The equations' rows, linearised at `points` about the values `about`, `[unknowns][n]`.
    pub fn linearise(&self, name: &str, points: &Points, about: &[Vec<f64>]) -> Result<Vec<RowBlock>, BilevelError> {
        Ok(self.equations.linearise(points, about)?.rows(name, &self.unknowns, points)?)
    }

    /// The linear problem of the equations' rows `pde` with the conditions of `collocation` and the given observations.
    pub fn inner_problem(
        &self,
        pde: &[RowBlock],
        collocation: &Collocation,
        observations: &[RowBlock],
        validation: &[RowBlock],
    ) -> Result<Arc<InnerProblem>, BilevelError> {
        let training = pde.iter().chain(&collocation.boundary).chain(observations).cloned().collect();
        Ok(InnerProblem::new(self.fields, training, validation, self.nugget, self.solve.clone())?)
    }

    /// `F(u)` at the points from the unknowns there, equation by equation.
    pub fn residual(&self, points: &Points, unknowns: &[Vec<f64>]) -> Result<Vec<f64>, BilevelError> {
        Ok(self.equations.residual(points, unknowns)?.concat())
    }

    /// Rows of the inner system: equations, conditions, observations.
    pub fn rows(&self, collocation: &Collocation) -> usize {
        let count = |blocks: &[RowBlock]| blocks.iter().map(RowBlock::len).sum::<usize>();
        self.equations.equations() * collocation.interior.len()
            + count(&collocation.boundary)
            + count(&collocation.observations)
    }

    /// Root mean square over points and equations of the nonlinear residual of a solution.
    pub fn residual_rms<K: Kernel>(&self, solution: &Posterior<K>, points: &Points) -> Result<f64, BilevelError> {
        let values = unknowns_of(solution, &self.unknowns, points)?;
        let residual = self.equations.residual(points, &values)?;
        let (sum, count) = residual.iter().flatten().fold((0.0, 0.0), |(s, n), r| (s + r * r, n + 1.0));
        Ok((sum / f64::max(count, 1.0)).sqrt())
    }
}
