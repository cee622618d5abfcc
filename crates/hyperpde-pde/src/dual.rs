//! Values, rows and their reverse product, from evaluating one residual with different numbers.
//!
//! - `f64` gives values.
//! - A dual number with [`WIDTH`] infinitesimals, `q_j + ε_j`, gives as many derivatives in one evaluation.
//! - The same over dual numbers, `q_j + w_j η + ε_j` with `η² = 0`, gives `Σ_j w_j ∂²F/∂q_j∂q_k` as the coefficient of `η ε_k`.

use hyperpde_kernels::Points;
use num_dual::{Derivative, Dual64, DualNum, DualSVec};

use crate::error::PdeError;
use crate::residual::{Jacobian, Linearised, Number, Residual, Unknown};

/// Infinitesimals of a dual number: as many derivatives come from one evaluation.
const WIDTH: usize = 4;

/// A dual number over `T` in [`WIDTH`] directions.
type Dual<T> = DualSVec<T, WIDTH>;

/// `F_e(x_i, q(x_i))`, `[E][n]`.
pub(crate) fn residual<R: Residual>(residual: &R, x: &Points, u: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, PdeError> {
    check_unknowns(&residual.unknowns(), x, u)?;
    let values = residual.values(x, u)?;
    for (e, column) in values.iter().enumerate() {
        check_values(residual, e, x, u, column)?;
    }
    Ok(values)
}

/// The rows about `u`.
pub(crate) fn linearise<R: Residual>(residual: &R, x: &Points, u: &[Vec<f64>]) -> Result<Linearised, PdeError> {
    let unknowns = residual.unknowns();
    check_unknowns(&unknowns, x, u)?;
    let Jacobian { values, derivatives } = residual.jacobian(x, u)?;
    let mut rhs = Vec::with_capacity(values.len());
    for (e, (f, rows)) in values.into_iter().zip(&derivatives).enumerate() {
        check_values(residual, e, x, u, &f)?;
        let mut b = f;
        b.iter_mut().for_each(|b| *b = -*b);
        for (j, (c, q)) in rows.iter().zip(u).enumerate() {
            let what = |i: usize| match culprit(residual, e, x, u, i, Some(j)) {
                Some(part) => format!("the derivative of {part}"),
                None => format!("the derivative by {}", unknowns[j]),
            };
            check_finite(e, x, c, what)?;
            b.iter_mut().zip(c).zip(q).for_each(|((b, c), q)| *b += c * q);
        }
        check_finite(e, x, &b, |_| "the right-hand side of the linearised equation".into())?;
        rhs.push(b);
    }
    Ok(Linearised { coefficients: derivatives, rhs })
}

/// Values, point by point: [`Residual::values`] unless a residual has its own.
pub(crate) fn values<R: Residual + ?Sized>(
    residual: &R,
    x: &Points,
    u: &[Vec<f64>],
) -> Result<Vec<Vec<f64>>, PdeError> {
    let mut values = vec![Vec::with_capacity(x.len()); residual.equations()];
    let mut q = vec![0.0; u.len()];
    for (i, point) in x.rows().enumerate() {
        gather(&mut q, u, i);
        for (column, value) in values.iter_mut().zip(evaluate(residual, point, &q)?) {
            column.push(value);
        }
    }
    Ok(values)
}

/// Values and derivatives, point by point: [`Residual::jacobian`] unless a residual has its own.
pub(crate) fn jacobian<R: Residual + ?Sized>(residual: &R, x: &Points, u: &[Vec<f64>]) -> Result<Jacobian, PdeError> {
    let (n, m, equations) = (x.len(), u.len(), residual.equations());
    let mut values = vec![vec![0.0; n]; equations];
    let mut derivatives = vec![vec![vec![0.0; n]; m]; equations];
    let mut q = vec![Dual::<f64>::from(0.0); m];
    for (i, point) in x.rows().enumerate() {
        for first in (0..m.max(1)).step_by(WIDTH) {
            for (j, (slot, column)) in q.iter_mut().zip(u).enumerate() {
                *slot = seeded(column[i], j, first);
            }
            for (e, f) in evaluate(residual, point, &q)?.into_iter().enumerate() {
                values[e][i] = f.re;
                if let Some(slopes) = f.eps.0 {
                    for (rows, slope) in derivatives[e][first..].iter_mut().zip(&slopes) {
                        rows[i] = *slope;
                    }
                }
            }
        }
    }
    Ok(Jacobian { values, derivatives })
}

/// The reverse product of [`linearise`].
pub(crate) fn vjp<R: Residual>(
    residual: &R,
    x: &Points,
    u: &[Vec<f64>],
    coefficients: &[Vec<Vec<f64>>],
    rhs: &[Vec<f64>],
) -> Result<Vec<Vec<f64>>, PdeError> {
    let unknowns = residual.unknowns();
    let (n, m, equations) = (x.len(), unknowns.len(), residual.equations());
    check_unknowns(&unknowns, x, u)?;
    check_cotangents(equations, m, n, coefficients, rhs)?;
    let mut out = vec![vec![0.0; n]; m];
    let mut weights = vec![0.0; m];
    let mut q = vec![Dual::<Dual64>::from(0.0); m];
    for e in (0..equations).filter(|&e| !residual.is_affine(e)) {
        for (i, point) in x.rows().enumerate() {
            for (w, (c, column)) in weights.iter_mut().zip(coefficients[e].iter().zip(u)) {
                *w = c[i] + rhs[e][i] * column[i];
            }
            if weights.iter().all(|w| *w == 0.0) {
                continue;
            }
            for first in (0..m).step_by(WIDTH) {
                for (j, slot) in q.iter_mut().enumerate() {
                    *slot = seeded(Dual64::new(u[j][i], weights[j]), j, first);
                }
                let Some(slopes) = evaluate(residual, point, &q)?[e].eps.0 else { continue };
                for (k, slope) in (first..m).zip(&slopes) {
                    if !slope.eps.is_finite() {
                        let what = format!("a second derivative by {}", unknowns[k]);
                        return Err(not_finite(e, point, what, slope.eps));
                    }
                    out[k][i] += slope.eps;
                }
            }
        }
    }
    Ok(out)
}

/// `value + ε_(j − first)` if there is such an infinitesimal.
fn seeded<T: DualNum>(value: T, j: usize, first: usize) -> Dual<T> {
    match j.checked_sub(first).filter(|k| *k < WIDTH) {
        Some(k) => Dual::from_re(value).derivative(k),
        None => Dual::new(value, Derivative::none()),
    }
}

/// `F(x, q)`, held to the number of equations that the residual announces.
fn evaluate<R: Residual + ?Sized, D: Number>(residual: &R, x: &[f64], q: &[D]) -> Result<Vec<D>, PdeError> {
    let values = residual.eval(x, q);
    let expected = residual.equations();
    if values.len() == expected {
        return Ok(values);
    }
    shape("values of Residual::eval", format!("{expected}, as Residual::equations says"), values.len())
}

/// Puts the unknowns at point `i` into `q`.
fn gather(q: &mut [f64], u: &[Vec<f64>], i: usize) {
    q.iter_mut().zip(u).for_each(|(slot, column)| *slot = column[i]);
}

/// Refuses unknowns whose number, points or values do not fit.
fn check_unknowns(unknowns: &[Unknown], x: &Points, u: &[Vec<f64>]) -> Result<(), PdeError> {
    if u.len() != unknowns.len() {
        return shape("arrays of unknowns", unknowns.len(), u.len());
    }
    for (unknown, column) in unknowns.iter().zip(u) {
        let dim = unknown.operator.dim();
        if dim != x.dim() {
            return shape(
                format!("points for {unknown}"),
                format!("dimension {dim}"),
                format!("dimension {}", x.dim()),
            );
        }
        if column.len() != x.len() {
            return shape(format!("values of {unknown}"), format!("{} (one per point)", x.len()), column.len());
        }
        check_finite(0, x, column, |_| format!("the unknown {unknown}"))?;
    }
    Ok(())
}

fn check_cotangents(
    equations: usize,
    m: usize,
    n: usize,
    coefficients: &[Vec<Vec<f64>>],
    rhs: &[Vec<f64>],
) -> Result<(), PdeError> {
    if coefficients.len() != equations || rhs.len() != equations {
        let got = format!("{} and {}", coefficients.len(), rhs.len());
        return shape("cotangents of coefficients and right-hand sides", format!("{equations} equations each"), got);
    }
    for (e, (rows, b)) in coefficients.iter().zip(rhs).enumerate() {
        let fits = rows.len() == m && b.len() == n && rows.iter().all(|c| c.len() == n);
        if !fits {
            let got = format!("[{}][{}] and [{}]", rows.len(), rows.first().map_or(0, Vec::len), b.len());
            return shape(format!("cotangents of equation {e}"), format!("[{m}][{n}] and [{n}]"), got);
        }
    }
    Ok(())
}

fn check_values<R: Residual>(
    residual: &R,
    e: usize,
    x: &Points,
    u: &[Vec<f64>],
    values: &[f64],
) -> Result<(), PdeError> {
    check_finite(e, x, values, |i| culprit(residual, e, x, u, i, None).unwrap_or_else(|| "the residual".into()))
}

fn culprit<R: Residual>(
    residual: &R,
    e: usize,
    x: &Points,
    u: &[Vec<f64>],
    i: usize,
    by: Option<usize>,
) -> Option<String> {
    let mut q = vec![0.0; u.len()];
    gather(&mut q, u, i);
    residual.culprit(e, x.row(i), &q, by)
}

/// Refuses a column of numbers, one per point, that are not all finite; `what` names the one at a point.
fn check_finite(e: usize, x: &Points, column: &[f64], what: impl Fn(usize) -> String) -> Result<(), PdeError> {
    // Without leaving early, so that it takes a moment only.
    if column.iter().fold(true, |all, v| all & v.is_finite()) {
        return Ok(());
    }
    match column.iter().position(|v| !v.is_finite()) {
        Some(i) => Err(not_finite(e, x.row(i), what(i), column[i])),
        None => Ok(()),
    }
}

fn not_finite(equation: usize, point: &[f64], what: String, value: f64) -> PdeError {
    PdeError::NonFiniteResidual { equation, point: point.to_vec(), what, value }
}

fn shape<T>(what: impl Into<String>, expected: impl ToString, got: impl ToString) -> Result<T, PdeError> {
    Err(PdeError::Shape { what: what.into(), expected: expected.to_string(), got: got.to_string() })
}
