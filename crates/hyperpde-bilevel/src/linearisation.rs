//! One Gauss-Newton step's linear problems about the frozen iterate: training rows for the inner solve, scored rows for the outer loss.

use std::sync::Arc;

use hyperpde_gp::{InnerProblem, Posterior, RowBlock};
use hyperpde_kernels::{Kernel, Points};
use hyperpde_pde::{Collocation, Fold, misfit_weight};

use crate::error::BilevelError;
use crate::iterate::unknowns_of;
use crate::objective::ScoredRows;
use crate::scales;
use crate::system::System;

/// What the outer loss scores besides the equations.
#[derive(Default)]
pub(crate) struct Scoring {
    /// Rows that every solve is scored on, with the weight of their squares.
    pub extra: Vec<(RowBlock, f64)>,
    /// Divisions of the observations, one solve each; none for one solve of all observations.
    pub folds: Vec<Fold>,
}

/// The iterate about which equations are linearised: the points and its unknowns there, `[unknowns][n]`.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub collocation: &'a Collocation,
    pub unknowns: &'a [Vec<f64>],
}

/// New points that the outer loss scores.
pub(crate) struct Batch<K: Kernel> {
    /// Where the equations are scored, `[m, d]`.
    pub points: Points,
    /// The iterate's unknowns there, `[unknowns][m]`.
    pub unknowns: Vec<Vec<f64>>,
    /// Conditions at new points, and a solution that sizes are taken from, if every row is scored over its own size.
    pub relative: Option<Relative<K>>,
}

/// See [`Batch::relative`].
pub(crate) struct Relative<K: Kernel> {
    pub conditions: Vec<RowBlock>,
    pub solution: Arc<Posterior<K>>,
}

/// Everything that stays the same during a Gauss-Newton step.
pub(crate) struct Linearisation {
    /// Rows of the equations on the collocation points.
    pub pde: Vec<RowBlock>,
    /// The terms of the outer loss: one, or one per fold; none for a run without outer steps.
    pub terms: Vec<OuterTerm>,
}

/// A linear problem with the rows that its solve is scored on.
pub(crate) struct OuterTerm {
    pub problem: Arc<InnerProblem>,
    pub rows: ScoredRows,
    /// The scored rows themselves, equations first.
    pub validation: Vec<RowBlock>,
    /// The observations that its solve fits.
    pub fitted: Vec<RowBlock>,
}

/// Rows with the weight of their squares.
type Weighted = Vec<(RowBlock, f64)>;

impl Linearisation {
    /// Without an outer loss.
    pub fn of_equations(system: &System, about: About<'_>) -> Result<Self, BilevelError> {
        let pde = system.linearise("pde", &about.collocation.interior, about.unknowns)?;
        Ok(Self { pde, terms: Vec::new() })
    }

    /// With an outer loss that scores the equations on a `batch` of points and what `scoring` has. Without a batch no rows are scored: the
    /// objective is one of the solve itself.
    pub fn with_outer_loss<K: Kernel>(
        mut self,
        system: &System,
        about: About<'_>,
        batch: Option<&Batch<K>>,
        scoring: &Scoring,
    ) -> Result<Self, BilevelError> {
        let equations = match batch {
            Some(batch) => system.linearise("validation", &batch.points, &batch.unknowns)?,
            None => Vec::new(),
        };
        let share = 1.0 / scoring.folds.len().max(1) as f64;
        let whole = [Fold { fitted: about.collocation.observations.clone(), held_out: Vec::new() }];
        let folds = if scoring.folds.is_empty() { &whole[..] } else { &scoring.folds };
        for fold in folds {
            let scored = match batch {
                None => Vec::new(),
                Some(batch) => match &batch.relative {
                    None => in_units(&equations, share, fold, scoring),
                    Some(relative) => relative_to_size(system, &equations, share, fold, scoring, batch, relative)?,
                },
            };
            let (mut validation, mut weights) = (Vec::new(), Vec::new());
            for (rows, weight) in scored {
                weights.extend(vec![weight; rows.len()]);
                validation.push(rows);
            }
            let problem = system.inner_problem(&self.pde, about.collocation, &fold.fitted, &validation)?;
            let (rows, fitted) = (ScoredRows { weights, share }, fold.fitted.clone());
            self.terms.push(OuterTerm { problem, rows, validation, fitted });
        }
        Ok(self)
    }

    /// The same outer loss about another iterate: other rows of the equations, on the collocation points and on the batch, if there is one. Conditions, data and
    /// all weights stay, since the sizes of rows are constants of a Gauss-Newton step.
    pub fn about(
        &self,
        system: &System,
        about: About<'_>,
        batch: Option<(&Points, &[Vec<f64>])>,
    ) -> Result<Self, BilevelError> {
        let mut moved = Self::of_equations(system, about)?;
        let equations = match batch {
            Some((points, unknowns)) => system.linearise("validation", points, unknowns)?,
            None => Vec::new(),
        };
        for term in &self.terms {
            let rest = term.validation.iter().skip(equations.len());
            let validation: Vec<RowBlock> = equations.iter().chain(rest).cloned().collect();
            let problem = system.inner_problem(&moved.pde, about.collocation, &term.fitted, &validation)?;
            let (rows, fitted) = (term.rows.clone(), term.fitted.clone());
            moved.terms.push(OuterTerm { problem, rows, validation, fitted });
        }
        Ok(moved)
    }
}

/// Equations in their own units, observations in units of their noise, as published.
fn in_units(equations: &[RowBlock], share: f64, fold: &Fold, scoring: &Scoring) -> Weighted {
    let held_out = fold.held_out.iter().map(|rows| (rows.clone(), misfit_weight(rows)));
    equations.iter().map(|rows| (rows.clone(), share)).chain(scoring.extra.iter().cloned()).chain(held_out).collect()
}

/// Equations, conditions and observations with one vote per kind, every row over its own size.
fn relative_to_size<K: Kernel>(
    system: &System,
    equations: &[RowBlock],
    share: f64,
    fold: &Fold,
    scoring: &Scoring,
    batch: &Batch<K>,
    relative: &Relative<K>,
) -> Result<Weighted, BilevelError> {
    let Relative { conditions, solution } = relative;
    let q = unknowns_of(solution, &system.unknowns, &batch.points)?;
    let of_equations: Vec<f64> = equations.iter().map(|rows| scales::of_equation(rows, &q)).collect();
    let data: Vec<RowBlock> = scoring.extra.iter().map(|(rows, _)| rows).chain(&fold.held_out).cloned().collect();
    let of_conditions = scales::of_data(conditions, solution, &batch.points)?;
    let of_observations = scales::of_data(&data, solution, &batch.points)?;
    let kinds = [(equations, of_equations), (conditions.as_slice(), of_conditions), (data.as_slice(), of_observations)];
    let mut weighted = Vec::new();
    for (blocks, sizes) in kinds {
        let count = blocks.iter().map(RowBlock::len).sum::<usize>() as f64;
        let weight = |size: f64| share / (count * size * size);
        weighted.extend(blocks.iter().zip(sizes).map(|(rows, size)| (rows.clone(), weight(size))));
    }
    Ok(weighted)
}
