//! The five-point finite-volume operator on a rectangle of nodes, solved by sparse Cholesky.
//!
//! For nodes `(i, j)`, `i < n_x`, `j < n_y`, with face conductances `c >= 0`:
//!
//! ```text
//! r u_ij + Σ_faces c_face (u_ij - u_neighbour) = s,      u = g beyond the outermost nodes.
//! ```
//!
//! The matrix is a symmetric, diagonally dominant M-matrix. Its Cholesky factor has a positive diagonal and non-positive
//! off-diagonal entries, so for `s, g >= 0` both triangular solves only add non-negative numbers: components many orders of
//! magnitude below the largest one keep their relative accuracy, which an FFT or iterative solver would lose.

use faer::Side;
use faer::linalg::solvers::Solve;
use faer::sparse::{SparseColMat, Triplet};

use super::error::ReferenceError;

/// Data of one solve; see the module's formula.
pub(super) struct FivePoint<X, Y> {
    /// Nodes per direction.
    pub nodes: [usize; 2],
    /// Conductance of the face between nodes `(i-1, j)` and `(i, j)`, `i = 0..=n_x`; the first and last lead out.
    pub conductance_x: X,
    /// Conductance of the face between nodes `(i, j-1)` and `(i, j)`, `j = 0..=n_y`.
    pub conductance_y: Y,
    /// Reaction coefficient `r`.
    pub reaction: f64,
    /// Source `s`.
    pub source: f64,
    /// Boundary value `g`.
    pub boundary: f64,
}

impl<X, Y> FivePoint<X, Y>
where
    X: Fn(usize, usize) -> f64,
    Y: Fn(usize, usize) -> f64,
{
    /// Solution at the nodes, row-major `[n_x, n_y]`.
    pub fn solve(&self) -> Result<Vec<f64>, ReferenceError> {
        let [nx, ny] = self.nodes;
        let size = nx * ny;
        let mut entries = Vec::with_capacity(3 * size);
        let mut rhs = faer::Col::<f64>::full(size, self.source);
        for i in 0..nx {
            for j in 0..ny {
                let row = i * ny + j;
                let west = (self.conductance_x)(i, j);
                let east = (self.conductance_x)(i + 1, j);
                let south = (self.conductance_y)(i, j);
                let north = (self.conductance_y)(i, j + 1);
                entries.push(Triplet::new(row, row, self.reaction + west + east + south + north));
                if i + 1 < nx {
                    entries.push(Triplet::new(row + ny, row, -east));
                }
                if j + 1 < ny {
                    entries.push(Triplet::new(row + 1, row, -north));
                }
                let outward = [(i == 0, west), (i + 1 == nx, east), (j == 0, south), (j + 1 == ny, north)];
                for (_, conductance) in outward.into_iter().filter(|(outer, _)| *outer) {
                    rhs[row] += conductance * self.boundary;
                }
            }
        }
        let failed = |reason: String| ReferenceError::Factorisation { size, reason };
        let matrix = SparseColMat::<usize, f64>::try_new_from_triplets(size, size, &entries)
            .map_err(|e| failed(format!("{e:?}")))?;
        drop(entries);
        let factor = matrix.sp_cholesky(Side::Lower).map_err(|e| failed(format!("{e:?}")))?;
        let solution = factor.solve(&rhs);
        if let Some(at) = solution.iter().position(|v| !v.is_finite()) {
            return Err(failed(format!("unknown {at} is not finite")));
        }
        Ok(solution.iter().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn quadratic_profile_and_tiny_components() {
        // With no conductance across y the rows are 1-D chains: -u'' = 1 with u = 0 at both ends is exact in five points.
        let n = 9;
        let h = 0.1;
        let solver = FivePoint {
            nodes: [n, 3],
            conductance_x: |_, _| 1.0 / (h * h),
            conductance_y: |_, _| 0.0,
            reaction: 0.0,
            source: 1.0,
            boundary: 0.0,
        };
        let u = solver.solve().unwrap();
        for i in 0..n {
            let x = (i + 1) as f64 * h;
            assert!((u[3 * i + 1] - 0.5 * x * (1.0 - x)).abs() < 1e-14);
        }
        // r u - c (u_{i-1} - 2 u_i + u_{i+1}) = 0 with u = 1 at the ends: u_i = cosh(q (i - mid)) / cosh(q (n+1)/2).
        let n = 199;
        let decay = FivePoint {
            nodes: [n, 1],
            conductance_x: |_, _| 1.0,
            conductance_y: |_, _| 0.0,
            reaction: 0.25,
            source: 0.0,
            boundary: 1.0,
        };
        let u = decay.solve().unwrap();
        let q = (1.0f64 + 0.125).acosh();
        for (i, value) in u.iter().enumerate() {
            let exact = (q * (i as f64 - 99.0)).cosh() / (q * 100.0).cosh();
            assert!((value / exact - 1.0).abs() < 1e-12, "node {i}: {value:e} against {exact:e}");
        }
        assert!(u[99] < 1e-20);
    }
}
