//! History of a run, told to its host step by step.

use std::time::Instant;

use hyperpde_bilevel::{BilevelSettings, GaussNewtonRecord, OuterRecord};
use hyperpde_gp::Posterior;
use hyperpde_kernels::Kernel;
use hyperpde_pde::Problem;

use super::solve::score;
use crate::host::{Goal, Host};
use crate::report::{StepLine, StepRecord};

/// Shows every step and keeps it.
pub(super) struct Watch<'a> {
    problem: &'a Problem,
    learns: bool,
    host: &'a dyn Host,
    history: Vec<StepRecord>,
    started: Instant,
    /// Seconds of the earlier run that this one goes on with.
    before: f64,
}

impl<'a> Watch<'a> {
    /// Watches a loop with these settings that goes on after `history`, which is empty at a run's beginning.
    pub fn new(problem: &'a Problem, settings: &BilevelSettings, host: &'a dyn Host, history: Vec<StepRecord>) -> Self {
        host.begin(&Goal {
            gauss_newton_steps: settings.gauss_newton_steps,
            outer_steps: settings.outer_steps,
            resumed: history.last().map(|last| last.step),
        });
        let before = history.last().map_or(0.0, |last| last.seconds);
        Self { problem, learns: settings.outer_steps > 0, host, history, started: Instant::now(), before }
    }

    /// Whether kernels are learned.
    pub fn learns(&self) -> bool {
        self.learns
    }

    /// Kernel updates so far: the record that ends a Gauss-Newton step repeats the number of its last one.
    pub fn outer_steps(&self) -> usize {
        let mut last = (0, 0);
        let mut count = 0;
        for StepLine { gauss_newton, outer, .. } in self.history.iter().map(|record| record.step) {
            count += usize::from(outer > 0 && last != (gauss_newton, outer));
            last = (gauss_newton, outer);
        }
        count
    }

    /// Seconds so far.
    pub fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    /// The steps so far.
    pub fn history(&self) -> &[StepRecord] {
        &self.history
    }

    /// After an outer step.
    pub fn outer(&mut self, record: &OuterRecord) -> StepRecord {
        let last = self.history.last().map(|last| last.step);
        self.line(StepLine {
            gauss_newton: record.gauss_newton,
            outer: record.outer,
            loss: Some(record.loss),
            residual: last.and_then(|step| step.residual),
            error: last.and_then(|step| step.error),
        })
    }

    /// After the solve that ends a Gauss-Newton step.
    pub fn gauss_newton<K: Kernel>(&mut self, record: &GaussNewtonRecord, posterior: &Posterior<K>) -> StepRecord {
        // The error is only shown: a failure to score must not end a run that goes on well.
        let errors = score(self.problem, posterior).map(|(errors, _)| errors).unwrap_or_default();
        self.line(StepLine {
            gauss_newton: record.gauss_newton,
            outer: record.outer_steps,
            loss: record.loss,
            residual: record.residual,
            error: errors.iter().map(|(_, e)| e.linf).reduce(f64::max),
        })
    }

    fn line(&mut self, step: StepLine) -> StepRecord {
        self.host.step(&step);
        let record = StepRecord { step, seconds: self.seconds() };
        self.history.push(record);
        record
    }

    /// Closes the display and gives the history.
    pub fn finish(self, linear: bool) -> Vec<StepRecord> {
        let message = match (self.learns, self.outer_steps()) {
            (true, count) => format!("learned in {count} outer steps"),
            (false, _) => match self.history.len() {
                1 => "solved in 1 Gauss-Newton step".to_owned(),
                count => format!("solved in {count} Gauss-Newton steps"),
            },
        };
        let message = if linear { format!("{message}; the equations are linear") } else { message };
        self.host.finish(&message);
        self.history
    }
}
