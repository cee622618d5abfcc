//! The viscous Burgers equation `u_t + u u_x − ν u_xx = 0` on `(t, x) ∈ [0, 1] × [−1, 1]`, with
//! `u(0, x) = −sin(πx)` and `u(t, ±1) = 0` (arXiv 2510.05568, Burgers experiment).
//!
//! The reference is the Cole-Hopf solution (Hopf 1950; Cole 1951)
//!
//! `u(t, x) = − ∫ sin(π y) W dη / ∫ W dη`, `W = exp(−cos(π y)/(2πν) − η²)`, `y = x − η sqrt(4νt)`.
//!
//! Both integrals are taken by the trapezoidal rule, which converges exponentially for entire functions
//! that decay like `W` (Trefethen and Weideman, SIAM Review 56, 2014). A fixed Gauss-Hermite rule does too,
//! but only while its outermost node, at `sqrt(2n)`, reaches the peak of `W`, at up to `1/sqrt(4ν)`; the
//! trapezoidal rule holds for every viscosity.

use std::f64::consts::PI;
use std::ops::RangeInclusive;

use hyperpde_kernels::Points;
use hyperpde_pde::{Condition, Defaults, Domain, Face, Number, PdeError, Problem, Reference, Residual, TestGrid, Unknown};

use crate::entry::Entry;
use crate::shared::{within};

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "burgers",
        description: "viscous Burgers equation in one dimension, steepening to a shock",
        build: || Burgers::default().problem(),
    },
];

/// Viscosities for which the reference holds.
const VISCOSITIES: RangeInclusive<f64> = 1e-6..=1e3;

/// `F = u_t + u u_x − ν u_xx`, with unknowns `u_t, u_x, u_xx, u`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burgers {
    nu: f64,
}

impl Default for Burgers {
    /// The published viscosity, `ν = 0.02`.
    fn default() -> Self {
        Self { nu: 0.02 }
    }
}

impl Burgers {
    /// The equation with viscosity `nu`.
    ///
    /// # Errors
    /// [`PdeError::Setting`] unless `nu` is in `[1e-6, 1e3]`, where the reference holds.
    pub fn new(nu: f64) -> Result<Self, PdeError> {
        within("viscosity", nu, VISCOSITIES).map(|nu| Self { nu })
    }

    /// The viscosity `ν`.
    pub fn viscosity(&self) -> f64 {
        self.nu
    }

    /// The problem with its conditions, reference and published settings.
    ///
    /// # Errors
    /// None for a viscosity that [`Burgers::new`] accepts.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = Domain::space_time(("t", 0.0, 1.0), [("x", -1.0, 1.0)])?;
        let grid = TestGrid::uniform(&domain, &[60, 60])?;
        let initial = Condition::dirichlet(&domain, Face::lower(0), 0, |x| -(PI * x[1]).sin())?;
        let right = Condition::dirichlet(&domain, Face::upper(1), 0, |_| 0.0)?;
        let left = Condition::dirichlet(&domain, Face::lower(1), 0, |_| 0.0)?;
        Problem::builder("burgers", domain)
            .equations(self)
            .conditions([initial, right, left])
            .reference(ColeHopf::new(self.nu)?)
            .test_grid(grid)
            .defaults(Defaults { gauss_newton_steps: 20, learning_rate: 1e-3, ..Defaults::default() })
            .build()
    }
}

impl Residual for Burgers {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::partial(0, 2, 0), Unknown::partial(0, 2, 1), Unknown::second(0, 2, 1), Unknown::value(0, 2)]
    }

    fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
        let (u_t, u_x, u_xx, u) = (u[0], u[1], u[2], u[3]);
        vec![u_t + u * u_x - u_xx * self.nu]
    }
}

/// The Cole-Hopf solution for `u(0, x) = −sin(πx)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColeHopf {
    nu: f64,
}

impl ColeHopf {
    /// The solution for viscosity `nu`. An evaluation costs `O(ν^{-1/2})` per point.
    ///
    /// # Errors
    /// [`PdeError::Setting`] unless `nu` is in `[1e-6, 1e3]`.
    pub fn new(nu: f64) -> Result<Self, PdeError> {
        within("viscosity", nu, VISCOSITIES).map(|nu| Self { nu })
    }

    /// `u(t, x)` for `t >= 0`; `exponents` is scratch space.
    fn at(&self, t: f64, x: f64, exponents: &mut Vec<f64>) -> f64 {
        let amplitude = 1.0 / (2.0 * PI * self.nu);
        let scale = (4.0 * self.nu * t).sqrt();
        // Past this radius W is below e^-40 of its peak, since the cosine spans twice the amplitude.
        let radius = (2.0 * amplitude + 40.0).sqrt();
        // The second bound resolves the cosine where diffusion spreads over many periods.
        let step = if scale > 2.0 { 0.2 / scale } else { 0.1 };
        let half = (radius / step).ceil();
        let nodes = 2 * half as usize + 1;
        let eta = |j: usize| (j as f64 - half) * step;
        exponents.clear();
        exponents.extend((0..nodes).map(|j| -(PI * (x - scale * eta(j))).cos() * amplitude - eta(j).powi(2)));
        // The largest exponent is taken out, so that nothing overflows however small the viscosity.
        let peak = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut top, mut bottom) = (0.0, 0.0);
        for (j, e) in exponents.iter().enumerate() {
            let relative = e - peak;
            if relative > -45.0 {
                let w = relative.exp();
                top += (PI * (x - scale * eta(j))).sin() * w;
                bottom += w;
            }
        }
        -top / bottom
    }
}

impl Reference for ColeHopf {
    fn name(&self) -> &str {
        "Cole-Hopf"
    }

    fn evaluate(&self, points: &Points) -> Result<Vec<Vec<f64>>, PdeError> {
        if points.dim() != 2 {
            return Err(PdeError::Shape {
                what: "points of the Cole-Hopf solution".into(),
                expected: "dimension 2, as (t, x)".into(),
                got: format!("dimension {}", points.dim()),
            });
        }
        let mut exponents = Vec::new();
        let mut values = Vec::with_capacity(points.len());
        for p in points.rows() {
            if p[0] < 0.0 {
                return Err(PdeError::Reference {
                    reference: "Cole-Hopf".into(),
                    why: format!("t = {} is before the initial time 0", p[0]),
                });
            }
            values.push(self.at(p[0], p[1], &mut exponents));
        }
        Ok(vec![values])
    }

    /// Rounding of the exponents, which are as large as `1/(2πν)`; the quadrature error is below it.
    fn accuracy(&self) -> f64 {
        8.0 * f64::EPSILON * (4.0 + 1.0 / (2.0 * PI * self.nu))
    }
}
