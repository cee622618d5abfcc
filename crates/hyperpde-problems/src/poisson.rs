//! The Poisson equation `−Δu = f` on the unit square, with `u = x² − y²` on its boundary and
//! `f = 2π² sin(πx) sin(πy)`, so that `u = sin(πx) sin(πy) + x² − y²`.
//!
//! Linear: the first Gauss-Newton step solves it, further ones only learn the kernel.

use std::f64::consts::PI;

use hyperpde_pde::{ClosedForm, Defaults, Number, PdeError, Problem, Residual, TestGrid, Unknown};

use crate::entry::Entry;
use crate::shared::{dirichlet_on_square, unit_square};

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "poisson",
        description: "Poisson equation on the unit square with boundary data that are not zero (linear)",
        build: || Poisson.problem(),
    },
];

/// `F = −Δu − f`, with the unknown `Δu`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Poisson;

impl Poisson {
    /// The problem with its conditions and exact solution.
    ///
    /// # Errors
    /// None.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = unit_square()?;
        let grid = TestGrid::uniform(&domain, &[60, 60])?;
        let sides = dirichlet_on_square(&domain, 0, harmonic)?;
        let exact = ClosedForm::new("prescribed solution", 2, 4e-15).field(|x| bump(x) + harmonic(x));
        Problem::builder("poisson", domain)
            .equations(self)
            .conditions(sides)
            .reference(exact)
            .test_grid(grid)
            .defaults(Defaults {
                interior: 400,
                boundary: 100,
                validation: 400,
                gauss_newton_steps: 5,
                ..Defaults::default()
            })
            .build()
    }
}

fn bump(x: &[f64]) -> f64 {
    (PI * x[0]).sin() * (PI * x[1]).sin()
}

fn harmonic(x: &[f64]) -> f64 {
    x[0] * x[0] - x[1] * x[1]
}

impl Residual for Poisson {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::laplacian(0, 2)]
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        vec![-u[0] - 2.0 * PI * PI * bump(x)]
    }
}
