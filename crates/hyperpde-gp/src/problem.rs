//! The linear inner problem: rows in, predictions at other rows out, differentiable in the kernel.
//!
//! The minimum-norm solution under the rows `ℓ_r[u] = b_r` is `u_f(x) = Σ_r w_r ℓ_r^y k_f(x, y)` with
//!
//! ```text
//! (K + N) w = b,    K_rs = Σ_f ℓ_r^x ℓ_s^y k_f(x, y),    p = V w,    V_vr = Σ_f ℓ_v^x ℓ_r^y k_f(x, y)
//! ```
//!
//! with `p` the validation rows applied to it. One symmetric positive definite system of as many unknowns as rows, whatever the number of
//! fields and derivatives: minimising `cᵀ Θ⁻¹ c` over the latents `c` subject to `A c = b` gives `c = Θ Aᵀ (A Θ Aᵀ)⁻¹ b`, so the
//! Gram matrix `Θ` of all latents is never formed.

use std::sync::{Arc, Mutex};

use burn::tensor::{DType, Device, Tensor, TensorData};
use hyperpde_kernels::gram::{Applied, gram_block, gram_diagonal};
use hyperpde_kernels::{Kernel, PointJets, Precision, float_dtype, fused, tensor_to_vec};
use hyperpde_linalg::{Cholesky, JitterPolicy, SolveStatistics, spd_solve};

use crate::error::GpError;
use crate::factor::FactorOn;
use crate::fused_solve::FusedSolve;
use crate::nugget::Nugget;
use crate::pairs::Pairs;
use crate::posterior::Posterior;
use crate::rows::RowBlock;
use crate::sites::{FieldSites, RowSet, SiteBuilder};
use crate::stages::{Stage, StageTimes, timed};

/// Which implementation of the pair stage to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Assembly {
    /// Fused where the kernel and the operators allow it, tensors elsewhere.
    #[default]
    Auto,
    /// Tensors on the kernel's device: any kernel, any operator.
    Tensor,
}

/// Settings of the inner solve.
#[derive(Clone, Debug, Default)]
pub struct SolveSettings {
    /// Which pair stage.
    pub assembly: Assembly,
    /// Where pairs are computed, if not on the kernels' device: with kernels on the host and this a GPU, the O(n) stage of the points
    /// stays in float64 on the host and the O(n²) stage of the pairs goes to the GPU. Kernels without a closed form stay where they are.
    pub pairs: Option<Device>,
    /// How a GPU computes pairs: in float64, in two float32 per number ([`Precision::Mixed`]), or in float32.
    pub precision: Precision,
    /// Where systems are factored when pairs are computed on a GPU.
    pub factor: FactorOn,
    /// What to do about pivots that are not positive.
    pub jitter: JitterPolicy,
    /// The buffer of n x n floats that one step leaves for the next.
    pub workspace: Workspace,
    /// Records the seconds of each stage, if there.
    pub times: Option<StageTimes>,
}

impl SolveSettings {
    /// The pair stage for a kernel.
    pub(crate) fn pairs<K: Kernel>(&self, kernel: &K) -> Result<Pairs, GpError> {
        match &self.pairs {
            Some(device) => Pairs::of(device, self.precision),
            None => Pairs::of(&device(kernel), self.precision),
        }
    }
}

/// The buffer of n x n floats kept from one solve to the next, shared by clones.
#[derive(Clone, Debug, Default)]
pub struct Workspace(Arc<Mutex<Vec<Vec<f64>>>>);

impl Workspace {
    /// A buffer of `len` floats with arbitrary contents.
    pub(crate) fn take(&self, len: usize) -> Vec<f64> {
        let kept = self.0.lock().ok().and_then(|mut kept| kept.pop());
        let mut buffer = kept.unwrap_or_default();
        buffer.resize(len, 0.0);
        buffer
    }

    /// Keeps a buffer for the next [`Workspace::take`].
    pub(crate) fn give(&self, buffer: Vec<f64>) {
        if let Ok(mut kept) = self.0.lock()
            && kept.is_empty()
        {
            kept.push(buffer);
        }
    }
}

/// Training rows, validation rows and nugget of one linear inner problem (see the module documentation).
#[derive(Debug)]
pub struct InnerProblem {
    pub(crate) fields: Vec<FieldSites>,
    pub(crate) training: Vec<RowSet>,
    pub(crate) validation: Vec<RowSet>,
    pub(crate) nugget: Nugget,
    pub(crate) rhs: Vec<f64>,
    pub(crate) blocks: Vec<RowBlock>,
    validation_rhs: Vec<f64>,
    pub(crate) settings: SolveSettings,
}

/// Predictions `p = V w` at the validation rows.
#[derive(Debug)]
pub struct Prediction {
    /// `p`, `[m]`; differentiable if the kernels are.
    pub values: Tensor<1>,
    /// What the factorisation had to do.
    pub info: SolveStatistics,
}

impl InnerProblem {
    /// Sets up the problem of `fields` fields from training rows, validation rows (may be empty) and the nugget `η ≥ 0`.
    ///
    /// # Errors
    /// [`GpError::System`] without rows, with a negative nugget or a field nobody mentions; [`GpError::Rows`] for rows that do not fit.
    pub fn new(
        fields: usize,
        training: Vec<RowBlock>,
        validation: &[RowBlock],
        nugget: f64,
        settings: SolveSettings,
    ) -> Result<Arc<Self>, GpError> {
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
        Ok(Arc::new(Self {
            fields: builder.finish()?,
            training: sets,
            validation: validation_sets,
            nugget,
            rhs: rhs_of(&training),
            validation_rhs: rhs_of(validation),
            blocks: training,
            settings,
        }))
    }

    /// Number of training rows `n`.
    pub fn rows(&self) -> usize {
        self.rhs.len()
    }

    /// Right-hand sides of the validation rows, `[m]`.
    pub fn validation_rhs(&self) -> &[f64] {
        &self.validation_rhs
    }

    /// Number of fields.
    pub fn field_count(&self) -> usize {
        self.fields.len()
    }

    /// `p = V w` at the validation rows for one kernel per field.
    ///
    /// # Errors
    /// [`GpError::Factorisation`] if the system is not positive definite, [`GpError::NonFinite`] if the kernel gives NaN.
    pub fn predict<K: Kernel>(self: &Arc<Self>, kernels: &[K]) -> Result<Prediction, GpError> {
        self.check(kernels)?;
        match FusedSolve::new(self, kernels)? {
            Some(fused) => fused.predict(),
            None => self.predict_with_tensors(kernels),
        }
    }

    /// The inner solve: the posterior under the training rows. Gradients do not reach through it.
    ///
    /// # Errors
    /// As [`InnerProblem::predict`].
    pub fn solve<K: Kernel>(self: &Arc<Self>, kernels: &[K]) -> Result<Posterior<K>, GpError> {
        self.check(kernels)?;
        let kernels: Vec<K> = kernels.iter().map(|k| k.valid()).collect();
        match FusedSolve::new(self, &kernels)? {
            Some(fused) => fused.solve(kernels),
            None => self.solve_with_tensors(kernels),
        }
    }

    fn check<K: Kernel>(&self, kernels: &[K]) -> Result<(), GpError> {
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
    pub(crate) fn timed<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        timed(self.settings.times.as_ref(), stage, work)
    }

    pub(crate) fn factorisation(&self, source: hyperpde_linalg::SolveError) -> GpError {
        GpError::Factorisation { rows: self.rows(), source }
    }

    /// Whether the fused stage can take these kernels and all operators in the rows.
    pub(crate) fn fusable<K: Kernel>(&self, kernels: &[K]) -> bool {
        let forms = kernels.iter().zip(&self.fields).all(|(k, field)| {
            let dim = field.all.dim();
            k.form(dim).is_some_and(|form| fused::supports(form, dim, &field.space))
        });
        forms && self.settings.assembly != Assembly::Tensor
    }

    fn jets<K: Kernel>(&self, kernels: &[K]) -> Result<Vec<PointJets>, GpError> {
        kernels
            .iter()
            .zip(&self.fields)
            .map(|(k, field)| Ok(PointJets::new(k, &field.all, &field.space, &device(k))?))
            .collect()
    }

    fn system_with_tensors<K: Kernel>(
        &self,
        kernels: &[K],
        jets: &[PointJets],
    ) -> Result<(Tensor<2>, Vec<Tensor<1>>), GpError> {
        let n = self.rows();
        let device = device(&kernels[0]);
        let ratios = self.ratios_with_tensors(kernels, jets);
        let mut a = self.block_with_tensors(kernels, jets, &self.training, n, &self.training, n);
        let mut diagonal = vec![0.0; n * n];
        for (i, noise) in self.nugget.noise.iter().enumerate() {
            diagonal[i * n + i] = *noise;
        }
        a = a + matrix(diagonal, n, &device);
        for (g, ratio) in ratios.iter().enumerate() {
            let mut pattern = vec![0.0; n * n];
            for e in self.nugget.entries.iter().filter(|e| e.group == g) {
                pattern[e.row * n + e.column] += self.nugget.eta * e.weight;
                if e.row != e.column {
                    pattern[e.column * n + e.row] += self.nugget.eta * e.weight;
                }
            }
            a = a + matrix(pattern, n, &device) * ratio.clone().unsqueeze::<2>();
        }
        Ok((a, ratios))
    }

    /// `r = tr(Θ_DD)/tr(Θ_00)` per group, `[1]` each.
    fn ratios_with_tensors<K: Kernel>(&self, kernels: &[K], jets: &[PointJets]) -> Vec<Tensor<1>> {
        let traces: Vec<Tensor<1>> = self
            .nugget
            .groups
            .iter()
            .map(|group| {
                let parts = group.traces.iter().map(|(set, weights)| {
                    let range = self.fields[group.field].range(set.site);
                    let at = jets[group.field].rows(range.start, range.len());
                    let applied = Applied { functional: &set.functional, jets: &at };
                    let values = gram_diagonal(&kernels[group.field], applied, applied).reshape([weights.len()]);
                    let weights = Tensor::<1>::from_data(
                        TensorData::new(weights.clone(), [weights.len()]),
                        (&values.device(), values.dtype()),
                    );
                    (values * weights).sum()
                });
                parts.reduce(|a, b| a + b).unwrap_or_else(|| Tensor::zeros([1], typed(&device(&kernels[group.field]))))
            })
            .collect();
        self.nugget.groups.iter().zip(&traces).map(|(g, t)| t.clone() * traces[g.value].clone().recip()).collect()
    }

    /// `K_{yx}` for row sets `y` (rows) and `x` (columns), `[m, n]`.
    fn block_with_tensors<K: Kernel>(
        &self,
        kernels: &[K],
        jets: &[PointJets],
        y: &[RowSet],
        m: usize,
        x: &[RowSet],
        n: usize,
    ) -> Tensor<2> {
        let mut out: Tensor<2> = Tensor::zeros([m, n], typed(&device(&kernels[0])));
        for sy in y {
            for sx in x.iter().filter(|sx| sx.field == sy.field) {
                let field = &self.fields[sy.field];
                let at = |s: &RowSet| {
                    let range = field.range(s.site);
                    jets[s.field].rows(range.start, range.len())
                };
                let (jy, jx) = (at(sy), at(sx));
                let block = gram_block(
                    &kernels[sy.field],
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

    fn predict_with_tensors<K: Kernel>(&self, kernels: &[K]) -> Result<Prediction, GpError> {
        let jets = self.jets(kernels)?;
        let (n, m) = (self.rows(), self.validation_rhs.len());
        let (a, ratios) = self.system_with_tensors(kernels, &jets)?;
        let b = Tensor::<2>::from_data(TensorData::new(self.rhs.clone(), [n, 1]), typed(&device(&kernels[0])));
        let (w, info) = spd_solve(a, b, &self.settings.jitter).map_err(|e| self.factorisation(e))?;
        let mut v = self.block_with_tensors(kernels, &jets, &self.validation, m, &self.training, n);
        for (g, ratio) in ratios.into_iter().enumerate() {
            let mut pattern = vec![0.0; m * n];
            let mut shared = self.nugget.cross.iter().filter(|e| e.group == g).peekable();
            if shared.peek().is_none() {
                continue;
            }
            shared.for_each(|e| pattern[e.row * n + e.column] += self.nugget.eta * e.weight);
            let pattern = Tensor::<2>::from_data(TensorData::new(pattern, [m, n]), typed(&device(&kernels[0])));
            v = v + pattern * ratio.unsqueeze::<2>();
        }
        Ok(Prediction { values: v.matmul(w).reshape([m]), info })
    }

    /// The factor of the system, which a posterior needs for variances only.
    pub(crate) fn factor<K: Kernel>(self: &Arc<Self>, kernels: &[K]) -> Result<Cholesky, GpError> {
        match FusedSolve::new(self, kernels)? {
            Some(fused) => fused.factor(),
            None => Ok(self.factor_with_tensors(kernels)?.0),
        }
    }

    fn factor_with_tensors<K: Kernel>(&self, kernels: &[K]) -> Result<(Cholesky, Vec<f64>), GpError> {
        let jets = self.jets(kernels)?;
        let (a, ratios) = self.system_with_tensors(kernels, &jets)?;
        let ratios = ratios.into_iter().map(tensor_to_vec).collect::<Result<Vec<_>, _>>()?.concat();
        // Row-major and symmetric: column-major as well.
        let cholesky = Cholesky::factor_symmetric(tensor_to_vec(a)?, self.rows(), &self.settings.jitter)
            .map_err(|e| self.factorisation(e))?;
        Ok((cholesky, ratios))
    }

    fn solve_with_tensors<K: Kernel>(self: &Arc<Self>, kernels: Vec<K>) -> Result<Posterior<K>, GpError> {
        let (cholesky, ratios) = self.factor_with_tensors(&kernels)?;
        let mut weights = self.rhs.clone();
        cholesky.solve_in_place(&mut weights, 1).map_err(|e| self.factorisation(e))?;
        Posterior::new(self.clone(), kernels, weights, ratios, cholesky.info())
    }
}

fn matrix(data: Vec<f64>, n: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(data, [n, n]), typed(device))
}

/// A device with the element type of this library's tensors there.
fn typed(device: &Device) -> (&Device, DType) {
    (device, float_dtype(device))
}

/// The device of a kernel's parameters.
pub(crate) fn device<K: Kernel>(kernel: &K) -> Device {
    kernel.devices().into_iter().next().unwrap_or_default()
}
