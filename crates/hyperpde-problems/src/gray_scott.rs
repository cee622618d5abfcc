//! The Gray-Scott system on `(t, x) ∈ [0, 1]²` with reflecting ends (arXiv 2510.05568, Gray-Scott experiment):
//!
//! `u_t = D_u u_xx − u v² + F (1 − u)`,  `v_t = D_v v_xx + u v² − (F + k) v`,  `u_x = v_x = 0` at `x = 0, 1`,
//!
//! with `D_u = 1e-3`, `D_v = 2e-3`, `F = 0.04`, `k = 0.06`. All published initial data are cosines and so
//! compatible with the ends. The reference is [`reference::GrayScott`](crate::reference::GrayScott), accurate to
//! 1e-11; the published tables are in error by 1e-4 to 2e-3.

use std::f64::consts::PI;

use hyperpde_pde::{Computed, Condition, Defaults, Domain, Face, Number, NumericalSolution, PdeError, Problem, Residual, TestGrid, Unknown};

use crate::entry::Entry;
use crate::reference;

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "gray-scott",
        description: "Gray-Scott reaction-diffusion in one dimension, published base case",
        build: || GrayScott::new(GrayScottCase::Base).problem(),
    },
    Entry {
        name: "gray-scott-a",
        description: "Gray-Scott with other initial data, published case a",
        build: || GrayScott::new(GrayScottCase::A).problem(),
    },
    Entry {
        name: "gray-scott-b",
        description: "Gray-Scott with other initial data, published case b",
        build: || GrayScott::new(GrayScottCase::B).problem(),
    },
    Entry {
        name: "gray-scott-c",
        description: "Gray-Scott with other initial data, published case c",
        build: || GrayScott::new(GrayScottCase::C).problem(),
    },
];

/// The published initial data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GrayScottCase {
    /// `u_0 = −cos 3πx`, `v_0 = cos 2πx`: the case on which hyperparameters were learned.
    #[default]
    Base,
    /// `u_0 = cos 7πx`, `v_0 = −cos 2πx`.
    A,
    /// `u_0 = −cos 4πx`, `v_0 = cos 5πx`.
    B,
    /// `u_0 = cos 8πx`, `v_0 = cos 5πx`.
    C,
}

impl GrayScottCase {
    /// Name of the problem.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "gray-scott",
            Self::A => "gray-scott-a",
            Self::B => "gray-scott-b",
            Self::C => "gray-scott-c",
        }
    }

    /// `[u_0(x), v_0(x)]`.
    pub fn initial(self, x: f64) -> [f64; 2] {
        let [u, v] = match self {
            Self::Base => [(-1.0, 3.0), (1.0, 2.0)],
            Self::A => [(1.0, 7.0), (-1.0, 2.0)],
            Self::B => [(-1.0, 4.0), (1.0, 5.0)],
            Self::C => [(1.0, 8.0), (1.0, 5.0)],
        };
        [u, v].map(|(sign, m)| sign * (m * PI * x).cos())
    }
}

/// `F_1 = u_t − D_u u_xx + u v² − F (1 − u)`, `F_2 = v_t − D_v v_xx − u v² + (F + k) v`, with unknowns
/// `u_t, u_xx, u, v_t, v_xx, v`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GrayScott {
    case: GrayScottCase,
    /// Rates and diffusivities.
    parameters: reference::GrayScott,
}

impl GrayScott {
    /// The published system with one of its initial data.
    pub fn new(case: GrayScottCase) -> Self {
        Self { case, parameters: reference::GrayScott::default() }
    }

    /// The problem with its conditions, reference and published settings.
    ///
    /// # Errors
    /// None.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let Self { case, parameters } = self;
        let domain = Domain::space_time(("t", 0.0, 1.0), [("x", 0.0, 1.0)])?;
        let grid = TestGrid::uniform(&domain, &[101, 201])?;
        let mut conditions = Vec::new();
        for field in 0..2 {
            let initial = move |x: &[f64]| case.initial(x[1])[field];
            conditions.push(Condition::dirichlet(&domain, Face::lower(0), field, initial)?);
        }
        for end in [Face::upper(1), Face::lower(1)] {
            for field in 0..2 {
                conditions.push(Condition::neumann(&domain, end, field, |_| 0.0)?);
            }
        }
        let solution = Computed::new("cosine spectral", 2, move || {
            let initial = |field: usize| move |x: f64| case.initial(x)[field];
            let solution = parameters.solve(initial(0), initial(1))?;
            Ok(NumericalSolution::new(solution.accuracy(), move |x| Ok(solution.evaluate(x)?.into())))
        });
        Problem::builder(case.name(), domain)
            .fields(["u", "v"])
            .equations(self)
            .conditions(conditions)
            .reference(solution)
            .test_grid(grid)
            .defaults(Defaults {
                interior: 600,
                boundary: 400,
                validation: 600,
                gauss_newton_steps: 20,
                ..Defaults::default()
            })
            .build()
    }
}

impl Residual for GrayScott {
    fn equations(&self) -> usize {
        2
    }

    fn unknowns(&self) -> Vec<Unknown> {
        let of = |field| [Unknown::partial(field, 2, 0), Unknown::second(field, 2, 1), Unknown::value(field, 2)];
        [of(0), of(1)].concat()
    }

    fn eval<D: Number>(&self, _x: &[f64], q: &[D]) -> Vec<D> {
        let (u_t, u_xx, u, v_t, v_xx, v) = (q[0], q[1], q[2], q[3], q[4], q[5]);
        let p = &self.parameters;
        let conversion = u * v * v;
        vec![
            u_t - u_xx * p.diffusion_u + conversion + (u - 1.0) * p.feed,
            v_t - v_xx * p.diffusion_v - conversion + v * (p.feed + p.kill),
        ]
    }
}
