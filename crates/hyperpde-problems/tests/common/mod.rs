//! What holds for a solution, whichever way its derivatives are had: it makes every residual vanish and meets every
//! condition.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_kernels::{Operator, Points};
use hyperpde_pde::{Coefficient, Location, Number, Problem, Reference};
use num_dual::Dual2_64;

/// `(D u_f)(x)`.
pub trait Functionals {
    fn apply(&self, field: usize, operator: &Operator, x: &[f64]) -> f64;
}

/// Fields `u_f(x)`, written as arithmetic so that they can be differentiated exactly.
pub trait Exact {
    fn fields<D: Number>(&self, x: &[D]) -> Vec<D>;
}

impl<E: Exact> Functionals for E {
    fn apply(&self, field: usize, operator: &Operator, x: &[f64]) -> f64 {
        let term = |(alpha, c): (&Vec<u8>, f64)| {
            let (axis, order) = single(alpha);
            let mut point: Vec<Dual2_64> = x.iter().map(|&v| Dual2_64::new(v, 0.0, 0.0)).collect();
            point[axis].v1 = 1.0;
            let u = self.fields(&point)[field];
            c * [u.re, u.v1, u.v2][order]
        };
        operator.terms().map(term).sum()
    }
}

/// A reference differentiated by differences over nine equidistant points per coordinate, which stay in the box.
pub struct Differences<'a> {
    pub reference: &'a dyn Reference,
    pub problem: &'a Problem,
    /// Distance of the points per coordinate.
    pub steps: Vec<f64>,
}

impl Functionals for Differences<'_> {
    fn apply(&self, field: usize, operator: &Operator, x: &[f64]) -> f64 {
        let term = |(alpha, c): (&Vec<u8>, f64)| {
            let (axis, order) = single(alpha);
            let (h, interval) = (self.steps[axis], &self.problem.domain().axes()[axis]);
            let room = |end: f64| ((end / h + 1e-6).floor() as i32).min(8);
            let (below, above) = (room(x[axis] - interval.lower), room(interval.upper - x[axis]));
            let (first, count) = if order == 0 { (0, 1) } else { ((-4).min(above - 8).max(-below), 9) };
            let offsets: Vec<f64> = (0..count).map(|k| f64::from(first + k)).collect();
            let mut data = Vec::new();
            for offset in &offsets {
                let mut point = x.to_vec();
                point[axis] += offset * h;
                data.extend(point);
            }
            let values = self.reference.evaluate(&Points::new(x.len(), data).unwrap()).unwrap();
            let weights = difference_weights(&offsets, order);
            c * weights.iter().zip(&values[field]).map(|(w, u)| w * u).sum::<f64>() / h.powi(order as i32)
        };
        operator.terms().map(term).sum()
    }
}

/// The coordinate and the order of a derivative by one coordinate.
fn single(alpha: &[u8]) -> (usize, usize) {
    let order: u8 = alpha.iter().sum();
    let axis = alpha.iter().position(|&k| k > 0).unwrap_or(0);
    assert_eq!(alpha[axis], order, "no mixed derivatives here");
    (axis, order as usize)
}

/// Weights of the derivative at zero of the polynomial through values at `offsets`: the coefficient of `s^order` in each Lagrange
/// polynomial, times the factorial.
fn difference_weights(offsets: &[f64], order: usize) -> Vec<f64> {
    let polynomial = |j: usize| {
        let mut p = vec![1.0];
        for (m, o) in offsets.iter().enumerate().filter(|(m, _)| *m != j) {
            let gap = offsets[j] - offsets[m];
            let mut next = vec![0.0; p.len() + 1];
            for (k, c) in p.iter().enumerate() {
                next[k] -= c * o / gap;
                next[k + 1] += c / gap;
            }
            p = next;
        }
        p[order] * (1..=order).product::<usize>() as f64
    };
    (0..offsets.len()).map(polynomial).collect()
}

/// Points at the given fractions of every interval, all combinations.
pub fn combinations(problem: &Problem, fractions: &[f64]) -> Points {
    let axes = problem.domain().axes();
    let total = fractions.len().pow(axes.len() as u32);
    let coordinate = |flat: usize, k: usize| {
        let fraction = fractions[flat / fractions.len().pow(k as u32) % fractions.len()];
        axes[k].lower + axes[k].width() * fraction
    };
    let data = (0..total).flat_map(|flat| (0..axes.len()).map(move |k| coordinate(flat, k))).collect();
    Points::new(axes.len(), data).unwrap()
}

/// Largest residual at the points, relative to the largest change of a residual when one unknown is left out.
pub fn worst_residual(problem: &Problem, u: &impl Functionals, points: &Points) -> f64 {
    let unknowns = problem.equations().unknowns();
    let value = |q: &hyperpde_pde::Unknown| points.rows().map(|x| u.apply(q.field, &q.operator, x)).collect();
    let values: Vec<Vec<f64>> = unknowns.iter().map(value).collect();
    let residual = problem.equations().residual(points, &values).unwrap();
    let largest = |r: &[Vec<f64>]| r.iter().flatten().fold(0.0_f64, |m, v| m.max(v.abs()));
    let mut scale = 0.0_f64;
    for j in 0..unknowns.len() {
        let mut without = values.clone();
        without[j].fill(0.0);
        scale = scale.max(largest(&problem.equations().residual(points, &without).unwrap()));
    }
    largest(&residual) / scale
}

/// Largest violation of a condition at points of its face.
pub fn worst_condition(problem: &Problem, u: &impl Functionals, fractions: &[f64]) -> f64 {
    let inside = combinations(problem, fractions);
    let mut worst = 0.0_f64;
    for condition in problem.conditions() {
        let &Location::Face(face) = condition.location() else {
            panic!("periodic conditions have no place in the catalogue")
        };
        for x in inside.rows() {
            let mut x = x.to_vec();
            x[face.axis] = problem.domain().coordinate(face).unwrap();
            let mut gap = -condition.value(&x);
            for t in condition.terms() {
                let c = match &t.coefficient {
                    Coefficient::Constant(c) => *c,
                    Coefficient::Function(f) => f(&x),
                };
                gap += c * u.apply(t.field, &t.operator, &x);
            }
            worst = worst.max(gap.abs());
        }
    }
    worst
}
