//! The way back from cotangents of `A`, `V` and prior variances to the point features.

use std::ops::Range;

use hyperpde_kernels::fused::{FeatureData, FunctionalSet, Tile};
use hyperpde_linalg::Cotangent;

use crate::error::GpError;
use crate::setup::diagonal_pairs;
use crate::sites::RowSet;
use crate::stages::Stage;
use crate::system::fused::{FusedSystem, symmetric_pairs};
use crate::system::plan::Owned;

fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
}

/// The part of `u vᵀ` that belongs to a block.
fn terms<'a>(u: &'a [f64], v: &'a [f64], rows: &Range<usize>, columns: &Range<usize>) -> (&'a [f64], &'a [f64]) {
    (&u[rows.clone()], &v[columns.clone()])
}

/// Zero gradient rows of prepared sets.
fn zero_rows(sets: &[FunctionalSet<'_>]) -> Vec<Vec<f64>> {
    sets.iter().map(|set| vec![0.0; set.gradient_len()]).collect()
}

impl FusedSystem {
    /// Zero gradients by the features.
    pub fn zeros(&self) -> Vec<FeatureData> {
        self.features.iter().map(FeatureData::zeros).collect()
    }

    /// Gradients in the order of the flat features.
    pub fn flat(&self, gradient: &[FeatureData]) -> Vec<f64> {
        let mut flat = Vec::new();
        gradient.iter().for_each(|f| f.write(&mut flat));
        flat
    }

    /// Adds the gradient by the features that follows from gradient rows.
    fn chain(&self, sets: &[FunctionalSet<'_>], owned: &[Owned<'_>], rows: &[Vec<f64>], out: &mut [FeatureData]) {
        for ((set, o), rows) in sets.iter().zip(owned).zip(rows) {
            let mut part = o.features.zeros();
            set.chain(rows, &mut part);
            out[o.set.field].add_rows(self.setup().fields[o.set.field].range(o.set.site).start, &part);
        }
    }

    /// `⟨Ā, dA⟩`.
    pub fn add_training(&self, cotangent: Cotangent<'_>, out: &mut [FeatureData]) -> Result<(), GpError> {
        let (setup, n, pairs) = (self.setup(), self.setup().rows(), &self.plan.pairs);
        let owned = self.own(&setup.training)?;
        let sets = setup.timed(Stage::AdjointPreparation, || self.plan.prepare(&owned))?;
        let mut rows = zero_rows(&sets.host);
        // Entries below the diagonal stand for both halves: their cotangent is that of the sum.
        let twice: Vec<f64> = match cotangent {
            Cotangent::Dense(a) => a.iter().map(|a| 2.0 * a).collect(),
            Cotangent::Columns { .. } => Vec::new(),
        };
        setup.timed(Stage::AdjointTraining, || {
            for (x, y, lower) in symmetric_pairs(&setup.training) {
                let (rx, ry) = (setup.training[x].rows.clone(), setup.training[y].rows.clone());
                let (gx, gy) = match cotangent {
                    Cotangent::Columns { u, v } => {
                        let columns = u.chunks_exact(n).zip(v.chunks_exact(n));
                        let both = |(u, v)| [terms(u, v, &ry, &rx), terms(v, u, &ry, &rx)];
                        let terms: Vec<_> = columns.flat_map(both).collect();
                        pairs.adjoint((&sets, x), (&sets, y), lower, &terms)?
                    }
                    Cotangent::Dense(_) => {
                        let tile = Tile { data: &twice, ld: n, row: ry.start, column: rx.start };
                        pairs.adjoint_dense((&sets, x), (&sets, y), lower, tile)
                    }
                };
                add(&mut rows[x], &gx);
                add(&mut rows[y], &gy);
            }
            Ok::<_, GpError>(())
        })?;
        setup.timed(Stage::AdjointPreparation, || {
            self.chain(&sets.host, &owned, &rows, out);
            let by_ratio = self.by_ratio(cotangent);
            self.add_ratios(&by_ratio, out);
        });
        Ok(())
    }

    /// `ḡᵀ dV w`.
    pub fn add_cross(&self, cotangent: &[f64], w: &[f64], out: &mut [FeatureData]) -> Result<(), GpError> {
        let setup = self.setup();
        let (training, validation) = (self.own(&setup.training)?, self.own(&setup.validation)?);
        let (sets, validation_sets) = setup.timed(Stage::AdjointPreparation, || {
            Ok::<_, GpError>((self.plan.prepare(&training)?, self.plan.prepare(&validation)?))
        })?;
        let (mut rows, mut validation_rows) = (zero_rows(&sets.host), zero_rows(&validation_sets.host));
        setup.timed(Stage::AdjointValidation, || {
            for (y, of_y) in setup.validation.iter().enumerate() {
                for (x, of_x) in setup.training.iter().enumerate().filter(|(_, x)| x.field == of_y.field) {
                    let terms = [(&cotangent[of_y.rows.clone()], &w[of_x.rows.clone()])];
                    let (gx, gy) = self.plan.pairs.adjoint((&sets, x), (&validation_sets, y), false, &terms)?;
                    add(&mut rows[x], &gx);
                    add(&mut validation_rows[y], &gy);
                }
            }
            Ok::<_, GpError>(())
        })?;
        setup.timed(Stage::AdjointPreparation, || {
            self.chain(&sets.host, &training, &rows, out);
            self.chain(&validation_sets.host, &validation, &validation_rows, out);
            let mut by_ratio = vec![0.0; self.ratios.len()];
            for e in &setup.nugget.cross {
                by_ratio[e.group] += setup.nugget.eta * e.weight * cotangent[e.row] * w[e.column];
            }
            self.add_ratios(&by_ratio, out);
        });
        Ok(())
    }

    /// `Σ_r v̄_r d(ℓ_r ℓ_r k)` for the rows of some sets.
    pub fn add_variances(&self, of: &[RowSet], cotangent: &[f64], out: &mut [FeatureData]) -> Result<(), GpError> {
        let owned = self.own(of)?;
        let sets = self.plan.on_host(&owned)?;
        let mut rows = zero_rows(&sets);
        for (x, y, count) in diagonal_pairs(of) {
            let weights: Vec<f64> = cotangent[of[x].rows.clone()].iter().map(|v| count * v).collect();
            let (_, gx, gy) = sets[x].diagonal(&sets[y], &weights);
            add(&mut rows[x], &gx);
            add(&mut rows[y], &gy);
        }
        self.chain(&sets, &owned, &rows, out);
        Ok(())
    }

    /// `⟨Ā, dN/dr⟩` per group.
    fn by_ratio(&self, cotangent: Cotangent<'_>) -> Vec<f64> {
        let (setup, n) = (self.setup(), self.setup().rows());
        let mut out = vec![0.0; self.ratios.len()];
        for e in &setup.nugget.entries {
            // Both halves of an entry off the diagonal.
            let entry = |row: usize, column: usize| match cotangent {
                Cotangent::Columns { u, v } => {
                    u.chunks_exact(n).zip(v.chunks_exact(n)).map(|(u, v)| u[row] * v[column]).sum::<f64>()
                }
                Cotangent::Dense(a) => a[row + column * n],
            };
            let mut both = entry(e.row, e.column);
            if e.row != e.column {
                both += entry(e.column, e.row);
            }
            out[e.group] += setup.nugget.eta * e.weight * both;
        }
        out
    }

    /// Through the ratios `r = t/t_value` to the traces and on to the features.
    fn add_ratios(&self, by_ratio: &[f64], out: &mut [FeatureData]) {
        let groups = &self.setup().nugget.groups;
        for (g, group) in groups.iter().enumerate().filter(|(g, group)| group.value != *g) {
            let value = self.traces[group.value].0;
            out[group.field].add_scaled(&self.traces[g].1, by_ratio[g] / value);
            out[group.field].add_scaled(&self.traces[group.value].1, -by_ratio[g] * self.ratios[g] / value);
        }
    }
}
