//! Which functionals of which field act where: rows sorted by field and by distinct set of points.
//!
//! Features are computed once per field and point, however many rows use the point, so every field keeps one list of all
//! its points; a row block becomes one [`RowSet`] per field and site.

use std::ops::Range;
use std::sync::Arc;

use hyperpde_kernels::fused::Coefficients;
use hyperpde_kernels::gram::Functional;
use hyperpde_kernels::{JetSpace, NetworkStage, Operator, Points};

use crate::error::GpError;
use crate::rows::RowBlock;

/// The points of one field, set after set.
#[derive(Clone, Debug)]
pub(crate) struct FieldSites {
    sites: Vec<(Points, usize)>,
    /// All points of the field.
    pub all: Points,
    /// The derivatives that some row takes of the field.
    pub space: Arc<JetSpace>,
}

impl FieldSites {
    pub fn range(&self, site: usize) -> Range<usize> {
        let (points, start) = &self.sites[site];
        *start..start + points.len()
    }

    pub fn points(&self, site: usize) -> &Points {
        &self.sites[site].0
    }

    /// The site that a set of points is, if it is one.
    pub fn find(&self, points: &Points) -> Option<usize> {
        self.sites.iter().position(|(p, _)| p.same(points))
    }
}

/// The functionals of one field that some consecutive rows apply at one site.
#[derive(Clone, Debug)]
pub(crate) struct RowSet {
    pub field: usize,
    pub site: usize,
    pub rows: Range<usize>,
    pub functional: Functional,
    /// The functional as the fused pair stage takes it, where it can.
    separable: Option<Coefficients>,
}

impl RowSet {
    pub fn new(field: usize, site: usize, rows: Range<usize>, functional: Functional, dim: usize) -> Self {
        let separable = functional.separable(dim);
        Self { field, site, rows, functional, separable }
    }

    /// The functional in the form of the fused pair stage.
    pub fn separable(&self) -> Result<&Coefficients, GpError> {
        self.separable.as_ref().ok_or_else(inseparable)
    }
}

pub(crate) fn inseparable() -> GpError {
    GpError::System("an operator with mixed or higher derivatives reached the fused pair stage".into())
}

/// Sites with their first point in the list of all, operators, and the number of points so far.
type FieldBuilder = (Vec<(Points, usize)>, Vec<Operator>, usize);

/// Collects sites per field while row blocks are added.
#[derive(Debug)]
pub(crate) struct SiteBuilder {
    dim: usize,
    fields: Vec<FieldBuilder>,
}

impl SiteBuilder {
    pub fn new(dim: usize, fields: usize) -> Self {
        Self { dim, fields: vec![(Vec::new(), Vec::new(), 0); fields] }
    }

    /// Index of a set of points among the sites of a field.
    pub fn site(&mut self, field: usize, points: &Points, operator: &Operator) -> usize {
        let (sites, operators, end) = &mut self.fields[field];
        if !operators.contains(operator) {
            operators.push(operator.clone());
        }
        if let Some(at) = sites.iter().position(|(p, _)| p.same(points)) {
            return at;
        }
        sites.push((points.clone(), *end));
        *end += points.len();
        sites.len() - 1
    }

    /// The sets of a list of row blocks, rows numbered from zero.
    pub fn row_sets(&mut self, blocks: &[RowBlock]) -> Result<Vec<RowSet>, GpError> {
        let mut sets: Vec<RowSet> = Vec::new();
        let mut start = 0;
        for block in blocks {
            let fail = |why: String| GpError::Rows { block: block.name().into(), why };
            if block.dim() != self.dim {
                return Err(fail(format!("points have {} coordinates, the system has {}", block.dim(), self.dim)));
            }
            let first = sets.len();
            for term in block.terms() {
                if term.field >= self.fields.len() {
                    return Err(fail(format!("a term names field {}, there are {}", term.field, self.fields.len())));
                }
                let site = self.site(term.field, &block.sites()[term.site], &term.operator);
                let at = sets[first..].iter().position(|s| s.field == term.field && s.site == site).map(|k| first + k);
                let at = at.unwrap_or_else(|| {
                    let rows = start..start + block.len();
                    sets.push(RowSet::new(term.field, site, rows, Functional::default(), self.dim));
                    sets.len() - 1
                });
                sets[at].functional.add(&term.operator, &term.coefficients);
            }
            sets[first..].iter_mut().for_each(|set| set.separable = set.functional.separable(self.dim));
            start += block.len();
        }
        Ok(sets)
    }

    pub fn finish(self, networks: NetworkStage) -> Result<Vec<FieldSites>, GpError> {
        self.fields
            .into_iter()
            .enumerate()
            .map(|(f, (sites, operators, _))| {
                if sites.is_empty() {
                    return Err(GpError::System(format!(
                        "no row says anything about field {f}; every field needs at least one"
                    )));
                }
                let all = Points::concat(&sites.iter().map(|(p, _)| p).collect::<Vec<_>>())?;
                let space = JetSpace::of_operators(self.dim, &operators).with_networks(networks);
                Ok(FieldSites { sites, all, space })
            })
            .collect()
    }
}
