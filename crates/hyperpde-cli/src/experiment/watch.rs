//! Progress and history of a run.

use std::ops::ControlFlow;
use std::time::Instant;

use hyperpde_bilevel::{BilevelSettings, GaussNewtonRecord, Observer, OuterRecord};
use hyperpde_gp::Posterior;
use hyperpde_kernels::Kernel;
use hyperpde_pde::Problem;

use super::solve::score;
use crate::{RunProgress, StepLine, StepRecord};

/// Shows every step and keeps it.
pub(super) struct Watch<'a> {
    problem: &'a Problem,
    progress: RunProgress,
    history: Vec<StepRecord>,
    started: Instant,
    outer_steps: usize,
    residual: Option<f64>,
    error: Option<f64>,
}

impl<'a> Watch<'a> {
    pub fn new(problem: &'a Problem, settings: &BilevelSettings, quiet: bool) -> Self {
        let progress = RunProgress::new(settings.gauss_newton_steps, quiet).with_outer_steps(settings.outer_steps);
        Self {
            problem,
            progress,
            history: Vec::new(),
            started: Instant::now(),
            outer_steps: 0,
            residual: None,
            error: None,
        }
    }

    /// Kernel updates so far.
    pub fn outer_steps(&self) -> usize {
        self.outer_steps
    }

    fn line(&mut self, step: StepLine) {
        self.progress.update(&step);
        self.history.push(StepRecord { step, seconds: self.started.elapsed().as_secs_f64() });
    }

    /// Closes the display and gives the history.
    pub fn finish(self) -> Vec<StepRecord> {
        self.progress.finish(&format!("learned in {} outer steps", self.outer_steps));
        self.history
    }
}

impl<K: Kernel> Observer<K> for Watch<'_> {
    fn outer(&mut self, record: &OuterRecord) {
        self.outer_steps += 1;
        self.line(StepLine {
            gauss_newton: record.gauss_newton,
            outer: record.outer,
            loss: Some(record.loss),
            residual: self.residual,
            error: self.error,
        });
    }

    fn gauss_newton(&mut self, record: &GaussNewtonRecord, posterior: &Posterior<K>) -> ControlFlow<()> {
        self.residual = record.residual;
        // The error is only shown: a failure to score must not end a run that goes on well.
        self.error =
            score(self.problem, posterior).ok().and_then(|(errors, _)| errors.iter().map(|e| e.linf).reduce(f64::max));
        self.line(StepLine {
            gauss_newton: record.gauss_newton,
            outer: record.outer_steps,
            loss: record.loss,
            residual: self.residual,
            error: self.error,
        });
        ControlFlow::Continue(())
    }
}
