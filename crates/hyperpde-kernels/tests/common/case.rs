//! Functionals at random points, prepared for the fused stage.

use hyperpde_kernels::fused::{Coefficients, FeatureData, FeatureSlots, FunctionalSet};
use hyperpde_kernels::gram::Functional;
use hyperpde_kernels::*;

use super::Rng;

/// Functionals of one field at random points with everything the fused stage asks for.
pub struct Case {
    pub form: PairForm,
    pub points: Points,
    pub functional: Functional,
    pub coefficients: Coefficients,
    pub key: FeatureSlots,
    pub flat: Vec<f64>,
}

impl Case {
    /// All functionals that the fused stage takes, at points anywhere in `[-1, 1)`.
    pub fn new<K: Kernel>(kernel: &K, dim: usize, n: usize, seed: u64) -> Self {
        let mut rng = Rng(seed);
        let points = Points::new(dim, rng.vec(n * dim)).unwrap();
        Self::at(kernel, points, 2, &mut rng)
    }

    /// Random combinations of derivatives up to `order` at given points.
    pub fn at<K: Kernel>(kernel: &K, points: Points, order: usize, rng: &mut Rng) -> Self {
        let device = Backend::available()[0].device().unwrap();
        let (dim, n) = (points.dim(), points.len());
        let mut functional = Functional::default();
        functional.add(&Operator::identity(dim), &rng.vec(n));
        for i in 0..dim {
            if order > 0 {
                functional.add(&Operator::partial(dim, i), &rng.vec(n));
            }
            if order > 1 {
                functional.add(&Operator::second(dim, i), &rng.vec(n));
            }
        }
        let space = JetSpace::covering(dim, functional.terms().iter().map(|(a, _)| a));
        let (key, vector) = PointJets::new(kernel, &points, &space, &device).unwrap().feature_vector();
        let coefficients = functional.separable(dim).unwrap();
        Self {
            form: kernel.form(dim).unwrap(),
            points,
            functional,
            coefficients,
            key,
            flat: tensor_to_vec(vector).unwrap(),
        }
    }

    pub fn data(&self) -> FeatureData {
        self.key.read(&self.flat)
    }

    pub fn set<'a>(&'a self, data: &'a FeatureData) -> FunctionalSet<'a> {
        FunctionalSet::new(self.form, &self.points, &self.coefficients, data).unwrap()
    }
}
