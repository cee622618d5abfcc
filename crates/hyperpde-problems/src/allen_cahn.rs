//! The Allen-Cahn equation `u_t = ε u_xx + u − u³` on `(t, x) ∈ [0, 1] × [−1, 1]`, with the data of a front
//! in which the stable state 1 invades the unstable state 0,
//!
//! `u = ½ (1 − tanh((x − c t)/w))`, `c = 3 sqrt(ε/2)`, `w = sqrt(8ε)`:
//!
//! an exact solution, which serves as initial value, as Dirichlet data at both ends and as reference
//! (Kawahara and Tanaka, *Phys. Lett. A* 97, 1983, 311-314).

use hyperpde_pde::{ClosedForm, Condition, Defaults, Domain, Face, Number, PdeError, Problem, Residual, TestGrid, Unknown};

use crate::entry::Entry;
use crate::shared::{within};

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "allen-cahn",
        description: "Allen-Cahn equation in one dimension, travelling front",
        build: || AllenCahn::default().problem(),
    },
];

/// `F = u_t − ε u_xx − u + u³`, with unknowns `u_t, u_xx, u`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AllenCahn {
    epsilon: f64,
}

impl Default for AllenCahn {
    /// `ε = 0.005`: a front of width 0.2.
    fn default() -> Self {
        Self { epsilon: 0.005 }
    }
}

impl AllenCahn {
    /// The equation with diffusivity `epsilon`, length² per time.
    ///
    /// # Errors
    /// [`PdeError::Setting`] unless `epsilon` is in `[1e-6, 1e3]`.
    pub fn new(epsilon: f64) -> Result<Self, PdeError> {
        within("epsilon", epsilon, 1e-6..=1e3).map(|epsilon| Self { epsilon })
    }

    /// The problem with its conditions and exact solution.
    ///
    /// # Errors
    /// None.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = Domain::space_time(("t", 0.0, 1.0), [("x", -1.0, 1.0)])?;
        let grid = TestGrid::uniform(&domain, &[60, 60])?;
        let conditions = domain
            .boundary()
            .into_iter()
            .map(|face: Face| Condition::dirichlet(&domain, face, 0, move |x| self.front(x)))
            .collect::<Result<Vec<_>, _>>()?;
        // Rounding of the argument of tanh, which is at most (1 + c)/w.
        let accuracy = 4.0 * f64::EPSILON * (1.0 + self.epsilon.powf(-0.5));
        Problem::builder("allen-cahn", domain)
            .equations(self)
            .conditions(conditions)
            .reference(ClosedForm::new("travelling front", 2, accuracy).field(move |x| self.front(x)))
            .test_grid(grid)
            .defaults(Defaults { gauss_newton_steps: 10, ..Defaults::default() })
            .build()
    }

    fn front(&self, x: &[f64]) -> f64 {
        let (speed, width) = (3.0 * (0.5 * self.epsilon).sqrt(), (8.0 * self.epsilon).sqrt());
        0.5 * (1.0 - ((x[1] - speed * x[0]) / width).tanh())
    }
}

impl Residual for AllenCahn {
    fn unknowns(&self) -> Vec<Unknown> {
        vec![Unknown::partial(0, 2, 0), Unknown::second(0, 2, 1), Unknown::value(0, 2)]
    }

    fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
        let (u_t, u_xx, u) = (u[0], u[1], u[2]);
        vec![u_t - u_xx * self.epsilon - u + u * u * u]
    }
}
