//! A step takes one n x n matrix and O(n) besides, and later steps take nothing more.
//!
//! A process of its own: the resident memory of the whole process is what is measured.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Lcg, block, device};
use hyperpde_gp::{InnerProblem, SolveSettings};
use hyperpde_kernels::{GibbsConfig, LengthScales, Operator, gradient, tensor_to_vec};

/// A line of `/proc/self/status` in bytes.
fn status(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|l| l.starts_with(key)).unwrap();
    1024.0 * line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap()
}

#[test]
fn one_matrix_and_flat_over_fifty_steps() {
    let n = 1600;
    let matrix = (8 * n * n) as f64;
    let mut rng = Lcg(3);
    let operators = [Operator::identity(2), Operator::partial(2, 0), Operator::partial(2, 1), Operator::second(2, 1)];
    let training = vec![
        block(&mut rng, "pde", &operators, 3 * n / 4),
        block(&mut rng, "values", std::slice::from_ref(&operators[0]), n / 4),
    ];
    let validation = vec![block(&mut rng, "check", &operators, 50)];
    let problem = InnerProblem::new(1, training, &validation, 1e-4, SolveSettings::default()).unwrap();
    let kernel = GibbsConfig::new(2, LengthScales::PerDimension, 2.0).init(1, &device().autodiff()).unwrap();
    let kernels = [kernel];

    let before = status("VmRSS");
    let mut after_five = 0.0;
    for step in 1..=50 {
        let p = problem.predict(&kernels).unwrap().values;
        let grads = (p.clone() * p).sum().backward();
        assert!(gradient(&kernels[0], &grads).unwrap().iter().all(|g| g.is_finite()));
        if step == 5 {
            after_five = status("VmRSS");
        }
    }
    let growth = status("VmRSS") - after_five;
    let peak = status("VmHWM") - before;
    println!(
        "matrix {:.1} MB, peak {:.1} MB above the start, growth over 45 steps {:.2} MB",
        1e-6 * matrix,
        1e-6 * peak,
        1e-6 * growth
    );
    assert!(growth < 0.05 * matrix, "memory grows from step to step: {growth} bytes");
    assert!(peak < 1.8 * matrix, "a step takes {peak} bytes, one matrix is {matrix}");

    // A posterior keeps the factor, in the matrix that the steps used; without it, only the weights.
    let posterior = problem.solve(&kernels).unwrap();
    let kept = status("VmRSS") - after_five;
    assert!(kept < 0.5 * matrix, "a posterior keeps {kept} bytes");
    let posterior = posterior.without_factor();
    tensor_to_vec(problem.predict(&kernels).unwrap().values).unwrap();
    let kept = status("VmRSS") - after_five;
    assert!(kept < 0.5 * matrix, "a posterior without its factor leaves the matrix to the next step: {kept} bytes");
    let points = rng.points(5, 2);
    let variance = posterior.variance(0, &operators[0], &points).unwrap();
    assert!(variance.iter().all(|v| (0.0..=1.0).contains(v)), "{variance:?}");
    assert_eq!(variance, posterior.variance(0, &operators[0], &points).unwrap());
    assert_eq!(tensor_to_vec(problem.predict(&kernels).unwrap().values).unwrap().len(), 50);
}
