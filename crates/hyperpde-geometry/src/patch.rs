//! Parts of a boundary.

use std::fmt::Debug;

use hyperpde_kernels::Points;
use rand::Rng;

use crate::error::GeometryError;
use crate::sampler::Sampler;

/// A named part of the boundary of a domain in `R^d`, on which conditions hold.
///
/// It is of dimension `d − 1` and has an outward unit normal `n(x)` at (almost) every point: the direction of
/// the normal derivative `∂u/∂n = n · ∇u`.
pub trait Patch: Debug + Send + Sync {
    /// Name, unique in its domain: `x = 0`, `inlet`.
    fn name(&self) -> &str;

    /// Number of coordinates `d` of the space around it.
    fn dim(&self) -> usize;

    /// Length, area or volume of dimension `d − 1`; 1 for a single point. Points are allotted in proportion to it.
    fn measure(&self) -> f64;

    /// Whether `x` `[d]` lies on it, up to rounding.
    fn contains(&self, x: &[f64]) -> bool;

    /// The outward unit normal `[d]` at a point `x` `[d]` on it.
    fn normal(&self, x: &[f64]) -> Vec<f64>;

    /// The normal, if it is the same at every point. Rows with a normal derivative then have no terms for
    /// coordinates along which it vanishes.
    fn constant_normal(&self) -> Option<Vec<f64>> {
        None
    }

    /// `n` points `[n, d]` on it, uniform with respect to its measure. A patch that is one point returns it once,
    /// whatever `n`, because a repeated row would make a system singular.
    ///
    /// [`Sampler::place`] does this from a map of the unit cube.
    ///
    /// # Errors
    /// [`GeometryError::Sampling`] for zero points or a dimension that the sampler doesn't reach.
    fn sample(&self, n: usize, sampler: Sampler, rng: &mut dyn Rng) -> Result<Points, GeometryError>;
}
