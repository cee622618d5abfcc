//! The rows as tensors on the tape: `A = K + N`, `V`, and prior variances, from any kernel and any operator.

use burn::tensor::{DType, Device, Tensor, TensorData};
use hyperpde_kernels::gram::{Applied, gram_block, gram_diagonal};
use hyperpde_kernels::{Kernel, PointJets, float_dtype};

use crate::error::GpError;
use crate::nugget::Entry;
use crate::settings::device;
use crate::setup::{Setup, diagonal_pairs};
use crate::sites::RowSet;

/// Rows of known features.
pub(crate) struct TensorRows<'a, K: Kernel> {
    setup: &'a Setup,
    kernels: &'a [K],
    pub jets: Vec<PointJets>,
    /// `r = tr(Θ_DD)/tr(Θ_00)` per group, `[1]` each.
    pub ratios: Vec<Tensor<1>>,
}

impl<'a, K: Kernel> TensorRows<'a, K> {
    pub fn new(setup: &'a Setup, kernels: &'a [K]) -> Result<Self, GpError> {
        let mut rows = Self { setup, kernels, jets: setup.jets(kernels)?, ratios: Vec::new() };
        rows.ratios = rows.traces();
        Ok(rows)
    }

    fn at(&self, set: &RowSet) -> PointJets {
        let range = self.setup.fields[set.field].range(set.site);
        self.jets[set.field].rows(range.start, range.len())
    }

    fn constant<const D: usize>(&self, data: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(data, shape), typed(&device(&self.kernels[0])))
    }

    fn traces(&self) -> Vec<Tensor<1>> {
        let groups = &self.setup.nugget.groups;
        let trace = |group: &crate::nugget::Group| {
            let parts = group.traces.iter().map(|(set, weights)| {
                let at = self.at(set);
                let applied = Applied { functional: &set.functional, jets: &at };
                let values = gram_diagonal(&self.kernels[group.field], applied, applied).reshape([weights.len()]);
                (values * self.constant(weights.clone(), [weights.len()])).sum()
            });
            parts.reduce(|a, b| a + b).unwrap_or_else(|| self.constant(vec![0.0], [1]))
        };
        let traces: Vec<Tensor<1>> = groups.iter().map(trace).collect();
        groups.iter().zip(&traces).map(|(g, t)| t.clone() * traces[g.value].clone().recip()).collect()
    }

    /// `A = K + N`, `[n, n]`.
    pub fn system(&self) -> Tensor<2> {
        let (n, nugget) = (self.setup.rows(), &self.setup.nugget);
        let mut noise = vec![0.0; n * n];
        nugget.noise.iter().enumerate().for_each(|(i, variance)| noise[i * n + i] = *variance);
        let a = self.block(&self.setup.training, n, &self.setup.training, n) + self.constant(noise, [n, n]);
        self.add_nugget(a, &nugget.entries, true)
    }

    /// `V`, `[m, n]`, with what validation rows share with the nugget.
    pub fn cross(&self) -> Tensor<2> {
        let setup = self.setup;
        let v = self.block(&setup.validation, setup.scored(), &setup.training, setup.rows());
        self.add_nugget(v, &setup.nugget.cross, false)
    }

    /// Adds `η weight r` at the entries, and at their mirror images if the matrix is symmetric.
    fn add_nugget(&self, mut a: Tensor<2>, entries: &[Entry], symmetric: bool) -> Tensor<2> {
        let [m, n] = a.dims();
        let eta = self.setup.nugget.eta;
        for (g, ratio) in self.ratios.iter().enumerate() {
            let mut own = entries.iter().filter(|e| e.group == g).peekable();
            if own.peek().is_none() {
                continue;
            }
            let mut pattern = vec![0.0; m * n];
            for e in own {
                pattern[e.row * n + e.column] += eta * e.weight;
                if symmetric && e.row != e.column {
                    pattern[e.column * n + e.row] += eta * e.weight;
                }
            }
            a = a + self.constant(pattern, [m, n]) * ratio.clone().unsqueeze::<2>();
        }
        a
    }

    /// `K_{yx}` for row sets `y` (rows) and `x` (columns), `[m, n]`.
    fn block(&self, y: &[RowSet], m: usize, x: &[RowSet], n: usize) -> Tensor<2> {
        let mut out: Tensor<2> = Tensor::zeros([m, n], typed(&device(&self.kernels[0])));
        for sy in y {
            for sx in x.iter().filter(|sx| sx.field == sy.field) {
                let (jy, jx) = (self.at(sy), self.at(sx));
                let block = gram_block(
                    &self.kernels[sy.field],
                    Applied { functional: &sy.functional, jets: &jy },
                    Applied { functional: &sx.functional, jets: &jx },
                );
                let slot = [sy.rows.clone(), sx.rows.clone()];
                let sum = out.clone().slice(slot.clone()) + block;
                out = out.slice_assign(slot, sum);
            }
        }
        out
    }

    /// `ℓ ℓ k` of `len` rows, `[len]`, without the nugget.
    pub fn variances(&self, sets: &[RowSet], len: usize) -> Tensor<1> {
        let mut out: Tensor<1> = self.constant(vec![0.0; len], [len]);
        for (x, y, count) in diagonal_pairs(sets) {
            let (sx, sy) = (&sets[x], &sets[y]);
            let (jx, jy) = (self.at(sx), self.at(sy));
            let of_x = Applied { functional: &sx.functional, jets: &jx };
            let of_y = Applied { functional: &sy.functional, jets: &jy };
            let values = gram_diagonal(&self.kernels[sx.field], of_x, of_y).reshape([sx.rows.len()]);
            let slot = [sx.rows.clone()];
            let sum = out.clone().slice(slot.clone()) + values * count;
            out = out.slice_assign(slot, sum);
        }
        out
    }
}

/// A device with the element type of this library's tensors there.
pub(crate) fn typed(device: &Device) -> (&Device, DType) {
    (device, float_dtype(device))
}
