//! The Gauss-Newton iterate: values of the unknowns at points, and the function behind them.

use std::sync::Arc;

use hyperpde_gp::Posterior;
use hyperpde_kernels::{Kernel, Operator, Points};
use hyperpde_pde::Unknown;

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
        match self {
            Self::Zero => Ok(vec![vec![0.0; points.len()]; unknowns.len()]),
            Self::Solved(posterior) => unknowns_of(posterior, unknowns, points),
        }
    }
}

/// Values of all unknowns of a solution at any points, `[unknowns][n]`.
pub(crate) fn unknowns_of<K: Kernel>(
    solution: &Posterior<K>,
    unknowns: &[Unknown],
    points: &Points,
) -> Result<Vec<Vec<f64>>, BilevelError> {
    let mut out = vec![Vec::new(); unknowns.len()];
    let fields = unknowns.iter().map(|u| u.field).max().map_or(0, |f| f + 1);
    for field in 0..fields {
        let of_field: Vec<usize> = (0..unknowns.len()).filter(|&j| unknowns[j].field == field).collect();
        if of_field.is_empty() {
            continue;
        }
        let operators: Vec<Operator> = of_field.iter().map(|&j| unknowns[j].operator.clone()).collect();
        for (j, values) in of_field.into_iter().zip(solution.evaluate(field, &operators, points)?) {
            out[j] = values;
        }
    }
    Ok(out)
}

/// `‖new − old‖/‖new‖` over all unknowns, and the largest absolute value of `new`.
pub(crate) fn change(new: &[Vec<f64>], old: &[Vec<f64>]) -> (f64, f64) {
    let pairs = || new.iter().flatten().zip(old.iter().flatten());
    let diff: f64 = pairs().map(|(a, b)| (a - b) * (a - b)).sum();
    let norm: f64 = pairs().map(|(a, _)| a * a).sum();
    let size = new.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
    (if norm > 0.0 { (diff / norm).sqrt() } else { 0.0 }, size)
}
