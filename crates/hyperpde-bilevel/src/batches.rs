//! Validation batches: the points of the pool that one Gauss-Newton step is scored on.

use hyperpde_kernels::Points;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use crate::error::BilevelError;

/// Where validation batches come from.
#[derive(Clone, Debug, Default)]
pub enum Batches {
    /// A fresh random subset of the pool at each Gauss-Newton step.
    #[default]
    Random,
    /// Given rows of the pool, one list per Gauss-Newton step (the last one is kept).
    Fixed(Vec<Vec<usize>>),
}

impl Batches {
    /// The batch of Gauss-Newton step `step`, from 1, of `size` points if it is random.
    pub(crate) fn draw(
        &self,
        pool: &Points,
        size: usize,
        step: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Points, BilevelError> {
        let indices = match self {
            Self::Random => sample(rng, pool.len(), size).into_vec(),
            Self::Fixed(lists) => lists.get(step - 1).or(lists.last()).cloned().unwrap_or_default(),
        };
        Ok(pool.select(&indices)?)
    }
}
