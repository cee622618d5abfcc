//! One Gauss-Newton step's linear problem about the frozen iterate: training rows for the inner solve, a batch for the outer loss.

use std::sync::Arc;

use hyperpde_gp::{InnerProblem, RowBlock};
use hyperpde_kernels::{Kernel, Points};
use rand::seq::index::sample;

use crate::bilevel::{Batches, Bilevel};
use crate::error::BilevelError;

/// One Gauss-Newton step in progress.
pub(crate) struct Stage {
    /// The terms of the outer loss: one, or one per fold.
    pub terms: Vec<OuterTerm>,
    /// Outer steps so far.
    pub outer: usize,
    /// Loss at the last of them.
    pub loss: Option<f64>,
    /// Whether no further outer step is wanted.
    pub finished: bool,
}

/// A linear problem with its validation rows and the weight of each row's square.
pub(crate) struct OuterTerm {
    pub problem: Arc<InnerProblem>,
    pub weights: Vec<f64>,
}

impl<K: Kernel> Bilevel<K> {
    /// Freezes the iterate and linearises about it, on the collocation points and on a batch.
    pub(crate) fn linearise(&mut self) -> Result<Stage, BilevelError> {
        self.gauss_newton += 1;
        let mut terms = Vec::new();
        if self.settings.outer_steps > 0 {
            let unknowns = self.equations.unknowns();
            let batch = self.draw_batch()?;
            let values = self.iterate.at(&unknowns, &batch)?;
            let pde = self.equations.linearise(&batch, &values)?.rows("validation", &unknowns, &batch)?;
            if self.folds.is_empty() {
                terms.push(self.term(&pde, 1.0, &self.collocation.observations, &self.extra)?);
            }
            let share = 1.0 / self.folds.len().max(1) as f64;
            for fold in &self.folds {
                let mut scored = self.extra.clone();
                for rows in &fold.held_out {
                    let variance = rows.noise_variance();
                    scored.push((rows.clone(), if variance > 0.0 { 1.0 / variance } else { 1.0 }));
                }
                terms.push(self.term(&pde, share, &fold.fitted, &scored)?);
            }
            self.optimizer.begin(self.settings.optimizer_state);
        }
        Ok(Stage { terms, outer: 0, loss: None, finished: false })
    }

    /// A term of the outer loss: the equations on the batch with weight `pde_weight`, and `scored` rows with theirs.
    fn term(
        &self,
        pde: &[RowBlock],
        pde_weight: f64,
        observations: &[RowBlock],
        scored: &[(RowBlock, f64)],
    ) -> Result<OuterTerm, BilevelError> {
        let mut weights = vec![pde_weight; pde.iter().map(RowBlock::len).sum()];
        let mut validation = pde.to_vec();
        for (rows, weight) in scored {
            weights.extend(vec![*weight; rows.len()]);
            validation.push(rows.clone());
        }
        Ok(OuterTerm { problem: self.inner_problem(observations, &validation)?, weights })
    }

    /// The linear problem about the iterate's values at the collocation points.
    pub(crate) fn inner_problem(
        &self,
        observations: &[RowBlock],
        validation: &[RowBlock],
    ) -> Result<Arc<InnerProblem>, BilevelError> {
        let unknowns = self.equations.unknowns();
        let interior = &self.collocation.interior;
        let mut training =
            self.equations.linearise(interior, &self.at_collocation)?.rows("pde", &unknowns, interior)?;
        training.extend(self.collocation.boundary.iter().chain(observations).cloned());
        let (nugget, solve) = (self.settings.nugget, self.settings.solve.clone());
        Ok(InnerProblem::new(self.kernels.len(), training, validation, nugget, solve)?)
    }

    fn draw_batch(&mut self) -> Result<Points, BilevelError> {
        let pool = &self.collocation.pool;
        let indices = match &self.batches {
            Batches::Random => sample(&mut self.rng, pool.len(), self.settings.batch).into_vec(),
            Batches::Fixed(lists) => lists.get(self.gauss_newton - 1).or(lists.last()).cloned().unwrap_or_default(),
        };
        Ok(pool.select(&indices)?)
    }
}
