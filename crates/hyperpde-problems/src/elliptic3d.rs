//! The nonlinear elliptic equation `−Δu + u³ = f` on the unit cube with `u = 0` on its boundary, and the
//! prescribed solution `u = sin(πx) sin(πy) sin(πz) + ½ sin(2πx) sin(2πy) sin(2πz)`.
//!
//! It shows that nothing is special about two dimensions: see [`Elliptic`](crate::Elliptic).

use hyperpde_pde::{Condition, Defaults, Domain, Number, PdeError, Problem, Residual, TestGrid, Unknown};

use crate::entry::Entry;
use crate::elliptic::SineElliptic;

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "elliptic-3d",
        description: "nonlinear elliptic equation -Lap u + u^3 = f on the unit cube",
        build: || Elliptic3d::default().problem(),
    },
];

/// `F = −Δu + u³ − f` in three dimensions, with unknowns `Δu, u`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elliptic3d {
    equation: SineElliptic,
}

impl Default for Elliptic3d {
    fn default() -> Self {
        Self { equation: SineElliptic::cubic(3, &[(1.0, 1.0), (0.5, 2.0)]) }
    }
}

impl Elliptic3d {
    /// The problem with its conditions and exact solution.
    ///
    /// # Errors
    /// None.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = Domain::space([("x", 0.0, 1.0), ("y", 0.0, 1.0), ("z", 0.0, 1.0)])?;
        let grid = TestGrid::uniform(&domain, &[20, 20, 20])?;
        let sides = domain
            .boundary()
            .into_iter()
            .map(|side| Condition::dirichlet(&domain, side, 0, |_| 0.0))
            .collect::<Result<Vec<_>, _>>()?;
        Problem::builder("elliptic-3d", domain)
            .equations(self)
            .conditions(sides)
            .reference(self.equation.exact())
            .test_grid(grid)
            .defaults(Defaults { boundary: 600, gauss_newton_steps: 10, ..Defaults::default() })
            .build()
    }
}

impl Residual for Elliptic3d {
    fn unknowns(&self) -> Vec<Unknown> {
        self.equation.unknowns()
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        self.equation.eval(x, u)
    }
}
