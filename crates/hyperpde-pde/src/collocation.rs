//! What one draw of a problem gives a solver, and how its data are divided.

use hyperpde_geometry::seeded;
use hyperpde_gp::{RowBlock, Term};
use hyperpde_kernels::Points;
use rand::Rng;
use rand::seq::SliceRandom;
use rand::seq::index::sample;

use crate::error::PdeError;

/// First random stream for the division of observations, apart from those that drew points and noise with the
/// same seed: which are held out must not depend on where they are.
const SPLIT_STREAMS: u64 = 1 << 33;

/// Points and rows of one draw.
#[derive(Clone, Debug)]
pub struct Collocation {
    /// Interior points `[n, d]`, where the equations hold.
    pub interior: Points,
    /// One block per condition, in the problem's order. Conditions on one patch share their points.
    pub boundary: Vec<RowBlock>,
    /// Validation points in the interior, `[n_v, d]`, possibly none.
    pub pool: Points,
    /// One block per set of observations.
    pub observations: Vec<RowBlock>,
    /// The conditions at other points than those of `boundary`, one block each, for outer losses that score them too; possibly none.
    pub boundary_pool: Vec<RowBlock>,
}

/// A division of the observations: the inner solve fits the first part, the outer loss scores the second.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    /// Observations that are fitted.
    pub fitted: Vec<RowBlock>,
    /// Observations that are scored, each square over its noise variance (over 1 for exact data).
    pub held_out: Vec<RowBlock>,
}

/// The weight of each row's squared misfit in an outer loss: `1/σ²` with the noise variance `σ²` of the rows, so that a square is in units of
/// what noise would give; 1 for exact data.
pub fn misfit_weight(rows: &RowBlock) -> f64 {
    let variance = rows.noise_variance();
    if variance > 0.0 { 1.0 / variance } else { 1.0 }
}

impl Collocation {
    /// Conditions at some points of the pool of each, drawn at random without repetition: `fraction` of them, one at least.
    ///
    /// # Errors
    /// [`PdeError::Rows`] if a block can't be divided, which one of this type can.
    pub fn boundary_batch(&self, fraction: f64, rng: &mut impl Rng) -> Result<Vec<RowBlock>, PdeError> {
        let draw = |block: &RowBlock| {
            let count = ((fraction * block.len() as f64).round() as usize).clamp(1, block.len());
            select(block, &sample(rng, block.len(), count).into_vec())
        };
        self.boundary_pool.iter().map(draw).collect()
    }

    /// Divides the observations into those that the inner solve fits and those held out to judge it,
    /// `(inner, held_out)`: without the second, hyperparameters are judged on data already fitted.
    ///
    /// Of each set of `n` observations, `fraction · n` (rounded, but never all) chosen at random are held
    /// out; a set of which none is held out is missing from the second list. Order within a set is kept, and
    /// the same seed gives the same division.
    ///
    /// # Errors
    /// [`PdeError::Setting`] unless `0 <= fraction < 1`.
    pub fn split_observations(&self, fraction: f64, seed: u64) -> Result<(Vec<RowBlock>, Vec<RowBlock>), PdeError> {
        if !(0.0..1.0).contains(&fraction) {
            return Err(PdeError::Setting {
                name: "fraction of held-out observations".into(),
                value: fraction.to_string(),
                expected: "it must be at least 0 and below 1".into(),
            });
        }
        let (mut inner, mut held_out) = (Vec::new(), Vec::new());
        for (block, stream) in self.observations.iter().zip(SPLIT_STREAMS..) {
            let n = block.len();
            let out = ((fraction * n as f64).round() as usize).min(n - 1);
            let mut order: Vec<usize> = (0..n).collect();
            order.shuffle(&mut seeded(seed, stream));
            let (first, rest) = order.split_at_mut(out);
            rest.sort_unstable();
            inner.push(select(block, rest)?);
            if !first.is_empty() {
                first.sort_unstable();
                held_out.push(select(block, first)?);
            }
        }
        Ok((inner, held_out))
    }

    /// Divides the observations into `count` folds for cross-validation: each fold holds out another part of every set, so that each
    /// observation is held out once. The same seed gives the same folds.
    ///
    /// # Errors
    /// [`PdeError::Setting`] unless `count` is at least 2 and at most the size of the smallest set.
    pub fn observation_folds(&self, count: usize, seed: u64) -> Result<Vec<Fold>, PdeError> {
        let smallest = self.observations.iter().map(RowBlock::len).min().unwrap_or(0);
        if !(2..=smallest).contains(&count) {
            return Err(PdeError::Setting {
                name: "folds of the observations".into(),
                value: count.to_string(),
                expected: format!("it must be at least 2 and at most {smallest}, the observations in the smallest set"),
            });
        }
        let mut folds = vec![Fold::default(); count];
        for (block, stream) in self.observations.iter().zip(SPLIT_STREAMS..) {
            let mut order: Vec<usize> = (0..block.len()).collect();
            order.shuffle(&mut seeded(seed, stream));
            for (k, fold) in folds.iter_mut().enumerate() {
                let part = |held: bool| {
                    let mut indices: Vec<usize> = order.iter().copied().skip(k).step_by(count).collect();
                    indices.sort_unstable();
                    if !held {
                        indices = (0..block.len()).filter(|i| indices.binary_search(i).is_err()).collect();
                    }
                    select(block, &indices)
                };
                fold.fitted.push(part(false)?);
                fold.held_out.push(part(true)?);
            }
        }
        Ok(folds)
    }
}

/// The rows with the given indices.
fn select(block: &RowBlock, indices: &[usize]) -> Result<RowBlock, PdeError> {
    let pick = |values: &[f64]| indices.iter().map(|&i| values[i]).collect::<Vec<_>>();
    let mut sites = Vec::with_capacity(block.sites().len());
    for site in block.sites() {
        sites.push(site.select(indices)?);
    }
    let terms = block
        .terms()
        .iter()
        .map(|t| Term {
            field: t.field,
            operator: t.operator.clone(),
            site: t.site,
            coefficients: pick(&t.coefficients),
        })
        .collect();
    let rhs = pick(block.rhs());
    Ok(RowBlock::new(block.name(), sites, terms, rhs, block.noise_variance())?)
}
