//! Sets of points: the one learned on, and others on which the learned kernel is tried.

use std::sync::Arc;

use hyperpde_bilevel::BilevelSettings;
use hyperpde_gp::Posterior;
use hyperpde_kernels::{Kernel, Points};
use hyperpde_pde::{Collocation, PdeError, Problem, Sampler};

use super::solve::{Solved, frozen};
use crate::error::RunError;
use crate::host::Host;
use crate::report::{CloudErrors, KernelState};
use crate::rows::count;
use hyperpde_config::RunSettings;

/// Streams of the run's seed from which fresh clouds are drawn, apart from those of the training cloud.
const FRESH_SEED: u64 = 0x5eed_c10d_0000_0000;

/// Points other than those learned on, for a solve with the learned kernel frozen.
pub(super) enum CloudPlan {
    /// Collocation points and validation pool together.
    Larger,
    /// New points, this many with the experiment's own settings.
    Fresh { interior: usize, boundary: usize },
    /// New points of another problem.
    Transfer(Box<Problem>),
}

/// A set of points with its name and problem.
pub(super) struct Cloud<'a> {
    pub name: &'static str,
    pub problem: &'a Problem,
    pub collocation: Collocation,
}

impl CloudPlan {
    /// The points, for a run with `settings` of an experiment whose own are `defaults`; `index` tells the plans of one run apart.
    pub fn points<'a>(
        &'a self,
        index: usize,
        training: &Cloud<'a>,
        settings: &RunSettings,
        defaults: &RunSettings,
        sampler: Sampler,
    ) -> Result<Cloud<'a>, RunError> {
        let (problem, interior, boundary) = match self {
            Self::Larger => {
                let interior = Points::concat(&[&training.collocation.interior, &training.collocation.pool])
                    .map_err(|e| RunError::numerical("joining points", e))?;
                let collocation = Collocation { interior, ..training.collocation.clone() };
                return Ok(Cloud { name: "larger", problem: training.problem, collocation });
            }
            Self::Fresh { interior, boundary } => (training.problem, *interior, *boundary),
            Self::Transfer(problem) => (problem.as_ref(), problem.defaults().interior, problem.defaults().boundary),
        };
        let mut sizes = settings.sizes();
        sizes.interior = in_proportion(interior, sizes.interior, defaults.interior);
        sizes.boundary = in_proportion(boundary, sizes.boundary, defaults.boundary);
        sizes.validation = 0;
        let seed = settings.seed ^ FRESH_SEED.wrapping_add(index as u64);
        let collocation = problem.sample(&sizes, sampler, seed).map_err(sampling)?;
        Ok(Cloud { name: "fresh", problem, collocation })
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Larger => "larger".to_owned(),
            Self::Fresh { interior, boundary } => format!("fresh {interior}+{boundary}"),
            Self::Transfer(problem) => format!("transfer to {}", problem.name()),
        }
    }
}

impl Cloud<'_> {
    /// A solve with the kernel frozen, from `start` if it is given.
    pub fn solve<K: Kernel>(
        &self,
        kernels: &[K],
        settings: &BilevelSettings,
        start: Option<&Arc<Posterior<K>>>,
        host: &dyn Host,
    ) -> Result<Solved<K>, RunError> {
        frozen(self.problem, &self.collocation, kernels, settings, start, host)
    }

    pub fn errors<K: Kernel>(&self, kernel: KernelState, solved: &Solved<K>) -> CloudErrors {
        let boundary = count(&self.collocation.boundary);
        let size = (self.collocation.interior.len(), boundary);
        CloudErrors::new(self.name, kernel, self.problem.name(), size, &solved.errors)
    }
}

/// Too few points for the problem's faces or observations: the flags say how many.
pub(super) fn sampling(error: PdeError) -> RunError {
    match error {
        PdeError::Sampling(why) => RunError::Input(why),
        other => RunError::numerical("sampling points", other),
    }
}

/// `count`, changed as the run's own number of points was changed from its default.
fn in_proportion(count: usize, own: usize, default: usize) -> usize {
    if own == default {
        count
    } else {
        ((count as f64) * (own as f64) / (default.max(1) as f64)).round().max(1.0) as usize
    }
}
