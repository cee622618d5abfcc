//! Partial differential equations as data: what is solved, where, and from which points.
//!
//! The unknowns are fields `u_1..u_F` on a domain `Ω ⊂ R^d`. A [`Problem`] holds what is known of them:
//!
//! | | | |
//! |---|---|---|
//! | [`Equations`] | `F_e(x, {∂^α u_f}) = 0` in `Ω` | a [`Residual`], written once as ordinary arithmetic |
//! | [`Condition`]s | `Σ_t c_t(x) (D_t u_f)(x) = g(x)` on parts of `∂Ω` | values, normal derivatives, periodicity |
//! | [`Observations`] | `(D u_f)(x_i) = y_i + ε_i` | noisy data |
//! | [`Geometry`] | `Ω` and the [`Patch`]es of `∂Ω` | a [`Domain`] is a box; others are a trait away |
//! | [`Reference`] | `u` itself, where it is known | for scores on a [`TestGrid`] |
//!
//! From there to the linear system is two steps, and both end in rows `Σ_j c_j (D_j u_f)(x) = b`, which is what the
//! inner solve of `hyperpde-gp` takes. [`Problem::sample`] draws [`Collocation`] points and turns conditions and
//! observations into rows. [`Equations::linearise`] turns the equations into rows about an iterate `u^k`,
//!
//! `c_j = ∂F/∂q_j (q^k)`,  `b = Σ_j c_j q_j^k − F(q^k)`,  `q_j = (D_j u_f)(x)`,
//!
//! with derivatives from dual numbers, so that nothing is derived by hand.
//!
//! To read on: [`Residual`] has Burgers' equation as an example; then [`Problem::builder`] and [`Condition`], then
//! [`Collocation`]. The crate `hyperpde-problems` has a catalogue, `hyperpde-geometry` the domains.

mod builder;
mod collocation;
mod condition;
mod dual;
mod error;
mod known;
mod metrics;
mod observations;
mod problem;
mod residual;
mod scoring;

pub use builder::ProblemBuilder;
pub use collocation::{Collocation, Fold, misfit_weight};
pub use condition::{Coefficient, Condition, ConditionTerm, Location, ScalarFn};
pub use error::PdeError;
pub use hyperpde_geometry::{Axis, Domain, Face, Geometry, GeometryError, Patch, Sampler, seeded};
pub use known::{ClosedForm, Computed, NumericalSolution};
pub use metrics::FieldErrors;
pub use num_dual::{Dual64, DualNum};
pub use observations::Observations;
pub use problem::{Defaults, Problem, SampleSizes};
pub use residual::{Equations, Jacobian, Linearised, Number, Residual, Unknown};
pub use scoring::{Reference, Score, TestGrid};
