//! How each experiment's file maps to a problem, kernels and rows. A new experiment is one more arm.

use burn::tensor::Device;
use hyperpde::burn;
use hyperpde::gp::RowBlock;
use hyperpde::kernels::{Activation, Gibbs, GibbsConfig, LengthScales, Network, Operator};
use hyperpde::pde::{Problem, Unknown, problems};

use crate::file::Golden;

pub struct Experiment {
    pub problem: Problem,
    /// Names of the unknowns stacked in `in.zk` (at the samples) and `in.zk_val` (rows, at the validation points).
    pub at_samples: Vec<Unknown>,
    pub at_validation: Vec<Unknown>,
    pub boundary: Vec<RowBlock>,
    pub kernel: KernelSpec,
    /// Fields in the columns of `out.u_test`.
    pub tested: Vec<usize>,
}

/// What builds the kernels from hyperparameter arrays under a prefix.
pub enum KernelSpec {
    Gibbs { config: GibbsConfig },
}

impl KernelSpec {
    pub fn build(&self, golden: &Golden, prefix: &str, device: &Device) -> Vec<Gibbs> {
        let Self::Gibbs { config } = self;
        let layers: Vec<(Vec<f64>, Vec<f64>)> = (0..)
            .map(|k| (format!("{prefix}denses_{k}.kernel"), format!("{prefix}denses_{k}.bias")))
            .take_while(|(kernel, _)| golden.has(kernel))
            .map(|(kernel, bias)| (golden.array(&kernel).to_vec(), golden.array(&bias).to_vec()))
            .collect();
        let network = Network::from_weights(2, &layers, Activation::Tanh, device).unwrap();
        vec![config.with_network(network).unwrap()]
    }
}

/// The experiment of a file, `None` if it is not built yet.
pub fn experiment(golden: &Golden) -> Option<Experiment> {
    let d = 2;
    let (value, lap) = (|f| Unknown::value(f, d), |f| Unknown::laplacian(f, d));
    let (partial, second) = (|f, i| Unknown::partial(f, d, i), |f, i| Unknown::second(f, d, i));
    let gibbs = |scales| {
        let divisor = golden.number("/length_scale_output_divisor");
        KernelSpec::Gibbs { config: GibbsConfig::new(d, scales, divisor) }
    };
    let dirichlet = || {
        let points = golden.points("in.X_bdr");
        vec![
            RowBlock::simple("boundary", 0, Operator::identity(d), points, golden.array("in.g_bdr").to_vec(), 0.0)
                .unwrap(),
        ]
    };
    match golden.text("experiment") {
        "burgers" => Some(Experiment {
            problem: problems::Burgers::new(golden.number("/pde_constants/nu")).unwrap().problem().unwrap(),
            at_samples: vec![partial(0, 0), partial(0, 1), value(0)],
            at_validation: vec![partial(0, 0), partial(0, 1), second(0, 1), value(0)],
            boundary: dirichlet(),
            kernel: gibbs(LengthScales::PerDimension),
            tested: vec![0],
        }),
        "eikonal" => Some(Experiment {
            problem: problems::Eikonal::new(golden.number("/pde_constants/eps")).unwrap().problem().unwrap(),
            at_samples: vec![partial(0, 0), partial(0, 1)],
            at_validation: vec![partial(0, 0), partial(0, 1), lap(0), value(0)],
            boundary: dirichlet(),
            kernel: gibbs(LengthScales::Isotropic),
            tested: vec![0],
        }),
        _ => None,
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
