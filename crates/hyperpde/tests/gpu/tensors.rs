//! Kernels that the device's pair stage does not take, as tensors in float32 there, against the host.

use std::sync::Arc;
use std::time::Instant;

use hyperpde::burn::tensor::Device;
use hyperpde::gp::{InnerProblem, RowBlock, SolveSettings, Term};
use hyperpde::kernels::{
    AnyKernel, Deep, GaussianConfig, MaternConfig, MaternOrder, NetworkConfig, Operator, Points, PolynomialConfig,
    Precision, gradient, is_software, parameters, tensor_to_vec, with_parameters,
};

use crate::file::relative;
use crate::suite::Verdict;
use crate::{all_kernels, devices, host};

fn kernels(d: &Device) -> Vec<(&'static str, AnyKernel)> {
    let matern = |order| -> AnyKernel { MaternConfig::new(order, [0.5, 0.6]).init(d).unwrap().into() };
    let gaussian: AnyKernel = GaussianConfig::isotropic(0.5).init(d).unwrap().into();
    let polynomial: AnyKernel = PolynomialConfig::new(0.5, 0.8, 2).init(d).unwrap().into();
    let network = NetworkConfig::new(2, [6], 2).init(3, d).unwrap();
    vec![
        ("Matern 5/2", matern(MaternOrder::FiveHalves)),
        ("Matern 9/2", matern(MaternOrder::NineHalves)),
        ("Gaussian times polynomial", (gaussian * polynomial).into()),
        ("deep Matern 7/2", Deep::new(network, matern(MaternOrder::SevenHalves)).unwrap().into()),
    ]
}

/// Rows of an equation with a Laplacian, and of a boundary.
fn problem(solve: SolveSettings) -> Arc<InnerProblem> {
    let points = |n: usize, shift: f64| {
        // An additive recurrence covers the square evenly.
        let at = |i: usize, step: f64| (shift + step * (i + 1) as f64).fract();
        Points::new(2, (0..n).flat_map(|i| [at(i, 0.754_877_666), at(i, 0.569_840_291)]).collect()).unwrap()
    };
    let wave = |n: usize, k: f64| (0..n).map(|i| (k * i as f64).sin()).collect::<Vec<f64>>();
    let (laplacian, id) = (Operator::laplacian(2), Operator::identity(2));
    let equation = |name: &str, n: usize, shift: f64| {
        let term =
            |operator: &Operator, coefficients| Term { field: 0, operator: operator.clone(), site: 0, coefficients };
        let terms = vec![term(&laplacian, vec![-0.1; n]), term(&id, wave(n, 1.3))];
        RowBlock::new(name, vec![points(n, shift)], terms, wave(n, 0.7), 0.0).unwrap()
    };
    let boundary = RowBlock::simple("values", 0, id.clone(), points(24, 0.3), wave(24, 0.9), 0.0).unwrap();
    InnerProblem::new(1, vec![equation("pde", 60, 0.1), boundary], &[equation("check", 20, 0.8)], 1e-2, solve).unwrap()
}

/// Predictions, and the gradient of their squared norm.
fn solve(problem: &Arc<InnerProblem>, kernel: &AnyKernel) -> (Vec<f64>, Vec<f64>) {
    let p = problem.predict(std::slice::from_ref(kernel)).unwrap().values;
    let values = tensor_to_vec(p.clone()).unwrap();
    (values, gradient(kernel, &(p.clone() * p).sum().backward()).unwrap())
}

#[test]
fn inner_solves_and_gradients_by_tensors_in_float32() {
    let mut verdict = Verdict::default();
    for (backend, device) in devices() {
        let quick = is_software(&device) && !all_kernels();
        let device = backend.open(0, Precision::F32).unwrap().autodiff();
        let settings = SolveSettings { precision: Precision::F32, ..SolveSettings::default() };
        let (on_host, on_device) = (problem(SolveSettings::default()), problem(settings));
        for ((name, here), (_, there)) in kernels(&host().autodiff()).into_iter().zip(kernels(&device)) {
            let what = format!("{backend} f32 {name}");
            if quick && !name.starts_with("Matern 5/2") {
                println!(
                    "skipped: {what}, which a software device takes half a minute to compile; HYPERPDE_ALL_KERNELS=1 has it"
                );
                continue;
            }
            // The same hyperparameters, rounded once.
            let here = with_parameters(here, &parameters(&there).unwrap()).unwrap();
            let started = Instant::now();
            let ((p, g), (q, h)) = (solve(&on_host, &here), solve(&on_device, &there));
            verdict.check(&what, "predictions", relative(&q, &p), 3e-4);
            verdict.check(&what, "gradient", relative(&h, &g), 1e-3);
            let points = Points::new(2, vec![0.2, 0.3, 0.7, 0.4, 0.5, 0.9]).unwrap();
            let expected = on_host.solve(&[here]).unwrap().values(0, &points).unwrap();
            let values = on_device.solve(&[there]).unwrap().values(0, &points).unwrap();
            verdict.check(&what, "solution", relative(&values, &expected), 3e-4);
            println!("{what}: {:.1?}", started.elapsed());
        }
    }
    verdict.finish();
}
