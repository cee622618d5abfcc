//! The sizes of rows: what their misfits are held against by objectives that compare equations with conditions and data.
//!
//! One number per block of rows, from a solution `u` at points inside the domain (see [`crate::Validation`] for the formulas). They are
//! constants of a Gauss-Newton step.

use hyperpde_gp::{GpError, Posterior, RowBlock};
use hyperpde_kernels::{Kernel, Points};

/// Share of a functional's size over the domain below which data have no scale of their own.
const FLOOR: f64 = 0.1;

/// `rms(Σ_j |c_j q_j| + |b|)` of linearised equations, whose terms are the unknowns with the values `q`, `[unknowns][n]`.
pub(crate) fn of_equation(rows: &RowBlock, q: &[Vec<f64>]) -> f64 {
    let size = |i: usize| {
        let terms = rows.terms().iter().zip(q).map(|(term, q)| (term.coefficients[i] * q[i]).abs());
        terms.sum::<f64>() + rows.rhs()[i].abs()
    };
    positive(rms((0..rows.len()).map(size)), rows)
}

/// The sizes of conditions or observations, one per block: of the data on the same functional, of the functional over the domain.
pub(crate) fn of_data<K: Kernel>(
    blocks: &[RowBlock],
    solution: &Posterior<K>,
    inside: &Points,
) -> Result<Vec<f64>, GpError> {
    let of = |block: &RowBlock| {
        let same = blocks.iter().filter(|other| same_functional(block, other));
        let data = same.map(|other| rms(other.rhs().iter().copied())).fold(0.0, f64::max);
        let size = functional(block, solution, inside)?;
        let scale = if data == 0.0 { size } else { data.max(FLOOR * size) };
        Ok(positive(scale.max(block.noise_variance().sqrt()), block))
    };
    blocks.iter().map(of).collect()
}

/// `rms(Σ |c D u|)` over the domain, with the root mean square of each term's coefficient in place of its values.
fn functional<K: Kernel>(block: &RowBlock, solution: &Posterior<K>, inside: &Points) -> Result<f64, GpError> {
    let mut sums = vec![0.0; inside.len()];
    // Both sides of a periodic pair say the same.
    for term in block.terms().iter().filter(|t| t.site == 0) {
        let c = rms(term.coefficients.iter().copied());
        let values = solution.evaluate(term.field, std::slice::from_ref(&term.operator), inside)?.concat();
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += c * value.abs());
    }
    Ok(rms(sums))
}

/// A size to divide by: where all is zero, that of a field of size one.
fn positive(scale: f64, rows: &RowBlock) -> f64 {
    if scale > 0.0 {
        return scale;
    }
    let unit = rms(rows.terms().iter().flat_map(|t| t.coefficients.iter().copied()));
    if unit > 0.0 { unit } else { 1.0 }
}

fn same_functional(a: &RowBlock, b: &RowBlock) -> bool {
    let (a, b) = (a.terms(), b.terms());
    a.len() == b.len() && a.iter().zip(b).all(|(s, t)| s.field == t.field && s.operator == t.operator)
}

fn rms(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0.0), |(sum, count), v| (sum + v * v, count + 1.0));
    (sum / f64::max(count, 1.0)).sqrt()
}
