//! The fused pair stage equals the tensor path and the one of burn operations alone, in values and gradients, and all equal finite differences.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::{Lcg, block, device, loss_and_gradient, problems, relative, term};
use hyperpde_gp::{Assembly, InnerProblem, RowBlock, SolveSettings, Term};
use hyperpde_kernels::{
    GaussianConfig, GibbsConfig, Kernel, LengthScales, Operator, parameters, tensor_to_vec, with_parameters,
};

fn settings(assembly: Assembly) -> SolveSettings {
    SolveSettings { assembly, ..SolveSettings::default() }
}

fn loss<K: Kernel>(problem: &Arc<InnerProblem>, kernels: &[K]) -> f64 {
    let kernels: Vec<K> = kernels.iter().map(|k| k.valid()).collect();
    tensor_to_vec(problem.predict(&kernels).unwrap().values).unwrap().iter().map(|p| p * p).sum()
}

fn compare<K: Kernel>(kernel: &K, d: usize) {
    // In one dimension 40 rows crowd the interval and amplify rounding: a larger nugget keeps the comparison sharp.
    for nugget in if d == 1 { [1e-3, 1e-2] } else { [1e-6, 1e-3] } {
        let of = |assembly| problems(d, nugget, &settings(assembly));
        let [fused, tensor, pure] = Assembly::ALL.map(of);
        for (((name, fused), (_, tensor)), (_, pure)) in fused.into_iter().zip(tensor).zip(pure) {
            let (p, g) = loss_and_gradient(&fused, std::slice::from_ref(kernel));
            for (path, other) in [("tensor", tensor), ("pure", pure)] {
                let (q, h) = loss_and_gradient(&other, std::slice::from_ref(kernel));
                let (value, grad) = (relative(&p, &q), relative(&g, &h));
                let what = format!("{} d={d} {name} nugget {nugget:.0e} {path}", kernel.name());
                println!("{what}: values {value:.1e}, gradients {grad:.1e}");
                // Rounding is amplified by conditions of up to 1e8, in gradients twice.
                let bars = if nugget < 1e-3 { (1e-8, 1e-7) } else { (1e-9, 1e-9) };
                assert!(value < bars.0 && grad < bars.1, "{what}: {value:.2e} {grad:.2e}");
            }
        }
    }
}

#[test]
fn fused_equals_tensor_gaussian() {
    let dev = device().autodiff();
    for d in 1..=3 {
        compare(&GaussianConfig::isotropic(0.4).init(&dev).unwrap(), d);
        compare(&GaussianConfig::ard(vec![0.4; d]).init(&dev).unwrap(), d);
    }
}

#[test]
fn fused_equals_tensor_gibbs() {
    let dev = device().autodiff();
    for d in 1..=3 {
        for scales in [LengthScales::Isotropic, LengthScales::PerDimension] {
            compare(&GibbsConfig::new(d, scales, 1.5).with_hidden([7, 5]).init(3, &dev).unwrap(), d);
        }
    }
}

#[test]
fn gradient_equals_finite_differences() {
    let dev = device().autodiff();
    let kernel = GibbsConfig::new(2, LengthScales::PerDimension, 1.5).with_hidden([4]).init(5, &dev).unwrap();
    for assembly in Assembly::ALL {
        for (name, problem) in problems(2, 1e-4, &settings(assembly)) {
            let (_, g) = loss_and_gradient(&problem, std::slice::from_ref(&kernel));
            let theta = parameters(&kernel).unwrap();
            let fd: Vec<f64> = (0..theta.len())
                .map(|i| {
                    let h = 1e-4;
                    let at = |step: f64| {
                        let mut t = theta.clone();
                        t[i] += step;
                        loss(&problem, &[with_parameters(kernel.clone(), &t).unwrap()])
                    };
                    (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
                })
                .collect();
            let diff = relative(&g, &fd);
            println!("{name} {assembly:?}: {diff:.1e}");
            assert!(diff < 1e-7, "{name}: {diff:.2e}");
        }
    }
}

/// Two fields in one equation, a periodic condition with two sites, shared latents and noise.
#[test]
fn coupled_fields_and_periodic_rows() {
    let build = |assembly| {
        let mut rng = Lcg(11);
        let n = 15;
        let points = rng.points(n, 2);
        let mut equation = |name: &str| {
            let terms = vec![
                term(&mut rng, 0, Operator::partial(2, 0), n),
                term(&mut rng, 1, Operator::second(2, 1), n),
                term(&mut rng, 0, Operator::identity(2), n),
                term(&mut rng, 1, Operator::identity(2), n),
            ];
            let rhs = rng.vec(n);
            RowBlock::new(name, vec![points.clone()], terms, rhs, 0.0).unwrap()
        };
        let mut training = vec![equation("one"), equation("two")];
        let (left, right) = (rng.points(5, 2), rng.points(5, 2));
        let term = |site, c| Term { field: 1, operator: Operator::identity(2), site, coefficients: vec![c; 5] };
        training.push(
            RowBlock::new("periodic", vec![left, right], vec![term(0, 1.0), term(1, -1.0)], vec![0.0; 5], 0.0).unwrap(),
        );
        let seen = points.select(&[0, 1, 2]).unwrap();
        training.push(RowBlock::simple("data", 0, Operator::identity(2), seen, rng.vec(3), 1e-4).unwrap());
        let validation = vec![block(&mut rng, "check", &[Operator::identity(2), Operator::laplacian(2)], 7)];
        InnerProblem::new(2, training, &validation, 1e-4, settings(assembly)).unwrap()
    };
    let dev = device().autodiff();
    let kernels =
        [GaussianConfig::isotropic(0.5).init(&dev).unwrap(), GaussianConfig::ard([0.3, 0.6]).init(&dev).unwrap()];
    let (p, g) = loss_and_gradient(&build(Assembly::Auto), &kernels);
    for assembly in [Assembly::Tensor, Assembly::PureTensor] {
        let (q, h) = loss_and_gradient(&build(assembly), &kernels);
        let (value, grad) = (relative(&p, &q), relative(&g, &h));
        assert!(value < 1e-9 && grad < 1e-8, "{assembly:?} {value:.1e} {grad:.1e}");
    }
    // The solution satisfies its exact rows up to the nugget, and the latents include it exactly.
    for assembly in Assembly::ALL {
        let problem = build(assembly);
        let posterior = problem.solve(&kernels).unwrap();
        let latents = posterior.latents(2).unwrap();
        for (a, b) in latents[0].iter().zip(&latents[1]) {
            assert!((a - b).abs() < 1e-9, "periodic rows hold exactly for the latents: {a} {b}");
        }
        let var = posterior.variance(0, &Operator::identity(2), &Lcg(2).points(9, 2)).unwrap();
        assert!(var.iter().all(|v| (0.0..=1.0).contains(v)), "{var:?}");
    }
}
