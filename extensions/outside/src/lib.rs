//! An inner solver and an outer objective of one's own, written against the public crates alone.
//!
//! - [`ConjugateGradients`] is an [`hyperpde::linalg::InnerSolver`]: it asks the system for products and for nothing else.
//! - [`LeftOutDensity`] is an [`hyperpde::bilevel::Objective`]: it makes one tensor of what a solve brings, and burn differentiates.
//!
//! Both are values that a run is given, here together:
//!
//! ```
//! use std::sync::Arc;
//!
//! use hyperpde::bilevel::BilevelSettings;
//! use hyperpde::gp::SolveSettings;
//! use hyperpde::prelude::*;
//! use outside::{ConjugateGradients, LeftOutDensity};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let problem = problems::Burgers::default().problem()?;
//! let settings = BilevelSettings {
//!     objective: Arc::new(LeftOutDensity),
//!     solve: SolveSettings { solver: Arc::new(ConjugateGradients::default()), ..SolveSettings::default() },
//!     ..BilevelSettings::published(problem.defaults(), 1)
//! };
//! assert_eq!(settings.objective.name(), "left-out-density");
//! # Ok(())
//! # }
//! ```

mod conjugate_gradients;
mod left_out_density;

pub use conjugate_gradients::ConjugateGradients;
pub use left_out_density::LeftOutDensity;
