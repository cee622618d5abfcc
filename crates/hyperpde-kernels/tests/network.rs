//! The network stage on the host equals the tensor path, in jets and in gradients by inputs and parameters, and does not depend on threads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::module::Param;
use burn::tensor::{DType, Device, Tensor, TensorData};
use hyperpde_kernels::{
    Activation, Jet, JetSpace, Network, NetworkConfig, NetworkStage, Operator, Points, gradient, tensor_to_vec,
};

#[allow(deprecated)]
fn device() -> Device {
    #[cfg(feature = "ndarray")]
    return Device::ndarray().autodiff();
    #[cfg(not(feature = "ndarray"))]
    Device::flex().autodiff()
}

fn number(k: usize) -> f64 {
    2.0 * (k as f64 * 0.754_877_666).fract() - 1.0
}

/// The jets of the outputs, and the gradient by all parameters of a sum that weighs each of their entries differently.
fn outcome(network: &Network, x: &Jet, tensors: bool) -> (Vec<f64>, Vec<f64>) {
    let out = if tensors { network.forward_with_tensors(x) } else { network.forward(x) };
    let mut values = Vec::new();
    let mut sum: Option<Tensor<1>> = None;
    for alpha in x.space().indices() {
        let Some(t) = out.taylor(alpha) else { continue };
        let start = values.len();
        values.extend(tensor_to_vec(t.clone().flatten::<1>(0, 1)).unwrap());
        let weights: Vec<f64> = (start..values.len()).map(|k| number(k + 17)).collect();
        let weights =
            Tensor::<1>::from_data(TensorData::new(weights, [values.len() - start]), (&t.device(), DType::F64));
        let part = (t.clone().flatten::<1>(0, 1) * weights).sum();
        sum = Some(sum.map_or(part.clone(), |s| s + part));
    }
    let gradient = gradient(network, &sum.unwrap().backward()).unwrap();
    (values, gradient)
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = b.iter().map(|v| v * v).sum::<f64>().sqrt();
    a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt() / norm
}

#[test]
fn host_stage_equals_tensors() {
    let dev = device();
    for activation in [Activation::Tanh, Activation::Sine, Activation::Softplus, Activation::Gelu] {
        for dim in 1..=3 {
            let mut operators: Vec<Operator> = (0..dim).map(|i| Operator::second(dim, i)).collect();
            if dim > 1 {
                operators.push(Operator::new(dim, [(mixed(dim), 1.0)]).unwrap());
            }
            let space = JetSpace::of_operators(dim, &operators);
            // More points than one piece takes, and widths that fill no vector.
            let points = Points::new(dim, (0..150 * dim).map(|k| 3.0 * number(k)).collect()).unwrap();
            let network = NetworkConfig::new(dim, [13, 9], 2).with_activation(activation).init(4, &dev).unwrap();
            let x = Jet::coordinates(&space, &points, &dev);
            let (jets, by_parameters) = outcome(&network, &x, false);
            let (oracle, by_oracle) = outcome(&network, &x, true);
            let (v, g) = (difference(&jets, &oracle), difference(&by_parameters, &by_oracle));
            println!("{activation:?} d={dim}: jets {v:.1e}, gradients {g:.1e}");
            // A few hundred roundings of 1e-16.
            assert!(v < 1e-13 && g < 1e-13, "{activation:?} d={dim}: {v:.1e} {g:.1e}");
        }
    }
}

fn mixed(dim: usize) -> Vec<u8> {
    (0..dim).map(|i| u8::from(i < 2)).collect()
}

/// A space says who takes its jets through networks, and keeps saying it through arithmetic.
#[test]
fn a_space_chooses_the_stage() {
    let dev = device();
    let space = JetSpace::of_operators(2, &[Operator::laplacian(2)]);
    assert_eq!(space.networks(), NetworkStage::Fused);
    let tensors = space.clone().with_networks(NetworkStage::Tensors);
    assert!(tensors.networks() == NetworkStage::Tensors && tensors.indices() == space.indices() && tensors != space);
    let points = Points::new(2, (0..40).map(number).collect()).unwrap();
    let network = NetworkConfig::new(2, [7], 2).init(1, &dev).unwrap();
    let of = |space| outcome(&network, &Jet::coordinates(space, &points, &dev).scale(2.0), false);
    let oracle = outcome(&network, &Jet::coordinates(&space, &points, &dev).scale(2.0), true);
    // To the last bit: these are the same operations. The host's are not.
    assert_eq!(of(&tensors), oracle);
    assert_ne!(of(&space), oracle);
    assert_eq!(network.forward(&Jet::coordinates(&tensors, &points, &dev)).space().networks(), NetworkStage::Tensors);
}

/// A network over a network, as in a deep kernel: the gradient reaches the inner one through the inputs of the outer one.
#[test]
fn gradient_reaches_the_inputs() {
    let dev = device();
    let space = JetSpace::of_operators(2, &[Operator::laplacian(2)]);
    let points = Points::new(2, (0..40).map(number).collect()).unwrap();
    let outer = NetworkConfig::new(3, [5], 2).init(1, &dev).unwrap();
    let scale = Param::from_tensor(Tensor::<1>::from_data(TensorData::new(vec![0.7, 1.3], [2]), (&dev, DType::F64)));
    let gradients: Vec<Vec<f64>> = [false, true]
        .iter()
        .map(|&tensors| {
            let x = Jet::coordinates(&space, &points, &dev).scale_by(scale.val().unsqueeze::<2>());
            let inner = NetworkConfig::new(2, [4], 3).init(2, &dev).unwrap();
            let h = if tensors { inner.forward_with_tensors(&x) } else { inner.forward(&x) };
            let out = if tensors { outer.forward_with_tensors(&h) } else { outer.forward(&h) };
            let second = out.derivative(&[2, 0]).unwrap();
            let grads = ((second.clone() * second) + out.value()).sum().backward();
            tensor_to_vec(scale.val().grad(&grads).unwrap()).unwrap()
        })
        .collect();
    let d = difference(&gradients[0], &gradients[1]);
    assert!(d < 1e-12, "{gradients:?} {d:.1e}");
}

/// Saturated units: `tanh` and its derivatives stay finite and right far out, and are relatively accurate near zero.
#[test]
fn extreme_arguments() {
    let dev = device();
    let space = JetSpace::of_operators(1, &[Operator::second(1, 0)]);
    let xs = vec![-400.0, -20.0, -1.0, -1e-9, 0.0, 1e-300, 1e-9, 0.3, 18.0, 400.0];
    let points = Points::new(1, xs.clone()).unwrap();
    let layers = [(vec![1.0], vec![0.0]), (vec![1.0], vec![0.0])];
    let network = Network::from_weights(1, &layers, Activation::Tanh, &dev).unwrap();
    let out = network.forward(&Jet::coordinates(&space, &points, &dev));
    let values = tensor_to_vec(out.value().flatten::<1>(0, 1)).unwrap();
    let second = tensor_to_vec(out.derivative(&[2]).unwrap().flatten::<1>(0, 1)).unwrap();
    for ((x, v), s) in xs.iter().zip(values).zip(second) {
        let t = x.tanh();
        assert!((v - t).abs() <= 8.0 * f64::EPSILON * t.abs(), "tanh {x}: {v} {t}");
        let expected = -2.0 * t / x.cosh().powi(2);
        assert!((s - expected).abs() <= 1e-14, "second derivative at {x}: {s} {expected}");
    }
}
