//! The network stage as one differentiable operation: jets of the inputs and all parameters in, jets of the outputs out.
// burn marks its ndarray backend as deprecated as a whole; it stays selectable here for as long as burn ships it.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension, try_read_sync};
use burn::tensor::{DType, Tensor, TensorData};

use super::network::Plan;
use crate::error::KernelError;

/// Output jets `[n · terms · out]` from input jets `[n · terms · in]` and the layers' parameters, weights `[in, out]` then biases.
pub(crate) fn network_jet(input: Tensor<1>, parameters: Tensor<1>, plan: Plan) -> Tensor<1> {
    let (input, parameters) = (input.into_dispatch(), parameters.into_dispatch());
    Tensor::from_dispatch(<burn::backend::Dispatch as NetworkOps>::network_jet(input, parameters, Arc::new(plan)))
}

#[backend_extension(NdArray: cfg(feature = "ndarray"), Flex: cfg(feature = "flex"), Cube: cfg(feature = "gpu"), Autodiff)]
pub(crate) trait NetworkOps: Backend {
    fn network_jet(input: FloatTensor<Self>, parameters: FloatTensor<Self>, plan: Arc<Plan>) -> FloatTensor<Self> {
        run_on_host::<Self>(input, parameters, plan).0
    }
}

#[cfg(feature = "ndarray")]
impl NetworkOps for burn::backend::NdArray {}
#[cfg(feature = "flex")]
impl NetworkOps for burn::backend::Flex {}
#[cfg(feature = "gpu")]
impl NetworkOps for burn::backend::Cube {}

/// Operands on the host, which the backward pass needs again.
#[derive(Clone, Debug)]
struct Operands {
    plan: Arc<Plan>,
    input: Arc<[f64]>,
    parameters: Arc<[f64]>,
    dtype: DType,
}

fn run_on_host<B: Backend>(
    input: FloatTensor<B>,
    parameters: FloatTensor<B>,
    plan: Arc<Plan>,
) -> (FloatTensor<B>, Operands) {
    let (device, dtype) = (input.device(), input.dtype());
    // An operation can't return an error; values of NaN are refused by whoever reads them.
    let len = input.shape().num_elements();
    let read = |t: FloatTensor<B>, len: usize| {
        read::<B>(t).unwrap_or_else(|e| {
            log::error!("operand of a network: {e}");
            vec![f64::NAN; len]
        })
    };
    let count = parameters.shape().num_elements();
    let operands = Operands { plan, input: read(input, len).into(), parameters: read(parameters, count).into(), dtype };
    let out = operands.plan.forward(&operands.input, &operands.parameters);
    (upload::<B>(out, dtype, &device), operands)
}

fn upload<B: Backend>(values: Vec<f64>, dtype: DType, device: &B::Device) -> FloatTensor<B> {
    let len = values.len();
    B::float_from_data(TensorData::new(values, [len]).convert_dtype(dtype), device)
}

fn read<B: Backend>(tensor: FloatTensor<B>) -> Result<Vec<f64>, KernelError> {
    let failed = |e: String| KernelError::Tensor(e);
    let data = try_read_sync(B::float_into_data(tensor))
        .ok_or_else(|| failed("the device does not answer synchronously".into()))?;
    data.map_err(|e| failed(format!("{e:?}")))?.try_into_vec_as::<f64>().map_err(|e| failed(format!("{e:?}")))
}

impl<B: NetworkOps, C: CheckpointStrategy> NetworkOps for Autodiff<B, C> {
    fn network_jet(input: FloatTensor<Self>, parameters: FloatTensor<Self>, plan: Arc<Plan>) -> FloatTensor<Self> {
        let nodes = [input.node(), parameters.node()];
        let (out, operands) = run_on_host::<B>(input.into_primitive(), parameters.into_primitive(), plan);
        match NetworkAdjoint.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(operands, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}

#[derive(Debug)]
struct NetworkAdjoint;

impl<B: NetworkOps> Backward<B, 2> for NetworkAdjoint {
    type State = Operands;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let Operands { plan, input, parameters, dtype } = ops.state;
        let cotangent = grads.consume::<B>(&ops.node);
        let device = cotangent.device();
        let (by_input, by_parameters) = match read::<B>(cotangent) {
            Ok(cotangent) => plan.backward(&input, &parameters, &cotangent),
            Err(e) => {
                log::error!("backward pass of a network: {e}");
                (vec![f64::NAN; input.len()], vec![f64::NAN; parameters.len()])
            }
        };
        let [input, parameters] = ops.parents;
        if let Some(node) = input {
            grads.register::<B>(node.id, upload::<B>(by_input, dtype, &device));
        }
        if let Some(node) = parameters {
            grads.register::<B>(node.id, upload::<B>(by_parameters, dtype, &device));
        }
    }
}
