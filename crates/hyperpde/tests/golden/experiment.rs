//! How each experiment's file maps to a problem, kernels and rows. A new experiment is one more arm.

use hyperpde::burn::tensor::Device;
use hyperpde::gp::RowBlock;
use hyperpde::kernels::{
    Activation, AnyKernel, Convention, GaussianConfig, GibbsConfig, LengthScales, Network, Operator, PeriodicConfig,
    Points, PolynomialConfig, Scaled, Sum, Transform,
};
use hyperpde::pde::{Problem, Unknown};
use hyperpde::problems;

use crate::file::Golden;

pub struct Experiment {
    pub problem: Problem,
    /// Unknowns stacked in `in.zk` (at the samples) and `in.zk_val` (rows, at the validation points).
    pub at_samples: Vec<Unknown>,
    pub at_validation: Vec<Unknown>,
    /// All rows but those of the equations.
    pub conditions: Vec<RowBlock>,
    /// Further rows that the loss scores, with their weight, and points on which it scores the equations besides the batch.
    pub scored: Option<(RowBlock, f64)>,
    pub kernel: KernelSpec,
    /// Fields in the columns of `out.u_test`.
    pub tested: Vec<usize>,
}

/// What builds the kernels from the flat hyperparameters, all stored raw as published.
pub enum KernelSpec {
    Gibbs(GibbsConfig),
    Gaussian,
    Additive,
    TimeSpace,
    Periodic(f64),
}

impl KernelSpec {
    pub fn build(&self, golden: &Golden, prefix: &str, device: &Device) -> Vec<AnyKernel> {
        let flat = golden.flat(prefix);
        let pairs = || flat.chunks_exact(2);
        match self {
            Self::Gibbs(config) => {
                let layers: Vec<(Vec<f64>, Vec<f64>)> = (0..)
                    .map(|k| (format!("{prefix}denses_{k}.kernel"), format!("{prefix}denses_{k}.bias")))
                    .take_while(|(kernel, _)| golden.has(kernel))
                    .map(|(kernel, bias)| (golden.array(&kernel).to_vec(), golden.array(&bias).to_vec()))
                    .collect();
                let network = Network::from_weights(2, &layers, Activation::Tanh, device).unwrap();
                vec![config.with_network(network).unwrap().into()]
            }
            Self::Gaussian => flat
                .iter()
                .map(|l| GaussianConfig::isotropic(*l).with_transform(Transform::Raw).init(device).unwrap().into())
                .collect(),
            Self::Additive => {
                // sigma² exp(−|x − y|²/(2 l²)) + (alpha x·y + c)²
                let gaussian = GaussianConfig::isotropic(flat[1]).with_transform(Transform::Raw).init(device).unwrap();
                let scaled =
                    Scaled::new(AnyKernel::from(gaussian), flat[0] * flat[0], Transform::Square, device).unwrap();
                let polynomial =
                    PolynomialConfig::new(flat[2], flat[3], 2).with_transform(Transform::Raw).init(device).unwrap();
                vec![Sum::new(AnyKernel::from(scaled), AnyKernel::from(polynomial)).into()]
            }
            Self::TimeSpace => pairs()
                .map(|l| {
                    let config = GaussianConfig::ard(l).with_convention(Convention::Unit);
                    config.with_transform(Transform::Raw).init(device).unwrap().into()
                })
                .collect(),
            Self::Periodic(period) => pairs()
                .map(|l| {
                    let config = PeriodicConfig::new([None, Some(*period)], l).with_convention(Convention::Unit);
                    config.with_transform(Transform::Raw).init(device).unwrap().into()
                })
                .collect(),
        }
    }
}

fn rows(golden: &Golden, name: &str, field: usize, operator: Operator, points: &str, values: &str) -> RowBlock {
    RowBlock::simple(name, field, operator, golden.points(points), golden.array(values).to_vec(), 0.0).unwrap()
}

/// The experiment of a file, `None` if it is not built yet.
pub fn experiment(golden: &Golden) -> Option<Experiment> {
    let d = 2;
    let (value, lap) = (|f| Unknown::value(f, d), |f| Unknown::laplacian(f, d));
    let (partial, second) = (|f, i| Unknown::partial(f, d, i), |f, i| Unknown::second(f, d, i));
    let id = || Operator::identity(d);
    let gibbs = |scales| KernelSpec::Gibbs(GibbsConfig::new(d, scales, golden.number("/length_scale_output_divisor")));
    let dirichlet = || vec![rows(golden, "boundary", 0, id(), "in.X_bdr", "in.g_bdr")];
    let elliptic = |kernel| Experiment {
        problem: problems::Elliptic::default().problem().unwrap(),
        at_samples: vec![value(0)],
        at_validation: vec![lap(0), value(0)],
        conditions: dirichlet(),
        scored: None,
        kernel,
        tested: vec![0],
    };
    // Two fields in time and space: u_t, u_xx, u and the same of v.
    let two_fields = |problem, conditions, kernel| Experiment {
        problem,
        at_samples: vec![partial(0, 0), value(0), partial(1, 0), value(1)],
        at_validation: vec![partial(0, 0), second(0, 1), value(0), partial(1, 0), second(1, 1), value(1)],
        conditions,
        scored: None,
        kernel,
        tested: vec![0, 1],
    };
    let initial =
        || vec![rows(golden, "u0", 0, id(), "in.X_init", "in.u0"), rows(golden, "v0", 1, id(), "in.X_init", "in.v0")];
    match golden.text("experiment") {
        "burgers" => Some(Experiment {
            problem: problems::Burgers::new(golden.number("/pde_constants/nu")).unwrap().problem().unwrap(),
            at_samples: vec![partial(0, 0), partial(0, 1), value(0)],
            at_validation: vec![partial(0, 0), partial(0, 1), second(0, 1), value(0)],
            conditions: dirichlet(),
            scored: None,
            kernel: gibbs(LengthScales::PerDimension),
            tested: vec![0],
        }),
        "eikonal" => Some(Experiment {
            problem: problems::Eikonal::new(golden.number("/pde_constants/eps")).unwrap().problem().unwrap(),
            at_samples: vec![partial(0, 0), partial(0, 1)],
            at_validation: vec![partial(0, 0), partial(0, 1), lap(0), value(0)],
            conditions: dirichlet(),
            scored: None,
            kernel: gibbs(LengthScales::Isotropic),
            tested: vec![0],
        }),
        "elliptic" => Some(elliptic(KernelSpec::Gaussian)),
        "elliptic_additive" => Some(elliptic(KernelSpec::Additive)),
        "grayscott" => {
            let mut conditions = initial();
            let slope = || Operator::partial(d, 1);
            conditions.push(rows(golden, "u_x", 0, slope(), "in.X_neu", "in.dub"));
            conditions.push(rows(golden, "v_x", 1, slope(), "in.X_neu", "in.dvb"));
            Some(two_fields(problems::GrayScott::default().problem().unwrap(), conditions, KernelSpec::TimeSpace))
        }
        "schrodinger" => {
            let kernel = KernelSpec::Periodic(golden.number("/pde_constants/period"));
            Some(two_fields(problems::Schrodinger.problem().unwrap(), initial(), kernel))
        }
        "darcy" => {
            let sigma = golden.number("/pde_constants/noise_level");
            let data = golden.array("in.data_u");
            let points: Vec<usize> = (0..data.len()).collect();
            let points = golden.points("in.X_int").select(&points).unwrap();
            let seen = |noise| RowBlock::simple("data", 0, id(), points.clone(), data.to_vec(), noise).unwrap();
            Some(Experiment {
                problem: problems::Darcy::default().problem().unwrap(),
                at_samples: vec![partial(1, 0), partial(1, 1), value(1), partial(0, 0), partial(0, 1), value(0)],
                at_validation: vec![
                    partial(1, 0),
                    partial(1, 1),
                    value(1),
                    partial(0, 0),
                    partial(0, 1),
                    lap(0),
                    value(0),
                ],
                conditions: [dirichlet(), vec![seen(sigma * sigma)]].concat(),
                scored: Some((seen(0.0).regularised(), 1.0 / (sigma * sigma))),
                kernel: KernelSpec::Gaussian,
                tested: vec![0, 1],
            })
        }
        _ => None,
    }
}

impl Experiment {
    /// The pool and the batches of a trajectory file. Darcy scores the equations on its data points too: they lead the pool and every batch.
    pub fn batches(&self, golden: &Golden) -> (Points, Vec<Vec<usize>>) {
        let drawn = (0..2).map(|k| golden.slice("in.batch_index", k).iter().map(|&i| i as usize).collect::<Vec<_>>());
        let pool = golden.points("in.X_val_pool");
        match &self.scored {
            None => (pool, drawn.collect()),
            Some((data, _)) => {
                let n = data.len();
                let batches = drawn.map(|b| (0..n).chain(b.into_iter().map(|i| n + i)).collect()).collect();
                (Points::concat(&[&data.sites()[0], &pool]).unwrap(), batches)
            }
        }
    }
}

/// Stacked arrays `[unknowns x n]` sorted into the order of the residual's unknowns; those not stored are zero (the residual is linear in them).
pub fn unstack(stacked: &[f64], order: &[Unknown], unknowns: &[Unknown]) -> Vec<Vec<f64>> {
    let n = stacked.len() / order.len();
    unknowns
        .iter()
        .map(|u| order.iter().position(|o| o == u).map_or(vec![0.0; n], |k| stacked[k * n..(k + 1) * n].to_vec()))
        .collect()
}
