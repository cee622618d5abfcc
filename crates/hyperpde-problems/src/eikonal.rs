//! The regularised Eikonal equation `|∇u|² = 1 + ε Δu` on the unit square with `u = 0` on its boundary
//! (arXiv 2510.05568, Eikonal experiment). As `ε → 0` the solution tends to the distance to the boundary.
//!
//! The reference is [`reference::Eikonal`](crate::reference::Eikonal), exact to rounding; the publication scores
//! against finite differences that are themselves in error by 2e-4.

use hyperpde_pde::{Computed, Defaults, Number, NumericalSolution, PdeError, Problem, Residual, TestGrid, Unknown};

use crate::entry::Entry;
use crate::shared::{dirichlet_on_square, unit_square, within};
use crate::reference;

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "eikonal",
        description: "regularised eikonal equation |grad u|^2 = 1 + eps Lap u on the unit square",
        build: || Eikonal::default().problem(),
    },
];

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
    /// [`PdeError::Setting`] unless `epsilon` is in `[1e-8, 1e3]`, where the reference holds.
    pub fn new(epsilon: f64) -> Result<Self, PdeError> {
        within("epsilon", epsilon, 1e-8..=1e3).map(|epsilon| Self { epsilon })
    }

    /// The regularisation `ε`.
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// The problem with its conditions, reference and published settings. Its test grid is the published one: every
    /// tenth node of a grid with 1000 interior nodes per coordinate, slightly off centre.
    ///
    /// # Errors
    /// None for an `epsilon` that [`Eikonal::new`] accepts.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = unit_square()?;
        let nodes: Vec<f64> = (0..100).map(|i| f64::from(1 + 10 * i) / 1001.0).collect();
        let grid = TestGrid::new(domain.names(), vec![nodes.clone(), nodes])?;
        let sides = dirichlet_on_square(&domain, 0, |_| 0.0)?;
        let solution = Computed::new("Hopf-Cole exit times", 2, move || {
            let solution = reference::Eikonal::new(self.epsilon)?;
            Ok(NumericalSolution::new(solution.accuracy(), move |x| Ok(vec![solution.evaluate(x)?])))
        });
        Problem::builder("eikonal", domain)
            .equations(self)
            .conditions(sides)
            .reference(solution)
            .test_grid(grid)
            .defaults(Defaults { learning_rate: 1e-3, nugget: 1e-8, ..Defaults::default() })
            .build()
    }
}

impl Residual for Eikonal {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::partial(0, 2, 0), Unknown::partial(0, 2, 1), Unknown::laplacian(0, 2)]
    }

    fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
        let (u_x, u_y, lap) = (u[0], u[1], u[2]);
        vec![u_x * u_x + u_y * u_y - lap * self.epsilon - 1.0]
    }
}
