//! Rows sorted for solving: sites per field, row sets, nugget, right-hand sides. What an inner problem is before any kernel is known.

use std::sync::{Arc, OnceLock};

use hyperpde_kernels::{Kernel, PointJets, fused};
use hyperpde_linalg::{RowLocation, SolveError};

use crate::error::GpError;
use crate::nugget::Nugget;
use crate::rows::RowBlock;
use crate::settings::{Assembly, SolveSettings, device};
use crate::sites::{FieldSites, RowSet, SiteBuilder};
use crate::stages::{Stage, timed};

/// Training rows, validation rows and nugget of one linear inner problem.
#[derive(Debug)]
pub(crate) struct Setup {
    pub fields: Vec<FieldSites>,
    pub training: Vec<RowSet>,
    pub validation: Vec<RowSet>,
    pub nugget: Nugget,
    pub rhs: Vec<f64>,
    pub validation_rhs: Vec<f64>,
    pub blocks: Vec<RowBlock>,
    pub settings: SolveSettings,
    locations: OnceLock<Arc<[RowLocation]>>,
}

impl Setup {
    pub fn new(
        fields: usize,
        training: Vec<RowBlock>,
        validation: &[RowBlock],
        nugget: f64,
        settings: SolveSettings,
    ) -> Result<Self, GpError> {
        let Some(first) = training.first() else {
            return Err(GpError::System("there are no rows: sample collocation or boundary points first".into()));
        };
        if !(nugget.is_finite() && nugget >= 0.0) {
            return Err(GpError::System(format!("the nugget is {nugget}, it must be finite and not negative")));
        }
        let mut builder = SiteBuilder::new(first.dim(), fields);
        let sets = builder.row_sets(&training)?;
        let mut nugget = Nugget::new(nugget, &training, &mut builder);
        let mut start = 0;
        for block in validation {
            if block.is_regularised() {
                nugget.share(block, start);
            }
            start += block.len();
        }
        let validation_sets = builder.row_sets(validation)?;
        let rhs_of = |blocks: &[RowBlock]| blocks.iter().flat_map(|b| b.rhs().iter().copied()).collect::<Vec<f64>>();
        Ok(Self {
            fields: builder.finish(settings.assembly.networks())?,
            training: sets,
            validation: validation_sets,
            nugget,
            rhs: rhs_of(&training),
            validation_rhs: rhs_of(validation),
            blocks: training,
            settings,
            locations: OnceLock::new(),
        })
    }

    /// Number of training rows `n`.
    pub fn rows(&self) -> usize {
        self.rhs.len()
    }

    /// Number of validation rows `m`.
    pub fn scored(&self) -> usize {
        self.validation_rhs.len()
    }

    /// Dimension of the points.
    pub fn dim(&self) -> usize {
        self.blocks.first().map_or(0, RowBlock::dim)
    }

    pub fn check<K: Kernel>(&self, kernels: &[K]) -> Result<(), GpError> {
        if kernels.len() != self.fields.len() {
            return Err(GpError::System(format!(
                "{} fields need as many kernels, got {}",
                self.fields.len(),
                kernels.len()
            )));
        }
        for (kernel, field) in kernels.iter().zip(&self.fields) {
            kernel.check_dim(field.all.dim())?;
        }
        Ok(())
    }

    /// Runs `work` as part of `stage`.
    pub fn timed<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        timed(self.settings.times.as_ref(), stage, work)
    }

    pub fn factorisation(&self, source: SolveError) -> GpError {
        GpError::Factorisation { rows: self.rows(), source }
    }

    /// Whether the fused stage can take these kernels and all operators in the rows.
    pub fn fusable<K: Kernel>(&self, kernels: &[K]) -> bool {
        let forms = kernels.iter().zip(&self.fields).all(|(k, field)| {
            let dim = field.all.dim();
            k.form(dim).is_some_and(|form| fused::supports(form, dim, &field.space))
        });
        forms && self.settings.assembly == Assembly::Auto
    }

    /// Features of all points, on the tape of the kernels.
    pub fn jets<K: Kernel>(&self, kernels: &[K]) -> Result<Vec<PointJets>, GpError> {
        let of = |(k, field): (&K, &FieldSites)| Ok(PointJets::new(k, &field.all, &field.space, &device(k))?);
        kernels.iter().zip(&self.fields).map(of).collect()
    }

    /// Where the training rows are.
    pub fn locations(&self) -> &Arc<[RowLocation]> {
        self.locations.get_or_init(|| {
            let mut out: Vec<RowLocation> = Vec::new();
            for set in &self.training {
                let orders =
                    set.functional.terms().iter().map(|(alpha, _)| alpha.iter().map(|&k| usize::from(k)).sum());
                let order = orders.max().unwrap_or(0);
                let points = self.fields[set.field].points(set.site).rows();
                out.extend(set.rows.clone().zip(points).map(|(row, point)| RowLocation {
                    row,
                    field: set.field,
                    order,
                    point: point.to_vec(),
                }));
            }
            out.sort_by_key(|location| location.row);
            out.into()
        })
    }
}

/// Row sets that act on the same rows and the same field, with how often the pair counts in a quadratic form:
/// `ℓ ℓ k = Σ_sites ℓ_s ℓ_s k + 2 Σ_{s<t} ℓ_s ℓ_t k` for a row that takes a field at several sites.
pub(crate) fn diagonal_pairs(sets: &[RowSet]) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
    let of = move |x: usize| (x..sets.len()).map(move |y| (x, y));
    (0..sets.len()).flat_map(of).filter_map(move |(x, y)| {
        let (a, b) = (&sets[x], &sets[y]);
        let together = a.field == b.field && a.rows == b.rows;
        together.then_some((x, y, if x == y { 1.0 } else { 2.0 }))
    })
}
