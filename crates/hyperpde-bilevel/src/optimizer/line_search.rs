//! Line search for the strong Wolfe conditions, one evaluation at a time.
//!
//! Along `θ(α) = θ + α d` it looks for a step with
//!
//! ```text
//! φ(α) ≤ φ(0) + c₁ α φ'(0),    |φ'(α)| ≤ c₂ |φ'(0)|
//! ```
//!
//! by bracketing and then narrowing the bracket by cubic interpolation (Nocedal and Wright 2006, algorithms 3.5 and 3.6).

/// Sufficient decrease `c₁`.
const DECREASE: f64 = 1e-4;
/// Curvature `c₂`, strict enough for few parameters, where an evaluation costs more than the rest of an iteration.
const CURVATURE: f64 = 0.5;
/// Evaluations along one direction.
const EVALUATIONS: usize = 8;
/// How much longer the next trial is while no bracket is known.
const GROWTH: f64 = 2.5;

/// A point on the line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trial {
    pub step: f64,
    pub value: f64,
    /// `φ'(α)`; of no meaning where the value is not finite.
    pub slope: f64,
    pub gradient: Vec<f64>,
}

/// What to do after a trial.
#[derive(Debug, PartialEq)]
pub(super) enum Advice {
    /// Try this step.
    Try(f64),
    /// Take this trial.
    Accept(Trial),
    /// No step along this direction goes down.
    Fail,
}

/// A search in progress.
#[derive(Clone, Debug)]
pub(super) struct LineSearch {
    start: Trial,
    /// Lowest trial so far that fulfils sufficient decrease; the start at first.
    low: Trial,
    /// The other end of the bracket, once there is one.
    high: Option<Trial>,
    largest: f64,
    evaluations: usize,
}

impl LineSearch {
    /// Along a direction with slope `start.slope < 0`, no step longer than `largest`.
    pub fn new(start: Trial, largest: f64) -> Self {
        Self { low: start.clone(), start, high: None, largest, evaluations: 0 }
    }

    /// Takes the outcome of a trial; an evaluation that failed has an infinite value.
    pub fn tell(&mut self, trial: Trial) -> Advice {
        self.evaluations += 1;
        let target = self.start.value + DECREASE * trial.step * self.start.slope;
        if !trial.value.is_finite() || trial.value > target || trial.value >= self.low.value {
            self.high = Some(trial);
        } else {
            if trial.slope.abs() <= -CURVATURE * self.start.slope {
                return Advice::Accept(trial);
            }
            // The minimum is between the trial and the end towards which it falls.
            let ahead = match &self.high {
                Some(high) => trial.slope * (high.step - trial.step) >= 0.0,
                None => trial.slope >= 0.0,
            };
            let previous = std::mem::replace(&mut self.low, trial);
            if ahead {
                self.high = Some(previous);
            }
        }
        let at_limit = self.high.is_none() && self.low.step >= self.largest;
        if at_limit || self.evaluations >= EVALUATIONS {
            return if self.low.step > 0.0 { Advice::Accept(self.low.clone()) } else { Advice::Fail };
        }
        Advice::Try(match &self.high {
            Some(high) => between(&self.low, high),
            None => (GROWTH * self.low.step).min(self.largest),
        })
    }
}

/// The minimiser of the cubic through both ends, kept away from them.
fn between(low: &Trial, high: &Trial) -> f64 {
    let width = high.step - low.step;
    let cubic = if high.value.is_finite() {
        let d1 = low.slope + high.slope - 3.0 * (low.value - high.value) / (low.step - high.step);
        let d2 = (d1 * d1 - low.slope * high.slope).sqrt().copysign(width);
        high.step - width * (high.slope + d2 - d1) / (high.slope - low.slope + 2.0 * d2)
    } else {
        f64::NAN
    };
    let fraction = (cubic - low.step) / width;
    low.step + width * if fraction.is_finite() { fraction.clamp(0.1, 0.9) } else { 0.3 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    /// Searches along `f`, given with its derivative, and returns the step with the number of evaluations.
    fn search(f: impl Fn(f64) -> (f64, f64), first: f64, largest: f64) -> (f64, usize) {
        let at = |step: f64| {
            let (value, slope) = f(step);
            Trial { step, value, slope, gradient: Vec::new() }
        };
        let mut search = LineSearch::new(at(0.0), largest);
        let mut step = first;
        loop {
            match search.tell(at(step)) {
                Advice::Try(next) => step = next,
                Advice::Accept(trial) => return (trial.step, search.evaluations),
                Advice::Fail => panic!("no step along a direction of descent"),
            }
        }
    }

    fn is_wolfe(f: impl Fn(f64) -> (f64, f64), step: f64) -> bool {
        let ((f0, s0), (f1, s1)) = (f(0.0), f(step));
        f1 <= f0 + DECREASE * step * s0 && s1.abs() <= -CURVATURE * s0
    }

    #[test]
    fn fulfils_the_strong_wolfe_conditions_from_any_first_step() {
        // The function of Moré and Thuente (1994), eq. 5.1, with b = 2.
        let f = |x: f64| (-x / (x * x + 2.0), (x * x - 2.0) / (x * x + 2.0).powi(2));
        for first in [1e-3, 1e-1, 1.0, 10.0, 1e3] {
            let (step, evaluations) = search(f, first, 1e9);
            assert!(evaluations == EVALUATIONS || is_wolfe(f, step), "first {first}: step {step}");
            assert!(f(step).0 < f(0.0).0);
        }
    }

    #[test]
    fn finds_the_minimum_of_a_parabola_by_interpolation() {
        let f = |x: f64| ((x - 3.0).powi(2), 2.0 * (x - 3.0));
        let (step, evaluations) = search(f, 10.0, 1e9);
        assert!((step - 3.0).abs() < 1.5 && evaluations <= 3, "step {step} after {evaluations}");
    }

    #[test]
    fn retreats_from_a_failure_and_stops_at_the_limit() {
        let wall = |x: f64| if x > 0.5 { (f64::INFINITY, f64::NAN) } else { (-x, -1.0) };
        let (step, _) = search(wall, 1.0, 1e9);
        assert!(step > 0.0 && step <= 0.5);
        let (step, _) = search(|x| (-x, -1.0), 0.1, 2.0);
        assert!((step - 2.0).abs() < 1e-15);
    }
}
