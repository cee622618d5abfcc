//! Objectives built from what a solve gives: leave-one-out density, marginal likelihood, scaled misfits; on all paths against finite
//! differences of themselves and against each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use common::{device, problems, relative};
use hyperpde_gp::{Assembly, InnerProblem, Needs, Solve, SolveSettings};
use hyperpde_kernels::{
    GaussianConfig, GibbsConfig, Kernel, LengthScales, gradient, parameters, tensor_to_vec, with_parameters,
};

type Objective = (&'static str, Needs, fn(&Solve) -> Tensor<1>);

fn constant(values: &[f64], like: &Tensor<1>) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), (&like.device(), like.dtype()))
}

/// `−Σ_r log N(b_r; μ_{−r}, 1/d_r)` up to constants: `Σ_r −½ log d_r + ½ w_r²/d_r` (Rasmussen and Williams 2006, section 5.4.2).
fn leave_one_out(s: &Solve) -> Tensor<1> {
    let (w, d) = (s.weights.clone().unwrap(), s.inverse_diagonal.clone().unwrap());
    ((w.clone() * w) / d.clone() - d.log()).sum() * 0.5
}

/// `½ n log(bᵀ w / n) + ½ log det A`.
fn likelihood(s: &Solve) -> Tensor<1> {
    let w = s.weights.clone().unwrap();
    let n = s.rhs.len() as f64;
    let quadratic = (w.clone() * constant(&s.rhs, &w)).sum();
    (quadratic / n).log() * (0.5 * n) + s.log_det.clone().unwrap() * 0.5
}

/// `Σ_v ((p_v − rhs_v)/σ_v)² + Σ_r w_r² σ_r²` with prior deviations `σ`.
fn scaled(s: &Solve) -> Tensor<1> {
    let misfit = s.predictions.clone() - constant(&s.validation_rhs, &s.predictions);
    let by_scale = misfit / s.validation_scales.clone().unwrap();
    let weighted = s.weights.clone().unwrap() * s.scales.clone().unwrap();
    (by_scale.clone() * by_scale).sum() + (weighted.clone() * weighted).sum()
}

/// Everything at once.
fn all(s: &Solve) -> Tensor<1> {
    leave_one_out(s) + likelihood(s) + scaled(s)
}

const NONE: Needs = Needs { weights: false, log_det: false, inverse_diagonal: false, scales: false };

fn objectives() -> [Objective; 4] {
    [
        ("leave-one-out", Needs { weights: true, inverse_diagonal: true, ..NONE }, leave_one_out),
        ("likelihood", Needs { weights: true, log_det: true, ..NONE }, likelihood),
        ("scaled", Needs { weights: true, scales: true, ..NONE }, scaled),
        ("all", Needs { weights: true, log_det: true, inverse_diagonal: true, scales: true }, all),
    ]
}

fn settings(assembly: Assembly) -> SolveSettings {
    SolveSettings { assembly, ..SolveSettings::default() }
}

fn value_and_gradient<K: Kernel>(problem: &Arc<InnerProblem>, kernels: &[K], of: &Objective) -> (f64, Vec<f64>) {
    let loss = of.2(&problem.evaluate(kernels, of.1).unwrap());
    let value = tensor_to_vec(loss.clone()).unwrap()[0];
    let grads = loss.backward();
    (value, kernels.iter().flat_map(|k| gradient(k, &grads).unwrap()).collect())
}

fn check<K: Kernel>(name: &str, kernel: &K, make: impl Fn(Assembly) -> Vec<(&'static str, Arc<InnerProblem>)>) {
    let [fused, tensor, pure] = Assembly::ALL.map(make);
    for (((rows, fused), (_, tensor)), (_, pure)) in fused.into_iter().zip(tensor).zip(pure) {
        for objective in objectives() {
            let (value, g) = value_and_gradient(&fused, std::slice::from_ref(kernel), &objective);
            let (other, h) = value_and_gradient(&tensor, std::slice::from_ref(kernel), &objective);
            let (third, i) = value_and_gradient(&pure, std::slice::from_ref(kernel), &objective);
            let theta = parameters(kernel).unwrap();
            let at = |i: usize, step: f64| {
                let mut t = theta.clone();
                t[i] += step;
                let kernel = with_parameters(kernel.clone(), &t).unwrap().valid();
                tensor_to_vec(objective.2(&fused.evaluate(&[kernel], objective.1).unwrap())).unwrap()[0]
            };
            let h4 = |i, h: f64| (8.0 * (at(i, h) - at(i, -h)) - (at(i, 2.0 * h) - at(i, -2.0 * h))) / (12.0 * h);
            let differences: Vec<f64> = (0..theta.len()).map(|i| h4(i, 1e-3)).collect();
            let (paths, exact) = (relative(&g, &h).max(relative(&g, &i)), relative(&g, &differences));
            println!("{name} {rows} {}: paths {paths:.1e}, differences {exact:.1e}", objective.0);
            let apart = (value - other).abs().max((value - third).abs());
            assert!(apart < 1e-8 * value.abs().max(1.0), "{name} {rows} {}: {apart:.1e}", objective.0);
            assert!(paths < 1e-8 && exact < 1e-6, "{name} {rows} {}: {paths:.1e} {exact:.1e}", objective.0);
        }
    }
}

#[test]
fn gaussian() {
    let kernel = GaussianConfig::ard([0.4, 0.6]).init(&device().autodiff()).unwrap();
    check("gaussian", &kernel, |assembly| problems(2, 1e-3, &settings(assembly)));
}

#[test]
fn gibbs() {
    let dev = device().autodiff();
    for scales in [LengthScales::Isotropic, LengthScales::PerDimension] {
        let kernel = GibbsConfig::new(2, scales, 1.5).with_hidden([3]).init(5, &dev).unwrap();
        check("gibbs", &kernel, |assembly| problems(2, 1e-3, &settings(assembly)).split_off(1));
    }
}

/// Two sites in a row, shared latents, noise, validation rows that score the nugget's share.
#[test]
fn periodic_rows_and_noise() {
    let kernel = GibbsConfig::new(2, LengthScales::PerDimension, 1.5).with_hidden([3]).init(2, &device().autodiff());
    check("periodic", &kernel.unwrap(), |assembly| vec![("rows", common::periodic(&settings(assembly)))]);
}

#[test]
fn what_is_not_asked_for_is_absent() {
    let kernel = [GaussianConfig::isotropic(0.4).init(&device()).unwrap()];
    for assembly in Assembly::ALL {
        for (_, problem) in problems(2, 1e-3, &settings(assembly)) {
            let bare = problem.evaluate(&kernel, NONE).unwrap();
            assert!(bare.weights.is_none() && bare.log_det.is_none() && bare.inverse_diagonal.is_none());
            assert!(bare.scales.is_none() && bare.validation_scales.is_none());
            let predictions = tensor_to_vec(bare.predictions).unwrap();
            assert_eq!(predictions, tensor_to_vec(problem.predict(&kernel).unwrap().values).unwrap());
            let posterior = problem.solve(&kernel).unwrap();
            let full = problem.evaluate(&kernel, objectives()[3].1).unwrap();
            assert_eq!(
                (full.rhs.as_slice(), full.validation_rhs.as_slice()),
                (problem.rhs(), problem.validation_rhs())
            );
            let same =
                |t: Option<Tensor<1>>, v: &[f64]| assert!(relative(&tensor_to_vec(t.unwrap()).unwrap(), v) < 1e-9);
            same(full.weights, posterior.weights());
            same(full.log_det, &[posterior.factor().unwrap().log_det().unwrap()]);
            same(full.inverse_diagonal, &posterior.factor().unwrap().inverse_diagonal().unwrap());
            assert_eq!(full.scales.unwrap().dims(), [problem.rows()]);
            assert_eq!(full.validation_scales.unwrap().dims(), [problem.validation_rhs().len()]);
        }
    }
}
