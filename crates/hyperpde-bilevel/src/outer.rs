//! The outer problem at one `θ`: what a hypergradient differentiates.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use burn::tensor::{Tensor, TensorData};
use hyperpde_gp::{InnerProblem, Needs, Posterior, RowBlock, RowCotangent};
use hyperpde_kernels::{Kernel, Points, gradient, tensor_to_vec};
use hyperpde_linalg::SolveStatistics;
use hyperpde_pde::Collocation;

use crate::error::BilevelError;
use crate::hypergradient::{IterateCotangent, OuterProblem};
use crate::iterate::{change, unknowns_of};
use crate::linearisation::{About, Linearisation};
use crate::objective::Objective;
use crate::system::System;

/// The linear problems of a Gauss-Newton step with kernels at one `θ`.
pub(crate) struct Outer<'a, K: Kernel> {
    pub system: &'a System,
    pub collocation: &'a Collocation,
    /// The iterate at the collocation points, `[unknowns][n]`.
    pub unknowns: Cow<'a, [Vec<f64>]>,
    /// The points where equations are scored and the iterate there, `[unknowns][m]`.
    pub batch: Option<(&'a Points, Cow<'a, [Vec<f64>]>)>,
    pub linearisation: Arc<Linearisation>,
    pub objective: &'a dyn Objective,
    pub kernels: Arc<Vec<K>>,
    /// Where the run is, for messages: Gauss-Newton step and outer step, from 1.
    pub position: (usize, usize),
    /// The solve about the iterate with all observations, once it was wanted.
    pub posterior: OnceLock<Posterior<K>>,
}

impl<K: Kernel> Outer<'_, K> {
    fn failed(&self, error: hyperpde_gp::GpError) -> BilevelError {
        BilevelError::from_solve(self.position.0, self.position.1, error)
    }

    fn all_rows(&self, validation: &[RowBlock]) -> Result<Arc<InnerProblem>, BilevelError> {
        let (pde, observations) = (&self.linearisation.pde, &self.collocation.observations);
        self.system.inner_problem(pde, self.collocation, observations, validation)
    }

    fn posterior(&self) -> Result<&Posterior<K>, BilevelError> {
        if let Some(posterior) = self.posterior.get() {
            return Ok(posterior);
        }
        let posterior = self.all_rows(&[])?.solve(&self.kernels).map_err(|e| self.failed(e))?;
        Ok(self.posterior.get_or_init(|| posterior))
    }

    /// The rows that make the next iterate from a solve, with the cotangents of that iterate: latents at the collocation points, the solution itself on the batch.
    fn next_rows(&self, next: &IterateCotangent) -> Result<Vec<(RowBlock, Vec<f64>)>, BilevelError> {
        let mut rows = Vec::new();
        let mut add = |points: &Points, by: &[Vec<f64>], latents: bool| -> Result<(), BilevelError> {
            for (unknown, by) in self.system.unknowns.iter().zip(by) {
                let zeros = vec![0.0; points.len()];
                let block =
                    RowBlock::simple("iterate", unknown.field, unknown.operator.clone(), points.clone(), zeros, 0.0)?;
                rows.push((if latents { block.regularised() } else { block }, by.clone()));
            }
            Ok(())
        };
        add(&self.collocation.interior, &next.at_collocation, true)?;
        if let Some((points, _)) = &self.batch {
            add(points, &next.at_batch, false)?;
        }
        Ok(rows)
    }

    /// `ū` at some points from the cotangents of the equations' rows there, one block per equation.
    fn by_rows(
        &self,
        points: &Points,
        at: &[Vec<f64>],
        rows: Vec<RowCotangent>,
    ) -> Result<Vec<Vec<f64>>, BilevelError> {
        let (coefficients, rhs): (Vec<_>, Vec<_>) = rows.into_iter().map(|r| (r.coefficients, r.rhs)).unzip();
        Ok(self.system.equations.vjp(points, at, &coefficients, &rhs)?)
    }

    /// Objective of a term and its derivative by the predictions, `[m]`.
    fn by_predictions(&self, term: usize) -> Result<Vec<f64>, BilevelError> {
        let needs = self.objective.needs();
        if needs != Needs::default() {
            return Err(BilevelError::Setting {
                name: "hypergradient",
                value: format!("one that follows the iterate, with the objective '{}'", self.objective.name()),
                expected: "an objective of predictions alone (published, validation), or the one-step hypergradient"
                    .into(),
            });
        }
        let term = &self.linearisation.terms[term];
        let mut solve = term.problem.evaluate(&self.kernels, needs).map_err(|e| self.failed(e))?;
        let leaf = solve.predictions.clone().detach().require_grad();
        solve.predictions = leaf.clone();
        let value = self.objective.value(&solve, &term.rows)?;
        let gradients = value.backward();
        match leaf.grad(&gradients) {
            Some(by) => Ok(tensor_to_vec(by)?),
            None => Ok(vec![0.0; term.rows.weights.len()]),
        }
    }
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
        let solve = term.problem.evaluate(&self.kernels, self.objective.needs()).map_err(|e| self.failed(e))?;
        Ok((self.objective.value(&solve, &term.rows)?, solve.statistics))
    }

    fn gradient(&self, value: &Tensor<1>) -> Result<Vec<f64>, BilevelError> {
        if !value.is_tracked() {
            return Err(BilevelError::Untracked);
        }
        Ok(gradient(self.kernels.as_ref(), &value.backward())?)
    }

    fn advance(&self) -> Result<(Box<dyn OuterProblem + '_>, f64), BilevelError> {
        let posterior = self.posterior()?;
        let unknowns = posterior.latents(0).map_err(|e| self.failed(e))?;
        let (moved, _) = change(&unknowns, &self.unknowns);
        let batch = match &self.batch {
            Some((points, _)) => Some((*points, unknowns_of(posterior, &self.system.unknowns, points)?)),
            None => None,
        };
        let about = About { collocation: self.collocation, unknowns: &unknowns };
        let on_batch = batch.as_ref().map(|(points, unknowns)| (*points, unknowns.as_slice()));
        let linearisation = Arc::new(self.linearisation.about(self.system, about, on_batch)?);
        let next = Outer {
            system: self.system,
            collocation: self.collocation,
            unknowns: Cow::Owned(unknowns),
            batch: batch.map(|(points, unknowns)| (points, Cow::Owned(unknowns))),
            linearisation,
            objective: self.objective,
            kernels: self.kernels.clone(),
            position: self.position,
            posterior: OnceLock::new(),
        };
        Ok((Box::new(next), moved))
    }

    fn by_iterate(&self) -> Result<IterateCotangent, BilevelError> {
        let equations = self.linearisation.pde.len();
        let on = |points: Option<&Points>| vec![vec![0.0; points.map_or(0, Points::len)]; self.system.unknowns.len()];
        let mut total = IterateCotangent {
            at_collocation: on(Some(&self.collocation.interior)),
            at_batch: on(self.batch.as_ref().map(|(points, _)| *points)),
        };
        for (t, term) in self.linearisation.terms.iter().enumerate() {
            let by = self.by_predictions(t)?;
            let mut rest = by.as_slice();
            let mut scored = Vec::new();
            for rows in &term.validation {
                let (own, others) = rest.split_at(rows.len().min(rest.len()));
                scored.push((rows.clone(), own.to_vec()));
                rest = others;
            }
            let held = term.problem.solve(&self.kernels).map_err(|e| self.failed(e))?;
            let pulled = held.pull_back(equations, &scored).map_err(|e| self.failed(e))?;
            let mut part = IterateCotangent {
                at_collocation: self.by_rows(&self.collocation.interior, &self.unknowns, pulled.training)?,
                at_batch: on(self.batch.as_ref().map(|(points, _)| *points)),
            };
            if let Some((points, at)) = &self.batch {
                // A misfit `p − s` moves with the right-hand side against the prediction.
                let moved = |(coefficients, (_, by)): (Vec<Vec<f64>>, &(RowBlock, Vec<f64>))| RowCotangent {
                    coefficients,
                    rhs: by.iter().map(|g| -g).collect(),
                };
                let rows = pulled.scored.into_iter().zip(&scored).take(equations).map(moved).collect();
                part.at_batch = self.by_rows(points, at, rows)?;
            }
            total.add(&part);
        }
        Ok(total)
    }

    fn pull_back(&self, next: &IterateCotangent) -> Result<IterateCotangent, BilevelError> {
        let rows = self.next_rows(next)?;
        let pulled = self.posterior()?.pull_back(self.linearisation.pde.len(), &rows).map_err(|e| self.failed(e))?;
        Ok(IterateCotangent {
            at_collocation: self.by_rows(&self.collocation.interior, &self.unknowns, pulled.training)?,
            at_batch: next.at_batch.iter().map(|values| vec![0.0; values.len()]).collect(),
        })
    }

    fn step_gradient(&self, next: &IterateCotangent) -> Result<Vec<f64>, BilevelError> {
        let (rows, by): (Vec<_>, Vec<_>) = self.next_rows(next)?.into_iter().unzip();
        let by = by.concat();
        let problem = self.all_rows(&rows)?;
        let values = problem.predict(&self.kernels).map_err(|e| self.failed(e))?.values;
        let by = Tensor::<1>::from_data(TensorData::new(by.clone(), [by.len()]), (&values.device(), values.dtype()));
        self.gradient(&(values * by).sum())
    }
}
