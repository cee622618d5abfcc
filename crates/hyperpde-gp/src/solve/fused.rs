//! The whole inner problem as one differentiable operation on point features.
//!
//! Forward: the solver factors `A = K + N`, `w = A⁻¹ b`, `p = V w`, and what else is wanted, `l = log det A`, `d = diag A⁻¹` and the prior
//! deviations `s_r = √(ℓ_r ℓ_r k)`. Backward for cotangents of all of them: `λ = A⁻¹ (Vᵀ p̄ + w̄)` from the same factor, and then
//!
//! ```text
//! dL = p̄ᵀ dV w + ⟨Ā, dA⟩ + Σ_r s̄_r/(2 s_r) d(ℓ_r ℓ_r k),    Ā = −λ wᵀ + l̄ A⁻¹ − A⁻¹ diag(d̄) A⁻¹
//! ```
//!
//! If only predictions and weights are wanted the cotangents of `V` and `A` have rank one and two: they stay vectors, no n x n adjoint exists.

use std::sync::Arc;

use burn::tensor::Tensor;
use hyperpde_linalg::host_op::{HostOp, host_op};
use hyperpde_linalg::{Cotangent, Factor, RowSystem, solve_cotangent};

use crate::error::GpError;
use crate::solve::{Needs, Solve};
use crate::stages::Stage;
use crate::system::{FusedSystem, Plan, factor, weights};

/// The operation: features of all fields in; predictions, then weights, log-determinant, diagonal of the inverse and scales as far as wanted, out.
#[derive(Debug)]
struct FusedSolve {
    plan: Arc<Plan>,
    needs: Needs,
}

/// What the forward pass leaves for the backward pass.
#[derive(Debug)]
struct Solved {
    system: Arc<FusedSystem>,
    factor: Box<dyn Factor>,
    weights: Vec<f64>,
    /// `V`, column-major `[m, n]`.
    cross: Vec<f64>,
    /// Prior deviations of training and validation rows, if wanted.
    scales: [Vec<f64>; 2],
}

/// Cuts the next `len` values off.
fn cut<'a>(rest: &mut &'a [f64], len: usize) -> &'a [f64] {
    let (head, tail) = rest.split_at(len.min(rest.len()));
    *rest = tail;
    head
}

pub(crate) fn evaluate(plan: Arc<Plan>, features: Tensor<1>, needs: Needs) -> Result<Solve, GpError> {
    let setup = plan.setup.clone();
    let (flat, solved) = host_op(FusedSolve { plan, needs }, features)?;
    let (n, m) = (setup.rows(), setup.scored());
    let mut at = 0;
    let mut part = |wanted: bool, len: usize| {
        let range = at..at + len;
        wanted.then(|| {
            at = range.end;
            flat.clone().slice(range)
        })
    };
    Ok(Solve {
        predictions: part(true, m).unwrap_or_else(|| flat.clone()),
        weights: part(needs.weights, n),
        log_det: part(needs.log_det, 1),
        inverse_diagonal: part(needs.inverse_diagonal, n),
        scales: part(needs.scales, n),
        validation_scales: part(needs.scales, m),
        rhs: setup.rhs.clone(),
        validation_rhs: setup.validation_rhs.clone(),
        statistics: solved.factor.statistics(),
    })
}

impl HostOp<1> for FusedSolve {
    type State = Solved;
    type Error = GpError;

    fn name(&self) -> &'static str {
        "the inner solve"
    }

    fn forward(&self, [flat]: [Vec<f64>; 1]) -> Result<(Vec<f64>, Solved), GpError> {
        let system = Arc::new(FusedSystem::new(self.plan.clone(), &flat)?);
        let (setup, m) = (&self.plan.setup, self.plan.setup.scored());
        let rows: Arc<dyn RowSystem> = system.clone();
        let factor = factor(setup, &rows)?;
        let weights = weights(setup, factor.as_ref(), &setup.rhs)?;
        let mut out = vec![0.0; m];
        let cross = setup.timed(Stage::ValidationBlock, || {
            let cross = system.cross()?;
            for (column, w) in cross.chunks_exact(m.max(1)).zip(&weights) {
                out.iter_mut().zip(column).for_each(|(p, v)| *p += v * w);
            }
            Ok::<_, GpError>(cross)
        })?;
        if self.needs.weights {
            out.extend_from_slice(&weights);
        }
        if self.needs.log_det {
            out.push(factor.log_det().map_err(|e| setup.factorisation(e))?);
        }
        if self.needs.inverse_diagonal {
            out.extend(factor.inverse_diagonal().map_err(|e| setup.factorisation(e))?);
        }
        let mut scales = [Vec::new(), Vec::new()];
        if self.needs.scales {
            let of = [(&setup.training, setup.rows()), (&setup.validation, m)];
            for (scales, (sets, len)) in scales.iter_mut().zip(of) {
                // Rounding may leave a tiny negative number where a row is zero.
                *scales = system.variances(sets, len)?.into_iter().map(|v| v.max(0.0).sqrt()).collect();
                out.extend_from_slice(scales);
            }
        }
        Ok((out, Solved { system, factor, weights, cross, scales }))
    }

    fn backward(&self, solved: &Solved, cotangent: Vec<f64>, _: [bool; 1]) -> Result<[Vec<f64>; 1], GpError> {
        let (setup, system) = (&self.plan.setup, &solved.system);
        let (n, m) = (setup.rows(), setup.scored());
        let mut rest = cotangent.as_slice();
        let mut part = |wanted: bool, len: usize| if wanted { cut(&mut rest, len) } else { &[] };
        let by_predictions = part(true, m);
        let by_weights = part(self.needs.weights, n);
        let by_log_det = part(self.needs.log_det, 1).first().copied().unwrap_or(0.0);
        let by_diagonal = part(self.needs.inverse_diagonal, n);
        let by_scales = [part(self.needs.scales, n), part(self.needs.scales, m)];

        let lambda = setup.timed(Stage::AdjointSolve, || {
            let columns = solved.cross.chunks_exact(m.max(1));
            let mut lambda: Vec<f64> =
                columns.map(|column| column.iter().zip(by_predictions).map(|(v, g)| v * g).sum()).collect();
            lambda.resize(n, 0.0);
            lambda.iter_mut().zip(by_weights).for_each(|(l, g)| *l += g);
            solved.factor.solve(&mut lambda, 1).map(|()| lambda)
        });
        let lambda = lambda.map_err(|e| setup.factorisation(e))?;
        let mut out = system.zeros();
        if by_log_det == 0.0 && by_diagonal.iter().all(|d| *d == 0.0) {
            let minus: Vec<f64> = lambda.iter().map(|l| -l).collect();
            system.add_training(Cotangent::Columns { u: &minus, v: &solved.weights }, &mut out)?;
        } else {
            let dense = setup.timed(Stage::AdjointSolve, || {
                solve_cotangent(solved.factor.as_ref(), &lambda, &solved.weights, by_log_det, by_diagonal)
            });
            let dense = dense.map_err(|e| setup.factorisation(e))?;
            system.add_training(Cotangent::Dense(&dense), &mut out)?;
        }
        system.add_cross(by_predictions, &solved.weights, &mut out)?;
        if self.needs.scales {
            for ((sets, scales), by) in
                [&setup.training, &setup.validation].into_iter().zip(&solved.scales).zip(by_scales)
            {
                // A row without prior variance has no deviation to move.
                let half = |(s, g): (&f64, &f64)| if *s > 0.0 { 0.5 * g / s } else { 0.0 };
                let by: Vec<f64> = scales.iter().zip(by).map(half).collect();
                system.add_variances(sets, &by, &mut out)?;
            }
        }
        Ok([system.flat(&out)])
    }
}
