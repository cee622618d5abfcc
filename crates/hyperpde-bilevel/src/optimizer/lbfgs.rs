//! L-BFGS on the logarithm of the loss where the loss is positive, on the loss itself where it is not.
//!
//! A sum of squares runs over many orders of magnitude while hyperparameters change by factors, so both are taken on a logarithmic scale: the
//! parameters are stored so (see `hyperpde-kernels`), and the optimizer minimises `φ(θ) = ln L(θ)`, `∇φ = ∇L / L`. A log density is on such a
//! scale already and has either sign: there `φ = L`. The direction is
//! `−H ∇φ` with the inverse Hessian `H` of the last pairs of steps and changes of the gradient (Nocedal and Wright 2006, algorithm 7.4),
//! the step along it fulfils the strong Wolfe conditions. With as few parameters as pairs this is the full BFGS method, for one
//! parameter the secant method on `φ'`.
//!
//! `φ` has plateaus, where the kernel is so narrow or so wide that the solution does not depend on it, and the gradient on them may
//! point away from the valley. With few parameters the first loss is therefore scanned first, one coordinate after the other, on a grid
//! of a factor of two.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::line_search::{Advice, LineSearch, Trial};
use super::{LossRange, Optimizer, OptimizerError, OptimizerSnapshot, OptimizerState, Progress};

/// Smallest loss whose logarithm is told apart from zero.
const TINY: f64 = 1e-300;

/// Offsets of the scan: factors of two, more of them upwards.
const SCAN: [f64; 8] = [-1.4, -0.7, 0.7, 1.4, 2.1, 2.8, 3.5, 4.2];

/// Constants of [`Lbfgs`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LbfgsSettings {
    /// Pairs kept.
    pub memory: usize,
    /// Longest step of any parameter along one direction; of a logarithm, a factor of `e` to this power.
    pub largest_step: f64,
    /// First step of the steepest coordinate, when nothing is known of the curvature.
    pub first_step: f64,
    /// Converged when an accepted step lowers `φ` by less than this.
    pub tolerance: f64,
    /// Losses are scanned if there are no more parameters than this.
    pub scanned: usize,
    /// How many losses are scanned, from the first one on.
    pub scans: usize,
}

impl Default for LbfgsSettings {
    fn default() -> Self {
        Self { memory: 10, largest_step: 0.7, first_step: 0.1, tolerance: 1e-3, scanned: 8, scans: 1 }
    }
}

impl LbfgsSettings {
    /// L-BFGS with these constants. It has a line search and no learning rate.
    pub fn build(&self, _learning_rate: f64) -> Lbfgs {
        Lbfgs::new(*self)
    }
}

/// L-BFGS with a strong Wolfe line search on `φ` (see the module documentation).
#[derive(Clone, Debug)]
pub struct Lbfgs {
    constants: LbfgsSettings,
    range: LossRange,
    /// Losses that are still to be scanned.
    scans: usize,
    scan: Scan,
    /// `(s, y)`, oldest first.
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
    search: Option<Search>,
    best: Option<(f64, Vec<f64>)>,
}

/// State of the scan of a loss.
#[derive(Clone, Debug, PartialEq)]
enum Scan {
    Pending,
    /// About the best point so far, on the given coordinate, with the number of the offset that is being tried.
    Running {
        center: Vec<f64>,
        coordinate: usize,
        offset: usize,
    },
    Done,
}

/// A line search with the line it is on.
#[derive(Clone, Debug)]
struct Search {
    origin: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    step: f64,
    line: LineSearch,
}

impl Lbfgs {
    /// L-BFGS before its first loss; until [`Optimizer::begin`] says otherwise, losses are positive.
    pub fn new(constants: LbfgsSettings) -> Self {
        Self {
            constants,
            range: LossRange::Positive,
            scans: constants.scans,
            scan: Scan::Done,
            pairs: VecDeque::new(),
            search: None,
            best: None,
        }
    }

    /// `φ` and its gradient from a loss and its.
    fn scaled(&self, loss: f64, gradient: &[f64]) -> (f64, Vec<f64>) {
        match self.range {
            LossRange::Positive => (loss.max(TINY).ln(), gradient.iter().map(|g| g / loss.max(TINY)).collect()),
            LossRange::Real => (loss, gradient.to_vec()),
        }
    }

    /// `−H g` by the two-loop recursion, or `−g` on the scale of the first step without pairs.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let Some((s, y)) = self.pairs.back() else {
            let scale = self.constants.first_step / largest(&q);
            q.iter_mut().for_each(|v| *v *= scale);
            return q;
        };
        let mut factors = Vec::with_capacity(self.pairs.len());
        for (s, y) in self.pairs.iter().rev() {
            let a = dot(s, &q) / dot(s, y);
            q.iter_mut().zip(y).for_each(|(q, y)| *q -= a * y);
            factors.push(a);
        }
        let scale = dot(s, y) / dot(y, y);
        q.iter_mut().for_each(|v| *v *= scale);
        for ((s, y), a) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let b = dot(y, &q) / dot(s, y);
            q.iter_mut().zip(s).for_each(|(q, s)| *q += (a - b) * s);
        }
        q
    }

    /// Begins a line search at `theta`; `None` if the gradient vanishes.
    fn search(&mut self, theta: &[f64], value: f64, gradient: Vec<f64>) -> Option<Search> {
        if largest(&gradient) == 0.0 {
            return None;
        }
        let mut direction = self.direction(&gradient);
        if dot(&direction, &gradient) >= 0.0 {
            self.pairs.clear();
            direction = self.direction(&gradient);
        }
        let limit = self.constants.largest_step / largest(&direction);
        let start = Trial { step: 0.0, value, slope: dot(&direction, &gradient), gradient: gradient.clone() };
        let line = LineSearch::new(start, limit);
        Some(Search { origin: theta.to_vec(), value, gradient, direction, step: limit.min(1.0), line })
    }

    /// Acts on the advice of the line search; `false` if there is nothing more to gain.
    fn follow(&mut self, mut search: Search, advice: Advice, theta: &mut [f64]) -> bool {
        match advice {
            Advice::Try(step) => {
                search.step = step;
                search.point(theta);
                self.search = Some(search);
                true
            }
            Advice::Accept(trial) => {
                search.step = trial.step;
                search.point(theta);
                let s: Vec<f64> = search.direction.iter().map(|d| d * trial.step).collect();
                let y: Vec<f64> = trial.gradient.iter().zip(&search.gradient).map(|(new, old)| new - old).collect();
                // Pairs without positive curvature would make the inverse Hessian indefinite.
                if dot(&s, &y) > 1e-10 * dot(&y, &y).sqrt() * dot(&s, &s).sqrt() {
                    if self.pairs.len() == self.constants.memory {
                        self.pairs.pop_front();
                    }
                    self.pairs.push_back((s, y));
                }
                if search.value - trial.value < self.constants.tolerance {
                    return false;
                }
                self.start(theta, trial.value, trial.gradient)
            }
            // Wrong curvature from another loss is the usual reason: once more along the gradient.
            Advice::Fail if !self.pairs.is_empty() => {
                self.pairs.clear();
                theta.copy_from_slice(&search.origin);
                self.start(theta, search.value, search.gradient)
            }
            Advice::Fail => false,
        }
    }

    fn start(&mut self, theta: &mut [f64], value: f64, gradient: Vec<f64>) -> bool {
        self.search = self.search(theta, value, gradient);
        if let Some(search) = &self.search {
            search.point(theta);
        }
        self.search.is_some()
    }
}

impl Lbfgs {
    /// Moves `theta` to the next point of the scan; `false` when it is over, with `theta` at the best point.
    fn scan(&mut self, theta: &mut [f64]) -> bool {
        let best = self.best.as_ref().map_or_else(|| theta.to_vec(), |(_, best)| best.clone());
        let (center, coordinate, offset) = match std::mem::replace(&mut self.scan, Scan::Done) {
            Scan::Pending if theta.len() <= self.constants.scanned => (best, 0, 0),
            Scan::Running { center, coordinate, offset } if offset + 1 < SCAN.len() => (center, coordinate, offset + 1),
            Scan::Running { coordinate, .. } if coordinate + 1 < theta.len() => (best, coordinate + 1, 0),
            Scan::Running { .. } => {
                theta.copy_from_slice(&best);
                return false;
            }
            _ => return false,
        };
        theta.copy_from_slice(&center);
        theta[coordinate] += SCAN[offset];
        self.scan = Scan::Running { center, coordinate, offset };
        true
    }
}

impl Search {
    /// `θ + α d`.
    fn point(&self, theta: &mut [f64]) {
        for ((t, o), d) in theta.iter_mut().zip(&self.origin).zip(&self.direction) {
            *t = o + self.step * d;
        }
    }
}

impl Optimizer for Lbfgs {
    fn name(&self) -> &str {
        "lbfgs"
    }

    fn begin(&mut self, state: OptimizerState, range: LossRange) {
        self.range = range;
        (self.search, self.best) = (None, None);
        self.scan = if self.scans > 0 { Scan::Pending } else { Scan::Done };
        self.scans = self.scans.saturating_sub(1);
        if state == OptimizerState::Reset {
            self.pairs.clear();
        }
    }

    fn step(&mut self, theta: &mut [f64], loss: f64, gradient: &[f64]) -> Progress {
        let (value, gradient) = self.scaled(loss, gradient);
        if self.best.as_ref().is_none_or(|(best, _)| value < *best) {
            self.best = Some((value, theta.to_vec()));
        }
        if self.scan != Scan::Done {
            let elsewhere = matches!(self.scan, Scan::Running { .. });
            // After the last point of the scan the best one is evaluated again, for its gradient.
            if self.scan(theta) || elsewhere {
                return Progress::Continue;
            }
        }
        let goes_on = match self.search.take() {
            None => self.start(theta, value, gradient),
            Some(mut search) => {
                let slope = dot(&search.direction, &gradient);
                let advice = search.line.tell(Trial { step: search.step, value, slope, gradient });
                self.follow(search, advice, theta)
            }
        };
        if goes_on { Progress::Continue } else { Progress::Converged }
    }

    /// Tells the line search of an infinite value; outside one, back to the safe point.
    fn retreat(&mut self, theta: &mut [f64], safe: &[f64]) {
        if self.scan != Scan::Done {
            theta.copy_from_slice(safe);
            self.scan(theta);
            return;
        }
        if let Some(mut search) = self.search.take() {
            let failed = Trial { step: search.step, value: f64::INFINITY, slope: f64::NAN, gradient: Vec::new() };
            let advice = search.line.tell(failed);
            if self.follow(search, advice, theta) {
                return;
            }
        }
        theta.copy_from_slice(safe);
        self.pairs.clear();
    }

    /// The best point evaluated: a line search may have been cut off.
    fn settle(&mut self, theta: &mut [f64]) {
        if let Some((_, best)) = &self.best {
            theta.copy_from_slice(best);
        }
    }

    fn save(&self) -> OptimizerSnapshot {
        let vectors = self.pairs.iter().flat_map(|(s, y)| [s.clone(), y.clone()]).collect();
        OptimizerSnapshot { scalars: vec![self.scans as f64], vectors, ..OptimizerSnapshot::of(self.name()) }
    }

    fn load(&mut self, snapshot: &OptimizerSnapshot) -> Result<(), OptimizerError> {
        snapshot.check(self.name(), 1)?;
        snapshot
            .expect(snapshot.vectors.len().is_multiple_of(2), "pairs of vectors, steps and changes of the gradient")?;
        self.scans = snapshot.scalars[0] as usize;
        self.pairs = snapshot.vectors.chunks_exact(2).map(|p| (p[0].clone(), p[1].clone())).collect();
        Ok(())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m, x| m.max(x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps until converged or `limit` evaluations; returns the point and the evaluations.
    fn minimise(f: impl Fn(&[f64]) -> (f64, Vec<f64>), mut theta: Vec<f64>, limit: usize) -> (Vec<f64>, usize) {
        let mut optimizer = Lbfgs::new(LbfgsSettings { tolerance: 1e-12, scanned: 0, ..LbfgsSettings::default() });
        for n in 1..=limit {
            let (loss, gradient) = f(&theta);
            if optimizer.step(&mut theta, loss, &gradient) == Progress::Converged {
                optimizer.settle(&mut theta);
                return (theta, n);
            }
        }
        optimizer.settle(&mut theta);
        (theta, limit)
    }

    #[test]
    fn minimises_rosenbrock() {
        let f = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            // The added constant keeps the logarithm smooth at the minimum.
            (1.0 + a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b])
        };
        let (x, n) = minimise(f, vec![-1.2, 1.0], 200);
        assert!((x[0] - 1.0).abs() < 1e-4 && (x[1] - 1.0).abs() < 1e-4, "{x:?} after {n}");
        assert!(n < 120, "{n} evaluations");
    }

    #[test]
    fn one_parameter_over_many_orders_of_magnitude() {
        // A valley of 16 orders of magnitude, three e-foldings away.
        let f = |x: &[f64]| {
            let l = (4.0 * (x[0] - 3.0).powi(2) - 30.0).exp();
            (l, vec![8.0 * (x[0] - 3.0) * l])
        };
        let (x, n) = minimise(f, vec![0.0], 40);
        assert!((x[0] - 3.0).abs() < 1e-3 && n < 20, "{x:?} after {n}");
    }

    #[test]
    fn a_failed_evaluation_shortens_the_step_and_the_best_point_is_kept() {
        let mut optimizer = Lbfgs::new(LbfgsSettings { scanned: 0, ..LbfgsSettings::default() });
        let mut theta = vec![0.0, 0.0];
        assert_eq!(optimizer.step(&mut theta, 1.0, &[-1.0, 0.5]), Progress::Continue);
        let first = theta.clone();
        optimizer.retreat(&mut theta, &[0.0, 0.0]);
        assert!(theta[0] > 0.0 && theta[0] < first[0] && theta[1] < 0.0);
        optimizer.step(&mut theta, 2.0, &[1.0, 1.0]);
        optimizer.settle(&mut theta);
        assert_eq!(theta, [0.0, 0.0]);
    }

    #[test]
    fn the_scan_of_the_first_loss_leaves_a_plateau() {
        // Flat far below the valley at 4, with a slope that leads away from it.
        let f = |x: &[f64]| {
            let valley = (x[0] - 4.0).powi(2);
            let value: f64 = if valley < 6.0 { valley - 6.0 } else { 1e-3 * x[0] };
            let slope = if valley < 6.0 { 2.0 * (x[0] - 4.0) } else { 1e-3 };
            (value.exp(), vec![slope * value.exp()])
        };
        let mut optimizer = Lbfgs::new(LbfgsSettings { tolerance: 1e-10, ..LbfgsSettings::default() });
        let mut theta = vec![0.5];
        optimizer.begin(OptimizerState::Reset, LossRange::Positive);
        for n in 0..40 {
            let (loss, gradient) = f(&theta);
            // A failure in the scan is a point like any other.
            if n == 3 {
                optimizer.retreat(&mut theta, &[0.5]);
            } else if optimizer.step(&mut theta, loss, &gradient) == Progress::Converged {
                break;
            }
        }
        optimizer.settle(&mut theta);
        assert!((theta[0] - 4.0).abs() < 1e-3, "{theta:?}");
    }

    #[test]
    fn a_loss_of_either_sign_is_minimised_itself() {
        // Its minimum is −5 at 2; a logarithm would be stuck where the loss turns negative.
        let f = |x: &[f64]| ((x[0] - 2.0).powi(2) - 5.0, vec![2.0 * (x[0] - 2.0)]);
        let mut optimizer = Lbfgs::new(LbfgsSettings { tolerance: 1e-10, scanned: 0, ..LbfgsSettings::default() });
        optimizer.begin(OptimizerState::Reset, LossRange::Real);
        let mut theta = vec![-1.0];
        for _ in 0..30 {
            let (loss, gradient) = f(&theta);
            if optimizer.step(&mut theta, loss, &gradient) == Progress::Converged {
                break;
            }
        }
        optimizer.settle(&mut theta);
        assert!((theta[0] - 2.0).abs() < 1e-4, "{theta:?}");
    }
}
