//! The posterior under the rows: any derivative of any field at any points, and its variance.
//!
//! `D u_f (x) = Σ_r w_r D^x ℓ_r^y k_f(x, y)` and `Var = D D' k_f(x, x) − v(x)ᵀ (K + N)⁻¹ v(x)` with `v_r = D^x ℓ_r^y k_f(x, y)`
//! (Rasmussen and Williams 2006, eq. 2.25 and 2.26, with functionals in place of values).

use std::sync::{Arc, OnceLock};

use hyperpde_kernels::fused::{FeatureData, FunctionalSet, Pair, Target};
use hyperpde_kernels::gram::{Applied, Functional, gram_block, gram_diagonal};
use hyperpde_kernels::{JetSpace, Kernel, Operator, PointJets, Points, tensor_to_vec};
use hyperpde_linalg::{Factor, RowSystem, SolveError, SolveStatistics};

use crate::error::GpError;
use crate::nugget::coordinates;
use crate::rows::RowBlock;
use crate::settings::device;
use crate::setup::Setup;
use crate::sites::inseparable;
use crate::system::tensor::TensorRows;
use crate::system::{FusedSystem, Plan, factor, from_tensors, weights};

/// Floats that a block of cross covariances may take: evaluation runs in batches of points.
const BATCH_FLOATS: usize = 4 << 20;

/// A solved inner problem together with the kernels it was solved with (see the module documentation).
#[derive(Debug)]
pub struct Posterior<K: Kernel> {
    setup: Arc<Setup>,
    kernels: Vec<K>,
    weights: Vec<f64>,
    rhs: Vec<f64>,
    ratios: Vec<f64>,
    info: SolveStatistics,
    /// The factor, as large as the whole system with a dense solver; computed again if it is asked for after it was dropped.
    factor: OnceLock<Box<dyn Factor>>,
    /// The system by the fused stage with the features of all training points, if it takes the kernels.
    system: Option<Arc<FusedSystem>>,
    /// Training features per field as tensors, where they are needed.
    jets: Vec<OnceLock<PointJets>>,
}

/// What the nugget adds to latents, by group and exact coordinates.
pub(crate) type Shares = std::collections::HashMap<(usize, Vec<u64>), f64>;

/// Features of some points of one field in both forms; `data` only where the fused stage can use it.
#[derive(Debug)]
struct FieldFeatures {
    jets: Option<PointJets>,
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
        Ok(Self { jets: Some(jets), data })
    }

    fn jets(&self) -> Result<&PointJets, GpError> {
        self.jets
            .as_ref()
            .ok_or_else(|| GpError::System("features of points are there for the fused stage only".into()))
    }
}

impl<K: Kernel> Posterior<K> {
    /// Solves for kernels that are off the tape.
    pub(crate) fn solve(setup: &Arc<Setup>, kernels: Vec<K>) -> Result<Self, GpError> {
        let (system, rows, jets, ratios);
        match Plan::new(setup, &kernels)? {
            Some((plan, features)) => {
                let fused = Arc::new(FusedSystem::new(plan, &tensor_to_vec(features)?)?);
                ratios = fused.ratios.clone();
                rows = fused.clone() as Arc<dyn RowSystem>;
                (system, jets) = (Some(fused), kernels.iter().map(|_| OnceLock::new()).collect());
            }
            None => {
                let tensors = TensorRows::new(setup, &kernels)?;
                (rows, ratios) = from_tensors(setup, &tensors)?;
                (system, jets) = (None, tensors.jets.into_iter().map(OnceLock::from).collect());
            }
        }
        let factor = factor(setup, &rows)?;
        let weights = weights(setup, factor.as_ref(), &setup.rhs)?;
        let info = factor.statistics();
        let (setup, rhs) = (setup.clone(), setup.rhs.clone());
        Ok(Self { setup, kernels, weights, rhs, ratios, info, factor: factor.into(), system, jets })
    }

    /// `Σ_r w_r ℓ_r k` for given weights of given rows: a function as a posterior is one, that solves nothing.
    pub(crate) fn expansion(setup: &Arc<Setup>, kernels: Vec<K>, weights: Vec<f64>) -> Result<Self, GpError> {
        let (system, jets, ratios) = match Plan::new(setup, &kernels)? {
            Some((plan, features)) => {
                let fused = Arc::new(FusedSystem::new(plan, &tensor_to_vec(features)?)?);
                let ratios = fused.ratios.clone();
                (Some(fused), kernels.iter().map(|_| OnceLock::new()).collect(), ratios)
            }
            None => {
                let jets = TensorRows::new(setup, &kernels)?.jets.into_iter().map(OnceLock::from).collect();
                (None, jets, vec![1.0; setup.nugget.groups.len()])
            }
        };
        let (rhs, info) = (setup.rhs.clone(), SolveStatistics::direct(0.0, 0, 0.0));
        let (setup, factor) = (setup.clone(), OnceLock::new());
        Ok(Self { setup, kernels, weights, rhs, ratios, info, factor, system, jets })
    }

    /// Right-hand sides `b`, `[n]`.
    pub fn rhs(&self) -> &[f64] {
        &self.rhs
    }

    /// The posterior for other right-hand sides of the same rows, by the same factor.
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
        self.weights = weights(&self.setup, self.factor()?, &rhs)?;
        self.rhs = rhs;
        Ok(self)
    }

    /// The same without the factor: its memory, n x n floats with a dense solver, goes to the next solve of the same settings. A variance, or
    /// other right-hand sides, would factor the system again.
    #[must_use]
    pub fn without_factor(mut self) -> Self {
        self.factor = OnceLock::new();
        self
    }

    /// The solver's factor, which may be asked for all it can tell: solves, `log det A`, `diag A⁻¹`.
    ///
    /// # Errors
    /// [`GpError::Factorisation`] if it was dropped and can't be computed again.
    pub fn factor(&self) -> Result<&dyn Factor, GpError> {
        if let Some(factor) = self.factor.get() {
            return Ok(factor.as_ref());
        }
        let rows = match &self.system {
            Some(system) => system.clone() as Arc<dyn RowSystem>,
            None => from_tensors(&self.setup, &TensorRows::new(&self.setup, &self.kernels)?)?.0,
        };
        let factor = factor(&self.setup, &rows)?;
        Ok(self.factor.get_or_init(|| factor).as_ref())
    }

    /// The kernels, one per field, without gradients.
    pub fn kernels(&self) -> &[K] {
        &self.kernels
    }

    /// What was solved: rows, sites, nugget.
    pub(crate) fn setup(&self) -> &Arc<Setup> {
        &self.setup
    }

    /// The training rows.
    pub fn blocks(&self) -> &[RowBlock] {
        &self.setup.blocks
    }

    /// A failure of the factor, with what to do about it.
    pub(crate) fn unsolved(&self, error: SolveError) -> GpError {
        self.setup.factorisation(error)
    }

    /// Weights `w = (K + N)⁻¹ b`, `[n]`.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Squared norm `bᵀ (K + N)⁻¹ b` of the solution in the norm of the (regularised) prior.
    pub fn squared_norm(&self) -> f64 {
        self.weights.iter().zip(&self.rhs).map(|(w, b)| w * b).sum()
    }

    /// What the factorisation had to do.
    pub fn info(&self) -> SolveStatistics {
        self.info
    }

    /// `D u_f` at `points` for each operator `D`: `[operators][n]`.
    ///
    /// # Errors
    /// [`GpError::System`] for a field that is not there, or points or operators of another dimension; [`GpError::NonFinite`] if a value is not
    /// finite.
    pub fn evaluate(&self, field: usize, operators: &[Operator], points: &Points) -> Result<Vec<Vec<f64>>, GpError> {
        self.evaluate_at(field, operators, points, None, &self.weights)
    }

    /// The same with other weights; if the points are a training site its features are there already.
    fn evaluate_at(
        &self,
        field: usize,
        operators: &[Operator],
        points: &Points,
        site: Option<usize>,
        weights: &[f64],
    ) -> Result<Vec<Vec<f64>>, GpError> {
        let mut out = vec![Vec::with_capacity(points.len()); operators.len()];
        self.batches(field, operators, points, site, |features, batch| {
            for (operator, values) in operators.iter().zip(&mut out) {
                let functional = Functional::uniform(operator, batch.len());
                let mut sums = vec![0.0; batch.len()];
                self.cross(field, features, batch, &functional, false, |rows, block| {
                    for (column, w) in block.chunks_exact(batch.len()).zip(&weights[rows]) {
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

    /// Posterior variance of `D u_f` at `points`, `[n]`, never negative.
    ///
    /// A factor without half solves (an iteration) takes full solves instead: twice the work, and rounding that is not a sum of squares.
    ///
    /// # Errors
    /// As [`Posterior::evaluate`], and [`GpError::Factorisation`] if the solver fails.
    pub fn variance(&self, field: usize, operator: &Operator, points: &Points) -> Result<Vec<f64>, GpError> {
        let n = self.setup.rows();
        let factor = self.factor()?;
        let mut out = Vec::with_capacity(points.len());
        self.batches(field, std::slice::from_ref(operator), points, None, |features, batch| {
            let functional = Functional::uniform(operator, batch.len());
            let applied = Applied { functional: &functional, jets: features.jets()? };
            let prior = tensor_to_vec(gram_diagonal(&self.kernels[field], applied, applied))?;
            let mut columns = vec![0.0; n * batch.len()];
            self.cross(field, features, batch, &functional, true, |rows, block| {
                for (column, part) in columns.chunks_exact_mut(n).zip(block.chunks_exact(rows.len())) {
                    column[rows.clone()].iter_mut().zip(part).for_each(|(c, v)| *c += v);
                }
            })?;
            let explained = explained(factor, columns, batch.len()).map_err(|e| self.setup.factorisation(e))?;
            out.extend(prior.iter().zip(explained).map(|(k, v)| (k - v).max(0.0)));
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
        let Some(rows) = self.setup.blocks.get(block) else {
            return Err(GpError::System(format!(
                "there are {} blocks of training rows, none numbered {block}",
                self.setup.blocks.len()
            )));
        };
        let mut out = self.term_values(rows, &self.weights)?;
        let shares = self.nugget_shares(&self.weights);
        self.add_shares(rows, &shares, &mut out);
        Ok(out)
    }

    /// `D u_f` of every term of some rows at the term's points, `[terms][n]`, for given weights of the training rows.
    pub(crate) fn term_values(&self, rows: &RowBlock, weights: &[f64]) -> Result<Vec<Vec<f64>>, GpError> {
        let terms = rows.terms();
        let mut out = vec![Vec::new(); terms.len()];
        // All operators of a field at a site together: its features are read once.
        for (first, term) in terms.iter().enumerate() {
            if !out[first].is_empty() {
                continue;
            }
            let together = |t: &&(usize, &crate::rows::Term)| t.1.field == term.field && t.1.site == term.site;
            let group: Vec<(usize, &crate::rows::Term)> = terms.iter().enumerate().filter(|t| together(&t)).collect();
            let operators: Vec<Operator> = group.iter().map(|(_, t)| t.operator.clone()).collect();
            let points = &rows.sites()[term.site];
            let site = self.setup.fields[term.field].find(points);
            let values = self.evaluate_at(term.field, &operators, points, site, weights)?;
            for ((at, _), values) in group.into_iter().zip(values) {
                out[at] = values;
            }
        }
        Ok(out)
    }

    /// `η r Σ_r c_r w_r` per latent for given weights of the training rows.
    pub(crate) fn nugget_shares(&self, weights: &[f64]) -> Shares {
        let mut shares = Shares::new();
        let mut start = 0;
        for block in &self.setup.blocks {
            self.collect_shares(block, &weights[start..start + block.len()], &mut shares);
            start += block.len();
        }
        shares
    }

    /// `η r c w` of the rows of a block with the given weights, added to the latents that they hold and the system regularises.
    pub(crate) fn collect_shares(&self, block: &RowBlock, weights: &[f64], shares: &mut Shares) {
        let nugget = &self.setup.nugget;
        for term in block.terms() {
            let known = |g: &crate::nugget::Group| g.field == term.field && g.operator == term.operator;
            let Some(group) = nugget.groups.iter().position(known) else { continue };
            let scale = nugget.eta * self.ratios[group];
            for ((x, c), w) in block.sites()[term.site].rows().zip(&term.coefficients).zip(weights) {
                *shares.entry((group, coordinates(x))).or_insert(0.0) += scale * c * w;
            }
        }
    }

    /// Adds the shares of the latents that some rows hold to the values of their terms, `[terms][n]`.
    pub(crate) fn add_shares(&self, rows: &RowBlock, shares: &Shares, values: &mut [Vec<f64>]) {
        for (term, values) in rows.terms().iter().zip(values) {
            let known = |g: &crate::nugget::Group| g.field == term.field && g.operator == term.operator;
            let Some(group) = self.setup.nugget.groups.iter().position(known) else { continue };
            for (value, x) in values.iter_mut().zip(rows.sites()[term.site].rows()) {
                *value += shares.get(&(group, coordinates(x))).copied().unwrap_or(0.0);
            }
        }
    }

    /// Refuses a field that is not there, and points or operators of another dimension than the rows.
    fn check(&self, field: usize, operators: &[Operator], points: &Points) -> Result<(), GpError> {
        if field >= self.kernels.len() {
            return Err(GpError::System(format!("there are {} fields, none numbered {field}", self.kernels.len())));
        }
        let dim = self.setup.dim();
        if points.dim() != dim {
            let given = points.dim();
            return Err(GpError::System(format!(
                "points to evaluate at have {given} coordinates, the fields {dim}: give each point all coordinates"
            )));
        }
        match operators.iter().find(|o| o.dim() != dim) {
            Some(o) => Err(GpError::System(format!("operator {o} acts on {} coordinates, fields have {dim}", o.dim()))),
            None => Ok(()),
        }
    }

    /// Hands out points in batches with their features; those of a training site are not computed again.
    fn batches(
        &self,
        field: usize,
        operators: &[Operator],
        points: &Points,
        site: Option<usize>,
        mut each: impl FnMut(&FieldFeatures, &Points) -> Result<(), GpError>,
    ) -> Result<(), GpError> {
        self.check(field, operators, points)?;
        let kernel = &self.kernels[field];
        let sites = &self.setup.fields[field];
        let space = JetSpace::of_operators(points.dim(), operators).with_networks(sites.space.networks());
        let joint = JetSpace::covering(points.dim(), space.indices().iter().chain(sites.space.indices()));
        let form = kernel.form(points.dim());
        let fused =
            self.system.is_some() && form.is_some_and(|f| hyperpde_kernels::fused::supports(f, points.dim(), &joint));
        let size = (BATCH_FLOATS / self.setup.rows()).clamp(8, 4096);
        for start in (0..points.len()).step_by(size) {
            let end = points.len().min(start + size);
            let batch = points.select(&(start..end).collect::<Vec<_>>())?;
            let known = site.map(|site| sites.range(site).start + start);
            let features = match (known, &self.system) {
                (Some(first), Some(system)) if fused => {
                    FieldFeatures { jets: None, data: Some(system.features[field].rows(first, end - start)) }
                }
                (Some(first), None) => {
                    FieldFeatures { jets: Some(self.jets(field)?.rows(first, end - start)), data: None }
                }
                _ => FieldFeatures::new(kernel, &batch, &space, fused)?,
            };
            each(&features, &batch)?;
        }
        Ok(())
    }

    /// Training features of a field as tensors.
    fn jets(&self, field: usize) -> Result<&PointJets, GpError> {
        if let Some(jets) = self.jets[field].get() {
            return Ok(jets);
        }
        let (kernel, sites) = (&self.kernels[field], &self.setup.fields[field]);
        let jets = PointJets::new(kernel, &sites.all, &sites.space, &device(kernel))?;
        Ok(self.jets[field].get_or_init(|| jets))
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
        let (sites, kernel) = (&self.setup.fields[field], &self.kernels[field]);
        for set in self.setup.training.iter().filter(|s| s.field == field) {
            let range = sites.range(set.site);
            let fused = (&features.data, &self.system, kernel.form(points.dim()));
            let block = if let (Some(here), Some(system), Some(form)) = fused {
                let there = system.features[field].rows(range.start, range.len());
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
                let jets = self.jets(field)?.rows(range.start, range.len());
                let here = Applied { functional, jets: features.jets()? };
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

/// `vᵀ A⁻¹ v` per column of `[n, count]`.
fn explained(factor: &dyn Factor, mut columns: Vec<f64>, count: usize) -> Result<Vec<f64>, SolveError> {
    let n = factor.len();
    match factor.half_solve(&mut columns, count) {
        Ok(()) => Ok(columns.chunks_exact(n).map(|v| v.iter().map(|x| x * x).sum()).collect()),
        Err(SolveError::Unsupported { .. }) => {
            let mut solved = columns.clone();
            factor.solve(&mut solved, count)?;
            let pairs = columns.chunks_exact(n).zip(solved.chunks_exact(n));
            Ok(pairs.map(|(v, s)| v.iter().zip(s).map(|(v, s)| v * s).sum()).collect())
        }
        Err(e) => Err(e),
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
