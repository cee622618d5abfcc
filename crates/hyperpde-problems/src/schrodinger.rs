//! The focusing nonlinear Schrödinger equation `i h_t + ½ h_xx + |h|² h = 0` for `h = u + i v` on
//! `(t, x) ∈ [0, 1] × [−5, 5]`, periodic in `x`, with `h(0, x) = 2 sech x` (arXiv 2510.05568, Schrödinger
//! experiment). In real form
//!
//! `u_t + ½ v_xx + (u² + v²) v = 0`,  `v_t − ½ u_xx − (u² + v²) u = 0`.
//!
//! There are no conditions at `x = ±5`: as published, the kernel is periodic in `x` with period 10, so every
//! function it can produce is. With another kernel the problem is not well posed; add
//! [`Condition::periodic`] for the value and the slope of both fields then.
//!
//! Continued periodically the data have a kink at `x = ±5`, a jump of the slope by 0.054. It disperses into waves of
//! small amplitude and every wavelength, so that second derivatives of the exact solution exist in the weak sense
//! only; a smooth approximation keeps a residual of about 1% of the largest term.
//!
//! Scores are `u`, `v` and `|h|`, in which the published errors are measured. The reference is
//! [`reference::Schrodinger`](crate::reference::Schrodinger).

use hyperpde_pde::{Computed, Condition, Defaults, Domain, Face, Number, NumericalSolution, PdeError, Problem, Residual, Score, TestGrid, Unknown};

use crate::entry::Entry;
use crate::reference;

/// What the catalogue lists.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        name: "schrodinger",
        description: "focusing nonlinear Schroedinger equation, periodic; for kernels periodic in x",
        build: || Schrodinger.problem(),
    },
];

/// `F_1 = u_t + ½ v_xx + (u² + v²) v`, `F_2 = v_t − ½ u_xx − (u² + v²) u`, with unknowns
/// `u_t, u_xx, u, v_t, v_xx, v`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Schrodinger;

impl Schrodinger {
    /// The problem with its initial conditions, reference and published settings. The test grid leaves out
    /// the right end of the period, which is the left one.
    ///
    /// # Errors
    /// None.
    pub fn problem(self) -> Result<Problem, PdeError> {
        let domain = Domain::space_time(("t", 0.0, 1.0), [("x", -5.0, 5.0)])?;
        let times = (0..=100).map(|i| f64::from(i) / 100.0).collect();
        let positions = (0..128).map(|j| -5.0 + 10.0 * f64::from(j) / 128.0).collect();
        let grid = TestGrid::new(domain.names(), vec![times, positions])?;
        let initial = |field: usize| {
            let value = move |x: &[f64]| reference::initial_sech(x[1])[field];
            Condition::dirichlet(&domain, Face::lower(0), field, value)
        };
        let conditions = [initial(0)?, initial(1)?];
        let solution = Computed::new("Fourier split step", 2, || {
            let solution = reference::Schrodinger::default().solve(reference::initial_sech)?;
            Ok(NumericalSolution::new(solution.accuracy(), move |x| Ok(solution.evaluate(x)?.into())))
        });
        Problem::builder("schrodinger", domain)
            .fields(["u", "v"])
            .equations(self)
            .conditions(conditions)
            .reference(solution)
            .score(Score::new("u", |h| h[0]))
            .score(Score::new("v", |h| h[1]))
            .score(Score::new("|h|", |h| h[0].hypot(h[1])))
            .test_grid(grid)
            .defaults(Defaults { interior: 1500, boundary: 200, validation: 1500, ..Defaults::default() })
            .build()
    }
}

impl Residual for Schrodinger {
    fn equations(&self) -> usize {
        2
    }

    fn unknowns(&self) -> Vec<Unknown> {
        let of = |field| [Unknown::partial(field, 2, 0), Unknown::second(field, 2, 1), Unknown::value(field, 2)];
        [of(0), of(1)].concat()
    }

    fn eval<D: Number>(&self, _x: &[f64], q: &[D]) -> Vec<D> {
        let (u_t, u_xx, u, v_t, v_xx, v) = (q[0], q[1], q[2], q[3], q[4], q[5]);
        let density = u * u + v * v;
        vec![u_t + v_xx * 0.5 + density * v, v_t - u_xx * 0.5 - density * u]
    }
}
