//! Inner solves with the pairs, and the factorisation, on a GPU against the host: predictions and gradients.
#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::{device, loss_and_gradient, problems, relative};
use hyperpde_gp::{GpError, SolveSettings};
use hyperpde_kernels::{
    AnyKernel, Backend, GaussianConfig, GibbsConfig, LengthScales, MaternConfig, MaternOrder, Precision, is_software,
};
use hyperpde_linalg::{DenseCholesky, FactorOn, JitterPolicy};

/// Settings with pairs on the first wgpu device; `None`, with a printed reason, if it is not able.
fn settings(precision: Precision, factor: FactorOn) -> Option<SolveSettings> {
    match Backend::Wgpu.devices().unwrap().into_iter().next() {
        Some(gpu) if Backend::Wgpu.open(0, precision).is_ok() => {
            let solver = Arc::new(DenseCholesky::new().with_place(factor));
            Some(SolveSettings { pairs: Some(gpu), precision, solver, ..SolveSettings::default() })
        }
        found => {
            let why = if found.is_some() {
                "the wgpu device does not compute in it"
            } else {
                "no wgpu device (install mesa-vulkan-drivers)"
            };
            println!("skipped {precision}: {why}");
            assert!(std::env::var_os("HYPERPDE_REQUIRE_GPU").is_none() || found.is_some(), "{why}");
            None
        }
    }
}

fn kernels() -> Vec<AnyKernel> {
    let d = &device().autodiff();
    let gibbs = |kind| -> AnyKernel { GibbsConfig::new(2, kind, 1.5).with_hidden([5]).init(3, d).unwrap().into() };
    let gaussian = || -> AnyKernel { GaussianConfig::ard([0.4, 0.5]).init(d).unwrap().into() };
    vec![gaussian(), gibbs(LengthScales::Isotropic), (gaussian() + gibbs(LengthScales::PerDimension)).into()]
}

/// Largest relative errors of predictions and gradients at a nugget.
fn errors(nugget: f64, precision: Precision, factor: FactorOn, kernels: &[AnyKernel]) -> Option<(f64, f64)> {
    let settings = settings(precision, factor)?;
    let mut worst = (0.0_f64, 0.0_f64);
    for kernel in kernels {
        let host = problems(2, nugget, &SolveSettings::default());
        for ((name, gpu), (_, host)) in problems(2, nugget, &settings).into_iter().zip(host) {
            let (p, g) = loss_and_gradient(&gpu, std::slice::from_ref(kernel));
            let (q, h) = loss_and_gradient(&host, std::slice::from_ref(kernel));
            let found = (relative(&p, &q), relative(&g, &h));
            println!(
                "{precision} {factor:?} {name} nugget {nugget:.0e}: values {:.1e}, gradients {:.1e}",
                found.0, found.1
            );
            worst = (worst.0.max(found.0), worst.1.max(found.1));
        }
    }
    Some(worst)
}

#[test]
fn float64_on_the_device() {
    for factor in [FactorOn::Host, FactorOn::Device] {
        if let Some((values, gradients)) = errors(1e-6, Precision::F64, factor, &kernels()) {
            assert!(values < 1e-8 && gradients < 1e-7, "{factor:?}: {values:.1e} {gradients:.1e}");
        }
    }
}

#[test]
fn mixed() {
    // A software device compiles the kernel of a network for minutes: the tests of the pair stage have it.
    let found = Backend::Wgpu.devices().unwrap();
    let count = if found.first().is_some_and(is_software) { 1 } else { kernels().len() };
    if let Some((values, gradients)) = errors(1e-6, Precision::Mixed, FactorOn::Auto, &kernels()[..count]) {
        assert!(values < 1e-7 && gradients < 1e-6, "{values:.1e} {gradients:.1e}");
    }
}

#[test]
fn float32() {
    for factor in [FactorOn::Host, FactorOn::Device] {
        if let Some((values, gradients)) = errors(1e-2, Precision::F32, factor, &kernels()) {
            assert!(values < 1e-3 && gradients < 1e-2, "{factor:?}: {values:.1e} {gradients:.1e}");
        }
    }
}

/// What the GPU has no code for stays on the host, to the last bit.
#[test]
fn other_kernels_stay_on_the_host() {
    let matern: AnyKernel =
        MaternConfig::new(MaternOrder::NineHalves, [0.5]).init(&device().autodiff()).unwrap().into();
    if let Some(worst) = errors(1e-6, Precision::Mixed, FactorOn::Auto, &[matern]) {
        assert_eq!(worst, (0.0, 0.0));
    }
}

/// A matrix that is not positive definite is the same typed failure on the device.
#[test]
fn failures_are_typed() {
    let Some(mut settings) = settings(Precision::F64, FactorOn::Device) else { return };
    settings.solver = Arc::new(DenseCholesky::new().with_place(FactorOn::Device).with_jitter(JitterPolicy::none()));
    // Without a nugget, close rows of a smooth kernel are dependent to float64.
    let kernel = [GaussianConfig::ard([40.0, 40.0]).init(&device()).unwrap()];
    for (name, problem) in problems(2, 0.0, &settings) {
        match problem.predict(&kernel) {
            Err(GpError::Factorisation { rows, source }) => println!("{name}, {rows} rows: {source}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}
