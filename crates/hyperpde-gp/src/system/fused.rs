//! The system by the fused pair stage: entries from point features, no intermediate per derivative.

use std::sync::{Arc, OnceLock};

use hyperpde_kernels::fused::{FeatureData, Target};
use hyperpde_linalg::{Cotangent, RowGradient, RowLocation, RowSystem, SolveError};

use crate::error::GpError;
use crate::nugget::Entry;
use crate::setup::{Setup, diagonal_pairs};
use crate::sites::RowSet;
use crate::stages::Stage;
use crate::system::plan::{Owned, Plan};

/// `tr Θ_DD` of a group of latents, and its gradient by the features of their field.
pub(crate) type Trace = (f64, FeatureData);

/// The system of rows whose point features are known.
#[derive(Debug)]
pub(crate) struct FusedSystem {
    pub plan: Arc<Plan>,
    pub features: Vec<FeatureData>,
    /// Trace and its feature gradient per group, and the ratios `r = t/t_value`.
    pub traces: Vec<Trace>,
    pub ratios: Vec<f64>,
    /// `N` row by row, both triangles.
    nugget: OnceLock<Vec<Vec<(usize, f64)>>>,
}

/// Pairs `(x, y, lower)` of training sets that make up the lower triangle of `K`.
pub(crate) fn symmetric_pairs(sets: &[RowSet]) -> impl Iterator<Item = (usize, usize, bool)> + '_ {
    let of = move |x: usize| (0..sets.len()).map(move |y| (x, y));
    (0..sets.len()).flat_map(of).filter_map(move |(x, y)| {
        let (a, b) = (&sets[x], &sets[y]);
        (a.field == b.field && b.rows.start >= a.rows.start).then_some((x, y, a.rows.start == b.rows.start))
    })
}

impl FusedSystem {
    /// The system for the flat features.
    ///
    /// # Errors
    /// [`GpError::NonFinite`] if a feature is not finite.
    pub fn new(plan: Arc<Plan>, flat: &[f64]) -> Result<Self, GpError> {
        let features = plan.read(flat)?;
        let (traces, ratios) = plan.setup.timed(Stage::Preparation, || traces(&plan, &features))?;
        Ok(Self { plan, features, traces, ratios, nugget: OnceLock::new() })
    }

    pub fn setup(&self) -> &Setup {
        &self.plan.setup
    }

    /// Row sets with what their preparation borrows.
    pub fn own<'a>(&self, sets: &'a [RowSet]) -> Result<Vec<Owned<'a>>, GpError> {
        self.plan.own(sets, &self.features)
    }

    /// Whether each entry of `K` belongs to one block; with several fields, or several sites in a block, blocks add up.
    fn once(&self) -> bool {
        let setup = self.setup();
        setup.fields.len() == 1 && setup.training.windows(2).all(|w| w[0].rows.start != w[1].rows.start)
    }

    /// The lower triangle of `K + N`.
    fn assemble(&self, k: &mut [f64]) -> Result<(), GpError> {
        let (setup, n) = (self.setup(), self.setup().rows());
        let owned = self.own(&setup.training)?;
        let sets = self.plan.prepare(&owned)?;
        let once = self.once();
        if !once {
            k.fill(0.0);
        }
        for (x, y, lower) in symmetric_pairs(&setup.training) {
            let (row, column) = (setup.training[y].rows.start, setup.training[x].rows.start);
            let target = Target { data: k, ld: n, row, column, add: !once };
            self.plan.pairs.forward((&sets, x), (&sets, y), lower, target)?;
        }
        for (e, value) in self.nugget_values(&setup.nugget.entries) {
            k[e.row + e.column * n] += value;
        }
        for (i, noise) in setup.nugget.noise.iter().enumerate() {
            k[i + i * n] += noise;
        }
        Ok(())
    }

    /// Entries of the nugget with `η weight r`.
    fn nugget_values<'a>(&'a self, entries: &'a [Entry]) -> impl Iterator<Item = (&'a Entry, f64)> {
        let eta = self.setup().nugget.eta;
        entries.iter().map(move |e| (e, eta * e.weight * self.ratios[e.group]))
    }

    /// `V`, column-major `[m, n]`.
    pub fn cross(&self) -> Result<Vec<f64>, GpError> {
        let (setup, m) = (self.setup(), self.setup().scored());
        let mut v = vec![0.0; m * setup.rows()];
        let (training, validation) = (self.own(&setup.training)?, self.own(&setup.validation)?);
        let (sets, validation_sets) = (self.plan.prepare(&training)?, self.plan.prepare(&validation)?);
        for (y, of_y) in setup.validation.iter().enumerate() {
            for (x, of_x) in setup.training.iter().enumerate().filter(|(_, x)| x.field == of_y.field) {
                let target = Target { data: &mut v, ld: m, row: of_y.rows.start, column: of_x.rows.start, add: true };
                self.plan.pairs.forward((&sets, x), (&validation_sets, y), false, target)?;
            }
        }
        for (e, value) in self.nugget_values(&setup.nugget.cross) {
            v[e.row + e.column * m] += value;
        }
        Ok(v)
    }

    /// `ℓ ℓ k` of `len` rows, `[len]`, without the nugget.
    pub fn variances(&self, of: &[RowSet], len: usize) -> Result<Vec<f64>, GpError> {
        let owned = self.own(of)?;
        let host = self.plan.on_host(&owned)?;
        let mut out = vec![0.0; len];
        for (x, y, count) in diagonal_pairs(of) {
            let weights = vec![count; of[x].rows.len()];
            let (values, ..) = host[x].diagonal(&host[y], &weights);
            out[of[x].rows.clone()].iter_mut().zip(values).for_each(|(o, v)| *o += v);
        }
        Ok(out)
    }

    /// `A[rows, columns]`, see [`RowSystem::block`].
    fn tile(&self, rows: &[usize], columns: &[usize], out: &mut [f64]) -> Result<(), GpError> {
        let setup = self.setup();
        out.fill(0.0);
        let training = self.own(&setup.training)?;
        let (ys, xs) = (split(&training, rows)?, split(&training, columns)?);
        for (to_y, y) in &ys {
            let y_sets = self.plan.prepare(std::slice::from_ref(y))?;
            for (to_x, x) in xs.iter().filter(|(_, x)| x.set.field == y.set.field) {
                let x_sets = self.plan.prepare(std::slice::from_ref(x))?;
                let ld = to_y.len();
                let mut block = vec![0.0; ld * to_x.len()];
                let target = Target { data: &mut block, ld, row: 0, column: 0, add: false };
                self.plan.pairs.forward((&x_sets, 0), (&y_sets, 0), false, target)?;
                for (column, &j) in block.chunks_exact(ld).zip(to_x) {
                    column.iter().zip(to_y).for_each(|(v, &i)| out[i + j * rows.len()] += v);
                }
            }
        }
        let nugget = self.nugget_rows();
        let mut sought: Vec<(usize, usize)> = columns.iter().enumerate().map(|(place, &j)| (j, place)).collect();
        sought.sort_unstable();
        for (place, &row) in rows.iter().enumerate() {
            for &(column, value) in &nugget[row] {
                let first = sought.partition_point(|(j, _)| *j < column);
                for &(_, j) in sought[first..].iter().take_while(|(j, _)| *j == column) {
                    out[place + j * rows.len()] += value;
                }
            }
        }
        Ok(())
    }

    /// `N` row by row: both triangles, noise included.
    fn nugget_rows(&self) -> &[Vec<(usize, f64)>] {
        self.nugget.get_or_init(|| {
            let nugget = &self.setup().nugget;
            let mut rows: Vec<Vec<(usize, f64)>> =
                nugget.noise.iter().enumerate().map(|(i, v)| vec![(i, *v)]).collect();
            for (e, value) in self.nugget_values(&nugget.entries) {
                rows[e.row].push((e.column, value));
                if e.row != e.column {
                    rows[e.column].push((e.row, value));
                }
            }
            rows
        })
    }

    /// Refuses a slice of the wrong length, or an index past the end.
    fn check(&self, out: usize, expected: usize, mut indices: impl Iterator<Item = usize>) -> Result<(), SolveError> {
        let n = self.setup().rows();
        let shape = |expected, got| Err(SolveError::Shape { what: "block of a system", expected, got });
        if out != expected {
            return shape(format!("{expected} entries"), format!("{out} entries"));
        }
        match indices.find(|&i| i >= n) {
            Some(past) => shape(format!("an index less than {n}"), past.to_string()),
            None => Ok(()),
        }
    }
}

/// Places of a block's rows (or columns), and the rows themselves.
type Part<'a> = (Vec<usize>, Owned<'a>);

/// The rows with the given indices, set by set: where each goes, and what of the set that takes; sets without any are left out.
fn split<'a>(sets: &[Owned<'a>], indices: &[usize]) -> Result<Vec<Part<'a>>, GpError> {
    let mut out = Vec::new();
    for owned in sets {
        let inside = indices.iter().enumerate().filter(|&(_, i)| owned.set.rows.contains(i));
        let (places, local): (Vec<usize>, Vec<usize>) = inside.map(|(at, i)| (at, i - owned.set.rows.start)).unzip();
        if !local.is_empty() {
            out.push((places, owned.select(&local)?));
        }
    }
    Ok(out)
}

/// `tr Θ_DD` per group with its feature gradient, and `r = t/t_value`.
fn traces(plan: &Plan, features: &[FeatureData]) -> Result<(Vec<Trace>, Vec<f64>), GpError> {
    let groups = &plan.setup.nugget.groups;
    let mut traces: Vec<Trace> = Vec::new();
    for group in groups {
        let mut gradient = features[group.field].zeros();
        let mut sum = 0.0;
        for (set, weights) in &group.traces {
            let owned = plan.own([set], features)?;
            for prepared in plan.on_host(&owned)? {
                let (value, rows) = prepared.trace(weights);
                let mut part = owned[0].features.zeros();
                prepared.chain(&rows, &mut part);
                gradient.add_rows(plan.setup.fields[group.field].range(set.site).start, &part);
                sum += value;
            }
        }
        traces.push((sum, gradient));
    }
    let ratios = groups.iter().enumerate().map(|(g, group)| traces[g].0 / traces[group.value].0).collect();
    Ok((traces, ratios))
}

/// A failure of the pair stage as a solver sees it.
pub(crate) fn failed(e: GpError) -> SolveError {
    SolveError::Rows(e.to_string())
}

impl RowSystem for FusedSystem {
    fn len(&self) -> usize {
        self.setup().rows()
    }

    fn block(&self, rows: &[usize], columns: &[usize], out: &mut [f64]) -> Result<(), SolveError> {
        self.check(out.len(), rows.len() * columns.len(), rows.iter().chain(columns).copied())?;
        self.setup().timed(Stage::TrainingBlock, || self.tile(rows, columns, out)).map_err(failed)
    }

    fn lower(&self, out: &mut [f64]) -> Result<(), SolveError> {
        self.check(out.len(), self.len() * self.len(), std::iter::empty())?;
        self.setup().timed(Stage::TrainingBlock, || self.assemble(out)).map_err(failed)
    }

    fn diagonal(&self, out: &mut [f64]) -> Result<(), SolveError> {
        self.check(out.len(), self.len(), std::iter::empty())?;
        out.copy_from_slice(&self.variances(&self.setup().training, self.len()).map_err(failed)?);
        for (i, row) in self.nugget_rows().iter().enumerate() {
            out[i] += row.iter().filter(|(column, _)| *column == i).map(|(_, value)| value).sum::<f64>();
        }
        Ok(())
    }

    fn locations(&self) -> Vec<RowLocation> {
        self.setup().locations().to_vec()
    }

    fn adjoint(&self, cotangent: Cotangent<'_>) -> Result<RowGradient, SolveError> {
        cotangent.check(self.len())?;
        let mut gradient = self.zeros();
        self.add_training(cotangent, &mut gradient).map_err(failed)?;
        Ok(RowGradient::new(self.flat(&gradient)))
    }

    #[cfg(feature = "gpu")]
    fn on_device(&self) -> Option<&dyn hyperpde_linalg::device::DeviceRows> {
        self.plan.pairs.factoring().map(|_| self as &dyn hyperpde_linalg::device::DeviceRows)
    }
}

/// The same where the matrix never leaves the GPU.
#[cfg(feature = "gpu")]
impl hyperpde_linalg::device::DeviceRows for FusedSystem {
    fn preferred(&self) -> bool {
        self.plan.pairs.factoring().is_some_and(|(_, preferred)| preferred)
    }

    fn matrix(&self) -> Result<hyperpde_linalg::device::DeviceMatrix, SolveError> {
        use hyperpde_kernels::fused::device::Arithmetic;
        use hyperpde_linalg::device::{DeviceMatrix, Element};

        let Some((pairs, _)) = self.plan.pairs.factoring() else {
            return Err(SolveError::Device("pairs are not computed on a GPU in one number per entry".into()));
        };
        let (setup, n) = (self.setup(), self.setup().rows());
        let mut diagonal: std::collections::BTreeMap<(usize, usize), f64> = Default::default();
        for (e, value) in self.nugget_values(&setup.nugget.entries) {
            *diagonal.entry((e.row, e.column)).or_default() += value;
        }
        for (i, noise) in setup.nugget.noise.iter().enumerate().filter(|(_, noise)| **noise != 0.0) {
            *diagonal.entry((i, i)).or_default() += noise;
        }
        let entries: Vec<_> = diagonal.into_iter().map(|((row, column), value)| (row, column, value)).collect();
        setup.timed(Stage::TrainingBlock, || {
            let owned = self.own(&setup.training).map_err(failed)?;
            let sets = self.plan.prepare(&owned).map_err(failed)?;
            let once = self.once();
            let matrix = if once { pairs.matrix(n, n) } else { pairs.zeros(n, n) };
            for (x, y, lower) in symmetric_pairs(&setup.training) {
                let at = (setup.training[y].rows.start, setup.training[x].rows.start);
                pairs.gram(&sets.device[x], &sets.device[y], lower, &matrix, at, !once);
            }
            pairs.add_entries(&matrix, &entries);
            let element = if pairs.arithmetic() == Arithmetic::F64 { Element::F64 } else { Element::F32 };
            Ok(DeviceMatrix { client: pairs.client().clone(), element, handle: matrix.data })
        })
    }
}
