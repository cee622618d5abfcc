//! The posterior under the rows: any derivative of any field at any points, and its variance.
//!
//! `D u_f (x) = Σ_r w_r D^x ℓ_r^y k_f(x, y)` and `Var = D D' k_f(x, x) − v(x)ᵀ (K + N)⁻¹ v(x)` with `v_r = D^x ℓ_r^y k_f(x, y)`
//! (Rasmussen and Williams 2006, eq. 2.25 and 2.26, with functionals in place of values).

use std::sync::{Arc, OnceLock};

use hyperpde_kernels::fused::{FeatureData, FunctionalSet, Pair, Target};
use hyperpde_kernels::gram::{Applied, Functional, gram_block, gram_diagonal};
use hyperpde_kernels::{JetSpace, Kernel, Operator, PointJets, Points, tensor_to_vec};
use hyperpde_linalg::{Cholesky, SolveStatistics};

use crate::error::GpError;
use crate::nugget::coordinates;
use crate::problem::{InnerProblem, device};
use crate::sites::inseparable;

/// Floats that a block of cross covariances may take: evaluation runs in batches of points.
const BATCH_FLOATS: usize = 4 << 20;

/// A solved inner problem together with the kernels it was solved with (see the module documentation).
#[derive(Debug)]
pub struct Posterior<K: Kernel> {
    problem: Arc<InnerProblem>,
    kernels: Vec<K>,
    weights: Vec<f64>,
    rhs: Vec<f64>,
    ratios: Vec<f64>,
    info: SolveStatistics,
    /// Computed when a variance or other right-hand sides are first asked for: most posteriors are never asked, and it is as large as the
    /// whole system.
    cholesky: OnceLock<Cholesky>,
    /// Training features per field: jets, and host data for the fused stage.
    training: Vec<FieldFeatures>,
}

/// Features of one field's points in both forms; `data` only where the fused stage can use it.
#[derive(Debug)]
struct FieldFeatures {
    jets: PointJets,
    data: Option<FeatureData>,
}

impl FieldFeatures {
    fn new<K: Kernel>(kernel: &K, points: &Points, space: &Arc<JetSpace>, fused: bool) -> Result<Self, GpError> {
        let jets = PointJets::new(kernel, points, space, &device(kernel))?;
        let data = if fused {
            let (slots, flat) = jets.feature_vector();
            Some(slots.read(&tensor_to_vec(flat)?))
        } else {
            None
        };
        Ok(Self { jets, data })
    }
}

impl<K: Kernel> Posterior<K> {
    pub(crate) fn new(
        problem: Arc<InnerProblem>,
        kernels: Vec<K>,
        weights: Vec<f64>,
        ratios: Vec<f64>,
        info: SolveStatistics,
    ) -> Result<Self, GpError> {
        let fused = problem.fusable(&kernels);
        let training = kernels
            .iter()
            .zip(&problem.fields)
            .map(|(k, field)| FieldFeatures::new(k, &field.all, &field.space, fused))
            .collect::<Result<Vec<_>, _>>()?;
        let rhs = problem.rhs.clone();
        Ok(Self { problem, kernels, weights, rhs, ratios, info, cholesky: OnceLock::new(), training })
    }

    /// Right-hand sides `b`, `[n]`.
    pub fn rhs(&self) -> &[f64] {
        &self.rhs
    }

    /// The posterior for other right-hand sides of the same rows. The first call factors the system again, and the factor is kept.
    ///
    /// # Errors
    /// [`GpError::System`] for a wrong number of values or one that is not finite, [`GpError::Factorisation`] if the solve fails.
    pub fn with_rhs(mut self, rhs: Vec<f64>) -> Result<Self, GpError> {
        if rhs.len() != self.rhs.len() || rhs.iter().any(|b| !b.is_finite()) {
            return Err(GpError::System(format!(
                "{} rows need as many finite right-hand sides, got {}",
                self.rhs.len(),
                rhs.iter().filter(|b| b.is_finite()).count()
            )));
        }
        let mut weights = rhs.clone();
        self.factor()?.solve_in_place(&mut weights, 1).map_err(|e| self.problem.factorisation(e))?;
        (self.weights, self.rhs) = (weights, rhs);
        Ok(self)
    }

    /// The same without a factor that an earlier call kept: its memory goes to the next solve of the same settings.
    #[must_use]
    pub fn without_factor(mut self) -> Self {
        if let Some(cholesky) = self.cholesky.take() {
            self.problem.settings.workspace.give(cholesky.into_buffer());
        }
        self
    }

    fn factor(&self) -> Result<&Cholesky, GpError> {
        if let Some(cholesky) = self.cholesky.get() {
            return Ok(cholesky);
        }
        let cholesky = self.problem.factor(&self.kernels)?;
        Ok(self.cholesky.get_or_init(|| cholesky))
    }

    /// The kernels, one per field, without gradients.
    pub fn kernels(&self) -> &[K] {
        &self.kernels
    }

    /// Weights `w = (K + N)⁻¹ b`, `[n]`.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// What the factorisation had to do.
    pub fn info(&self) -> SolveStatistics {
        self.info
    }

    /// Squared norm `bᵀ (K + N)⁻¹ b` of the solution in the norm of the (regularised) prior.
    pub fn squared_norm(&self) -> f64 {
        self.weights.iter().zip(&self.rhs).map(|(w, b)| w * b).sum()
    }

    /// `D u_f` at `points` for each operator `D`: `[operators][n]`.
    ///
    /// # Errors
    /// [`GpError::System`] for a field that is not there, [`GpError::NonFinite`] if a value is not finite.
    pub fn evaluate(&self, field: usize, operators: &[Operator], points: &Points) -> Result<Vec<Vec<f64>>, GpError> {
        let mut out = vec![Vec::with_capacity(points.len()); operators.len()];
        self.batches(field, operators, points, |features, batch| {
            for (operator, values) in operators.iter().zip(&mut out) {
                let functional = Functional::uniform(operator, batch.len());
                let mut sums = vec![0.0; batch.len()];
                self.cross(field, features, batch, &functional, false, |rows, block| {
                    for (column, w) in block.chunks_exact(batch.len()).zip(&self.weights[rows]) {
                        sums.iter_mut().zip(column).for_each(|(p, v)| *p += v * w);
                    }
                })?;
                values.extend(sums);
            }
            Ok(())
        })?;
        finite(&out.concat(), "the solution")?;
        Ok(out)
    }

    /// Values of field `field` at `points`.
    ///
    /// # Errors
    /// As [`Posterior::evaluate`].
    pub fn values(&self, field: usize, points: &Points) -> Result<Vec<f64>, GpError> {
        Ok(self.evaluate(field, &[Operator::identity(points.dim())], points)?.concat())
    }

    /// Posterior variance of `D u_f` at `points`, `[n]`, never negative. The first call factors the system again, and the factor (n x n) is kept.
    ///
    /// # Errors
    /// As [`Posterior::evaluate`].
    pub fn variance(&self, field: usize, operator: &Operator, points: &Points) -> Result<Vec<f64>, GpError> {
        let n = self.problem.rows();
        let cholesky = self.factor()?;
        let mut out = Vec::with_capacity(points.len());
        self.batches(field, std::slice::from_ref(operator), points, |features, batch| {
            let functional = Functional::uniform(operator, batch.len());
            let applied = Applied { functional: &functional, jets: &features.jets };
            let prior = tensor_to_vec(gram_diagonal(&self.kernels[field], applied, applied))?;
            let mut columns = vec![0.0; n * batch.len()];
            self.cross(field, features, batch, &functional, true, |rows, block| {
                for (column, part) in columns.chunks_exact_mut(n).zip(block.chunks_exact(rows.len())) {
                    column[rows.clone()].iter_mut().zip(part).for_each(|(c, v)| *c += v);
                }
            })?;
            cholesky.half_solve_in_place(&mut columns, batch.len()).map_err(|e| self.problem.factorisation(e))?;
            out.extend(
                prior
                    .iter()
                    .zip(columns.chunks_exact(n))
                    .map(|(k, v)| (k - v.iter().map(|x| x * x).sum::<f64>()).max(0.0)),
            );
            Ok(())
        })?;
        finite(&out, "the posterior variance")?;
        Ok(out)
    }

    /// The latents of training block `block`: for each of its terms, `D u_f` at the term's points, the nugget's share included,
    /// `(K Cᵀ w)_i + η r Σ_r c_r w_r` over the rows `r` that hold the latent.
    ///
    /// This is the iterate that the published method linearises about at its collocation points; at any other point
    /// [`Posterior::evaluate`] gives the solution.
    ///
    /// # Errors
    /// As [`Posterior::evaluate`], and [`GpError::System`] if there is no such block.
    pub fn latents(&self, block: usize) -> Result<Vec<Vec<f64>>, GpError> {
        let Some(rows) = self.problem.blocks.get(block) else {
            return Err(GpError::System(format!(
                "there are {} blocks of training rows, none numbered {block}",
                self.problem.blocks.len()
            )));
        };
        rows.terms()
            .iter()
            .map(|term| {
                let points = &rows.sites()[term.site];
                let mut values = self.evaluate(term.field, std::slice::from_ref(&term.operator), points)?.concat();
                let shares = self.nugget_shares(term.field, &term.operator);
                for (value, x) in values.iter_mut().zip(points.rows()) {
                    *value += shares.get(&coordinates(x)).copied().unwrap_or(0.0);
                }
                Ok(values)
            })
            .collect()
    }

    /// `η r Σ_r c_r w_r` per point of the latents of one field and operator.
    fn nugget_shares(&self, field: usize, operator: &Operator) -> std::collections::HashMap<Vec<u64>, f64> {
        let nugget = &self.problem.nugget;
        let group = nugget.groups.iter().position(|g| g.field == field && g.operator == *operator);
        let scale = group.map_or(0.0, |g| nugget.eta * self.ratios[g]);
        let mut shares = std::collections::HashMap::new();
        let mut start = 0;
        for block in &self.problem.blocks {
            for term in block.terms().iter().filter(|t| t.field == field && t.operator == *operator) {
                for (i, x) in block.sites()[term.site].rows().enumerate() {
                    *shares.entry(coordinates(x)).or_insert(0.0) +=
                        scale * term.coefficients[i] * self.weights[start + i];
                }
            }
            start += block.len();
        }
        shares
    }

    fn batches(
        &self,
        field: usize,
        operators: &[Operator],
        points: &Points,
        mut each: impl FnMut(&FieldFeatures, &Points) -> Result<(), GpError>,
    ) -> Result<(), GpError> {
        let Some(kernel) = self.kernels.get(field) else {
            return Err(GpError::System(format!("there are {} fields, none numbered {field}", self.kernels.len())));
        };
        let space = JetSpace::of_operators(points.dim(), operators);
        let joint =
            JetSpace::covering(points.dim(), space.indices().iter().chain(self.problem.fields[field].space.indices()));
        let form = kernel.form(points.dim());
        let fused = self.training[field].data.is_some()
            && form.is_some_and(|f| hyperpde_kernels::fused::supports(f, points.dim(), &joint));
        let size = (BATCH_FLOATS / self.problem.rows()).clamp(8, 4096);
        for start in (0..points.len()).step_by(size) {
            let batch = points.select(&(start..points.len().min(start + size)).collect::<Vec<_>>())?;
            let features = FieldFeatures::new(kernel, &batch, &space, fused)?;
            each(&features, &batch)?;
        }
        Ok(())
    }

    /// Blocks of `D^x ℓ_r^y k`: column-major `[points, rows]`, or `[rows, points]` with `rows_first`, one per training set.
    fn cross(
        &self,
        field: usize,
        features: &FieldFeatures,
        points: &Points,
        functional: &Functional,
        rows_first: bool,
        mut each: impl FnMut(std::ops::Range<usize>, &[f64]),
    ) -> Result<(), GpError> {
        let (sites, kernel) = (&self.problem.fields[field], &self.kernels[field]);
        for set in self.problem.training.iter().filter(|s| s.field == field) {
            let range = sites.range(set.site);
            let fused = (&features.data, &self.training[field].data, kernel.form(points.dim()));
            let block = if let (Some(here), Some(there), Some(form)) = fused {
                let there = there.rows(range.start, range.len());
                let coefficients = functional.separable(points.dim()).ok_or_else(inseparable)?;
                let here = FunctionalSet::new(form, points, &coefficients, here)?;
                let there = FunctionalSet::new(form, sites.points(set.site), set.separable()?, &there)?;
                let (x, y) = if rows_first { (&here, &there) } else { (&there, &here) };
                let mut data = vec![0.0; x.len() * y.len()];
                Pair { x, y, lower: false }.forward(Target {
                    data: &mut data,
                    ld: y.len(),
                    row: 0,
                    column: 0,
                    add: false,
                });
                data
            } else {
                let jets = self.training[field].jets.rows(range.start, range.len());
                let here = Applied { functional, jets: &features.jets };
                let there = Applied { functional: &set.functional, jets: &jets };
                // Row-major [x, y] is column-major [y, x].
                let (x, y) = if rows_first { (here, there) } else { (there, here) };
                tensor_to_vec(gram_block(kernel, x, y))?
            };
            each(set.rows.clone(), &block);
        }
        Ok(())
    }
}

fn finite(values: &[f64], what: &str) -> Result<(), GpError> {
    match values.iter().find(|v| !v.is_finite()) {
        None => Ok(()),
        Some(v) => Err(GpError::NonFinite {
            what: format!("{what} ({v})"),
            advice: "the kernel overflows at these points; check hyperparameters and points",
        }),
    }
}
