//! How far a run is: a bar on a terminal, a line every few seconds elsewhere, nothing with `--quiet`.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use hyperpde_run::StepLine;
use indicatif::{ProgressBar, ProgressStyle};

use crate::logging::{bars, copy_line};

/// Time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Progress of one run, on standard error, and as plain lines in the log of a run that has a folder.
pub struct RunProgress {
    total_steps: usize,
    outer_steps: usize,
    started: Instant,
    /// What a resumed run had done before.
    before: u64,
    /// When the log got its last line, and the Gauss-Newton step that it was about.
    logged: Option<(Instant, usize)>,
    sink: Sink,
}

enum Sink {
    Bar(ProgressBar),
    Plain { out: Box<dyn Write + Send>, every: Duration, last: Option<Instant> },
    Silent,
}

impl RunProgress {
    /// Starts the clock for a run of `total_steps` Gauss-Newton steps. With `quiet` nothing is ever shown.
    #[must_use]
    pub fn new(total_steps: usize, quiet: bool) -> Self {
        if quiet {
            return Self::with_sink(total_steps, Sink::Silent);
        }
        if !io::stderr().is_terminal() {
            return Self::plain_to(Box::new(io::stderr()), total_steps, LINE_EVERY);
        }
        let bar = bars().add(ProgressBar::new(total_steps.max(1) as u64));
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {wide_msg} {elapsed_precise}") {
            bar.set_style(style);
        }
        // A Gauss-Newton step can take long; the clock must not look stuck meanwhile.
        bar.enable_steady_tick(Duration::from_millis(500));
        Self::with_sink(total_steps, Sink::Bar(bar))
    }

    /// Plain lines to `out`, at most one per `every`, whether or not there is a terminal.
    #[must_use]
    pub fn plain_to(out: Box<dyn Write + Send>, total_steps: usize, every: Duration) -> Self {
        Self::with_sink(total_steps, Sink::Plain { out, every, last: None })
    }

    /// Says how many kernel updates one Gauss-Newton step may take, which makes the time left finer grained.
    #[must_use]
    pub fn with_outer_steps(mut self, outer_steps: usize) -> Self {
        self.outer_steps = outer_steps.max(1);
        if let Sink::Bar(bar) = &self.sink {
            bar.set_length(self.units());
        }
        self
    }

    /// Says that the run goes on from an earlier one, so that the time left is that of what is new.
    #[must_use]
    pub fn resumed_at(mut self, step: &StepLine) -> Self {
        self.before = self.units_done(step);
        if let Sink::Bar(bar) = &self.sink {
            bar.set_position(self.before);
        }
        self
    }

    fn with_sink(total_steps: usize, sink: Sink) -> Self {
        Self { total_steps: total_steps.max(1), outer_steps: 1, started: Instant::now(), before: 0, logged: None, sink }
    }

    /// Shows a new state.
    pub fn update(&mut self, step: &StepLine) {
        let done = self.units_done(step);
        let elapsed = self.started.elapsed();
        let left = self.time_left(done, elapsed);
        let line = || {
            let state = describe(step, self.total_steps);
            format!("{state}, {} elapsed, {} left", clock(elapsed), clock(left))
        };
        if self.logged.is_none_or(|(at, about)| about != step.gauss_newton || at.elapsed() >= LINE_EVERY) {
            self.logged = Some((Instant::now(), step.gauss_newton));
            copy_line(&line());
        }
        match &mut self.sink {
            Sink::Silent => {}
            Sink::Bar(bar) => {
                bar.set_position(done);
                bar.set_message(format!("{}, {} left", describe(step, self.total_steps), clock(left)));
            }
            Sink::Plain { out, every, last } => {
                if last.is_none_or(|at| at.elapsed() >= *every) {
                    *last = Some(Instant::now());
                    // A closed pipe must not end a run that may have taken hours.
                    let _ = writeln!(out, "{}", line());
                }
            }
        }
    }

    /// Ends the display with a closing line.
    pub fn finish(mut self, message: &str) {
        let elapsed = clock(self.started.elapsed());
        copy_line(&format!("{message} ({elapsed} elapsed)"));
        match &mut self.sink {
            Sink::Silent => {}
            Sink::Bar(bar) => {
                bar.finish_and_clear();
                // As with a closed pipe.
                let _ = bars().suspend(|| writeln!(io::stderr(), "{message} ({elapsed} elapsed)"));
            }
            Sink::Plain { out, .. } => {
                let _ = writeln!(out, "{message} ({elapsed} elapsed)");
            }
        }
    }

    fn units(&self) -> u64 {
        (self.total_steps as u64).saturating_mul(self.outer_steps as u64)
    }

    /// Work done, in kernel updates; a step without learning counts as a whole step.
    fn units_done(&self, step: &StepLine) -> u64 {
        let per_step = self.outer_steps as u64;
        let within = if step.outer == 0 { per_step } else { (step.outer as u64).min(per_step) };
        let before = (step.gauss_newton.saturating_sub(1) as u64).saturating_mul(per_step);
        before.saturating_add(within).min(self.units())
    }

    /// Linear extrapolation; early stops of the kernel updates make it an upper estimate.
    fn time_left(&self, done: u64, elapsed: Duration) -> Duration {
        let remaining = self.units().saturating_sub(done) as f64 / done.saturating_sub(self.before).max(1) as f64;
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * remaining).unwrap_or(Duration::MAX)
    }
}

impl Drop for RunProgress {
    /// Takes the bar away when a run ends early with an error, so that the message stands on a clean line.
    fn drop(&mut self) {
        if let Sink::Bar(bar) = &self.sink {
            bar.finish_and_clear();
        }
    }
}

fn describe(step: &StepLine, total_steps: usize) -> String {
    let mut text = format!("Gauss-Newton {}/{total_steps}", step.gauss_newton);
    if step.outer > 0 {
        text.push_str(&format!(", outer {}", step.outer));
    }
    for (name, value) in [("loss", step.loss), ("residual", step.residual), ("error", step.error)] {
        if let Some(value) = value {
            text.push_str(&format!(", {name} {value:.3e}"));
        }
    }
    text
}

/// `m:ss`, or `h:mm:ss` from an hour on.
#[must_use]
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
