//! Whether the equations are linear: one Gauss-Newton step is then exact, wherever it starts.
//!
//! A problem does not say so; it is seen from rows about different functions. Equations `F(x, q)` are affine in the unknowns `q` exactly if
//!
//! ```text
//! c_ej = ∂F_e/∂q_j   and   b_e = Σ_j c_ej q_j − F_e
//! ```
//!
//! are the same about every `q`. They are compared at all collocation points, about values that are drawn at random there: of both signs and
//! of sizes from 1e-6 to 1e6, since a nonlinear term may vanish at zero (`u²`), be zero on one side (`max(u, 0)`), or show at the size of the
//! solution only. The iterate that comes of the step is one more such function, and the one that matters. Conditions and observations are
//! linear by construction ([`hyperpde_pde::Condition`]).

use hyperpde_kernels::Points;
use hyperpde_pde::{Equations, Linearised, seeded};
use rand::RngExt;

use crate::system::System;

/// Functions that rows are compared about.
const PROBES: usize = 3;
/// Sizes of their values, as powers of ten.
const DECADES: std::ops::Range<f64> = -6.0..6.0;
/// Seed of their values: they are no part of a run's numbers.
const SEED: u64 = 0x11ea;
/// Relative difference of coefficients, to the largest of the row, and of right-hand sides, to the terms that cancel in them, that is
/// rounding.
const ROUNDING: f64 = 1e-10;

/// Whether the rows at the points are the same about random functions. Equations without finite values somewhere are not linear.
pub(crate) fn at(system: &System, points: &Points) -> bool {
    let mut rng = seeded(SEED, 0);
    let mut draw = || -> Vec<Vec<f64>> {
        let mut value = || {
            let size = 10f64.powf(rng.random_range(DECADES));
            if rng.random_bool(0.5) { size } else { -size }
        };
        system.unknowns.iter().map(|_| (0..points.len()).map(|_| value()).collect()).collect()
    };
    let first = draw();
    (1..PROBES).all(|_| same(system.equations.as_ref(), points, &first, &draw()))
}

/// Whether the rows at the points are the same about two functions, `[unknowns][n]`.
pub(crate) fn between(system: &System, points: &Points, one: &[Vec<f64>], other: &[Vec<f64>]) -> bool {
    same(system.equations.as_ref(), points, one, other)
}

fn same(equations: &dyn Equations, points: &Points, one: &[Vec<f64>], other: &[Vec<f64>]) -> bool {
    let rows = |about: &[Vec<f64>]| equations.linearise(points, about);
    match (rows(one), rows(other)) {
        (Ok(a), Ok(b)) => (0..a.rhs.len()).all(|e| (0..points.len()).all(|i| same_row(&a, &b, one, other, e, i))),
        _ => false,
    }
}

fn same_row(a: &Linearised, b: &Linearised, one: &[Vec<f64>], other: &[Vec<f64>], e: usize, i: usize) -> bool {
    let (ca, cb) = (&a.coefficients[e], &b.coefficients[e]);
    let largest = ca.iter().chain(cb).fold(0.0f64, |largest, c| largest.max(c[i].abs()));
    if ca.iter().zip(cb).any(|(ca, cb)| (ca[i] - cb[i]).abs() > ROUNDING * largest) {
        return false;
    }
    let terms = |c: &[Vec<f64>], q: &[Vec<f64>]| c.iter().zip(q).map(|(c, q)| (c[i] * q[i]).abs()).sum::<f64>();
    let (ra, rb) = (a.rhs[e][i], b.rhs[e][i]);
    let size = terms(ca, one) + terms(cb, other) + ra.abs() + rb.abs();
    (ra - rb).abs() <= ROUNDING * size
}
