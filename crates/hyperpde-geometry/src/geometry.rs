//! What a domain has to be for a PDE to be solved on it.

use std::fmt::Debug;
use std::sync::Arc;

use hyperpde_kernels::Points;
use rand::{Rng, RngExt};

use crate::axis::Axis;
use crate::domain::Domain;
use crate::error::GeometryError;
use crate::patch::Patch;
use crate::random::seeded;
use crate::sampler::Sampler;

/// A bounded domain `Ω ⊂ R^d`: which points are in it, and the parts of its boundary.
///
/// Required are the bounding box, membership and the [patches](Patch) of the boundary; points in the interior follow from
/// the first two. With time, the first coordinate is time.
pub trait Geometry: Debug + Send + Sync {
    /// The bounding box: one named interval per coordinate, `[d]`.
    fn axes(&self) -> &[Axis];

    /// Whether `x` `[d]` lies in the closed domain, up to rounding; false for a point of another dimension.
    fn contains(&self, x: &[f64]) -> bool;

    /// The parts of the boundary where conditions are customary.
    fn boundary(&self) -> Vec<Arc<dyn Patch>>;

    /// Number of coordinates `d`, time included.
    fn dim(&self) -> usize {
        self.axes().len()
    }

    /// Whether the first coordinate is time.
    fn has_time(&self) -> bool {
        false
    }

    /// The part of the boundary of that name.
    ///
    /// # Errors
    /// [`GeometryError::Domain`] with the names that exist.
    fn patch(&self, name: &str) -> Result<Arc<dyn Patch>, GeometryError> {
        find(self.boundary(), name)
    }

    /// `n` points `[n, d]` inside, uniform with respect to volume.
    ///
    /// Unless a domain knows better: points of the bounding box, of which those inside are kept, in order.
    ///
    /// # Errors
    /// [`GeometryError::Sampling`] for zero points, a dimension that the sampler doesn't reach, or a domain that fills less
    /// than a thousandth of its bounding box.
    fn interior(&self, n: usize, sampler: Sampler, rng: &mut dyn Rng) -> Result<Points, GeometryError> {
        accepted(self.axes(), |x| self.contains(x), n, sampler, rng)
    }

    /// Shares `n` points among patches, at least one each; `n` is at least the number of patches.
    ///
    /// Unless a domain knows better: in proportion to their measures.
    fn allot(&self, patches: &[Arc<dyn Patch>], n: usize) -> Vec<usize> {
        by_measure(&patches.iter().map(|p| p.measure()).collect::<Vec<_>>(), n)
    }

    /// The domain as a box, if it is one. Only boxes have [faces](crate::Face) and can be periodic.
    fn as_box(&self) -> Option<&Domain> {
        None
    }
}

impl<G: Geometry + ?Sized> Geometry for Arc<G> {
    fn axes(&self) -> &[Axis] {
        (**self).axes()
    }

    fn contains(&self, x: &[f64]) -> bool {
        (**self).contains(x)
    }

    fn boundary(&self) -> Vec<Arc<dyn Patch>> {
        (**self).boundary()
    }

    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn has_time(&self) -> bool {
        (**self).has_time()
    }

    fn patch(&self, name: &str) -> Result<Arc<dyn Patch>, GeometryError> {
        (**self).patch(name)
    }

    fn interior(&self, n: usize, sampler: Sampler, rng: &mut dyn Rng) -> Result<Points, GeometryError> {
        (**self).interior(n, sampler, rng)
    }

    fn allot(&self, patches: &[Arc<dyn Patch>], n: usize) -> Vec<usize> {
        (**self).allot(patches, n)
    }

    fn as_box(&self) -> Option<&Domain> {
        (**self).as_box()
    }
}

impl Sampler {
    /// `n` points `[n, d]` inside a domain; see [`Geometry::interior`].
    ///
    /// # Errors
    /// Those of [`Geometry::interior`].
    pub fn interior(
        self,
        geometry: &(impl Geometry + ?Sized),
        n: usize,
        rng: &mut dyn Rng,
    ) -> Result<Points, GeometryError> {
        geometry.interior(n, self, rng)
    }
}

/// The patch of that name.
pub(crate) fn find(patches: Vec<Arc<dyn Patch>>, name: &str) -> Result<Arc<dyn Patch>, GeometryError> {
    let names = patches.iter().map(|p| p.name()).collect::<Vec<_>>().join(", ");
    let missing = GeometryError::Domain(format!("its boundary has no part '{name}'; there are {names}"));
    patches.into_iter().find(|p| p.name() == name).ok_or(missing)
}

/// The least share of the bounding box for which points are sought.
const LEAST_SHARE: f64 = 1e-3;

/// The first `n` of the sampler's points in the bounding box for which `inside` holds.
fn accepted(
    axes: &[Axis],
    inside: impl Fn(&[f64]) -> bool,
    n: usize,
    sampler: Sampler,
    rng: &mut dyn Rng,
) -> Result<Points, GeometryError> {
    // Every attempt begins the same random sequence, so that the number of attempts does not show in the points of
    // samplers that go on where they stopped.
    let seed = rng.random();
    let (mut count, most) = (n.saturating_mul(2), (n as f64 / LEAST_SHARE).ceil().max(1000.0 / LEAST_SHARE));
    loop {
        let box_points = sampler.place(count, axes.len(), &mut seeded(seed, 0), |unit| {
            axes.iter().zip(unit).map(|(axis, u)| axis.lower + axis.width() * u).collect()
        })?;
        let kept: Vec<usize> = (0..count).filter(|&i| inside(box_points.row(i))).take(n).collect();
        if kept.len() == n {
            return Ok(box_points.select(&kept)?);
        }
        if count as f64 >= most {
            return Err(GeometryError::Sampling(format!(
                "of {count} points in the bounding box {} are in the domain, asked for {n}; tighten the box, check \
                 `contains`, or give the geometry an `interior` of its own",
                kept.len()
            )));
        }
        count = (4 * count).min(most as usize);
    }
}

/// In proportion to the measures, rounded down, then one more for the largest remainders; none gets less than one, at the cost of the largest.
fn by_measure(measures: &[f64], n: usize) -> Vec<usize> {
    let total: f64 = measures.iter().sum();
    let exact: Vec<f64> = measures.iter().map(|m| n as f64 * m / total).collect();
    let mut shares: Vec<usize> = exact.iter().map(|e| e.floor() as usize).collect();
    let mut order: Vec<usize> = (0..measures.len()).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let left = n.saturating_sub(shares.iter().sum());
    order.iter().take(left).for_each(|&i| shares[i] += 1);
    while let Some(empty) = shares.iter().position(|&s| s == 0) {
        match (0..shares.len()).max_by_key(|&i| shares[i]).filter(|&i| shares[i] > 1) {
            Some(largest) => (shares[empty], shares[largest]) = (1, shares[largest] - 1),
            None => break,
        }
    }
    shares
}
