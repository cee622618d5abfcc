//! Learning never makes it worse: which of two solutions is delivered, the one with the learned kernels or that with the kernels as they were.
//!
//! Both are scored without the truth, on the same points, which neither was solved or learned on, with the conditions counting as much as the equations:
//!
//! ```text
//! score² = (residual of the equations / size of their terms)² + (misfit of the worst condition / size of its data)²
//! ```
//!
//! with the sizes of [`crate::verdict`]. A loss that learning has lowered says little here: it was lowered on its own points, about its own iterate.

use hyperpde_config::RunSettings;
use hyperpde_pde::{Collocation, Problem, SampleSizes, Sampler};

use super::cloud::sampling;
use super::solve::Solved;
use crate::error::RunError;
use crate::verdict::{conditions, equation};
use hyperpde_kernels::Kernel;

/// Seed of the points, apart from that of the run and of its verdict.
const CHOICE_SEED: u64 = 0xc401_ce00_0000_0000;

/// The points on which solutions are compared: as many as the run has, drawn anew.
pub(super) struct Comparison {
    points: Collocation,
}

impl Comparison {
    pub fn new(problem: &Problem, settings: &RunSettings, sampler: Sampler) -> Result<Self, RunError> {
        let sizes = SampleSizes { validation: 0, ..settings.sizes() };
        let points = problem.sample(&sizes, sampler, settings.seed ^ CHOICE_SEED).map_err(sampling)?;
        Ok(Self { points })
    }

    /// The score of a solution; infinity for one that can't be evaluated.
    pub fn score<K: Kernel>(&self, problem: &Problem, solved: &Solved<K>) -> f64 {
        let Collocation { interior, boundary, .. } = &self.points;
        let solution = solved.posterior.as_ref();
        let misfits = conditions::misfits(solution, boundary, interior);
        let residual = equation::residual(solution, problem.equations().as_ref(), interior);
        let (Ok(misfits), Ok(residual)) = (misfits, residual) else { return f64::INFINITY };
        let misfit = misfits.iter().map(conditions::Misfit::relative).fold(0.0, f64::max);
        let score = residual.hypot(misfit);
        if score.is_nan() { f64::INFINITY } else { score }
    }
}
