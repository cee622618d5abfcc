//! A Gauss-Newton step in progress: what is frozen at its start, and the outer loss there.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use hyperpde_gp::Posterior;
use hyperpde_kernels::{Kernel, Points};
use rand_chacha::ChaCha8Rng;

use crate::bilevel::Bilevel;
use crate::error::BilevelError;
use crate::hypergradient::OuterValue;
use crate::iterate::Iterate;
use crate::linearisation::{About, Batch, Linearisation, Relative};
use crate::outer::Outer;
use crate::refine;
use crate::state::Refined;

/// A Gauss-Newton step in progress.
pub(crate) struct Stage {
    pub linearisation: Arc<Linearisation>,
    /// The batch of the outer loss and the iterate's unknowns there, `[unknowns][m]`, if equations are scored.
    pub batch: Option<(Points, Vec<Vec<f64>>)>,
    /// Points that a refiner gave for it.
    pub refined: Option<Refined>,
    /// Outer steps so far.
    pub outer: usize,
    /// Loss at the last of them.
    pub loss: Option<f64>,
    /// Loss at the first of them, and the smallest.
    pub range: Option<(f64, f64)>,
    /// Whether no further outer step is wanted.
    pub finished: bool,
}

impl<K: Kernel> Bilevel<K> {
    /// Begins a Gauss-Newton step: asks the refiner, freezes the iterate and linearises about it, on the collocation points and on a batch.
    pub(crate) fn begin(&mut self) -> Result<Stage, BilevelError> {
        let refined = match (&mut self.refiner, &self.state.iterate) {
            (Some(refiner), Iterate::Solved(posterior)) => refiner.refine(posterior, &self.state.collocation)?,
            _ => None,
        };
        let refined = match refined {
            Some(collocation) => {
                refine::check(&self.state.collocation, &collocation)?;
                self.settings.check(&collocation)?;
                let unknowns = self.state.iterate.at(&self.system.unknowns, &collocation.interior)?;
                Some(Refined { collocation, unknowns })
            }
            None => None,
        };
        let about = self.state.about(refined.as_ref());
        let mut rng = self.rng.clone();
        let mut linearisation = Linearisation::of_equations(&self.system, about)?;
        let mut scored = None;
        if self.settings.outer_steps > 0 {
            let batch = self.batch(about, &linearisation, &mut rng)?;
            linearisation = linearisation.with_outer_loss(&self.system, about, batch.as_ref(), &self.scoring)?;
            scored = batch.map(|batch| (batch.points, batch.unknowns));
        }
        self.rng = rng;
        if self.settings.outer_steps > 0 {
            self.optimizer.begin(self.settings.optimizer_state, self.settings.objective.range());
        }
        Ok(Stage {
            linearisation: Arc::new(linearisation),
            batch: scored,
            refined,
            outer: 0,
            loss: None,
            range: None,
            finished: false,
        })
    }

    /// New points for the outer loss, if its objective scores any.
    fn batch(
        &self,
        about: About<'_>,
        linearisation: &Linearisation,
        rng: &mut ChaCha8Rng,
    ) -> Result<Option<Batch<K>>, BilevelError> {
        if !self.settings.objective.validates() {
            return Ok(None);
        }
        let (pool, size) = (&about.collocation.pool, self.settings.batch);
        let points = self.batches.draw(pool, size, self.state.gauss_newton + 1, rng)?;
        let unknowns = self.state.iterate.at(&self.system.unknowns, &points)?;
        let relative = if self.settings.objective.scores_conditions() {
            let conditions = about.collocation.boundary_batch(size as f64 / pool.len() as f64, rng)?;
            Some(Relative { conditions, solution: self.sized(about, linearisation)? })
        } else {
            None
        };
        Ok(Some(Batch { points, unknowns, relative }))
    }

    /// A solution to take the sizes of rows from: the iterate, or while that is zero the solve with the hyperparameters as they are.
    fn sized(&self, about: About<'_>, linearisation: &Linearisation) -> Result<Arc<Posterior<K>>, BilevelError> {
        if let Iterate::Solved(posterior) = &self.state.iterate {
            return Ok(posterior.clone());
        }
        let collocation = about.collocation;
        let rows = self.system.inner_problem(&linearisation.pde, collocation, &collocation.observations, &[])?;
        let failed = |error| BilevelError::from_solve(self.state.gauss_newton + 1, 0, error);
        Ok(Arc::new(rows.solve(&self.hyper.kernels).map_err(failed)?.without_factor()))
    }

    /// Outer loss and hypergradient at `theta`, the regulariser included.
    pub(crate) fn outer_value(&self, stage: &Stage, theta: &[f64]) -> Result<OuterValue, BilevelError> {
        let position = (self.state.gauss_newton + 1, stage.outer + 1);
        let about = self.state.about(stage.refined.as_ref());
        let outer = Outer {
            system: &self.system,
            collocation: about.collocation,
            unknowns: Cow::Borrowed(about.unknowns),
            batch: stage.batch.as_ref().map(|(points, unknowns)| (points, Cow::Borrowed(unknowns.as_slice()))),
            linearisation: stage.linearisation.clone(),
            objective: self.settings.objective.as_ref(),
            kernels: Arc::new(self.hyper.kernels_at(theta)?),
            position,
            posterior: OnceLock::new(),
        };
        let mut outcome = self.settings.hypergradient.evaluate(&outer)?;
        let OuterValue { value, gradient, .. } = &mut outcome;
        self.hyper.regularise(theta, self.settings.regularisation, value, gradient);
        let (gauss_newton, outer) = position;
        let not_finite = |what| Err(BilevelError::NonFinite { gauss_newton, outer, what });
        if !value.is_finite() {
            return not_finite("loss");
        }
        if gradient.iter().any(|g| !g.is_finite()) {
            return not_finite("gradient");
        }
        Ok(outcome)
    }
}
