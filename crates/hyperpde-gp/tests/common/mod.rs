//! Random rows and kernels for the tests.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::Device;
use std::sync::Arc;

use hyperpde_gp::{InnerProblem, RowBlock, SolveSettings, Term};
use hyperpde_kernels::{Kernel, Operator, Points, gradient, tensor_to_vec};

/// The CPU backend that `HYPERPDE_BACKEND` names, the first one compiled in otherwise.
#[allow(deprecated)]
pub fn device() -> Device {
    match std::env::var("HYPERPDE_BACKEND").as_deref() {
        #[cfg(feature = "flex")]
        Ok("flex") => Device::flex(),
        #[cfg(feature = "ndarray")]
        _ => Device::ndarray(),
        #[cfg(not(feature = "ndarray"))]
        _ => Device::flex(),
    }
}

/// Uniform numbers in [0, 1) from a linear congruential generator.
pub struct Lcg(pub u64);

impl Lcg {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn vec(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| 2.0 * self.next() - 1.0).collect()
    }

    pub fn points(&mut self, n: usize, d: usize) -> Points {
        Points::new(d, (0..n * d).map(|_| self.next()).collect()).unwrap()
    }
}

/// One term with random coefficients.
pub fn term(rng: &mut Lcg, field: usize, operator: Operator, n: usize) -> Term {
    Term { field, operator, site: 0, coefficients: rng.vec(n) }
}

/// A block of `n` rows with all the given operators of field 0 at fresh points.
pub fn block(rng: &mut Lcg, name: &str, operators: &[Operator], n: usize) -> RowBlock {
    let d = operators[0].dim();
    let points = rng.points(n, d);
    let terms = operators.iter().map(|o| term(rng, 0, o.clone(), n)).collect();
    let rhs = rng.vec(n);
    RowBlock::new(name, vec![points], terms, rhs, 0.0).unwrap()
}

/// Norm-wise relative difference.
pub fn relative(a: &[f64], b: &[f64]) -> f64 {
    let diff: f64 = a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum();
    let norm: f64 = b.iter().map(|y| y * y).sum();
    assert!(a.len() == b.len());
    (diff / norm.max(f64::MIN_POSITIVE)).sqrt()
}

/// Predictions, and the gradient of the sum of their squares.
pub fn loss_and_gradient<K: Kernel>(problem: &Arc<InnerProblem>, kernels: &[K]) -> (Vec<f64>, Vec<f64>) {
    let p = problem.predict(kernels).unwrap().values;
    let values = tensor_to_vec(p.clone()).unwrap();
    let grads = (p.clone() * p).sum().backward();
    (values, kernels.iter().flat_map(|k| gradient(k, &grads).unwrap()).collect())
}

/// Space-time rows, Laplacian rows, values, first derivatives: every level the fused stage has code for.
pub fn problems(d: usize, nugget: f64, settings: &SolveSettings) -> Vec<(&'static str, Arc<InnerProblem>)> {
    let mut rng = Lcg(7);
    let id = Operator::identity(d);
    let all: Vec<Operator> =
        (0..d).flat_map(|i| [Operator::partial(d, i), Operator::second(d, i)]).chain([id.clone()]).collect();
    let mut heat: Vec<Operator> = vec![id.clone(), Operator::partial(d, 0)];
    heat.extend((1..d).flat_map(|i| [Operator::partial(d, i), Operator::second(d, i)]));
    let mut out = Vec::new();
    for (name, operators) in [("all", all), ("heat", heat), ("laplacian", vec![Operator::laplacian(d), id.clone()])] {
        let training = vec![
            block(&mut rng, "pde", &operators, 21),
            block(&mut rng, "values", std::slice::from_ref(&id), 13),
            block(&mut rng, "slopes", &[Operator::partial(d, d - 1)], 6),
        ];
        let validation =
            vec![block(&mut rng, "check", &operators, 11), block(&mut rng, "data", std::slice::from_ref(&id), 3)];
        out.push((name, InnerProblem::new(1, training, &validation, nugget, settings.clone()).unwrap()));
    }
    out
}

/// An equation, a periodic condition with two sites, and noisy values at points of the equation.
pub fn periodic(settings: &SolveSettings) -> Arc<InnerProblem> {
    let mut rng = Lcg(11);
    let points = rng.points(12, 2);
    let terms = vec![term(&mut rng, 0, Operator::laplacian(2), 12), term(&mut rng, 0, Operator::identity(2), 12)];
    let equation = RowBlock::new("pde", vec![points.clone()], terms, rng.vec(12), 0.0).unwrap();
    let side = |site, c: f64| Term { field: 0, operator: Operator::identity(2), site, coefficients: vec![c; 5] };
    let sites = vec![rng.points(5, 2), rng.points(5, 2)];
    let periodic = RowBlock::new("periodic", sites, vec![side(0, 1.0), side(1, -1.0)], vec![0.1; 5], 0.0).unwrap();
    let seen = points.select(&[0, 1, 2]).unwrap();
    let data = RowBlock::simple("data", 0, Operator::identity(2), seen, rng.vec(3), 1e-2).unwrap();
    let check = block(&mut rng, "check", &[Operator::identity(2), Operator::partial(2, 1)], 6);
    let validation = [check, data.clone().regularised()];
    InnerProblem::new(1, vec![equation, periodic, data], &validation, 1e-3, settings.clone()).unwrap()
}
