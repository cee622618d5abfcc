//! What the fused pair stage knows before it sees features: rows, kernel forms, the layout of the features, and where pairs are computed.

use std::sync::Arc;

use burn::tensor::Tensor;
use hyperpde_kernels::fused::{Coefficients, FeatureData, FeatureSlots, FunctionalSet};
use hyperpde_kernels::{Kernel, PairForm, Points, on_host};

use crate::error::GpError;
use crate::pairs::{Pairs, Sets};
use crate::settings::device;
use crate::setup::Setup;
use crate::sites::RowSet;
use crate::stages::Stage;

/// An inner problem with kernels whose forms the fused pair stage knows.
#[derive(Debug)]
pub(crate) struct Plan {
    pub setup: Arc<Setup>,
    pub pairs: Pairs,
    pub forms: Vec<PairForm>,
    pub slots: Vec<FeatureSlots>,
}

impl Plan {
    /// The plan and the flat features of all points, on the tape of the kernels; `None` if the fused stage can't take kernels or operators.
    pub fn new<K: Kernel>(setup: &Arc<Setup>, kernels: &[K]) -> Result<Option<(Arc<Self>, Tensor<1>)>, GpError> {
        if !setup.fusable(kernels) {
            return Ok(None);
        }
        let mut pairs = setup.settings.pairs(&kernels[0])?;
        let forms: Vec<PairForm> =
            kernels.iter().zip(&setup.fields).filter_map(|(k, field)| k.form(field.all.dim())).collect();
        if !forms.iter().zip(&setup.fields).all(|(form, field)| pairs.takes(*form, field.all.dim())) {
            if !on_host(&device(&kernels[0])) {
                return Ok(None);
            }
            pairs = Pairs::Host;
        }
        let jets = setup.timed(Stage::PointJets, || setup.jets(kernels))?;
        let (slots, parts): (_, Vec<_>) = jets.iter().map(|jets| jets.feature_vector()).unzip();
        let plan = Self { setup: setup.clone(), pairs, forms, slots };
        Ok(Some((Arc::new(plan), Tensor::cat(parts, 0))))
    }

    /// The features of each field from the flat vector.
    ///
    /// # Errors
    /// [`GpError::NonFinite`] if a number is not finite.
    pub fn read(&self, flat: &[f64]) -> Result<Vec<FeatureData>, GpError> {
        if let Some(at) = flat.iter().position(|v| !v.is_finite()) {
            return Err(GpError::NonFinite {
                what: format!("a point feature of the kernel ({} at position {at})", flat[at]),
                advice: "a network weight is NaN, or a length scale has reached zero or overflowed (or an amplitude or offset has); lower the learning rate or start from other hyperparameters",
            });
        }
        let mut rest = flat;
        let read = |slots: &FeatureSlots| {
            let (head, tail) = rest.split_at(slots.len());
            rest = tail;
            slots.read(head)
        };
        Ok(self.slots.iter().map(read).collect())
    }

    /// Row sets with their coefficients and features.
    pub fn own<'a>(
        &self,
        sets: impl IntoIterator<Item = &'a RowSet>,
        features: &[FeatureData],
    ) -> Result<Vec<Owned<'a>>, GpError> {
        let own = |set: &'a RowSet| {
            let field = &self.setup.fields[set.field];
            let range = field.range(set.site);
            Ok(Owned {
                set,
                points: field.points(set.site).clone(),
                coefficients: set.separable()?.clone(),
                features: features[set.field].rows(range.start, range.len()),
            })
        };
        sets.into_iter().map(own).collect()
    }

    /// Prepares owned sets for loops on the host.
    pub fn on_host<'a>(&self, owned: &'a [Owned<'_>]) -> Result<Vec<FunctionalSet<'a>>, GpError> {
        let prepare = |o: &'a Owned<'_>| {
            Ok(FunctionalSet::new(self.forms[o.set.field], &o.points, &o.coefficients, &o.features)?)
        };
        owned.iter().map(prepare).collect()
    }

    /// Prepares owned sets for pair loops, where pairs are computed.
    pub fn prepare<'a>(&self, owned: &'a [Owned<'_>]) -> Result<Sets<'a>, GpError> {
        Ok(self.pairs.sets(self.on_host(owned)?))
    }
}

/// A row set, or some of its rows, with what a [`FunctionalSet`] borrows.
pub(crate) struct Owned<'a> {
    pub set: &'a RowSet,
    points: Points,
    coefficients: Coefficients,
    pub features: FeatureData,
}

impl<'a> Owned<'a> {
    /// Some of the rows, by their place in the set.
    pub fn select(&self, rows: &[usize]) -> Result<Owned<'a>, GpError> {
        let pick = |values: &Vec<f64>| match values.is_empty() {
            true => Vec::new(),
            false => rows.iter().map(|&i| values[i]).collect(),
        };
        let Coefficients { c, b, a } = &self.coefficients;
        Ok(Owned {
            set: self.set,
            points: self.points.select(rows)?,
            coefficients: Coefficients { c: pick(c), b: b.iter().map(pick).collect(), a: a.iter().map(pick).collect() },
            features: self.features.select(rows),
        })
    }
}
