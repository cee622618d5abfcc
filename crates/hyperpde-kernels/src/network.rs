//! Multilayer perceptrons whose spatial derivatives travel forward as jets.
//!
//! `y = W_L σ(… σ(W_1 x + b_1) …) + b_L`. A network is evaluated once per point, never per pair: a jet of the
//! coordinates `[n, d]` goes in, a jet of the outputs `[n, out]` comes out, all Taylor coefficients stacked
//! into one matrix product per layer. Up to second derivatives the whole network is one differentiable operation with a hand-written
//! adjoint; beyond, or where the jet asks for it ([`NetworkStage::Tensors`]), burn's autodiff goes through its tensor operations.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::error::KernelError;
use crate::fused::network::Plan;
use crate::fused::network_op::network_jet;
use crate::jet::{Jet, NetworkStage};

/// Activation between layers. All are smooth: the rows differentiate through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `tanh x`, as published.
    #[default]
    Tanh,
    /// `ln(1 + e^x)`.
    Softplus,
    /// `sin x`.
    Sine,
    /// `x Φ(x)` with the normal distribution function `Φ`.
    Gelu,
}

/// Configuration of a [`Network`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Number of coordinates that go in.
    pub inputs: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Number of outputs.
    pub outputs: usize,
    /// Activation after each hidden layer.
    #[serde(default)]
    pub activation: Activation,
}

impl NetworkConfig {
    /// `inputs → hidden… → outputs` with tanh.
    pub fn new(inputs: usize, hidden: impl Into<Vec<usize>>, outputs: usize) -> Self {
        Self { inputs, hidden: hidden.into(), outputs, activation: Activation::Tanh }
    }

    /// Another activation.
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Weights LeCun normal (normal of variance `1/fan_in`, truncated at two standard deviations), biases zero,
    /// as published; the seed fixes them.
    ///
    /// # Errors
    /// [`KernelError::Setting`] if a width is zero.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Network, KernelError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Standard deviation of the unit normal truncated at ±2, which the draw is rescaled by.
        const TRUNCATED: f64 = 0.879_625_661_034_239_8;
        self.init_with(device, |fan_in, _| {
            loop {
                let z: f64 = StandardNormal.sample(&mut rng);
                if z.abs() <= 2.0 {
                    return z / (TRUNCATED * (fan_in as f64).sqrt());
                }
            }
        })
    }

    /// Weights `(fan_in, layer) -> number` drawn one after the other in `(in, out)` row-major order; biases zero.
    ///
    /// # Errors
    /// [`KernelError::Setting`] if a width is zero.
    pub fn init_with(
        &self,
        device: &Device,
        mut draw: impl FnMut(usize, usize) -> f64,
    ) -> Result<Network, KernelError> {
        let sizes: Vec<usize> = [self.inputs].iter().chain(&self.hidden).chain([&self.outputs]).copied().collect();
        if sizes.contains(&0) {
            return Err(KernelError::Setting {
                name: "network widths",
                value: format!("{sizes:?}"),
                expected: "every layer needs at least one unit",
            });
        }
        let layers = sizes
            .windows(2)
            .enumerate()
            .map(|(layer, io)| {
                let weights: Vec<f64> = (0..io[0] * io[1]).map(|_| draw(io[0], layer)).collect();
                linear(weights, vec![0.0; io[1]], io[0], device)
            })
            .collect();
        Ok(Network { layers, activation: self.activation })
    }
}

/// A fully connected layer from row-major weights `(in, out)` and biases `[out]`.
fn linear(weights: Vec<f64>, bias: Vec<f64>, inputs: usize, device: &Device) -> Linear {
    let outputs = bias.len();
    let weight = Tensor::from_data(TensorData::new(weights, [inputs, outputs]), (device, crate::float_dtype(device)));
    let bias = Tensor::from_data(TensorData::new(bias, [outputs]), (device, crate::float_dtype(device)));
    Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) }
}

/// A multilayer perceptron (see the module documentation).
#[derive(Module, Debug)]
pub struct Network {
    layers: Vec<Linear>,
    #[module(skip)]
    activation: Activation,
}

impl Network {
    /// From given weights: per layer the row-major kernel `(in, out)` and the biases `[out]`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if a layer does not fit the one before it.
    pub fn from_weights(
        inputs: usize,
        layers: &[(Vec<f64>, Vec<f64>)],
        activation: Activation,
        device: &Device,
    ) -> Result<Self, KernelError> {
        let mut width = inputs;
        let mut built = Vec::new();
        for (weights, bias) in layers {
            if bias.is_empty() || weights.len() != width * bias.len() {
                return Err(KernelError::Shape {
                    what: "network layer",
                    expected: format!("{width} x {} weights", bias.len()),
                    got: format!("{} weights", weights.len()),
                });
            }
            built.push(linear(weights.clone(), bias.clone(), width, device));
            width = bias.len();
        }
        Ok(Self { layers: built, activation })
    }

    /// Number of inputs, zero for a network without layers.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |l| l.weight.lazy_shape()[0])
    }

    /// Number of outputs, zero for a network without layers.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |l| l.weight.lazy_shape()[1])
    }

    /// Jet of the outputs `[n, out]` from the jet of the inputs `[n, in]`: one operation on the host up to second derivatives, tensors beyond, and
    /// where the jet's space has [`NetworkStage::Tensors`].
    pub fn forward(&self, x: &Jet) -> Jet {
        match self.plan(x) {
            Some((parameters, plan)) => {
                let stacked = x.stacked();
                let [n, _] = stacked.dims();
                let width = plan.outputs();
                let out = network_jet(stacked.flatten::<1>(0, 1), Tensor::cat(parameters, 0), plan);
                Jet::unstacked(x.space(), out.reshape([n, width]))
            }
            None => self.forward_with_tensors(x),
        }
    }

    /// Parameters layer by layer and the plan of the host stage, where it can take the network.
    fn plan(&self, x: &Jet) -> Option<(Vec<Tensor<1>>, Plan)> {
        if x.space().networks() == NetworkStage::Tensors {
            return None;
        }
        let mut parameters = Vec::new();
        for layer in &self.layers {
            parameters.push(layer.weight.val().flatten::<1>(0, 1));
            parameters.push(layer.bias.as_ref()?.val());
        }
        let sizes = self.layers.iter().map(|l| l.weight.lazy_shape()[1]);
        let widths: Vec<usize> = std::iter::once(self.inputs()).chain(sizes).collect();
        let fits = widths.len() > 1 && x.value().dims()[1] == widths[0];
        Some((parameters, Plan::new(widths, self.activation, x.space()).filter(|_| fits)?))
    }

    /// As [`Network::forward`], by tensor operations alone: any order and activation; the oracle of the host stage.
    pub fn forward_with_tensors(&self, x: &Jet) -> Jet {
        let mut h = x.clone();
        for (k, layer) in self.layers.iter().enumerate() {
            let weight = layer.weight.val();
            h = h.linear_stacked(|t| t.matmul(weight.clone()));
            if let Some(bias) = &layer.bias {
                h = h.shift_by(bias.val().unsqueeze::<2>());
            }
            if k + 1 < self.layers.len() {
                h = match self.activation {
                    Activation::Tanh => h.tanh(),
                    Activation::Softplus => h.softplus(),
                    Activation::Sine => h.sin_cos().0,
                    Activation::Gelu => h.gelu(),
                };
            }
        }
        h
    }
}
