//! The Darcy inverse problem `−∇·(e^a ∇u) = 1` on the unit square, `u = 0` on its boundary: find the pressure
//! `u` and the log permeability `a` from noisy observations of `u` (arXiv 2510.05568, Darcy experiment).
//!
//! Divided by `−e^a` the equation is `Δu + ∇a·∇u + e^{−a} = 0`. The true permeability is
//! `e^a = e^s + e^{−s}`, `s = sin 2πx + sin 2πy`; the true pressure is
//! [`reference::Darcy`](crate::reference::Darcy) with 400 cells a side, where the publication has 79.
//!
//! The observations are at the first interior collocation points, with noise of standard deviation 1e-3, about
//! 4% of the largest pressure. [`Collocation::split_observations`](hyperpde_pde::Collocation::split_observations)
//! holds some of them out; the publication judges hyperparameters by the data it fits.
//!
//! Scores are `u`, `a` and the permeability `A = e^a`.

use std::sync::Arc;

use hyperpde_pde::{Computed, Defaults, Number, NumericalSolution, Observations, PdeError, Problem, Reference, Residual, Score, TestGrid, Unknown};

use crate::entry::Entry;
use crate::shared::{dirichlet_on_square, unit_square};
use crate::reference;

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "darcy",
        description: "Darcy flow inverse problem: log permeability from 60 noisy pressures",
        build: || Darcy::default().problem(),
    },
];

/// Cells per side of the grid for the true pressure.
const CELLS: usize = 400;

/// `F = Δu + a_x u_x + a_y u_y + e^{−a}`, with unknowns `a_x, a_y, a, u_x, u_y, Δu, u`; fields are `u`, `a`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Darcy {
    observations: usize,
    noise_std: f64,
}

impl Default for Darcy {
    /// The published data: 60 observations with noise of standard deviation 1e-3.
    fn default() -> Self {
        Self { observations: 60, noise_std: 1e-3 }
    }
}

impl Darcy {
    /// The problem with another number of observations (at least one) and standard deviation of their noise.
    pub fn new(observations: usize, noise_std: f64) -> Self {
        Self { observations, noise_std }
    }

    /// The problem with its conditions, observations, reference and published settings.
    ///
    /// # Errors
    /// [`PdeError::Observations`] for zero observations or a standard deviation that is negative or not
    /// finite.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = unit_square()?;
        let grid = TestGrid::uniform(&domain, &[80, 80])?;
        let sides = dirichlet_on_square(&domain, 0, |_| 0.0)?;
        let truth: Arc<dyn Reference> = Arc::new(Computed::new("finite volumes", 2, || {
            let pressure = reference::Darcy::new(CELLS, reference::darcy_permeability)?;
            Ok(NumericalSolution::new(pressure.accuracy(), move |x| {
                let log = |p: &[f64]| reference::darcy_permeability(p[0], p[1]).ln();
                Ok(vec![pressure.evaluate(x)?, x.chunks_exact(2).map(log).collect()])
            }))
        }));
        let data = Observations::on_interior("pressure", 0, 2, self.observations, Arc::clone(&truth), self.noise_std)?;
        Problem::builder("darcy", domain)
            .fields(["u", "a"])
            .equations(self)
            .conditions(sides)
            .observations(data)
            .reference(truth)
            .score(Score::new("u", |q| q[0]))
            .score(Score::new("a", |q| q[1]))
            .score(Score::new("A", |q| q[1].exp()))
            .test_grid(grid)
            .defaults(Defaults {
                interior: 400,
                boundary: 100,
                validation: 400,
                batch: 60,
                outer_steps: 100,
                learning_rate: 1e-3,
                nugget: 1e-5,
                ..Defaults::default()
            })
            .build()
    }
}

impl Residual for Darcy {
    /// `u` itself does not occur. It is listed because the published nugget relates the traces of the
    /// derivatives of `u` to that of its values at all points.
    fn unknowns(&self) -> Vec<Unknown> {
        vec![
            Unknown::partial(1, 2, 0),
            Unknown::partial(1, 2, 1),
            Unknown::value(1, 2),
            Unknown::partial(0, 2, 0),
            Unknown::partial(0, 2, 1),
            Unknown::laplacian(0, 2),
            Unknown::value(0, 2),
        ]
    }

    fn eval<D: Number>(&self, _x: &[f64], q: &[D]) -> Vec<D> {
        let (a_x, a_y, a, u_x, u_y, lap) = (q[0], q[1], q[2], q[3], q[4], q[5]);
        vec![lap + a_x * u_x + a_y * u_y + (-a).exp()]
    }
}
