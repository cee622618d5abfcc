//! Darcy flow `-∇·(A ∇u) = 1` on the unit square, `u = 0` on its boundary, for a given permeability `A(x, y) > 0`.
//!
//! Five-point finite volumes on nodes `x_i = i h`, `i = 0..=n`, `h = 1/n`, with `A` taken at the midpoints of the faces:
//!
//! ```text
//! Σ_± [A(x_i ± h/2, y_j) (u_ij - u_{i±1,j}) + A(x_i, y_j ± h/2) (u_ij - u_{i,j±1})] = h²,
//! ```
//!
//! solved by sparse Cholesky. The published inverse problem has [`permeability`], `A = exp(s) + exp(-s)`,
//! `s = sin 2πx + sin 2πy`, and a grid of `n = 79`.
//!
//! **Accuracy.** Second order. The same problem on half the cells gives Richardson's estimate of the error, reported by
//! [`Darcy::accuracy`]: 2.4e-7 in L∞ for `n = 400` and the published `A` (`max u` is 0.0244). Between nodes cubic Lagrange
//! interpolation adds less: `O(h⁴)` inside, `O(h²)` with a small constant at the corners, where `u` has an `r² log r` term.

use std::f64::consts::TAU;

use super::error::ReferenceError;
use super::five_point::FivePoint;
use super::interpolation::{bicubic, pairs};

/// Published permeability `exp(s) + exp(-s)`, `s = sin 2πx + sin 2πy`, between 2 and 7.52.
pub fn permeability(x: f64, y: f64) -> f64 {
    2.0 * ((TAU * x).sin() + (TAU * y).sin()).cosh()
}

/// A Darcy pressure field on a uniform grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Darcy {
    cells: usize,
    /// `u` at the nodes `0..=n` in both directions, boundary included, row-major.
    values: Vec<f64>,
    accuracy: f64,
}

impl Darcy {
    /// Solves on `cells x cells` cells (and, for the error estimate, on half as many per side).
    ///
    /// # Errors
    /// [`ReferenceError::Parameter`] if `cells < 8`, [`ReferenceError::Data`] where `permeability` is not positive and finite,
    /// [`ReferenceError::Factorisation`] if the operator could not be factored.
    pub fn new(cells: usize, permeability: impl Fn(f64, f64) -> f64) -> Result<Self, ReferenceError> {
        if cells < 8 {
            let (value, expected) = (cells as f64, "at least 8");
            return Err(ReferenceError::Parameter { solver: "darcy", name: "cells", value, expected });
        }
        let coarse = Self::solve(cells / 2, &permeability)?;
        let mut fine = Self::solve(cells, &permeability)?;
        let mut difference: f64 = 0.0;
        for i in 0..=coarse.cells {
            for j in 0..=coarse.cells {
                let point = [i, j].map(|k| k as f64 / coarse.cells as f64);
                difference = difference.max((fine.value(point) - coarse.node(i, j)).abs());
            }
        }
        let ratio = (cells as f64 / coarse.cells as f64).powi(2);
        fine.accuracy = difference / (ratio - 1.0);
        Ok(fine)
    }

    fn solve(cells: usize, permeability: &impl Fn(f64, f64) -> f64) -> Result<Self, ReferenceError> {
        let h = 1.0 / cells as f64;
        // Positions in half cells; checked once, so that the operator below is built from good numbers only.
        let face = |twice_i: usize, twice_j: usize| permeability(0.5 * h * twice_i as f64, 0.5 * h * twice_j as f64);
        for (i, j) in
            (0..=2 * cells).flat_map(|i| (0..=2 * cells).map(move |j| (i, j))).filter(|(i, j)| (i + j) % 2 == 1)
        {
            let value = face(i, j);
            if !(value.is_finite() && value > 0.0) {
                let at = vec![0.5 * h * i as f64, 0.5 * h * j as f64];
                return Err(ReferenceError::Data { name: "permeability", at, value, expected: "positive and finite" });
            }
        }
        let inner = cells - 1;
        // Node k of the operator is grid node k + 1; the face before it lies at k + 1/2.
        let interior = FivePoint {
            nodes: [inner, inner],
            conductance_x: |i: usize, j: usize| face(2 * i + 1, 2 * j + 2),
            conductance_y: |i: usize, j: usize| face(2 * i + 2, 2 * j + 1),
            reaction: 0.0,
            source: h * h,
            boundary: 0.0,
        }
        .solve()?;
        let nodes = cells + 1;
        let mut values = vec![0.0; nodes * nodes];
        for (i, row) in interior.chunks_exact(inner).enumerate() {
            let start = (i + 1) * nodes + 1;
            values[start..start + inner].copy_from_slice(row);
        }
        Ok(Self { cells, values, accuracy: 0.0 })
    }

    /// Cells per side, `n`.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Node values `[n+1, n+1]`, row-major, first index along `x`, boundary included.
    pub fn grid(&self) -> &[f64] {
        &self.values
    }

    /// Estimated L∞ error at the nodes.
    pub fn accuracy(&self) -> f64 {
        self.accuracy
    }

    /// Values of `u` at points `[n, 2]` of the closed unit square, row-major, by bicubic interpolation.
    ///
    /// # Errors
    /// [`ReferenceError::Shape`] for an odd number of coordinates, [`ReferenceError::OutsideDomain`] for a point outside.
    pub fn evaluate(&self, points: &[f64]) -> Result<Vec<f64>, ReferenceError> {
        Ok(pairs(points, [[0.0, 1.0]; 2])?.into_iter().map(|p| self.value(p)).collect())
    }

    fn value(&self, point: [f64; 2]) -> f64 {
        bicubic(point.map(|c| c * self.cells as f64), self.cells + 1, |i, j| self.node(i, j))
    }

    fn node(&self, i: usize, j: usize) -> f64 {
        self.values[i * (self.cells + 1) + j]
    }
}
