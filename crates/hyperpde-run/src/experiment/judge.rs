//! The verdict on a run: what [`crate::verdict`] needs, gathered from the solution.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use hyperpde_bilevel::{Bilevel, BilevelError, BilevelSettings, GaussNewtonRecord, Observer};
use hyperpde_config::RunSettings;
use hyperpde_gp::{GpError, Posterior, RowBlock};
use hyperpde_kernels::{Kernel, Points};
use hyperpde_pde::{Collocation, PdeError, Problem, SampleSizes, Sampler};

use super::cloud::sampling;
use super::solve::{Solved, check};
use super::spread::{Spread, score_deviation};
use crate::error::{RunError, full_message};
use crate::host::Host;
use crate::per_field::PerField;
use crate::rows::MOST_JUDGED_TWICE;
use crate::verdict::{Finding, Verdict, conditions, equation, error, noise, observations, rms, solver};

/// Seed of the points on which a run is judged, apart from that of its own.
const FRESH_SEED: u64 = 0x5eed_4a1d_0000_0000;
/// Gauss-Newton steps of the second solution, which starts at the first: a linear problem takes one, and one that takes more than this is told
/// by the difference.
const STEPS: usize = 8;
/// Relative change at which the second solution is as good as it need be to tell an error of the first.
const TOLERANCE: f64 = 1e-7;
/// A change that is small and no longer falls is rounding.
const SMALL: f64 = 1e-3;
const FALLING: f64 = 0.3;

/// What is judged.
pub(super) struct Case<'a, K: Kernel> {
    pub problem: &'a Problem,
    pub collocation: &'a Collocation,
    pub solved: &'a Solved<K>,
    pub settings: &'a BilevelSettings,
    pub run: &'a RunSettings,
    pub sampler: Sampler,
    pub host: &'a dyn Host,
}

impl<K: Kernel> Case<'_, K> {
    /// Whether there are observations with noise.
    pub fn noisy(&self) -> bool {
        self.collocation.observations.iter().any(|rows| rows.noise_variance() > 0.0)
    }

    /// The verdict. Nothing in it knows the exact solution; of `spread`, which large systems without noise do without, only the
    /// deviations are used.
    ///
    /// # Errors
    /// [`RunError::Interrupted`], and [`RunError::Numerical`] if the solution can't be evaluated. A second solution that can't be had is a finding.
    pub fn verdict(&self, spread: Option<&Spread>) -> Result<Verdict, RunError> {
        let Self { problem, settings, .. } = *self;
        let solution = self.solved.posterior.as_ref();
        let judging = |e: PdeError| RunError::numerical("judging the solution", e);
        let evaluating = |e: GpError| RunError::numerical("judging the solution", e);
        let fresh = self.fresh()?;
        let misfits = conditions::misfits(solution, &fresh.boundary, &fresh.interior).map_err(evaluating)?;
        let mut findings: Vec<Finding> = conditions::finding(&misfits).into_iter().collect();
        let residual = equation::residual(solution, problem.equations().as_ref(), &fresh.interior);
        findings.push(equation::finding(residual.map_err(judging)?));
        let size = self.size(&fresh.interior).map_err(evaluating)?;
        let rows = solution.rhs().len();
        findings.push(noise::finding(noise::implied(settings.nugget, solution.squared_norm(), rows, size)));
        let observed = observations::chi_square(solution, &self.collocation.observations).map_err(evaluating)?;
        findings.extend(observed.map(|(chi_square, count)| observations::finding(chi_square, count)));
        findings.push(solver::jitter(solution.info().jitter, settings.nugget));
        let after = solution.latents(0).map_err(evaluating)?;
        findings.push(if self.solved.linear {
            solver::exact()
        } else {
            let recipe = &self.solved.recipe;
            solver::convergence(solver::change(&recipe.about, &after, recipe.fraction))
        });

        let noisy = self.noisy();
        let misfit = misfits.iter().map(conditions::Misfit::relative).fold(0.0, f64::max);
        let union = self.union(fresh).map_err(evaluating)?;
        let estimate = match self.second(union) {
            Ok(second) => {
                let deviation = spread.map(|spread| self.deviation(spread)).transpose()?.unwrap_or_default();
                let estimate = error::estimate(self.difference(&second)?, misfit, &deviation);
                let worst =
                    estimate.0.iter().map(|(_, e)| *e).fold(0.0, |a: f64, b| if b.is_nan() { b } else { a.max(b) });
                findings.push(error::finding(worst, noisy));
                estimate
            }
            Err(RunError::Interrupted { folder }) => return Err(RunError::Interrupted { folder }),
            Err(why) => {
                findings.push(error::unknown(&full_message(&why), noisy));
                PerField::default()
            }
        };
        Ok(Verdict::new(estimate, findings))
    }

    /// Points and conditions of another draw, with the observations of the run: there are no others.
    fn fresh(&self) -> Result<Collocation, RunError> {
        let sizes = SampleSizes { validation: 0, ..self.run.sizes() };
        let fresh = self.problem.sample(&sizes, self.sampler, self.run.seed ^ FRESH_SEED).map_err(sampling)?;
        Ok(Collocation { observations: self.collocation.observations.clone(), ..fresh })
    }

    /// The fresh points and the run's own together, if such a system is small enough, else the fresh ones: see [`error`].
    fn union(&self, mut fresh: Collocation) -> Result<Collocation, GpError> {
        let own = self.collocation;
        if self.solved.posterior.rhs().len() > MOST_JUDGED_TWICE {
            return Ok(fresh);
        }
        fresh.interior = Points::concat(&[&own.interior, &fresh.interior])?;
        let mut boundary = own.boundary.clone();
        for block in &fresh.boundary {
            // A face that is a point has one point to draw.
            boundary.extend(block.select(&new_rows(block, &own.boundary))?);
        }
        fresh.boundary = boundary;
        Ok(fresh)
    }

    /// The smallest over the fields of the root mean square of their values.
    fn size(&self, inside: &Points) -> Result<f64, GpError> {
        let mut smallest = f64::INFINITY;
        for field in 0..self.problem.fields().len() {
            smallest = smallest.min(rms(self.solved.posterior.values(field, inside)?));
        }
        Ok(smallest)
    }

    /// The solution on the other points, from that on the run's.
    fn second(&self, fresh: Collocation) -> Result<Arc<Posterior<K>>, RunError> {
        let settings = BilevelSettings { monitor: 0, ..self.settings.clone().frozen(STEPS, TOLERANCE) };
        let first = &self.solved.posterior;
        let kernels = first.kernels().iter().map(burn::module::Module::valid).collect();
        let solve = || -> Result<_, BilevelError> {
            let run = Bilevel::init(self.problem, fresh, kernels, settings)?;
            run.with_start(first.clone())?.run(&mut Settling { last: f64::INFINITY, host: self.host })
        };
        let outcome = solve().map_err(|e| RunError::numerical("solving on other points", e))?;
        check(self.host)?;
        Ok(outcome.last)
    }

    /// Per score, `‖u_2 − u_1‖ / ‖u_1‖` on the test grid.
    fn difference(&self, second: &Posterior<K>) -> Result<Vec<(String, f64)>, RunError> {
        let grid = self.problem.test_grid().points();
        let failed = |e: GpError| RunError::numerical("evaluating the second solution", e);
        let fields = 0..self.problem.fields().len();
        let other = fields.map(|f| second.values(f, grid).map_err(failed)).collect::<Result<Vec<_>, _>>()?;
        let errors = self.problem.errors(&other, &self.solved.predictions);
        let errors = errors.map_err(|e| RunError::numerical("comparing two solutions", e))?;
        Ok(errors.into_iter().map(|(score, e)| (score, e.rel_l2)).collect())
    }

    /// Per score, the root mean square of its standard deviation over that of its values.
    fn deviation(&self, spread: &Spread) -> Result<Vec<(String, f64)>, RunError> {
        let fields = &self.solved.predictions;
        let of = |score: &hyperpde_pde::Score| {
            let values = score.evaluate(fields).map_err(|e| RunError::numerical("scoring the solution", e))?;
            let deviation = rms(score_deviation(score, fields, &spread.deviations)?);
            Ok((score.name().to_owned(), deviation / rms(values)))
        };
        self.problem.scores().iter().map(of).collect()
    }
}

/// The rows of a block at points that no block of the same name has.
fn new_rows(block: &RowBlock, others: &[RowBlock]) -> Vec<usize> {
    let at = |block: &RowBlock, i: usize| {
        let bits =
            |points: &Points| points.rows().nth(i).into_iter().flatten().map(|v| v.to_bits()).collect::<Vec<_>>();
        block.sites().iter().map(bits).collect::<Vec<_>>()
    };
    let same = others.iter().filter(|other| other.name() == block.name());
    let known: BTreeSet<_> = same.flat_map(|other| (0..other.len()).map(|i| at(other, i))).collect();
    (0..block.len()).filter(|&i| !known.contains(&at(block, i))).collect()
}

/// Ends a solve when the user wants an end, or when it changes by rounding only.
struct Settling<'a> {
    last: f64,
    host: &'a dyn Host,
}

impl<K: Kernel> Observer<K> for Settling<'_> {
    fn gauss_newton(&mut self, record: &GaussNewtonRecord, _: &Posterior<K>) -> ControlFlow<()> {
        let rounding = record.increment <= SMALL && record.increment > FALLING * self.last;
        self.last = record.increment;
        if rounding || self.host.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
