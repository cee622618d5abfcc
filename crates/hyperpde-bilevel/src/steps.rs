//! The steps of a run: an outer step of the hyperparameters, and the inner solve that ends a Gauss-Newton step.

use std::time::Instant;

use hyperpde_kernels::Kernel;

use crate::advance::{Advance, Step};
use crate::bilevel::Bilevel;
use crate::error::BilevelError;
use crate::events::{Event, summary};
use crate::hypergradient::OuterValue;
use crate::iterate::Iterate;
use crate::linearity;
use crate::optimizer::{LossRange, Progress};
use crate::record::{GaussNewtonRecord, OuterRecord, Termination};
use crate::settings::StepControl;
use crate::stage::Stage;

impl<K: Kernel> Bilevel<K> {
    /// Advances by one outer step or one inner solve.
    ///
    /// A solve that fails after an update is backed off from: the parameters return to the last good ones and further steps are halved.
    ///
    /// # Errors
    /// [`BilevelError::Step`] for a failure that backing off can't mend, such as one at the initial hyperparameters. The run is then where
    /// it was, but for hyperparameters that training has backed off from.
    pub fn step(&mut self) -> Result<Event<K>, BilevelError> {
        if let Some(termination) = self.state.termination {
            return Ok(Event::Done(termination));
        }
        let mut stage = match self.stage.take() {
            Some(stage) => stage,
            None => self.begin()?,
        };
        let warming_up = self.state.gauss_newton < self.settings.warm_up;
        let over = stage.finished || warming_up || stage.outer >= self.settings.outer_steps;
        let event = if over { self.advance(&stage) } else { self.outer_step(&mut stage).map(Event::Outer) };
        if !over || event.is_err() {
            self.stage = Some(stage);
        }
        event
    }

    /// Loss, gradient and update. The stopping test is on the current loss, before the update.
    fn outer_step(&mut self, stage: &mut Stage) -> Result<OuterRecord, BilevelError> {
        let start = Instant::now();
        let mut backed_off = false;
        let OuterValue { value: loss, gradient, statistics } = loop {
            match self.outer_value(stage, &self.hyper.theta) {
                Ok(outcome) => break outcome,
                Err(error) => {
                    self.hyper.back_off(error, self.optimizer.as_mut())?;
                    backed_off = true;
                }
            }
        };
        self.hyper.safe = Some(self.hyper.theta.clone());
        stage.outer += 1;
        stage.loss = Some(loss);
        stage.range = Some(stage.range.map_or((loss, loss), |(first, least)| (first, least.min(loss))));
        let gradient_norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let small = self.settings.objective.range() == LossRange::Positive && loss <= self.settings.loss_tolerance;
        stage.finished = small || self.optimizer.step(&mut self.hyper.theta, loss, &gradient) == Progress::Converged;
        Ok(OuterRecord {
            gauss_newton: self.state.gauss_newton + 1,
            outer: stage.outer,
            loss,
            gradient_norm,
            jitter: statistics.jitter,
            condition: statistics.condition,
            backed_off,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// The inner solve at the final hyperparameters: the next iterate.
    fn advance(&mut self, stage: &Stage) -> Result<Event<K>, BilevelError> {
        let gauss_newton = self.state.gauss_newton + 1;
        let learns = self.settings.outer_steps > 0;
        if learns {
            self.optimizer.settle(&mut self.hyper.theta);
        }
        let (kernels, accepted) = loop {
            let kernels = self.hyper.kernels_at(&self.hyper.theta)?;
            let accepted = self.solve_step(stage, &kernels).and_then(|step| {
                let linear = self.linear && self.rows_stay(stage, &step);
                let (refined, theta) = (stage.refined.as_ref(), &self.hyper.theta);
                let accepted = self.state.accept(&self.system, step, refined, theta, self.monitor.as_ref())?;
                self.linear = linear;
                Ok(accepted)
            });
            match accepted {
                Ok(accepted) => break (kernels, accepted),
                Err(error) if learns => self.hyper.back_off(error, self.optimizer.as_mut())?,
                Err(error) => return Err(error),
            }
        };
        self.hyper.kernels = kernels;
        self.state.idle = if self.is_idle(stage) { self.state.idle + 1 } else { 0 };
        let tolerance = self.settings.increment_tolerance;
        let still = accepted.increment <= tolerance && tolerance > 0.0;
        let exact = self.linear && !learns && self.refiner.is_none();
        if exact && accepted.fraction == 1.0 {
            self.state.termination = Some(Termination::Linear);
        } else if still && accepted.fraction == 1.0 && (!learns || stage.finished) {
            self.state.termination = Some(Termination::Converged);
        } else if self.state.idle >= self.settings.gain_steps {
            self.state.termination = Some(Termination::NothingToGain);
        } else if gauss_newton >= self.settings.gauss_newton_steps {
            self.state.termination = Some(Termination::StepsTaken);
        }
        let record = GaussNewtonRecord {
            gauss_newton,
            outer_steps: stage.outer,
            loss: stage.loss,
            increment: accepted.increment,
            fraction: accepted.fraction,
            residual: accepted.residual,
            hyperparameters: summary(accepted.posterior.kernels()),
            seconds: self.clock.seconds(),
        };
        Ok(Event::GaussNewton(record, accepted.posterior))
    }

    /// Whether the outer steps of a Gauss-Newton step gained next to nothing. Both losses are of the same points about the same iterate, so that
    /// neither a new batch nor a new iterate counts as a gain or hides one.
    fn is_idle(&self, stage: &Stage) -> bool {
        let Some((first, least)) = stage.range else { return false };
        let unit = match self.settings.objective.range() {
            LossRange::Positive => first,
            LossRange::Real => self.rows() as f64,
        };
        self.settings.gain_tolerance > 0.0 && first - least <= self.settings.gain_tolerance * unit
    }

    /// Whether the equations' rows about a step are those that it was solved from.
    fn rows_stay(&self, stage: &Stage, step: &Step<K>) -> bool {
        let about = self.state.about(stage.refined.as_ref());
        linearity::between(&self.system, &about.collocation.interior, about.unknowns, &step.latents)
    }

    fn solve_step(&self, stage: &Stage, kernels: &[K]) -> Result<Step<K>, BilevelError> {
        let control = match &self.state.iterate {
            // The zero function ignores the boundary: its residual says nothing.
            Iterate::Zero => StepControl::Full,
            // The whole step is the solution, and a residual that grows is that of another kernel.
            Iterate::Solved(_) if self.linear => StepControl::Full,
            Iterate::Solved(_) => self.settings.step_control,
        };
        let about = self.state.about(stage.refined.as_ref());
        let (pde, gauss_newton) = (&stage.linearisation.pde, self.state.gauss_newton + 1);
        Advance { system: &self.system, about, pde, kernels, control, gauss_newton }.controlled()
    }
}
