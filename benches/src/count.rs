//! Floating-point operations per stage, counted from the algorithm.
//!
//! A fused multiply-add counts as two operations, an addition, multiplication, division or root as one. With `n` rows, of which `i` are PDE rows and `b`
//! values, and a batch of `m`:
//!
//! ```text
//! factorisation n³/3       solve 2n²       adjoint solve 2n² + 2nm
//! pairs of K: i²/2 PDE-PDE, i b PDE-value, b²/2 value-value        pairs of V: i m PDE-PDE, b m PDE-value
//! network, forward per point and coefficient: Σ 2 in out;  backward: three times that (evaluated again, and two products)
//! ```
//!
//! Operations per pair are in `Pairs`.

use hyperpde::gp::Stage;

use crate::case::{BATCH, Case};

/// Operations per pair by kind: PDE-PDE, PDE-value, value-value.
#[derive(Clone, Copy, Debug)]
struct Pairs {
    forward: [f64; 3],
    adjoint: [f64; 3],
}

/// Counted in the machine code of the inner loops for AVX-512: lanes of arithmetic instructions, loads and conversions left out. The loop over
/// plain channels runs twice per pair for the Gaussian kernel in two dimensions and never for the Gibbs kernel.
fn pairs(case: Case) -> Pairs {
    match case {
        Case::Elliptic => Pairs { forward: [171.0, 69.0, 45.0], adjoint: [394.0, 128.0, 65.0] },
        Case::Burgers => Pairs { forward: [287.0, 106.0, 57.0], adjoint: [572.0, 188.0, 74.0] },
    }
}

/// 10⁹ floating-point operations of a stage, `None` where they do not count.
pub fn gflop(case: Case, rows: usize, stage: Stage) -> Option<f64> {
    let interior = case.sizes(rows).interior as f64;
    let (n, m) = (rows as f64, BATCH as f64);
    let b = n - interior;
    let training = [interior * interior / 2.0, interior * b, b * b / 2.0];
    let validation = [interior * m, b * m, 0.0];
    let sum = |pairs: [f64; 3], flops: [f64; 3]| pairs.iter().zip(flops).map(|(p, f)| p * f).sum::<f64>();
    let cost = pairs(case);
    let flop = match stage {
        Stage::PointJets if !case.network().is_empty() => network(case) * (n + m),
        Stage::TrainingBlock => sum(training, cost.forward),
        Stage::Factorisation => n.powi(3) / 3.0,
        Stage::Solve => 2.0 * n * n,
        Stage::ValidationBlock => sum(validation, cost.forward) + 2.0 * n * m,
        Stage::AdjointSolve => 2.0 * n * n + 2.0 * n * m,
        Stage::AdjointTraining => sum(training, cost.adjoint),
        Stage::AdjointValidation => sum(validation, cost.adjoint),
        _ => return None,
    };
    Some(1e-9 * flop)
}

/// 10⁹ floating-point operations of the backward pass through the features.
pub fn feature_backward_gflop(case: Case, rows: usize) -> Option<f64> {
    (!case.network().is_empty()).then(|| 3e-9 * network(case) * (rows + BATCH) as f64)
}

/// Operations of the network per point, forward: value, two first derivatives and one second one for Burgers.
fn network(case: Case) -> f64 {
    4.0 * case.network().windows(2).map(|io| 2.0 * (io[0] * io[1]) as f64).sum::<f64>()
}

/// The floor of a step in seconds: its operations at the measured peak of a matrix product.
pub fn floor_seconds(case: Case, rows: usize, peak_gflops: f64) -> f64 {
    let stages: f64 = Stage::ALL.iter().filter_map(|s| gflop(case, rows, *s)).sum();
    (stages + feature_backward_gflop(case, rows).unwrap_or(0.0)) / peak_gflops
}
