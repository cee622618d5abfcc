//! The custom operation behind the tensor functions: one factorisation, shared by the solve, the log-determinant and
//! both their adjoints.
//!
//! The operation maps `A` (`[n, n]`) and `B` (`[n, k]`) to one flat tensor `[n k + 1]`, `A⁻¹ B` row-major and then
//! `log det A`, so that a solve and a log-determinant of the same matrix are one node of the graph. An operation of
//! burn can't return a `Result`: what happened travels in [`SpdCall`].
// burn marks its ndarray backend as deprecated as a whole; it stays selectable here for as long as burn ships it.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use std::sync::{Arc, OnceLock};

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, TensorMetadata, backend_extension, try_read_sync};
use burn::tensor::{DType, TensorData};

use crate::adjoint::Solved;
use crate::{Cholesky, JitterPolicy, SpdError};

/// The solved system, or why there is none.
type Outcome = Result<Arc<Solved>, SpdError>;

/// One call of the operation: what to do, and afterwards what became of it.
#[derive(Debug, Clone)]
pub(crate) struct SpdCall {
    policy: JitterPolicy,
    outcome: Arc<OnceLock<Outcome>>,
}

impl SpdCall {
    pub(crate) fn new(policy: &JitterPolicy) -> Self {
        Self { policy: *policy, outcome: Arc::default() }
    }

    /// What the operation left behind.
    pub(crate) fn outcome(&self) -> Outcome {
        let missing = || Err(SpdError::Tensor("the operation was not executed".into()));
        self.outcome.get().cloned().unwrap_or_else(missing)
    }
}

/// Backends that can solve symmetric positive definite systems.
///
/// The body works on any backend whose tensors can be read on the host, GPUs included: the tensor path factors there, in float64.
#[backend_extension(
    NdArray: cfg(feature = "ndarray"),
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "gpu"),
    Autodiff
)]
pub(crate) trait SpdOps: Backend {
    /// `[A⁻¹ B row-major, log det A]`, flat; unspecified finite values if the outcome of `call` is an error.
    fn spd_solve(a: FloatTensor<Self>, b: FloatTensor<Self>, call: SpdCall) -> FloatTensor<Self> {
        let device = b.device();
        let (dtype, shape) = (b.dtype(), b.shape());
        let len = shape.num_elements() + 1;
        let (outcome, flat) = match solve_on_host::<Self>(a, b, shape[1], &call.policy) {
            Ok((solved, flat)) => (Ok(solved), flat),
            Err(e) => (Err(e), vec![0.0; len]),
        };
        call.outcome.get_or_init(|| outcome);
        let flat = TensorData::new(flat, [len]).convert_dtype(dtype);
        Self::float_from_data(flat, &device)
    }
}

#[cfg(feature = "ndarray")]
impl SpdOps for burn::backend::NdArray {}
#[cfg(feature = "flex")]
impl SpdOps for burn::backend::Flex {}
#[cfg(feature = "gpu")]
impl SpdOps for burn::backend::Cube {}

impl<B: SpdOps, C: CheckpointStrategy> SpdOps for Autodiff<B, C> {
    fn spd_solve(a: FloatTensor<Self>, b: FloatTensor<Self>, call: SpdCall) -> FloatTensor<Self> {
        let nodes = [a.node(), b.node()];
        let output = B::spd_solve(a.into_primitive(), b.into_primitive(), call.clone());
        let Ok(solved) = call.outcome() else {
            // Not registered in the graph: nothing would ever free it.
            return <Self as AutodiffBackend>::from_inner(output);
        };
        match SpdAdjoint.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(solved, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

/// Backward step of [`SpdOps::spd_solve`], see [`crate::adjoint`].
#[derive(Debug)]
struct SpdAdjoint;

impl<B: SpdOps> Backward<B, 2> for SpdAdjoint {
    type State = Arc<Solved>;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let solved = ops.state;
        let shape @ [n, k] = solved.shape();
        let upstream = grads.consume::<B>(&ops.node);
        let (device, dtype) = (upstream.device(), upstream.dtype());
        let upload = |values: Vec<f64>, shape: [usize; 2]| {
            B::float_from_data(TensorData::new(values, shape).convert_dtype(dtype), &device)
        };
        let [a, b] = ops.parents;
        let mut x_bar = read_gradient::<B>(upstream);
        let l_bar = x_bar.split_off(n * k).first().copied().unwrap_or(0.0);
        let d = solved.rhs_gradient(x_bar);
        if let Some(a) = a {
            grads.register::<B>(a.id, upload(solved.matrix_gradient(&d, l_bar), [n, n]));
        }
        if let Some(b) = b {
            grads.register::<B>(b.id, upload(solved.to_row_major(d), shape));
        }
    }
}

/// Factors `a`, solves for `b` of `k` columns, and lays the result out in the number type of `b`.
fn solve_on_host<B: Backend>(
    a: FloatTensor<B>,
    b: FloatTensor<B>,
    k: usize,
    policy: &JitterPolicy,
) -> Result<(Arc<Solved>, Vec<f64>), SpdError> {
    let (dtype, n) = (b.dtype(), b.shape()[0]);
    // The tensor is row-major and the factorisation column-major: what it reads as (row, col) is (col, row) here.
    let cholesky = Cholesky::factor_symmetric(read::<B>(a)?, n, policy).map_err(|e| match e {
        SpdError::NonFinite { what, row, col, value } => SpdError::NonFinite { what, row: col, col: row, value },
        other => other,
    })?;
    let solved = Solved::new(cholesky, read::<B>(b)?, k)?;
    let flat = solved.output();
    if dtype == DType::F32
        && let Some(p) = flat.iter().position(|v| v.abs() > f64::from(f32::MAX))
    {
        return Err(SpdError::Overflow { what: "solution", row: p / k, col: p % k, value: flat[p], dtype: "float32" });
    }
    Ok((Arc::new(solved), flat))
}

/// The values of a tensor, row-major, as float64. A float64 tensor that nobody else holds is not copied.
fn read<B: Backend>(tensor: FloatTensor<B>) -> Result<Vec<f64>, SpdError> {
    let data = try_read_sync(B::float_into_data(tensor))
        .ok_or_else(|| SpdError::Tensor("the device can't be read synchronously".into()))?
        .map_err(|e| SpdError::Tensor(format!("reading from the device failed: {e:?}")))?;
    data.try_into_vec_as::<f64>().map_err(|e| SpdError::Tensor(format!("conversion to float64 failed: {e:?}")))
}

/// The upstream gradient. A backward step has no way to report, so a device that fails here ends the program.
#[expect(
    clippy::panic,
    reason = "a backward step can't return an error, and a gradient made up instead would be silently wrong"
)]
fn read_gradient<B: Backend>(gradient: FloatTensor<B>) -> Vec<f64> {
    read::<B>(gradient).unwrap_or_else(|e| panic!("backward of an SPD solve: {e}"))
}
