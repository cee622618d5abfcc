//! The whole inner problem as one differentiable operation on point features.
//!
//! Forward: assemble the lower triangle of `K + N`, factor, `w = (K + N)⁻¹ b`, `p = V w`. Backward for a cotangent `ḡ` of `p`:
//! `λ = (K + N)⁻¹ Vᵀ ḡ` from the same factor, and then one sweep over all pairs contracts
//!
//! ```text
//! dL = ḡᵀ dV w − λᵀ (dK + dN) w
//! ```
//!
//! whose cotangents of `V` and `K` have rank one and two: they stay vectors, no n x n adjoint exists.
// burn marks its ndarray backend as deprecated as a whole; it stays selectable here for as long as burn ships it.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use std::sync::{Arc, Mutex};

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, TensorMetadata, backend_extension, try_read_sync};
use burn::tensor::{Tensor, TensorData};
use hyperpde_kernels::fused::FeatureSlots;
use hyperpde_kernels::{Kernel, PointJets, on_host};
use hyperpde_linalg::Cholesky;

use crate::error::GpError;
use crate::factor::{Factor, FactorOn};
use crate::fused_job::{Job, Solved, lost};
use crate::pairs::Pairs;
use crate::posterior::Posterior;
use crate::problem::{InnerProblem, Prediction, device};
use crate::stages::Stage;

/// An inner problem with kernels whose forms the fused pair stage knows.
pub(crate) struct FusedSolve {
    job: Job,
    features: Tensor<1>,
}

impl FusedSolve {
    /// `None` if the fused stage can't take the kernels or operators.
    pub fn new<K: Kernel>(problem: &Arc<InnerProblem>, kernels: &[K]) -> Result<Option<Self>, GpError> {
        if !problem.fusable(kernels) {
            return Ok(None);
        }
        let mut pairs = problem.settings.pairs(&kernels[0])?;
        let forms = kernels.iter().zip(&problem.fields).map(|(k, field)| (k.form(field.all.dim()), field.all.dim()));
        if !forms.into_iter().all(|(form, dim)| form.is_some_and(|form| pairs.takes(form, dim))) {
            if !on_host(&device(&kernels[0])) {
                return Ok(None);
            }
            pairs = Pairs::Host;
        }
        let (mut forms, mut slots, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        problem.timed(Stage::PointJets, || {
            for (kernel, field) in kernels.iter().zip(&problem.fields) {
                let jets = PointJets::new(kernel, &field.all, &field.space, &device(kernel))?;
                let (key, vector) = jets.feature_vector();
                forms.extend(kernel.form(field.all.dim()));
                slots.push(key);
                parts.push(vector);
            }
            Ok::<_, GpError>(())
        })?;
        let factor = problem.settings.factor;
        let job =
            Job { problem: problem.clone(), pairs, factor, forms, slots, predict: false, outcome: Mutex::new(None) };
        Ok(Some(Self { job, features: Tensor::cat(parts, 0) }))
    }

    /// Differentiable predictions at the validation rows.
    pub fn predict(mut self) -> Result<Prediction, GpError> {
        self.job.predict = true;
        let (values, solved) = self.run()?;
        let info = solved.factor.as_ref().map(Factor::info).ok_or_else(lost)?;
        Ok(Prediction { values, info })
    }

    /// The posterior.
    pub fn solve<K: Kernel>(self, kernels: Vec<K>) -> Result<Posterior<K>, GpError> {
        let problem = self.job.problem.clone();
        let (_, solved) = self.run()?;
        let mut solved = Arc::try_unwrap(solved).map_err(|_| lost())?;
        let info = solved.factor.as_ref().map(Factor::info).ok_or_else(lost)?;
        let (weights, ratios) = (std::mem::take(&mut solved.weights), std::mem::take(&mut solved.ratios));
        Posterior::new(problem, kernels, weights, ratios, info)
    }

    /// The factor alone.
    pub fn factor(mut self) -> Result<Cholesky, GpError> {
        // Variances take half solves with many right-hand sides, on the host.
        self.job.factor = FactorOn::Host;
        let (_, solved) = self.run()?;
        let mut solved = Arc::try_unwrap(solved).map_err(|_| lost())?;
        solved.factor.take().and_then(Factor::into_host).ok_or_else(lost)
    }

    fn run(self) -> Result<(Tensor<1>, Arc<Solved>), GpError> {
        let job = Arc::new(self.job);
        let values = Tensor::from_dispatch(<burn::backend::Dispatch as InnerSolveOps>::inner_solve(
            self.features.into_dispatch(),
            job.clone(),
        ));
        let outcome = job.outcome.lock().map_err(|_| lost())?.take().ok_or_else(lost)?;
        Ok((values, outcome?))
    }
}

/// The custom operation: features of all fields in, predictions out.
#[backend_extension(NdArray: cfg(feature = "ndarray"), Flex: cfg(feature = "flex"), Cube: cfg(feature = "gpu"), Autodiff)]
pub(crate) trait InnerSolveOps: Backend {
    fn inner_solve(features: FloatTensor<Self>, job: Arc<Job>) -> FloatTensor<Self> {
        run_on_host::<Self>(features, &job).0
    }
}

#[cfg(feature = "ndarray")]
impl InnerSolveOps for burn::backend::NdArray {}
#[cfg(feature = "flex")]
impl InnerSolveOps for burn::backend::Flex {}
#[cfg(feature = "gpu")]
impl InnerSolveOps for burn::backend::Cube {}

impl<B: InnerSolveOps, C: CheckpointStrategy> InnerSolveOps for Autodiff<B, C> {
    fn inner_solve(features: FloatTensor<Self>, job: Arc<Job>) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct InnerSolve;
        impl<B: InnerSolveOps> Backward<B, 1> for InnerSolve {
            type State = (Arc<Job>, Arc<Solved>, burn::tensor::DType);

            fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
                let (job, solved, dtype) = ops.state;
                let cotangent = grads.consume::<B>(&ops.node);
                let device = cotangent.device();
                let [Some(node)] = ops.parents else { return };
                // A backward step can't return an error; a gradient of NaN is refused by whoever reads it.
                let gradient = read::<B>(cotangent).and_then(|g| job.backward(&solved, &g));
                let gradient = gradient.unwrap_or_else(|e| {
                    log::error!("backward pass of the inner solve: {e}");
                    vec![f64::NAN; job.slots.iter().map(FeatureSlots::len).sum()]
                });
                let len = gradient.len();
                let data = TensorData::new(gradient, [len]).convert_dtype(dtype);
                grads.register::<B>(node.id, B::float_from_data(data, &device));
            }
        }
        let dtype = features.dtype();
        let node = features.node();
        let (out, solved) = run_on_host::<B>(features.into_primitive(), &job);
        let Some(solved) = solved else {
            // Not registered in the graph: nothing would ever free it.
            return <Self as AutodiffBackend>::from_inner(out);
        };
        match InnerSolve.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((job, solved, dtype), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}

fn read<B: Backend>(tensor: FloatTensor<B>) -> Result<Vec<f64>, GpError> {
    let failed = |e: String| GpError::Kernel(hyperpde_kernels::KernelError::Tensor(e));
    let data = try_read_sync(B::float_into_data(tensor))
        .ok_or_else(|| failed("the device does not answer synchronously".into()))?;
    data.map_err(|e| failed(format!("{e:?}")))?
        .convert::<f64>()
        .try_into_vec::<f64>()
        .map_err(|e| failed(format!("{e:?}")))
}

fn run_on_host<B: Backend>(features: FloatTensor<B>, job: &Arc<Job>) -> (FloatTensor<B>, Option<Arc<Solved>>) {
    let (device, dtype) = (features.device(), features.dtype());
    let outcome = read::<B>(features).and_then(|flat| job.forward(&flat)).map(Arc::new);
    let solved = outcome.as_ref().ok().cloned();
    // On failure the values only keep the shape right until `run` returns the error.
    let values =
        solved.as_ref().map_or_else(|| vec![0.0; job.problem.validation_rhs().len()], |s| s.predictions.clone());
    if let Ok(mut slot) = job.outcome.lock() {
        *slot = Some(outcome);
    }
    let len = values.len();
    (B::float_from_data(TensorData::new(values, [len]).convert_dtype(dtype), &device), solved)
}
