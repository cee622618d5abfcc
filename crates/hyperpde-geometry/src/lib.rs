//! Domains: which points are in them, and the parts of their boundary.
//!
//! A [`Geometry`] is a bounded set `Ω ⊂ R^d`, given by its bounding box, by whether a point is in it, and by the
//! [`Patch`]es that make up its boundary `∂Ω`. A patch is where a condition holds: a named piece of dimension `d − 1`
//! with an outward unit normal `n(x)`, so that `u = g` and `∂u/∂n = n · ∇u = g` have a meaning on it, and with a measure,
//! by which points are allotted.
//!
//! [`Domain`] is the first: a box in space, or in time and space with time first, whose patches are its [`Face`]s. A domain of
//! one's own implements the two traits; the unit disc is
//!
//! ```
//! use std::f64::consts::TAU;
//! use std::sync::Arc;
//!
//! use hyperpde_geometry::{Axis, Geometry, GeometryError, Patch, Rng, Sampler, seeded};
//! use hyperpde_kernels::Points;
//!
//! #[derive(Debug)]
//! struct Circle;
//!
//! impl Patch for Circle {
//!     fn name(&self) -> &str { "circle" }
//!     fn dim(&self) -> usize { 2 }
//!     fn measure(&self) -> f64 { TAU }
//!     fn contains(&self, x: &[f64]) -> bool { (x[0].hypot(x[1]) - 1.0).abs() < 1e-9 }
//!     fn normal(&self, x: &[f64]) -> Vec<f64> { x.to_vec() }
//!     fn sample(&self, n: usize, sampler: Sampler, rng: &mut dyn Rng) -> Result<Points, GeometryError> {
//!         sampler.place(n, 1, rng, |s| vec![(TAU * s[0]).cos(), (TAU * s[0]).sin()])
//!     }
//! }
//!
//! #[derive(Debug)]
//! struct Disc { axes: [Axis; 2] }
//!
//! impl Geometry for Disc {
//!     fn axes(&self) -> &[Axis] { &self.axes }
//!     fn contains(&self, x: &[f64]) -> bool { x.len() == 2 && x[0].hypot(x[1]) <= 1.0 + 1e-9 }
//!     fn boundary(&self) -> Vec<Arc<dyn Patch>> { vec![Arc::new(Circle)] }
//! }
//!
//! let disc = Disc { axes: ["x", "y"].map(|name| Axis::new(name, -1.0, 1.0)) };
//! let inside = disc.interior(100, Sampler::Halton, &mut seeded(1, 0))?;
//! assert!(inside.rows().all(|x| disc.contains(x)));
//! # Ok::<(), GeometryError>(())
//! ```
//!
//! [`Sampler`] says how points are spread: independent, stratified, or in a low-discrepancy sequence. All of them fill a
//! unit cube, from where [`Sampler::place`] maps them, to a box or along a patch; inside of other domains points are those of the
//! bounding box that fall into it.
//!
//! To read on: [`Geometry`] and [`Patch`], then the box in `faces.rs`. What is solved on a domain is the subject
//! of `hyperpde-pde`.

mod axis;
mod domain;
mod error;
mod faces;
mod geometry;
mod patch;
mod random;
mod sampler;

pub use axis::Axis;
pub use domain::{Domain, Face};
pub use error::GeometryError;
pub use geometry::Geometry;
pub use patch::Patch;
pub use rand::Rng;
pub use random::seeded;
pub use sampler::Sampler;
