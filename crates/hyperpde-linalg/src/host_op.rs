//! The one custom operation: a function of tensors that is computed, and differentiated, on the host in float64.
//!
//! An operation of burn can't return an error, and neither can its backward step. Here is the one policy for both:
//! * a forward pass that fails puts nothing on the tape, and [`host_op`] returns its error;
//! * a backward step that fails logs its error and leaves gradients of NaN, which whoever reads gradients refuses. Gradients made up
//!   instead would be silently wrong.
//!
//! It works on any backend whose tensors can be read on the host, GPUs included.
// burn marks its ndarray backend as deprecated as a whole; it stays selectable here for as long as burn ships it.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use std::fmt::{Debug, Display};
use std::sync::{Arc, OnceLock};

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, TensorMetadata, backend_extension, try_read_sync};
use burn::tensor::{DType, Shape, Tensor, TensorData};
use thiserror::Error;

/// An operand or a cotangent could not be read from its device.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// A function of `N` tensors (`N` is 1 or 2) with a hand-written derivative.
pub trait HostOp<const N: usize>: Debug + Send + Sync + 'static {
    /// What the forward pass leaves for the backward pass, and for the caller.
    type State: Debug + Send + Sync + 'static;
    /// Why a pass failed.
    type Error: Clone + Debug + Display + From<ReadError> + Send + Sync + 'static;

    /// What it is, for messages.
    fn name(&self) -> &'static str;

    /// The flat output from the operands, row-major each.
    ///
    /// # Errors
    /// Any; [`host_op`] returns it.
    fn forward(&self, operands: [Vec<f64>; N]) -> Result<(Vec<f64>, Self::State), Self::Error>;

    /// The gradients by the operands, row-major each, for the cotangent of the output. Those that are not wanted may be empty.
    ///
    /// # Errors
    /// Any; it is logged and gradients become NaN.
    fn backward(
        &self,
        state: &Self::State,
        cotangent: Vec<f64>,
        wanted: [bool; N],
    ) -> Result<[Vec<f64>; N], Self::Error>;
}

/// Operands of a [`host_op`]: one or two tensors.
pub trait Operands<const N: usize> {
    /// Runs the operation on them.
    #[doc(hidden)]
    fn run(self, call: Arc<dyn Run<N>>) -> Tensor<1>;
}

impl<const D: usize> Operands<1> for Tensor<D> {
    fn run(self, call: Arc<dyn Run<1>>) -> Tensor<1> {
        Tensor::from_dispatch(<burn::backend::Dispatch as HostOps>::host_op_1(self.into_dispatch(), call))
    }
}

impl<const D: usize, const E: usize> Operands<2> for (Tensor<D>, Tensor<E>) {
    fn run(self, call: Arc<dyn Run<2>>) -> Tensor<1> {
        let (a, b) = (self.0.into_dispatch(), self.1.into_dispatch());
        Tensor::from_dispatch(<burn::backend::Dispatch as HostOps>::host_op_2(a, b, call))
    }
}

/// Runs `op` on the operands, whose tape it continues: the flat output, in the number type of the last operand, and what the forward pass left.
///
/// # Errors
/// What the forward pass returned, or [`ReadError`] as the operation's error.
pub fn host_op<const N: usize, O: HostOp<N>>(
    op: O,
    operands: impl Operands<N>,
) -> Result<(Tensor<1>, Arc<O::State>), O::Error> {
    let call = Arc::new(Call { op, outcome: OnceLock::new() });
    let output = operands.run(call.clone());
    match call.outcome.get() {
        Some(outcome) => Ok((output, outcome.clone()?)),
        None => Err(ReadError(format!("{} was not executed", call.op.name())).into()),
    }
}

/// An operation with its types erased, as burn carries it.
#[doc(hidden)]
pub trait Run<const N: usize>: Debug + Send + Sync {
    /// The output, `None` if the pass failed.
    fn forward(&self, operands: [Result<Vec<f64>, ReadError>; N]) -> Option<Vec<f64>>;
    /// The gradients, `None` (and a line in the log) if the pass failed.
    fn backward(&self, cotangent: Result<Vec<f64>, ReadError>, wanted: [bool; N]) -> Option<[Vec<f64>; N]>;
}

/// One call of an operation, and afterwards what became of it.
#[derive(Debug)]
struct Call<O, S, E> {
    op: O,
    outcome: OnceLock<Result<Arc<S>, E>>,
}

impl<const N: usize, O: HostOp<N>> Run<N> for Call<O, O::State, O::Error> {
    fn forward(&self, operands: [Result<Vec<f64>, ReadError>; N]) -> Option<Vec<f64>> {
        let run = || {
            let mut values: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
            for (value, operand) in values.iter_mut().zip(operands) {
                *value = operand?;
            }
            self.op.forward(values)
        };
        let (outcome, values) = match run() {
            Ok((values, state)) => (Ok(Arc::new(state)), Some(values)),
            Err(e) => (Err(e), None),
        };
        self.outcome.get_or_init(|| outcome);
        values
    }

    fn backward(&self, cotangent: Result<Vec<f64>, ReadError>, wanted: [bool; N]) -> Option<[Vec<f64>; N]> {
        let state = self.outcome.get()?.as_ref().ok()?;
        let run = || self.op.backward(state, cotangent?, wanted);
        run().map_err(|e: O::Error| log::error!("backward pass of {}: {e}", self.op.name())).ok()
    }
}

/// Backends that can run host operations: all.
#[backend_extension(
    NdArray: cfg(feature = "ndarray"),
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "gpu"),
    Autodiff
)]
pub(crate) trait HostOps: Backend {
    fn host_op_1(a: FloatTensor<Self>, call: Arc<dyn Run<1>>) -> FloatTensor<Self> {
        forward::<Self, 1>([a], call.as_ref()).0
    }

    fn host_op_2(a: FloatTensor<Self>, b: FloatTensor<Self>, call: Arc<dyn Run<2>>) -> FloatTensor<Self> {
        forward::<Self, 2>([a, b], call.as_ref()).0
    }
}

#[cfg(feature = "ndarray")]
impl HostOps for burn::backend::NdArray {}
#[cfg(feature = "flex")]
impl HostOps for burn::backend::Flex {}
#[cfg(feature = "gpu")]
impl HostOps for burn::backend::Cube {}

impl<B: HostOps, C: CheckpointStrategy> HostOps for Autodiff<B, C> {
    fn host_op_1(a: FloatTensor<Self>, call: Arc<dyn Run<1>>) -> FloatTensor<Self> {
        tracked::<B, C, 1>([a], call)
    }

    fn host_op_2(a: FloatTensor<Self>, b: FloatTensor<Self>, call: Arc<dyn Run<2>>) -> FloatTensor<Self> {
        tracked::<B, C, 2>([a, b], call)
    }
}

/// Shape and number type of each operand.
type Kinds<const N: usize> = [(Shape, DType); N];

fn kinds<B: Backend, const N: usize>(operands: &[FloatTensor<B>; N]) -> Kinds<N> {
    std::array::from_fn(|i| (operands[i].shape(), operands[i].dtype()))
}

/// Reads the operands, runs, and puts the output where the last operand is; whether that worked.
fn forward<B: Backend, const N: usize>(operands: [FloatTensor<B>; N], call: &dyn Run<N>) -> (FloatTensor<B>, bool) {
    let (device, dtype) = (operands[N - 1].device(), operands[N - 1].dtype());
    let output = call.forward(operands.map(read::<B>));
    let worked = output.is_some();
    // After a failure there only has to be a tensor: `host_op` returns the error instead.
    let values = output.unwrap_or_else(|| vec![0.0]);
    let shape = Shape::from([values.len()]);
    (upload::<B>(values, shape, dtype, &device), worked)
}

fn tracked<B: Backend, C: CheckpointStrategy, const N: usize>(
    operands: [FloatTensor<Autodiff<B, C>>; N],
    call: Arc<dyn Run<N>>,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = std::array::from_fn(|i| operands[i].node());
    let operands = operands.map(|t| t.into_primitive());
    let kinds = kinds::<B, N>(&operands);
    let (output, worked) = forward::<B, N>(operands, call.as_ref());
    if !worked {
        // Not registered in the graph: nothing would ever free it.
        return <Autodiff<B, C> as AutodiffBackend>::from_inner(output);
    }
    match BackwardStep.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((call, kinds), output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

#[derive(Debug)]
struct BackwardStep;

impl<B: Backend, const N: usize> Backward<B, N> for BackwardStep {
    type State = (Arc<dyn Run<N>>, Kinds<N>);

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (call, kinds) = ops.state;
        let cotangent = grads.consume::<B>(&ops.node);
        let device = cotangent.device();
        let wanted = std::array::from_fn(|i| ops.parents[i].is_some());
        let gradients = call.backward(read::<B>(cotangent), wanted);
        let mut gradients = gradients.map(|g| g.into_iter());
        for (parent, (shape, dtype)) in ops.parents.into_iter().zip(kinds) {
            let values = match &mut gradients {
                Some(gradients) => gradients.next().unwrap_or_default(),
                None => vec![f64::NAN; shape.num_elements()],
            };
            if let Some(node) = parent {
                grads.register::<B>(node.id, upload::<B>(values, shape, dtype, &device));
            }
        }
    }
}

fn upload<B: Backend>(values: Vec<f64>, shape: Shape, dtype: DType, device: &B::Device) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(values, shape).convert_dtype(dtype), device)
}

/// The values of a tensor, row-major, as float64. A float64 tensor that nobody else holds is not copied.
fn read<B: Backend>(tensor: FloatTensor<B>) -> Result<Vec<f64>, ReadError> {
    let data = try_read_sync(B::float_into_data(tensor))
        .ok_or_else(|| ReadError("the device can't be read synchronously".into()))?
        .map_err(|e| ReadError(format!("reading from the device failed: {e:?}")))?;
    data.try_into_vec_as::<f64>().map_err(|e| ReadError(format!("conversion to float64 failed: {e:?}")))
}
