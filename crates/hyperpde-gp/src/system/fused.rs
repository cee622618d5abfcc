//! One inner solve on point features: forward pass, and the contraction of its derivative (notation of [`crate::fused_solve`]).

#[cfg(feature = "gpu")]
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hyperpde_kernels::PairForm;
#[cfg(feature = "gpu")]
use hyperpde_kernels::fused::device::{Arithmetic, DevicePairs};
use hyperpde_kernels::fused::{Coefficients, FeatureData, FeatureSlots, FunctionalSet, Target};
use hyperpde_linalg::Cholesky;
#[cfg(feature = "gpu")]
use hyperpde_linalg::device::{DeviceCholesky, Element};

use crate::error::GpError;
use crate::factor::{Factor, FactorOn};
use crate::pairs::{Pairs, Sets};
use crate::problem::InnerProblem;
use crate::sites::RowSet;
use crate::stages::Stage;

/// What the operation needs besides the features; `outcome` carries the result out, since an operation can only return tensors.
#[derive(Debug)]
pub(crate) struct Job {
    pub problem: Arc<InnerProblem>,
    pub pairs: Pairs,
    pub factor: FactorOn,
    pub forms: Vec<PairForm>,
    pub slots: Vec<FeatureSlots>,
    /// Whether predictions at the validation rows are wanted.
    pub predict: bool,
    pub outcome: Mutex<Option<Result<Arc<Solved>, GpError>>>,
}

/// `tr Θ_DD` of a group of latents, and its gradient by the features of their field.
type Trace = (f64, FeatureData);

/// What the forward pass leaves for the backward pass.
#[derive(Debug)]
pub(crate) struct Solved {
    features: Vec<FeatureData>,
    pub factor: Option<Factor>,
    pub weights: Vec<f64>,
    /// `V`, column-major `[m, n]`.
    cross: Vec<f64>,
    /// Trace and its feature gradient per group, and the ratios `r`.
    traces: Vec<Trace>,
    pub ratios: Vec<f64>,
    pub predictions: Vec<f64>,
    workspace: crate::problem::Workspace,
}

impl Drop for Solved {
    fn drop(&mut self) {
        if let Some(cholesky) = self.factor.take().and_then(Factor::into_host) {
            self.workspace.give(cholesky.into_buffer());
        }
    }
}

pub(crate) fn lost() -> GpError {
    GpError::System("the inner solve left no result; a worker thread failed".into())
}

/// A row set with its coefficients and features, from which a [`FunctionalSet`] borrows.
struct Owned<'a> {
    set: &'a RowSet,
    coefficients: &'a Coefficients,
    features: FeatureData,
}

impl Job {
    fn own<'a>(
        &self,
        sets: impl IntoIterator<Item = &'a RowSet>,
        features: &[FeatureData],
    ) -> Result<Vec<Owned<'a>>, GpError> {
        let own = |set: &'a RowSet| {
            let range = self.problem.fields[set.field].range(set.site);
            let features = features[set.field].rows(range.start, range.len());
            Ok(Owned { set, coefficients: set.separable()?, features })
        };
        sets.into_iter().map(own).collect()
    }

    fn prepare<'a>(&self, owned: &'a [Owned<'_>]) -> Result<Vec<FunctionalSet<'a>>, GpError> {
        let prepare = |o: &'a Owned<'_>| {
            let points = self.problem.fields[o.set.field].points(o.set.site);
            Ok(FunctionalSet::new(self.forms[o.set.field], points, o.coefficients, &o.features)?)
        };
        owned.iter().map(prepare).collect()
    }

    /// Pairs `(x, y, lower)` of training sets that make up the lower triangle of `K`.
    fn symmetric_pairs(sets: &[RowSet]) -> impl Iterator<Item = (usize, usize, bool)> + '_ {
        let of = move |x: usize| (0..sets.len()).map(move |y| (x, y));
        (0..sets.len()).flat_map(of).filter_map(move |(x, y)| {
            let (a, b) = (&sets[x], &sets[y]);
            (a.field == b.field && b.rows.start >= a.rows.start).then_some((x, y, a.rows.start == b.rows.start))
        })
    }

    /// Assembles, factors, solves and, if wanted, predicts, from the flat features.
    pub fn forward(&self, flat: &[f64]) -> Result<Solved, GpError> {
        if let Some(at) = flat.iter().position(|v| !v.is_finite()) {
            return Err(GpError::NonFinite {
                what: format!("a point feature of the kernel ({} at position {at})", flat[at]),
                advice: "a network weight is NaN, or a length scale has reached zero or overflowed (or an amplitude or offset has); lower the learning rate or start from other hyperparameters",
            });
        }
        let problem = &self.problem;
        let features = self.read(flat);
        let (traces, ratios) = problem.timed(Stage::Preparation, || self.traces(&features))?;
        let owned = self.own(&problem.training, &features)?;
        let sets = problem.timed(Stage::Preparation, || self.prepare(&owned).map(|sets| self.pairs.sets(sets)))?;
        let factor = self.factor(&sets, &ratios)?;
        let mut weights = problem.rhs.clone();
        problem.timed(Stage::Solve, || factor.solve_in_place(&mut weights)).map_err(|e| problem.factorisation(e))?;
        if weights.iter().any(|w| !w.is_finite()) {
            return Err(GpError::NonFinite {
                what: "the solution of the inner system".into(),
                advice: "raise the nugget or shorten the length scales",
            });
        }
        let mut solved = Solved {
            features,
            factor: Some(factor),
            weights,
            cross: Vec::new(),
            traces,
            ratios,
            predictions: vec![0.0; problem.validation_rhs().len()],
            workspace: problem.settings.workspace.clone(),
        };
        if self.predict {
            problem.timed(Stage::ValidationBlock, || self.score(&mut solved, &sets))?;
        }
        Ok(solved)
    }

    /// The features of each field from the flat vector.
    fn read(&self, flat: &[f64]) -> Vec<FeatureData> {
        let mut rest = flat;
        let read = |slots: &FeatureSlots| {
            let (head, tail) = rest.split_at(slots.len());
            rest = tail;
            slots.read(head)
        };
        self.slots.iter().map(read).collect()
    }

    /// Assembles and factors `K + N`.
    fn factor(&self, sets: &Sets<'_>, ratios: &[f64]) -> Result<Factor, GpError> {
        let (problem, n) = (&self.problem, self.problem.rows());
        #[cfg(feature = "gpu")]
        if let Some(pairs) = self.pairs.factoring(self.factor) {
            return self.factor_on_device(pairs, sets, ratios);
        }
        let buffer = problem.timed(Stage::TrainingBlock, || {
            let mut buffer = problem.settings.workspace.take(n * n);
            self.assemble(sets, ratios, &mut buffer).map(|()| buffer)
        })?;
        let mut failure = None;
        let mut refill = |k: &mut [f64]| failure = failure.take().or(self.assemble(sets, ratios, k).err());
        let cholesky = problem
            .timed(Stage::Factorisation, || Cholesky::factor(buffer, n, &problem.settings.jitter, &mut refill))
            .map_err(|e| problem.factorisation(e));
        match failure {
            Some(failure) => Err(failure),
            None => Ok(Factor::Host(cholesky?)),
        }
    }

    /// The same where the matrix never leaves the GPU.
    #[cfg(feature = "gpu")]
    fn factor_on_device(&self, pairs: &DevicePairs, sets: &Sets<'_>, ratios: &[f64]) -> Result<Factor, GpError> {
        let (problem, n) = (&self.problem, self.problem.rows());
        let mut diagonal: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        for e in &problem.nugget.entries {
            *diagonal.entry((e.row, e.column)).or_default() += problem.nugget.eta * e.weight * ratios[e.group];
        }
        for (i, noise) in problem.nugget.noise.iter().enumerate().filter(|(_, noise)| **noise != 0.0) {
            *diagonal.entry((i, i)).or_default() += noise;
        }
        let entries: Vec<_> = diagonal.into_iter().map(|((row, column), value)| (row, column, value)).collect();
        let once = self.once();
        let assemble = || {
            let matrix = if once { pairs.matrix(n, n) } else { pairs.zeros(n, n) };
            for (x, y, lower) in Self::symmetric_pairs(&problem.training) {
                let at = (problem.training[y].rows.start, problem.training[x].rows.start);
                pairs.gram(&sets.device[x], &sets.device[y], lower, &matrix, at, !once);
            }
            pairs.add_entries(&matrix, &entries);
            matrix.data
        };
        let matrix = problem.timed(Stage::TrainingBlock, assemble);
        let element = if pairs.arithmetic() == Arithmetic::F64 { Element::F64 } else { Element::F32 };
        let jitter = if element == Element::F64 { problem.settings.jitter } else { element.jitter() };
        let factored = problem.timed(Stage::Factorisation, || {
            DeviceCholesky::factor(pairs.client(), matrix, n, element, &jitter, &mut || assemble())
        });
        factored.map(Factor::Device).map_err(|e| problem.factorisation(e))
    }

    /// Whether each entry of `K` belongs to one block; with several fields, or several sites in a block, blocks add up.
    fn once(&self) -> bool {
        let problem = &self.problem;
        problem.fields.len() == 1 && problem.training.windows(2).all(|w| w[0].rows.start != w[1].rows.start)
    }

    /// The lower triangle of `K + N`.
    fn assemble(&self, sets: &Sets<'_>, ratios: &[f64], k: &mut [f64]) -> Result<(), GpError> {
        let (problem, n) = (&self.problem, self.problem.rows());
        let once = self.once();
        if !once {
            k.fill(0.0);
        }
        for (x, y, lower) in Self::symmetric_pairs(&problem.training) {
            let (row, column) = (problem.training[y].rows.start, problem.training[x].rows.start);
            let target = Target { data: k, ld: n, row, column, add: !once };
            self.pairs.forward((sets, x), (sets, y), lower, target)?;
        }
        for e in &problem.nugget.entries {
            k[e.row + e.column * n] += problem.nugget.eta * e.weight * ratios[e.group];
        }
        for (i, noise) in problem.nugget.noise.iter().enumerate() {
            k[i + i * n] += noise;
        }
        Ok(())
    }

    /// `V` and `p = V w`.
    fn score(&self, solved: &mut Solved, sets: &Sets<'_>) -> Result<(), GpError> {
        let problem = &self.problem;
        let (n, m) = (problem.rows(), problem.validation_rhs().len());
        let cross = &mut solved.cross;
        cross.resize(m * n, 0.0);
        let owned = self.own(&problem.validation, &solved.features)?;
        let validation = self.pairs.sets(self.prepare(&owned)?);
        for (at_y, y) in problem.validation.iter().enumerate() {
            for (at_x, x) in problem.training.iter().enumerate().filter(|(_, x)| x.field == y.field) {
                let target = Target { data: cross, ld: m, row: y.rows.start, column: x.rows.start, add: true };
                self.pairs.forward((sets, at_x), (&validation, at_y), false, target)?;
            }
        }
        for e in &problem.nugget.cross {
            cross[e.row + e.column * m] += problem.nugget.eta * e.weight * solved.ratios[e.group];
        }
        for (column, w) in cross.chunks_exact(m.max(1)).zip(&solved.weights) {
            solved.predictions.iter_mut().zip(column).for_each(|(p, v)| *p += v * w);
        }
        Ok(())
    }

    /// Trace and its gradient per group, and `r = t/t_value`.
    fn traces(&self, features: &[FeatureData]) -> Result<(Vec<Trace>, Vec<f64>), GpError> {
        let groups = &self.problem.nugget.groups;
        let mut traces = Vec::new();
        for group in groups {
            let mut gradient = features[group.field].zeros();
            let mut sum = 0.0;
            for (set, weights) in &group.traces {
                let owned = self.own([set], features)?;
                for prepared in self.prepare(&owned)? {
                    let (value, rows) = prepared.trace(weights);
                    let mut part = owned[0].features.zeros();
                    prepared.chain(&rows, &mut part);
                    gradient.add_rows(self.problem.fields[group.field].range(set.site).start, &part);
                    sum += value;
                }
            }
            traces.push((sum, gradient));
        }
        let ratios = groups.iter().enumerate().map(|(g, group)| traces[g].0 / traces[group.value].0).collect();
        Ok((traces, ratios))
    }

    /// Gradient by the flat features for the cotangent `ḡ` of the predictions.
    pub fn backward(&self, solved: &Solved, cotangent: &[f64]) -> Result<Vec<f64>, GpError> {
        let problem = &self.problem;
        let lambda = problem.timed(Stage::AdjointSolve, || self.adjoint_solve(solved, cotangent))?;
        let owned = self.own(&problem.training, &solved.features)?;
        let validation = self.own(&problem.validation, &solved.features)?;
        let (sets, validation_sets) = problem.timed(Stage::AdjointPreparation, || {
            let prepare = |owned| self.prepare(owned).map(|sets| self.pairs.sets(sets));
            Ok::<_, GpError>((prepare(&owned)?, prepare(&validation)?))
        })?;
        let w = &solved.weights;
        let rows_of = |set: &FunctionalSet<'_>| vec![0.0; set.gradient_len()];
        let mut gradients: Vec<Vec<f64>> = sets.host.iter().map(rows_of).collect();
        let mut validation_gradients: Vec<Vec<f64>> = validation_sets.host.iter().map(rows_of).collect();
        let add = |to: &mut Vec<f64>, from: &[f64]| to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        problem.timed(Stage::AdjointTraining, || {
            // −λᵀ dK w, symmetrised: entries below the diagonal stand for both.
            let minus: Vec<f64> = lambda.iter().map(|l| -l).collect();
            for (x, y, lower) in Self::symmetric_pairs(&problem.training) {
                let (rx, ry) = (problem.training[x].rows.clone(), problem.training[y].rows.clone());
                let terms = [(&minus[ry.clone()], &w[rx.clone()]), (&w[ry], &minus[rx])];
                let (gx, gy) = self.pairs.adjoint((&sets, x), (&sets, y), lower, &terms)?;
                add(&mut gradients[x], &gx);
                add(&mut gradients[y], &gy);
            }
            Ok::<_, GpError>(())
        })?;
        problem.timed(Stage::AdjointValidation, || {
            for (y, of_y) in problem.validation.iter().enumerate() {
                for (x, of_x) in problem.training.iter().enumerate().filter(|(_, x)| x.field == of_y.field) {
                    let terms = [(&cotangent[of_y.rows.clone()], &w[of_x.rows.clone()])];
                    let (gx, gy) = self.pairs.adjoint((&sets, x), (&validation_sets, y), false, &terms)?;
                    add(&mut gradients[x], &gx);
                    add(&mut validation_gradients[y], &gy);
                }
            }
            Ok::<_, GpError>(())
        })?;
        let of_training = sets.host.iter().zip(&owned).zip(&gradients);
        let chains = of_training.chain(validation_sets.host.iter().zip(&validation).zip(&validation_gradients));
        Ok(problem.timed(Stage::AdjointPreparation, || {
            let mut out: Vec<FeatureData> = solved.features.iter().map(FeatureData::zeros).collect();
            for ((set, o), gradient) in chains {
                let mut part = o.features.zeros();
                set.chain(gradient, &mut part);
                out[o.set.field].add_rows(problem.fields[o.set.field].range(o.set.site).start, &part);
            }
            self.chain_ratios(solved, &lambda, cotangent, &mut out);
            let mut flat = Vec::new();
            out.iter().for_each(|f| f.write(&mut flat));
            flat
        }))
    }

    /// `λ = (K + N)⁻¹ Vᵀ ḡ`.
    fn adjoint_solve(&self, solved: &Solved, cotangent: &[f64]) -> Result<Vec<f64>, GpError> {
        let m = self.problem.validation_rhs().len();
        let columns = solved.cross.chunks_exact(m.max(1));
        let mut lambda: Vec<f64> =
            columns.map(|column| column.iter().zip(cotangent).map(|(v, g)| v * g).sum()).collect();
        lambda.resize(self.problem.rows(), 0.0);
        let factor = solved.factor.as_ref().ok_or_else(lost)?;
        factor.solve_in_place(&mut lambda).map_err(|e| self.problem.factorisation(e))?;
        Ok(lambda)
    }

    /// −λᵀ dN w, and ḡᵀ dV w where validation rows share latents, through the ratios `r = t/t_value`.
    fn chain_ratios(&self, solved: &Solved, lambda: &[f64], cotangent: &[f64], out: &mut [FeatureData]) {
        let (groups, w) = (&self.problem.nugget.groups, &solved.weights);
        let mut by_ratio = vec![0.0; groups.len()];
        for e in &self.problem.nugget.entries {
            let mut pair = lambda[e.row] * w[e.column];
            if e.row != e.column {
                pair += lambda[e.column] * w[e.row];
            }
            by_ratio[e.group] -= self.problem.nugget.eta * e.weight * pair;
        }
        for e in &self.problem.nugget.cross {
            by_ratio[e.group] += self.problem.nugget.eta * e.weight * cotangent[e.row] * w[e.column];
        }
        for (g, group) in groups.iter().enumerate().filter(|(g, group)| group.value != *g) {
            let value = solved.traces[group.value].0;
            out[group.field].add_scaled(&solved.traces[g].1, by_ratio[g] / value);
            out[group.field].add_scaled(&solved.traces[group.value].1, -by_ratio[g] * solved.ratios[g] / value);
        }
    }
}
