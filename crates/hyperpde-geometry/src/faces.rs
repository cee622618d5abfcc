//! The box as a [`Geometry`], and its faces as [`Patch`]es.

use std::sync::Arc;

use hyperpde_kernels::Points;
use rand::Rng;

use crate::axis::Axis;
use crate::domain::{Domain, Face};
use crate::error::GeometryError;
use crate::geometry::{Geometry, find};
use crate::patch::Patch;
use crate::sampler::Sampler;

impl Domain {
    /// The face as a [`Patch`], named by [`Domain::face_name`].
    ///
    /// # Errors
    /// As [`Domain::coordinate`].
    pub fn face(&self, face: Face) -> Result<Arc<dyn Patch>, GeometryError> {
        Ok(Arc::new(FacePatch {
            name: self.face_name(face)?,
            value: self.coordinate(face)?,
            domain: self.clone(),
            face,
        }))
    }

    /// The bounding box of a domain, as a domain itself.
    ///
    /// # Errors
    /// As [`Domain::space`], if the box is malformed.
    pub fn bounding(geometry: &(impl Geometry + ?Sized)) -> Result<Self, GeometryError> {
        let axes = geometry.axes().iter().map(|a| (a.name.clone(), a.lower, a.upper)).collect();
        Self::new(axes, geometry.has_time())
    }
}

impl Geometry for Domain {
    fn axes(&self) -> &[Axis] {
        Domain::axes(self)
    }

    fn contains(&self, x: &[f64]) -> bool {
        Domain::contains(self, x)
    }

    /// The faces of [`Domain::boundary`].
    fn boundary(&self) -> Vec<Arc<dyn Patch>> {
        // These faces exist.
        Domain::boundary(self).into_iter().filter_map(|face| self.face(face).ok()).collect()
    }

    fn dim(&self) -> usize {
        Domain::dim(self)
    }

    fn has_time(&self) -> bool {
        Domain::has_time(self)
    }

    /// Any face, that of the last time too.
    fn patch(&self, name: &str) -> Result<Arc<dyn Patch>, GeometryError> {
        let faces = (0..self.dim()).flat_map(|axis| [Face::lower(axis), Face::upper(axis)]);
        find(faces.filter_map(|face| self.face(face).ok()).collect(), name)
    }

    fn interior(&self, n: usize, sampler: Sampler, rng: &mut dyn Rng) -> Result<Points, GeometryError> {
        sampler.place(n, self.dim(), rng, |unit| {
            self.axes().iter().zip(unit).map(|(axis, u)| axis.lower + axis.width() * u).collect()
        })
    }

    /// Equal shares, as in the published experiments; the last face takes the remainder.
    fn allot(&self, patches: &[Arc<dyn Patch>], n: usize) -> Vec<usize> {
        let mut shares = vec![n / patches.len().max(1); patches.len()];
        if let Some(last) = shares.last_mut() {
            *last += n % patches.len();
        }
        shares
    }

    fn as_box(&self) -> Option<&Domain> {
        Some(self)
    }
}

/// A face with its box: what a [`Patch`] needs.
#[derive(Debug)]
struct FacePatch {
    name: String,
    /// Where the fixed coordinate is.
    value: f64,
    domain: Domain,
    face: Face,
}

impl Patch for FacePatch {
    fn name(&self) -> &str {
        &self.name
    }

    fn dim(&self) -> usize {
        self.domain.dim()
    }

    fn measure(&self) -> f64 {
        let along = |(i, axis): (usize, &Axis)| if i == self.face.axis { 1.0 } else { axis.width() };
        self.domain.axes().iter().enumerate().map(along).product()
    }

    fn contains(&self, x: &[f64]) -> bool {
        self.domain.on_face(self.face, x).unwrap_or(false)
    }

    fn normal(&self, _x: &[f64]) -> Vec<f64> {
        let mut normal = vec![0.0; self.dim()];
        normal[self.face.axis] = if self.face.upper { 1.0 } else { -1.0 };
        normal
    }

    fn constant_normal(&self) -> Option<Vec<f64>> {
        Some(self.normal(&[]))
    }

    fn sample(&self, n: usize, sampler: Sampler, rng: &mut dyn Rng) -> Result<Points, GeometryError> {
        let along: Vec<usize> = (0..self.dim()).filter(|&i| i != self.face.axis).collect();
        let n = if along.is_empty() { n.min(1) } else { n };
        let mut point = vec![self.value; self.dim()];
        sampler.place(n, along.len(), rng, |unit| {
            for (&i, u) in along.iter().zip(unit) {
                let axis = &self.domain.axes()[i];
                point[i] = axis.lower + axis.width() * u;
            }
            point.clone()
        })
    }
}
