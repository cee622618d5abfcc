//! Every kernel through the conformance suite, on every backend that is compiled in: one line each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/zoo.rs"]
mod zoo;

use burn::module::Module;
use burn::tensor::Device;
use hyperpde_kernels::conformance::{ConformanceError, Options, Report, Tolerance, check};
use hyperpde_kernels::*;
use zoo::{Cosine, any, network, zoo};

fn conforms<K: Kernel>(dim: usize, kernel: impl Fn(&Device) -> K) {
    for backend in Backend::available().into_iter().filter(|b| b.is_host()) {
        let device = backend.device().unwrap().autodiff();
        report(&kernel(&device), dim, backend.name());
    }
}

fn report<K: Kernel>(kernel: &K, dim: usize, backend: &str) -> Report {
    let options = Options { points: 5, ..Options::default() };
    match check(kernel, dim, &options) {
        Ok(report) => {
            println!("{backend} {}: {report:?}", kernel.name());
            report
        }
        Err(e) => panic!("{backend}: {e}"),
    }
}

macro_rules! kernels {
    ($($name:ident: $dim:literal, $device:ident => $kernel:expr;)*) => {
        $(#[test]
        fn $name() {
            conforms($dim, |$device| $kernel);
        })*
    };
}

zoo!(kernels);

/// Kernels that are wrong on purpose.
#[derive(Module, Debug)]
struct Broken {
    gaussian: Gaussian,
    #[module(skip)]
    how: &'static str,
}

impl Kernel for Broken {
    fn name(&self) -> String {
        self.how.into()
    }

    fn check_dim(&self, _dim: usize) -> Result<(), KernelError> {
        Ok(())
    }

    fn features(&self, x: &Jet) -> Jet {
        let features = self.gaussian.features(x);
        match self.how {
            // The feature's derivatives are half of what they should be.
            "derivative" => Jet::constant(x.space(), features.value() * 0.5).add(&features.scale(0.5)),
            _ => features,
        }
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        let k = self.gaussian.pair(x, y);
        match self.how {
            "symmetry" => k.mul(&x.features[1].shift(3.0)),
            "positive definiteness" => k.scale(-1.0),
            "parameter gradient" => k.mul(&Jet::constant(k.space(), self.gaussian.length_scales.value().detach())),
            _ => k,
        }
    }

    fn form(&self, dim: usize) -> Option<PairForm> {
        (self.how == "fused value").then(|| PairForm::exponential(GibbsChannels::None, dim.min(1)))
    }

    fn channels(&self, dim: usize) -> usize {
        if self.how == "feature shape" { 7 } else { 1 + dim }
    }
}

#[test]
fn the_suite_finds_what_is_wrong() {
    let device = Backend::available()[0].device().unwrap().autodiff();
    for how in ["symmetry", "positive definiteness", "derivative", "parameter gradient", "feature shape"] {
        let gaussian = GaussianConfig::isotropic(0.6).init(&device).unwrap();
        match check(&Broken { gaussian, how }, 2, &Options::default()) {
            Err(ConformanceError::Violated { property, .. }) => assert_eq!(property, how),
            other => panic!("{how}: {other:?}"),
        }
    }
    let gaussian = GaussianConfig::isotropic(0.6).init(&device).unwrap();
    let wrong_form = check(&Broken { gaussian, how: "fused value" }, 2, &Options::default());
    assert!(matches!(wrong_form, Err(ConformanceError::Kernel { .. })), "{wrong_form:?}");
    let strict = Options { tolerance: Tolerance { derivatives: 1e-17, ..Tolerance::default() }, ..Options::default() };
    assert!(check(&GaussianConfig::isotropic(0.6).init(&device).unwrap(), 2, &strict).is_err());
}

#[test]
fn kernels_on_a_plain_device_are_checked_all_the_same() {
    let device = Backend::available()[0].device().unwrap();
    let report = report(&GaussianConfig::isotropic(0.6).init(&device).unwrap(), 1, "plain");
    assert!(report.gradients > 0.0 && report.fused_gradients.is_some_and(|g| g > 0.0), "{report:?}");
}

#[test]
fn paths_are_known() {
    let device = Backend::available()[0].device().unwrap().autodiff();
    let fused = |kernel: AnyKernel| report(&kernel, 2, "any").fused.is_some();
    assert!(fused(any(&device)));
    let gaussian = || -> AnyKernel { GaussianConfig::isotropic(0.7).init(&device).unwrap().into() };
    let matern = || -> AnyKernel { MaternConfig::new(MaternOrder::FiveHalves, [0.9]).init(&device).unwrap().into() };
    assert!(fused((gaussian() + matern()).into()));
    assert!(fused((gaussian() * gaussian()).into()));
    assert!(!fused((gaussian() * matern()).into()));
}
