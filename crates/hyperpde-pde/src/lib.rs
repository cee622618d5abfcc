//! Partial differential equations as data: what is solved, where, and from which points.
//!
//! A [`Problem`] holds a box-shaped [`Domain`], named fields, [`Equations`] `F_e(x, {∂^α u_f}) = 0`,
//! [`Condition`]s on faces, noisy [`Observations`], and, where one is known, a [`Reference`] solution.
//! [`Problem::sample`] draws [`Collocation`] points and turns conditions and observations into rows;
//! [`Equations::linearise`] turns the equations into rows about an iterate. Both are what the inner solve
//! of `hyperpde-gp` takes.
//!
//! A new PDE is one [`Residual`], written once as ordinary arithmetic, plus its conditions;
//! [`problems`] has the catalogue, and [`mod@reference`] the numerics of its reference solutions.

mod builder;
mod collocation;
mod condition;
mod domain;
mod error;
mod known;
mod metrics;
mod observations;
mod problem;
pub mod problems;
pub mod reference;
mod residual;
mod sampling;
mod scoring;

pub use builder::ProblemBuilder;
pub use collocation::{Collocation, Fold, misfit_weight};
pub use condition::{Coefficient, Condition, ConditionTerm, Location, ScalarFn};
pub use domain::{Axis, Domain, Face};
pub use error::PdeError;
pub use known::{ClosedForm, Computed, Solved};
pub use metrics::FieldErrors;
pub use num_dual::{Dual64, DualNum};
pub use observations::Observations;
pub use problem::{Defaults, Problem, SampleSizes};
pub use residual::{Equations, Linearised, Number, Residual, Unknown};
pub use sampling::{Sampler, seeded};
pub use scoring::{Reference, Score, TestGrid};
