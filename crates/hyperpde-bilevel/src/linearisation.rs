//! One Gauss-Newton step's linear problems about the frozen iterate: training rows for the inner solve, scored rows for the outer loss.

use std::sync::Arc;

use hyperpde_gp::{InnerProblem, RowBlock};
use hyperpde_kernels::Points;
use hyperpde_pde::{Collocation, Fold, misfit_weight};

use crate::error::BilevelError;
use crate::objective::ScoredRows;
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
}

impl Linearisation {
    /// Without an outer loss.
    pub fn of_equations(system: &System, about: About<'_>) -> Result<Self, BilevelError> {
        let pde = system.linearise("pde", &about.collocation.interior, about.unknowns)?;
        Ok(Self { pde, terms: Vec::new() })
    }

    /// With an outer loss that scores the equations on a `batch` of points, where the iterate's unknowns are given, and what `scoring` has.
    /// Without a batch no rows are scored: the objective is one of the solve itself.
    pub fn with_outer_loss(
        system: &System,
        about: About<'_>,
        batch: Option<(&Points, &[Vec<f64>])>,
        scoring: &Scoring,
    ) -> Result<Self, BilevelError> {
        let mut linearisation = Self::of_equations(system, about)?;
        let equations = match batch {
            Some((points, unknowns)) => Some(system.linearise("validation", points, unknowns)?),
            None => None,
        };
        let share = 1.0 / scoring.folds.len().max(1) as f64;
        let whole = [Fold { fitted: about.collocation.observations.clone(), held_out: Vec::new() }];
        let folds = if scoring.folds.is_empty() { &whole[..] } else { &scoring.folds };
        for fold in folds {
            let (mut validation, mut weights) = (Vec::new(), Vec::new());
            if let Some(rows) = &equations {
                let held_out = fold.held_out.iter().map(|rows| (rows, misfit_weight(rows)));
                let extra = scoring.extra.iter().map(|(rows, weight)| (rows, *weight));
                for (rows, weight) in rows.iter().map(|rows| (rows, share)).chain(extra).chain(held_out) {
                    weights.extend(vec![weight; rows.len()]);
                    validation.push(rows.clone());
                }
            }
            let problem = system.inner_problem(&linearisation.pde, about.collocation, &fold.fitted, &validation)?;
            linearisation.terms.push(OuterTerm { problem, rows: ScoredRows { weights, share } });
        }
        Ok(linearisation)
    }
}
