//! How far the posterior spreads, and whether the truth lies inside.
//!
//! The standard deviation of a field is that of the Gaussian posterior about the last linearisation. Of a score `g(u_1, ..., u_F)`,
//! such as a permeability `e^a` or a modulus, it is propagated by central differences over one standard deviation,
//!
//! ```text
//! s_g² = Σ_f ((g(u + s_f e_f) − g(u − s_f e_f))/2)²
//! ```
//!
//! with the fields taken as independent; exact for linear `g` of one field, `e^a sinh(s_a)` for `e^a` (the delta method gives
//! `e^a s_a`, the log-normal distribution `e^a s_a (1 + 3 s_a²/4 + ...)`).
//!
//! **Scale.** Kernels here have amplitude one unless they are scaled, which says that fields are of size one in their units; the rows say how large
//! they are. So the variance is multiplied by the amplitude `s²` of leave-one-out ([`hyperpde_gp::Posterior::amplitudes`]), one per field.

use hyperpde_kernels::{Kernel, Operator};
use hyperpde_pde::{Problem, Score};

use super::solve::{Solved, truth};
use crate::error::RunError;

/// Standard deviations on the test grid and what they cover.
pub(super) struct Spread {
    /// Per field, `[fields][n]`.
    pub deviations: Vec<Vec<f64>>,
    /// The reference, `[fields][n]`.
    pub truth: Option<Vec<Vec<f64>>>,
    /// Per score: the fraction of the reference's values inside one and inside two standard deviations.
    pub coverage: Vec<(String, [f64; 2])>,
}

impl Spread {
    pub fn of<K: Kernel>(problem: &Problem, solved: &Solved<K>) -> Result<Self, RunError> {
        let points = problem.test_grid().points();
        let value = Operator::identity(points.dim());
        let mut deviations = Vec::new();
        let failed = |e| RunError::numerical("evaluating the posterior variance", e);
        for (f, amplitude) in solved.posterior.amplitudes().map_err(failed)?.into_iter().enumerate() {
            let variance = solved.posterior.variance(f, &value, points).map_err(failed)?;
            deviations.push(variance.iter().map(|v| (amplitude * v).sqrt()).collect::<Vec<f64>>());
        }
        let truth = truth(problem)?;
        let mut coverage = Vec::new();
        if let Some(truth) = &truth {
            let scoring = |e| RunError::numerical("scoring the solution", e);
            for score in problem.scores() {
                let estimate = score.evaluate(&solved.predictions).map_err(scoring)?;
                let exact = score.evaluate(truth).map_err(scoring)?;
                let deviation = score_deviation(score, &solved.predictions, &deviations)?;
                let within = |times| covered(&estimate, &deviation, &exact, times);
                coverage.push((score.name().to_owned(), [within(1.0), within(2.0)]));
            }
        }
        Ok(Self { deviations, truth, coverage })
    }
}

/// Standard deviation `[n]` of a score, from the fields and their standard deviations, `[fields][n]` (see the module documentation).
pub(super) fn score_deviation(
    score: &Score,
    fields: &[Vec<f64>],
    deviations: &[Vec<f64>],
) -> Result<Vec<f64>, RunError> {
    let mut squares = vec![0.0; fields.first().map_or(0, Vec::len)];
    for f in 0..fields.len() {
        let moved = |sign: f64| {
            let mut fields = fields.to_vec();
            fields[f].iter_mut().zip(&deviations[f]).for_each(|(u, s)| *u += sign * s);
            score.evaluate(&fields).map_err(|e| RunError::numerical("scoring the solution", e))
        };
        let (up, down) = (moved(1.0)?, moved(-1.0)?);
        for (square, (u, d)) in squares.iter_mut().zip(up.iter().zip(&down)) {
            *square += (0.5 * (u - d)).powi(2);
        }
    }
    Ok(squares.into_iter().map(f64::sqrt).collect())
}

/// The fraction of `truth` within so many `times` the standard deviation of `estimate`, all `[n]`; of a Gaussian whose deviations are right 0.683
/// within one and 0.954 within two.
fn covered(estimate: &[f64], deviation: &[f64], truth: &[f64], times: f64) -> f64 {
    let inside = estimate.iter().zip(deviation).zip(truth).filter(|((u, s), t)| (*u - *t).abs() <= times * *s).count();
    inside as f64 / estimate.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Standard normal numbers by the Box-Muller transform of a Weyl sequence, which fills the square evenly.
    fn normal(n: usize) -> Vec<f64> {
        let turn = |k: f64| k.fract();
        (1..=n)
            .map(|i| {
                let (u, v) = (turn(i as f64 * 0.754_877_666_246_693), turn(i as f64 * 0.569_840_290_998_053));
                (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
            })
            .collect()
    }

    #[test]
    fn a_gaussian_is_covered_to_its_share() {
        let noise = normal(20_000);
        let estimate: Vec<f64> = (0..20_000).map(|i| (i as f64 * 0.01).sin()).collect();
        let deviation: Vec<f64> = (0..20_000).map(|i| 0.1 + 0.05 * (i as f64 * 0.003).cos()).collect();
        let truth: Vec<f64> = estimate.iter().zip(&deviation).zip(&noise).map(|((u, s), z)| u + s * z).collect();
        // P(|z| <= 2), P(|z| <= 1) and P(|z| <= 4) of a standard normal variable.
        for (times, share) in [(2.0, 0.954_50), (1.0, 0.682_69), (4.0, 0.999_94)] {
            let covered = covered(&estimate, &deviation, &truth, times);
            assert!((covered - share).abs() < 3e-3, "{times}: {covered}");
        }
        assert_eq!(covered(&estimate, &deviation, &truth, 0.0), 0.0);
        assert_eq!(covered(&[1.0], &[0.0], &[1.0], 2.0), 1.0);
    }

    #[test]
    fn deviations_of_scores_have_their_closed_forms() {
        let (fields, deviations) = (vec![vec![0.3, -1.0], vec![4.0, 2.0]], vec![vec![0.2, 0.5], vec![0.1, 0.3]]);
        let of = |score: &Score| score_deviation(score, &fields, &deviations).unwrap();
        let field = of(&Score::new("u", |q| q[0]));
        assert!(field.iter().zip([0.2, 0.5]).all(|(got, s)| (got - s).abs() < 1e-15), "{field:?}");
        let linear = of(&Score::new("sum", |q| 3.0 * q[0] - 4.0 * q[1]));
        for (got, (a, b)) in linear.iter().zip([(0.2, 0.1), (0.5, 0.3)]) {
            assert!((got - f64::hypot(3.0 * a, 4.0 * b)).abs() < 1e-12, "{got}");
        }
        let exponential = of(&Score::new("A", |q| q[0].exp()));
        for (got, (m, s)) in exponential.iter().zip([(0.3f64, 0.2f64), (-1.0, 0.5)]) {
            assert!((got - m.exp() * s.sinh()).abs() < 1e-12, "{got}");
        }
    }
}
