//! Does the equation hold where the solver has not looked?
//!
//! At new interior points the nonlinear residual is held against the terms that cancel in it: with `c_j = ∂F/∂q_j` and `b = Σ_j c_j q_j − F`
//! of the linearisation about the solution,
//!
//! ```text
//! residual = rms(F(u)) / rms(Σ_j |c_j q_j| + |b|)
//! ```
//!
//! per equation. It has no units, and a solution that is zero where something drives it has a residual of 1.

use hyperpde_gp::{GpError, Posterior};
use hyperpde_kernels::{Kernel, Operator, Points};
use hyperpde_pde::{Equations, PdeError};

use super::{Bar, Finding, ratio, rms};

/// A residual has one or two derivatives more than the error, and is larger by the wave numbers of both: three percent of the terms go with
/// errors well below one percent on resolved solutions. Half of the terms is no solution of the equation.
pub const EQUATION: Bar = Bar { solved: 3e-2, failed: 0.5 };

/// The residual at `inside` over the size of its terms, the worst equation's.
///
/// # Errors
/// [`PdeError`] if solution or residual can't be evaluated or are not finite.
pub fn residual<K: Kernel>(
    solution: &Posterior<K>,
    equations: &dyn Equations,
    inside: &Points,
) -> Result<f64, PdeError> {
    let values = unknowns(solution, equations, inside)?;
    let residual = equations.residual(inside, &values)?;
    let linear = equations.linearise(inside, &values)?;
    let mut worst = 0.0_f64;
    for ((f, coefficients), rhs) in residual.iter().zip(&linear.coefficients).zip(&linear.rhs) {
        let size = |i: usize| {
            let terms = coefficients.iter().zip(&values).map(|(c, q)| (c[i] * q[i]).abs());
            terms.sum::<f64>() + rhs[i].abs()
        };
        worst = worst.max(ratio(rms(f.iter().copied()), rms((0..inside.len()).map(size))));
    }
    Ok(worst)
}

/// The residual as a finding.
#[must_use]
pub fn finding(residual: f64) -> Finding {
    let sentence =
        format!("at new points the equations leave {residual:.1e} of the size of their terms (root mean square)");
    let advice = "the points don't resolve the solution: try more interior points, a length scale about as long as its \
                  finest feature, or another kernel";
    Finding::new("equation", residual, EQUATION, sentence, advice)
}

/// The unknowns of the equations at some points, `[unknowns][n]`.
fn unknowns<K: Kernel>(
    solution: &Posterior<K>,
    equations: &dyn Equations,
    points: &Points,
) -> Result<Vec<Vec<f64>>, GpError> {
    let unknowns = equations.unknowns();
    let mut out = vec![Vec::new(); unknowns.len()];
    let fields = unknowns.iter().map(|u| u.field + 1).max().unwrap_or(0);
    for field in 0..fields {
        let own: Vec<usize> = (0..unknowns.len()).filter(|&j| unknowns[j].field == field).collect();
        let operators: Vec<Operator> = own.iter().map(|&j| unknowns[j].operator.clone()).collect();
        if own.is_empty() {
            continue;
        }
        for (j, values) in own.into_iter().zip(solution.evaluate(field, &operators, points)?) {
            out[j] = values;
        }
    }
    Ok(out)
}
