//! A kernel of every kind, in one to three dimensions: what the conformance suite runs over.
#![allow(clippy::unwrap_used)]

use burn::module::Module;
use burn::tensor::Device;
use hyperpde_kernels::*;

/// Calls a macro with all kernels, each as `name: dimension, device => kernel;`.
macro_rules! zoo {
    ($each:ident) => {
        $each! {
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
            constant_2: 2, d => ConstantConfig::new(1.7).init(d).unwrap();
            constant_plus_gaussian: 2, d => ConstantConfig::new(0.6).init(d).unwrap() + GaussianConfig::isotropic(0.7).init(d).unwrap();
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
    };
}
pub(crate) use zoo;

pub fn network(inputs: usize, outputs: usize, activation: Activation, device: &Device) -> Network {
    NetworkConfig::new(inputs, [6, 5], outputs).with_activation(activation).init(3, device).unwrap()
}

/// A composition chosen at run time.
pub fn any(device: &Device) -> AnyKernel {
    let gaussian = GaussianConfig::ard([0.9, 0.7]).with_convention(Convention::Unit);
    let gibbs = GibbsConfig::new(2, LengthScales::PerDimension, 0.8).with_hidden([4]);
    let product = ProductConfig::new([gaussian.into(), gibbs.into()]);
    let network = NetworkConfig::new(2, [4], 2).with_activation(Activation::Gelu);
    let deep = DeepConfig::new(network, RationalQuadraticConfig::new(1.2, [0.8]));
    let config = KernelConfig::from(SumConfig::new([
        ScaledConfig::new(1.4, product).with_transform(Transform::Softplus).into(),
        MaternConfig::new(MaternOrder::SevenHalves, [0.8]).into(),
        deep.into(),
    ]));
    config.init(7, device).unwrap()
}

/// A kernel from outside the crate, `cos(ω (x_1 − y_1))`, without a fused form.
#[derive(Module, Debug)]
pub struct Cosine {
    pub frequency: Positive,
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
