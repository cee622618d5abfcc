//! The nugget in row form: `N = η A R Aᵀ + noise`.
//!
//! A *latent* is one functional of one field at one point, `D u_f (x)`. The regularisation of the published method adds `η r` to the
//! variance of each latent, with `r = tr(Θ_DD)/tr(Θ_00)` for all latents of the same field and operator, traces over the distinct points
//! that carry them (experiments of arXiv 2510.05568). Rows inherit it through their coefficients: a row gets `η Σ c² r` on the
//! diagonal, two rows that share a latent get `η c c' r` between them. Observation noise adds its variance to the diagonal.

use std::collections::{BTreeMap, BTreeSet};

use hyperpde_kernels::Operator;
use hyperpde_kernels::gram::Functional;

use crate::rows::RowBlock;
use crate::sites::{RowSet, SiteBuilder};

/// Training rows that hold each latent, with their coefficients, by group and exact coordinates. Ordered: sums must not depend on chance.
type Latents = BTreeMap<(usize, Vec<u64>), Vec<(usize, f64)>>;

/// All latents of one field and operator: where the trace runs, as functionals with coefficient one and a weight per
/// point, one at the first occurrence of a point.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub field: usize,
    pub operator: Operator,
    pub traces: Vec<(RowSet, Vec<f64>)>,
    /// The group of plain values of the same field, whose trace is the denominator.
    pub value: usize,
}

/// `weight · r_group` at `(row, column)`, `row ≥ column`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub row: usize,
    pub column: usize,
    pub group: usize,
    pub weight: f64,
}

/// The nugget of a system of rows.
#[derive(Clone, Debug)]
pub(crate) struct Nugget {
    pub eta: f64,
    pub groups: Vec<Group>,
    pub entries: Vec<Entry>,
    /// Variance of the observation noise per row.
    pub noise: Vec<f64>,
    /// `weight · r_group` at `(validation row, training row)`: validation rows that score regularised latents.
    pub cross: Vec<Entry>,
    latents: Latents,
}

impl Nugget {
    pub fn new(eta: f64, blocks: &[RowBlock], builder: &mut SiteBuilder) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        // Latent → rows and coefficients; points are told apart by their exact coordinates.
        let mut latents = Latents::new();
        let mut start = 0;
        for block in blocks {
            for term in block.terms() {
                let points = &block.sites()[term.site];
                let site = builder.site(term.field, points, &term.operator);
                let group = groups
                    .iter()
                    .position(|g| g.field == term.field && g.operator == term.operator)
                    .unwrap_or_else(|| {
                        groups.push(Group {
                            field: term.field,
                            operator: term.operator.clone(),
                            traces: Vec::new(),
                            value: 0,
                        });
                        groups.len() - 1
                    });
                let mut weights = vec![0.0; points.len()];
                for (i, x) in points.rows().enumerate() {
                    let rows = latents.entry((group, coordinates(x))).or_insert_with(|| {
                        weights[i] = 1.0;
                        Vec::new()
                    });
                    rows.push((start + i, term.coefficients[i]));
                }
                if weights.contains(&1.0) {
                    let set = trace_set(term.field, &term.operator, site, weights.len());
                    groups[group].traces.push((set, weights));
                }
            }
            start += block.len();
        }
        let noise = blocks.iter().flat_map(|b| std::iter::repeat_n(b.noise_variance(), b.len())).collect();
        let mut nugget = Self { eta, groups, entries: Vec::new(), noise, cross: Vec::new(), latents };
        nugget.denominators(blocks, builder);
        nugget.couple();
        nugget
    }

    /// Points every group to the value group of its field; a field of which no row takes the value gets one over all its distinct
    /// points.
    fn denominators(&mut self, blocks: &[RowBlock], builder: &mut SiteBuilder) {
        for g in 0..self.groups.len() {
            let field = self.groups[g].field;
            let found = self.groups.iter().position(|v| v.field == field && v.operator.is_identity());
            self.groups[g].value = found.unwrap_or_else(|| {
                let operator = Operator::identity(self.groups[g].operator.dim());
                let mut traces: Vec<(RowSet, Vec<f64>)> = Vec::new();
                let mut seen = BTreeSet::new();
                for block in blocks {
                    for term in block.terms().iter().filter(|t| t.field == field) {
                        let points = &block.sites()[term.site];
                        let site = builder.site(field, points, &operator);
                        let first = |x: &[f64]| if seen.insert(coordinates(x)) { 1.0 } else { 0.0 };
                        let weights: Vec<f64> = points.rows().map(first).collect();
                        if weights.contains(&1.0) {
                            traces.push((trace_set(field, &operator, site, points.len()), weights));
                        }
                    }
                }
                let value = self.groups.len();
                self.groups.push(Group { field, operator, traces, value });
                value
            });
        }
    }

    fn couple(&mut self) {
        let mut merged: BTreeMap<(usize, usize, usize), f64> = BTreeMap::new();
        for ((group, _), rows) in &self.latents {
            for (k, &(r, c)) in rows.iter().enumerate() {
                *merged.entry((r, r, *group)).or_default() += c * c;
                for &(s, d) in &rows[..k] {
                    // A row that holds the same latent twice gets the cross term on its diagonal twice.
                    let factor = if r == s { 2.0 } else { 1.0 };
                    *merged.entry((r.max(s), r.min(s), *group)).or_default() += factor * c * d;
                }
            }
        }
        self.entries = merged
            .into_iter()
            .filter(|(_, weight)| *weight != 0.0)
            .map(|((row, column, group), weight)| Entry { row, column, group, weight })
            .collect();
    }
}

impl Nugget {
    /// Lets validation rows from `start` on score latents as the regularised system has them: a row that shares a latent with a training row
    /// gets `η c c' r` in its cross covariance. This is how the published code scores data misfits.
    pub fn share(&mut self, block: &RowBlock, start: usize) {
        for term in block.terms() {
            let Some(group) = self.groups.iter().position(|g| g.field == term.field && g.operator == term.operator)
            else {
                continue;
            };
            for (i, x) in block.sites()[term.site].rows().enumerate() {
                for &(column, c) in self.latents.get(&(group, coordinates(x))).into_iter().flatten() {
                    let weight = c * term.coefficients[i];
                    if weight != 0.0 {
                        self.cross.push(Entry { row: start + i, column, group, weight });
                    }
                }
            }
        }
    }
}

/// The exact bits of a point's coordinates; both zeros are one.
pub(crate) fn coordinates(x: &[f64]) -> Vec<u64> {
    x.iter().map(|v| (v + 0.0).to_bits()).collect()
}

/// A set of `n` points that a trace runs over, as functionals with coefficient one.
fn trace_set(field: usize, operator: &Operator, site: usize, n: usize) -> RowSet {
    RowSet::new(field, site, 0..n, Functional::uniform(operator, n), operator.dim())
}
