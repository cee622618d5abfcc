//! The heat equation `u_t = κ u_xx` on `(t, x) ∈ [0, 1]²`, with `u(0, x) = sin(πx) + ½ sin(3πx)` and
//! `u(t, 0) = u(t, 1) = 0`. By separation of variables
//! `u = e^{−κπ²t} sin(πx) + ½ e^{−9κπ²t} sin(3πx)`.
//!
//! Linear: the first Gauss-Newton step solves it, further ones only learn the kernel.

use std::f64::consts::PI;

use hyperpde_pde::{ClosedForm, Condition, Defaults, Domain, Face, Number, PdeError, Problem, Residual, TestGrid, Unknown};

use crate::entry::Entry;
use crate::shared::{within};

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "heat",
        description: "heat equation in one dimension (linear)",
        build: || Heat::default().problem(),
    },
];

/// `F = u_t − κ u_xx`, with unknowns `u_t, u_xx`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heat {
    diffusivity: f64,
}

impl Default for Heat {
    /// `κ = 0.05`, for which the slow mode loses four tenths of its height and the fast one nearly all.
    fn default() -> Self {
        Self { diffusivity: 0.05 }
    }
}

impl Heat {
    /// The equation with diffusivity `κ`, length² per time.
    ///
    /// # Errors
    /// [`PdeError::Setting`] unless `diffusivity` is in `[1e-6, 1e3]`.
    pub fn new(diffusivity: f64) -> Result<Self, PdeError> {
        within("diffusivity", diffusivity, 1e-6..=1e3).map(|diffusivity| Self { diffusivity })
    }

    /// The problem with its conditions and exact solution.
    ///
    /// # Errors
    /// None.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = Domain::space_time(("t", 0.0, 1.0), [("x", 0.0, 1.0)])?;
        let grid = TestGrid::uniform(&domain, &[60, 60])?;
        let initial = Condition::dirichlet(&domain, Face::lower(0), 0, move |x| self.exact(x))?;
        let right = Condition::dirichlet(&domain, Face::upper(1), 0, |_| 0.0)?;
        let left = Condition::dirichlet(&domain, Face::lower(1), 0, |_| 0.0)?;
        Problem::builder("heat", domain)
            .equations(self)
            .conditions([initial, right, left])
            .reference(ClosedForm::new("separation of variables", 2, 4e-15).field(move |x| self.exact(x)))
            .test_grid(grid)
            .defaults(Defaults { interior: 600, validation: 600, gauss_newton_steps: 5, ..Defaults::default() })
            .build()
    }

    fn exact(&self, x: &[f64]) -> f64 {
        let mode = |k: f64| (-self.diffusivity * (k * PI).powi(2) * x[0]).exp() * (k * PI * x[1]).sin();
        mode(1.0) + 0.5 * mode(3.0)
    }
}

impl Residual for Heat {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::partial(0, 2, 0), Unknown::second(0, 2, 1)]
    }

    fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
        vec![u[0] - u[1] * self.diffusivity]
    }
}
