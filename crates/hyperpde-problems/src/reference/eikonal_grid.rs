//! Viscous eikonal equation by finite differences: the discretisation behind published comparisons.
//!
//! `v = exp(-u/ε)` of `v - ε² Δv = 0`, `v = 1` on the boundary of the unit square, with the five-point Laplacian on `N x N`
//! interior nodes `x_i = i h`, `i = 1..N`, `h = 1/(N+1)`:
//!
//! ```text
//! v_ij + (ε/h)² (4 v_ij - v_{i±1,j} - v_{i,j±1}) = 0,      u = -ε ln v.
//! ```
//!
//! By symmetry only a quarter of the square is solved, with no flux across the midlines (`N` even). `v` falls to
//! `exp(-1/(2ε))`, 1e-21 for `ε = 0.01`; the sparse Cholesky solve keeps its relative accuracy.
//!
//! **Accuracy.** Second order in `h`; the error is measured against the integral representation [`Eikonal`] at construction and
//! reported by [`EikonalGrid::accuracy`]: 2.1e-4 in L∞ for `N = 1000`, `ε = 0.01` (half a second of computing). Use [`Eikonal`] for a reference and this
//! only to compare with numbers that were scored against such a grid. Between nodes the cubic Lagrange interpolation adds an
//! error of order `h⁴/ε³`, small beside that.

use super::eikonal::Eikonal;
use super::error::ReferenceError;
use super::five_point::FivePoint;
use super::interpolation::{bicubic, pairs};

/// Below the first `v` would leave the normal range of floating-point numbers, above the second `1 - v` would drown in rounding.
const EPSILONS: [f64; 2] = [1e-3, 1e3];

/// Finite-difference solution on `N x N` interior nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct EikonalGrid {
    nodes: usize,
    /// `u` at nodes `1..=N/2` in both directions, row-major.
    quarter: Vec<f64>,
    accuracy: f64,
}

impl EikonalGrid {
    /// Solves on `nodes x nodes` interior nodes: one sparse Cholesky factorisation of size `nodes²/4`.
    ///
    /// # Errors
    /// [`ReferenceError::Parameter`] unless `1e-3 <= epsilon <= 1e3` and `nodes` is even and at least 8;
    /// [`ReferenceError::Factorisation`] if the operator could not be factored.
    pub fn new(epsilon: f64, nodes: usize) -> Result<Self, ReferenceError> {
        check(epsilon, nodes)?;
        let half = nodes / 2;
        let conductance = (epsilon * (nodes + 1) as f64).powi(2);
        let across = |index: usize| if index == half { 0.0 } else { conductance };
        let v = FivePoint {
            nodes: [half, half],
            conductance_x: |i, _| across(i),
            conductance_y: |_, j| across(j),
            reaction: 1.0,
            source: 0.0,
            boundary: 1.0,
        }
        .solve()?;
        Self::from_quarter(epsilon, nodes, v.into_iter().map(|v| -epsilon * v.ln()).collect())
    }

    /// Interior nodes per side, `N`.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Measured L∞ distance to the exact solution (see [`Eikonal`]) on nodes and cell centres.
    pub fn accuracy(&self) -> f64 {
        self.accuracy
    }

    /// Points `[m², 2]`, row-major, and values `[m²]` at the nodes `1, 1 + stride, ...` in both directions.
    ///
    /// The published 100 x 100 test grid is `nodes = 1000`, `stride = 10`: coordinates 1/1001, 11/1001, ..., 991/1001.
    ///
    /// # Errors
    /// [`ReferenceError::Parameter`] if `stride` is zero.
    pub fn subgrid(&self, stride: usize) -> Result<(Vec<f64>, Vec<f64>), ReferenceError> {
        if stride == 0 {
            return Err(ReferenceError::Parameter {
                solver: "eikonal grid",
                name: "stride",
                value: 0.0,
                expected: "at least 1",
            });
        }
        let (mut points, mut values) = (Vec::new(), Vec::new());
        for i in (1..=self.nodes).step_by(stride) {
            for j in (1..=self.nodes).step_by(stride) {
                points.extend([i, j].map(|k| k as f64 / (self.nodes + 1) as f64));
                values.push(self.node(i, j));
            }
        }
        Ok((points, values))
    }

    /// Values of `u` at points `[n, 2]` of the closed unit square, row-major, by bicubic interpolation.
    ///
    /// # Errors
    /// [`ReferenceError::Shape`] for an odd number of coordinates, [`ReferenceError::OutsideDomain`] for a point outside.
    pub fn evaluate(&self, points: &[f64]) -> Result<Vec<f64>, ReferenceError> {
        let intervals = (self.nodes + 1) as f64;
        let at = |p: [f64; 2]| bicubic(p.map(|c| c * intervals), self.nodes + 2, |i, j| self.node(i, j));
        Ok(pairs(points, [[0.0, 1.0]; 2])?.into_iter().map(at).collect())
    }

    /// Value at node `(i, j)`, `0..=N+1`, boundary nodes included.
    fn node(&self, i: usize, j: usize) -> f64 {
        let [i, j] = [i, j].map(|k| k.min(self.nodes + 1 - k));
        if i == 0 || j == 0 { 0.0 } else { self.quarter[(i - 1) * (self.nodes / 2) + j - 1] }
    }

    fn from_quarter(epsilon: f64, nodes: usize, quarter: Vec<f64>) -> Result<Self, ReferenceError> {
        let mut grid = Self { nodes, quarter, accuracy: 0.0 };
        // Nodes and cell centres, dense near the corner, where the solution has an r² log r term.
        let positions: Vec<f64> = (1..16)
            .chain((16..=nodes).step_by((nodes / 64).max(1)))
            .map(|k| 0.5 * k as f64 / (nodes + 1) as f64)
            .collect();
        let points: Vec<f64> = positions.iter().flat_map(|&x| positions.iter().flat_map(move |&y| [x, y])).collect();
        let exact = Eikonal::new(epsilon)?.evaluate(&points)?;
        let own = grid.evaluate(&points)?;
        grid.accuracy = own.iter().zip(exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        Ok(grid)
    }
}

fn check(epsilon: f64, nodes: usize) -> Result<(), ReferenceError> {
    let solver = "eikonal grid";
    if !(EPSILONS[0]..=EPSILONS[1]).contains(&epsilon) {
        let expected = "between 1e-3 (below, exp(-1/(2 epsilon)) underflows) and 1e3";
        return Err(ReferenceError::Parameter { solver, name: "epsilon", value: epsilon, expected });
    }
    if nodes < 8 || !nodes.is_multiple_of(2) {
        let expected = "even and at least 8";
        return Err(ReferenceError::Parameter { solver, name: "nodes", value: nodes as f64, expected });
    }
    Ok(())
}
