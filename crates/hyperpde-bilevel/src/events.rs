//! What a run tells: the events of its steps, and how it ended.

use std::sync::Arc;
use std::time::Instant;

use hyperpde_gp::Posterior;
use hyperpde_kernels::Kernel;

use crate::recipe::SolveSnapshot;
use crate::record::{GaussNewtonRecord, OuterRecord, Termination};

/// What a call of [`crate::Bilevel::step`] did.
#[derive(Debug)]
pub enum Event<K: Kernel> {
    /// An outer step.
    Outer(OuterRecord),
    /// The inner solve that ends a Gauss-Newton step.
    GaussNewton(GaussNewtonRecord, Arc<Posterior<K>>),
    /// Nothing: the run is over.
    Done(Termination),
}

/// Seconds of a run that may have been interrupted.
pub(crate) struct Clock {
    pub started: Instant,
    /// Seconds before the interruption.
    pub before: f64,
}

impl Clock {
    pub fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome<K: Kernel> {
    /// The iterate after the last Gauss-Newton step, with its kernels.
    pub last: Arc<Posterior<K>>,
    /// How `last` was solved for: [`SolveSnapshot::solve`] makes it again.
    pub recipe: SolveSnapshot,
    /// The iterate with the smallest nonlinear residual on the independent points (the last one without such points). Where observations
    /// decide, take `last`: a smooth function that ignores them has the smallest residual.
    pub best: Arc<Posterior<K>>,
    /// Learned kernels, on the device they came from.
    pub kernels: Vec<K>,
    /// Why it ended.
    pub termination: Termination,
    /// Whether the equations are linear, so that every step was exact for its kernel.
    pub linear: bool,
    /// Gauss-Newton steps taken.
    pub gauss_newton_steps: usize,
}

/// Named hyperparameters, with the field's number if there are several.
pub(crate) fn summary<K: Kernel>(kernels: &[K]) -> Vec<(String, f64)> {
    let mut out = Vec::new();
    for (f, kernel) in kernels.iter().enumerate() {
        let prefix = if kernels.len() > 1 { format!("field_{f}.") } else { String::new() };
        out.extend(kernel.summary().into_iter().map(|(name, v)| (format!("{prefix}{name}"), v)));
    }
    out
}
