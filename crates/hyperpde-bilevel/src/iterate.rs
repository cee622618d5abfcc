//! The Gauss-Newton iterate: values of the unknowns at collocation points, and the function behind them.

use std::sync::Arc;

use hyperpde_gp::Posterior;
use hyperpde_kernels::{Kernel, Operator, Points};
use hyperpde_pde::{Equations, Unknown};

use crate::error::BilevelError;

/// `u^k`: frozen weights with the kernels they belong to, or zero at the start.
#[derive(Clone, Debug)]
pub(crate) enum Iterate<K: Kernel> {
    Zero,
    Solved(Arc<Posterior<K>>),
}

impl<K: Kernel> Iterate<K> {
    /// Values of all unknowns at any points, `[unknowns][n]`.
    pub fn at(&self, unknowns: &[Unknown], points: &Points) -> Result<Vec<Vec<f64>>, BilevelError> {
        let Self::Solved(posterior) = self else {
            return Ok(vec![vec![0.0; points.len()]; unknowns.len()]);
        };
        let mut out = vec![Vec::new(); unknowns.len()];
        let fields = unknowns.iter().map(|u| u.field).max().map_or(0, |f| f + 1);
        for field in 0..fields {
            let of_field: Vec<usize> = (0..unknowns.len()).filter(|&j| unknowns[j].field == field).collect();
            if of_field.is_empty() {
                continue;
            }
            let operators: Vec<Operator> = of_field.iter().map(|&j| unknowns[j].operator.clone()).collect();
            for (j, values) in of_field.into_iter().zip(posterior.evaluate(field, &operators, points)?) {
                out[j] = values;
            }
        }
        Ok(out)
    }
}

/// Root mean square over points and equations of the nonlinear residual of an iterate.
pub(crate) fn residual_rms<K: Kernel>(
    equations: &dyn Equations,
    iterate: &Iterate<K>,
    points: &Points,
) -> Result<f64, BilevelError> {
    let values = iterate.at(&equations.unknowns(), points)?;
    let residual = equations.residual(points, &values)?;
    let (sum, count) = residual.iter().flatten().fold((0.0, 0.0), |(s, n), r| (s + r * r, n + 1.0));
    Ok((sum / f64::max(count, 1.0)).sqrt())
}

/// `‖new − old‖/‖new‖` over all unknowns, and the largest absolute value of `new`.
pub(crate) fn change(new: &[Vec<f64>], old: &[Vec<f64>]) -> (f64, f64) {
    let pairs = || new.iter().flatten().zip(old.iter().flatten());
    let diff: f64 = pairs().map(|(a, b)| (a - b) * (a - b)).sum();
    let norm: f64 = pairs().map(|(a, _)| a * a).sum();
    let size = new.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
    (if norm > 0.0 { (diff / norm).sqrt() } else { 0.0 }, size)
}
