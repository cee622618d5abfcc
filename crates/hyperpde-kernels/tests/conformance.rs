//! Every kernel through the conformance suite, on every backend that is compiled in: one line each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::module::Module;
use burn::tensor::Device;
use hyperpde_kernels::conformance::{ConformanceError, Options, Report, Tolerance, check};
use hyperpde_kernels::*;

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

fn network(inputs: usize, outputs: usize, activation: Activation, device: &Device) -> Network {
    NetworkConfig::new(inputs, [6, 5], outputs).with_activation(activation).init(3, device).unwrap()
}

macro_rules! kernels {
    ($($name:ident: $dim:literal, $device:ident => $kernel:expr;)*) => {
        $(#[test]
        fn $name() {
            conforms($dim, |$device| $kernel);
        })*
    };
}

kernels! {
    gaussian_1: 1, d => GaussianConfig::isotropic(0.6).init(d).unwrap();
    gaussian_2: 2, d => GaussianConfig::isotropic(0.7).with_transform(Transform::Softplus).init(d).unwrap();
    gaussian_ard_2: 2, d => GaussianConfig::ard([0.5, 0.8]).with_transform(Transform::Raw).init(d).unwrap();
    gaussian_ard_3: 3, d => GaussianConfig::ard([0.5, 0.8, 1.2]).init(d).unwrap();
    gaussian_unit: 2, d => GaussianConfig::ard([0.7, 0.9]).with_convention(Convention::Unit).init(d).unwrap();
    periodic_1: 1, d => PeriodicConfig::new([Some(1.7)], [0.9]).init(d).unwrap();
    periodic_schroedinger: 2, d => PeriodicConfig::new([None, Some(2.0)], [0.8, 1.1]).with_convention(Convention::Unit).init(d).unwrap();
    periodic_shared: 2, d => PeriodicConfig::new([Some(3.0), None], [0.9]).init(d).unwrap();
    matern_52_1: 1, d => MaternConfig::new(MaternOrder::FiveHalves, [0.8]).init(d).unwrap();
    matern_52_2: 2, d => MaternConfig::new(MaternOrder::FiveHalves, [0.8]).init(d).unwrap();
    matern_72_2: 2, d => MaternConfig::new(MaternOrder::SevenHalves, [0.8, 1.1]).init(d).unwrap();
    matern_92_2: 2, d => MaternConfig::new(MaternOrder::NineHalves, [0.8, 1.1]).init(d).unwrap();
    matern_52_3: 3, d => MaternConfig::new(MaternOrder::FiveHalves, [1.2]).init(d).unwrap();
    rational_quadratic_1: 1, d => RationalQuadraticConfig::new(1.3, [0.7]).init(d).unwrap();
    rational_quadratic_2: 2, d => RationalQuadraticConfig::new(0.6, [0.7, 0.9]).init(d).unwrap();
    rational_quadratic_3: 3, d => RationalQuadraticConfig::new(2.5, [0.9]).init(d).unwrap();
    polynomial_1: 1, d => PolynomialConfig::new(0.7, 0.4, 3).init(d).unwrap();
    polynomial_2: 2, d => PolynomialConfig::new(0.7, 0.4, 2).init(d).unwrap();
    polynomial_linear: 2, d => PolynomialConfig::new(0.7, 0.4, 1).init(d).unwrap();
    polynomial_6: 3, d => PolynomialConfig::new(0.3, 0.4, 6).init(d).unwrap();
    gibbs_isotropic_1: 1, d => GibbsConfig::new(1, LengthScales::Isotropic, 1.2).with_hidden([6, 5]).init(5, d).unwrap();
    gibbs_isotropic_2: 2, d => GibbsConfig::new(2, LengthScales::Isotropic, 1.2).with_hidden([6, 5]).init(5, d).unwrap();
    gibbs_isotropic_3: 3, d => GibbsConfig::new(3, LengthScales::Isotropic, 1.2).with_hidden([5]).init(5, d).unwrap();
    gibbs_per_dimension_2: 2, d => GibbsConfig::new(2, LengthScales::PerDimension, 1.2).with_hidden([6, 5]).init(5, d).unwrap();
    gibbs_per_dimension_3: 3, d => GibbsConfig::new(3, LengthScales::PerDimension, 1.2).with_hidden([5]).init(5, d).unwrap();
    scaled_gaussian: 2, d => Scaled::new(GaussianConfig::isotropic(0.7).init(d).unwrap(), 2.3, Transform::Log, d).unwrap();
    scaled_matern: 2, d => Scaled::new(MaternConfig::new(MaternOrder::SevenHalves, [0.7]).init(d).unwrap(), 0.3, Transform::Log, d).unwrap();
    scaled_gibbs: 2, d => Scaled::new(GibbsConfig::new(2, LengthScales::PerDimension, 1.2).with_hidden([5]).init(5, d).unwrap(), 1.4, Transform::Log, d).unwrap();
    scaled_rational_quadratic: 2, d => Scaled::new(RationalQuadraticConfig::new(1.3, [0.7]).init(d).unwrap(), 1.8, Transform::Log, d).unwrap();
    additive: 2, d => Scaled::new(GaussianConfig::isotropic(0.7).init(d).unwrap(), 1.7, Transform::Log, d).unwrap() + PolynomialConfig::new(0.5, 0.3, 2).init(d).unwrap();
    sum_of_three: 2, d => GaussianConfig::isotropic(0.7).init(d).unwrap() + MaternConfig::new(MaternOrder::SevenHalves, [0.9]).init(d).unwrap() + GibbsConfig::new(2, LengthScales::Isotropic, 1.2).with_hidden([5]).init(5, d).unwrap();
    scaled_sum: 1, d => Scaled::new(GaussianConfig::isotropic(0.7).init(d).unwrap() + RationalQuadraticConfig::new(1.3, [0.7]).init(d).unwrap(), 0.6, Transform::Log, d).unwrap();
    sum_without_form: 2, d => GaussianConfig::isotropic(0.7).init(d).unwrap() + MaternConfig::new(MaternOrder::SevenHalves, [0.9]).init(d).unwrap() * PolynomialConfig::new(0.5, 0.3, 2).init(d).unwrap();
    product_of_gaussians: 2, d => GaussianConfig::isotropic(0.9).init(d).unwrap() * PeriodicConfig::new([None, Some(2.0)], [1.2, 1.1]).init(d).unwrap();
    product_with_gibbs: 2, d => GaussianConfig::isotropic(1.1).init(d).unwrap() * GibbsConfig::new(2, LengthScales::PerDimension, 0.8).with_hidden([5]).init(5, d).unwrap();
    gibbs_times_scaled: 3, d => GibbsConfig::new(3, LengthScales::Isotropic, 0.8).with_hidden([5]).init(5, d).unwrap() * Scaled::new(GaussianConfig::ard([1.1, 1.2, 1.3]).init(d).unwrap(), 1.5, Transform::Log, d).unwrap();
    product_of_gibbs: 2, d => GibbsConfig::new(2, LengthScales::Isotropic, 0.8).with_hidden([4]).init(5, d).unwrap() * GibbsConfig::new(2, LengthScales::PerDimension, 0.8).with_hidden([4]).init(6, d).unwrap();
    product_of_maternes: 1, d => MaternConfig::new(MaternOrder::FiveHalves, [0.9]).init(d).unwrap() * MaternConfig::new(MaternOrder::SevenHalves, [0.9]).init(d).unwrap();
    deep_gaussian: 2, d => Deep::new(network(2, 3, Activation::Tanh, d), GaussianConfig::isotropic(0.8).init(d).unwrap()).unwrap();
    deep_gaussian_gelu: 2, d => Deep::new(network(2, 2, Activation::Gelu, d), GaussianConfig::ard([0.8, 0.6]).init(d).unwrap()).unwrap();
    deep_softplus_3: 3, d => Deep::new(network(3, 2, Activation::Softplus, d), RationalQuadraticConfig::new(1.3, [0.7]).init(d).unwrap()).unwrap();
    deep_sine_matern: 2, d => Deep::new(network(2, 3, Activation::Sine, d), MaternConfig::new(MaternOrder::SevenHalves, [0.9]).init(d).unwrap()).unwrap();
    deep_gibbs: 2, d => Deep::new(network(2, 2, Activation::Tanh, d), GibbsConfig::new(2, LengthScales::PerDimension, 0.8).with_hidden([4]).init(6, d).unwrap()).unwrap();
    deep_product: 2, d => Deep::new(network(2, 2, Activation::Tanh, d), GaussianConfig::isotropic(0.9).init(d).unwrap() * PeriodicConfig::new([None, Some(2.0)], [1.2, 1.1]).init(d).unwrap()).unwrap();
    deep_sum_without_form: 2, d => Deep::new(network(2, 2, Activation::Tanh, d), GaussianConfig::isotropic(0.9).init(d).unwrap() * PolynomialConfig::new(0.5, 0.3, 2).init(d).unwrap()).unwrap();
    any_nested: 2, d => any(d);
    outside: 2, d => Cosine { frequency: Positive::new("frequency", &[1.3], Transform::Log, d).unwrap() };
}

/// A composition chosen at run time.
fn any(device: &Device) -> AnyKernel {
    let gaussian = GaussianConfig::ard([0.9, 0.7]).with_convention(Convention::Unit);
    let gibbs = GibbsConfig::new(2, LengthScales::PerDimension, 0.8).with_hidden([4]);
    let product = KernelConfig::Product { factors: vec![KernelConfig::Gaussian(gaussian), KernelConfig::Gibbs(gibbs)] };
    let deep = KernelConfig::Deep {
        network: NetworkConfig::new(2, [4], 2).with_activation(Activation::Gelu),
        base: Box::new(KernelConfig::RationalQuadratic(RationalQuadraticConfig::new(1.2, [0.8]))),
    };
    let config = KernelConfig::Sum {
        terms: vec![
            KernelConfig::Scaled { amplitude: 1.4, transform: Transform::Softplus, kernel: Box::new(product) },
            KernelConfig::Matern(MaternConfig::new(MaternOrder::SevenHalves, [0.8])),
            deep,
        ],
    };
    config.init(7, device).unwrap()
}

/// A kernel from outside the crate, `cos(ω (x_1 − y_1))`, without a fused form.
#[derive(Module, Debug)]
struct Cosine {
    frequency: Positive,
}

impl Kernel for Cosine {
    fn name(&self) -> String {
        "cosine".into()
    }

    fn check_dim(&self, _dim: usize) -> Result<(), KernelError> {
        Ok(())
    }

    fn features(&self, x: &Jet) -> Jet {
        let (sin, cos) = x.channel(0).scale_by(self.frequency.value()).sin_cos();
        Jet::concat_channels(&[sin, cos])
    }

    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet {
        x.features[0].mul(&y.features[0]).add(&x.features[1].mul(&y.features[1]))
    }
}

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
