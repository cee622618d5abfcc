//! The nonlinear elliptic equation `−Δu + α u^m = f` on the unit square with `u = 0` on its boundary
//! (arXiv 2510.05568, elliptic experiment: `α = 1`, `m = 3`).
//!
//! The solution is prescribed, `u = sin(πx) sin(πy) + 4 sin(4πx) sin(4πy)`, and `f` follows from it. In `d`
//! dimensions the same holds for products of `d` sines; see [`Elliptic3d`](crate::Elliptic3d).

use std::f64::consts::PI;

use hyperpde_pde::{ClosedForm, Defaults, Number, PdeError, Problem, Residual, TestGrid, Unknown};

use crate::entry::Entry;
use crate::shared::{dirichlet_on_square, unit_square, within};

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "elliptic",
        description: "nonlinear elliptic equation -Lap u + u^3 = f on the unit square",
        build: || Elliptic::default().problem(),
    },
];

/// `F = −Δu + α u^m − f`, with unknowns `Δu, u`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elliptic {
    equation: SineElliptic,
}

impl Default for Elliptic {
    /// The published equation, `−Δu + u³ = f`.
    fn default() -> Self {
        Self { equation: SineElliptic::cubic(2, &[(1.0, 1.0), (4.0, 4.0)]) }
    }
}

impl Elliptic {
    /// The equation with coefficient `alpha` and power `m`; the solution stays, the source changes.
    ///
    /// # Errors
    /// [`PdeError::Setting`] unless `alpha` is in `[0, 1e3]` and `m` in `1..=9`.
    pub fn new(alpha: f64, power: i32) -> Result<Self, PdeError> {
        within("alpha", alpha, 0.0..=1e3)?;
        within("power", f64::from(power), 1.0..=9.0)?;
        let mut elliptic = Self::default();
        (elliptic.equation.alpha, elliptic.equation.power) = (alpha, power);
        Ok(elliptic)
    }

    /// The problem with its conditions, exact solution and published settings.
    ///
    /// # Errors
    /// None.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = unit_square()?;
        let grid = TestGrid::uniform(&domain, &[60, 60])?;
        let sides = dirichlet_on_square(&domain, 0, |_| 0.0)?;
        Problem::builder("elliptic", domain)
            .equations(self)
            .conditions(sides)
            .reference(self.equation.exact())
            .test_grid(grid)
            .defaults(Defaults::default())
            .build()
    }
}

impl Residual for Elliptic {
    fn unknowns(&self) -> Vec<Unknown> {
        self.equation.unknowns()
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        self.equation.eval(x, u)
    }
}

/// `−Δu + α u^m = f` in `d` dimensions with `u = Σ_j a_j Π_i sin(k_j π x_i)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SineElliptic {
    dim: usize,
    alpha: f64,
    power: i32,
    /// `(a_j, k_j)`.
    modes: &'static [(f64, f64)],
}

impl SineElliptic {
    /// `−Δu + u³ = f`.
    pub(super) fn cubic(dim: usize, modes: &'static [(f64, f64)]) -> Self {
        Self { dim, alpha: 1.0, power: 3, modes }
    }

    /// `Σ_j a_j weight(k_j) Π_i sin(k_j π x_i)`.
    fn sum(&self, x: &[f64], weight: impl Fn(f64) -> f64) -> f64 {
        let product = |k: f64| x.iter().map(|v| (k * PI * v).sin()).product::<f64>();
        self.modes.iter().map(|&(a, k)| a * weight(k) * product(k)).sum()
    }

    fn solution(&self, x: &[f64]) -> f64 {
        self.sum(x, |_| 1.0)
    }

    /// `f = −Δu + α u^m` of the solution.
    fn source(&self, x: &[f64]) -> f64 {
        let minus_laplacian = self.sum(x, |k| self.dim as f64 * (k * PI).powi(2));
        minus_laplacian + self.alpha * self.solution(x).powi(self.power)
    }

    pub(super) fn exact(self) -> ClosedForm {
        ClosedForm::new("prescribed solution", self.dim, 2e-14).field(move |x| self.solution(x))
    }
}

impl Residual for SineElliptic {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::laplacian(0, self.dim), Unknown::value(0, self.dim)]
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        let (lap, u) = (u[0], u[1]);
        vec![u.powi(self.power) * self.alpha - lap - self.source(x)]
    }
}
