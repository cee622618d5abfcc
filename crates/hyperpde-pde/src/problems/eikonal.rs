//! The regularised Eikonal equation `|∇u|² = 1 + ε Δu` on the unit square with `u = 0` on its boundary
//! (arXiv 2510.05568, Eikonal experiment). As `ε → 0` the solution tends to the distance to the boundary.

use crate::condition::Condition;
use crate::domain::{Domain, Face};
use crate::error::PdeError;
use crate::problem::{Defaults, Problem};
use crate::residual::{Number, Residual, Unknown};
use crate::scoring::TestGrid;

/// `F = u_x² + u_y² − 1 − ε Δu`, with unknowns `u_x, u_y, Δu`; the value of `u` does not occur.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eikonal {
    epsilon: f64,
}

impl Default for Eikonal {
    /// The published regularisation, `ε = 0.01`.
    fn default() -> Self {
        Self { epsilon: 0.01 }
    }
}

impl Eikonal {
    /// The equation with regularisation `epsilon`, which multiplies the Laplacian as it is (not squared).
    ///
    /// # Errors
    /// [`PdeError::Setting`] unless `epsilon` is positive and finite.
    pub fn new(epsilon: f64) -> Result<Self, PdeError> {
        if epsilon.is_finite() && epsilon > 0.0 {
            Ok(Self { epsilon })
        } else {
            Err(PdeError::Setting {
                name: "epsilon".into(),
                value: epsilon.to_string(),
                expected: "it must be positive and finite".into(),
            })
        }
    }

    /// The regularisation `ε`.
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// The problem with its conditions and published settings. Its test grid is the published one: every
    /// tenth node of a grid with 1000 interior nodes per coordinate, slightly off centre.
    ///
    /// # Errors
    /// None for an `epsilon` that [`Eikonal::new`] accepts.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = Domain::space([("x", 0.0, 1.0), ("y", 0.0, 1.0)])?;
        let nodes: Vec<f64> = (0..100).map(|i| f64::from(1 + 10 * i) / 1001.0).collect();
        let grid = TestGrid::new(domain.names(), vec![nodes.clone(), nodes])?;
        // Bottom, right, top, left: the published order, which decides who gets which points.
        let sides = [
            Face::lower(1),
            Face::upper(0),
            Face::upper(1),
            Face::lower(0),
        ];
        let conditions = sides.map(|face| Condition::dirichlet(&domain, face, 0, |_| 0.0));
        let mut builder = Problem::builder("eikonal", domain)
            .equations(self)
            .test_grid(grid)
            .defaults(Defaults {
                learning_rate: 1e-3,
                nugget: 1e-8,
                ..Defaults::default()
            });
        for condition in conditions {
            builder = builder.condition(condition?);
        }
        builder.build()
    }
}

impl Residual for Eikonal {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![
            Unknown::partial(0, 2, 0),
            Unknown::partial(0, 2, 1),
            Unknown::laplacian(0, 2),
        ]
    }

    fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
        let (u_x, u_y, lap) = (u[0], u[1], u[2]);
        vec![u_x * u_x + u_y * u_y - lap * self.epsilon - 1.0]
    }
}
