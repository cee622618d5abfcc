//! Rows: everything we know about the fields, as linear functionals.
//!
//! A row is `ℓ_r[u] = Σ_terms c · (D u_f)(x) = b_r`, possibly with noise: a linearised PDE at an interior
//! point, a Dirichlet, Neumann, Robin or periodic condition, an observation. Rows of one kind form a
//! [`RowBlock`] of `n` rows that share fields and operators, with points `[n, d]` and coefficients `[n]` per
//! term.

use hyperpde_kernels::{Operator, Points};

use crate::error::GpError;

/// One term `c_i · (D u_f)(x_i)` of each row `i` in a block.
#[derive(Clone, Debug)]
pub struct Term {
    /// Index of the field `f`.
    pub field: usize,
    /// The operator `D`.
    pub operator: Operator,
    /// Which of the block's sites gives the points `x_i`.
    pub site: usize,
    /// Coefficients `c_i`, `[n]`. Zeros are kept: the structure of a row is its list of terms.
    pub coefficients: Vec<f64>,
}

/// `n` rows `Σ_terms c_i (D u_f)(x_i) = b_i + ε_i`, `ε_i ~ N(0, noise_variance)`.
#[derive(Clone, Debug)]
pub struct RowBlock {
    name: String,
    sites: Vec<Points>,
    terms: Vec<Term>,
    rhs: Vec<f64>,
    noise_variance: f64,
    regularised: bool,
}

impl RowBlock {
    /// A block from its parts. Most blocks have one site; a periodic condition has two.
    ///
    /// # Errors
    /// [`GpError::Rows`] if shapes disagree, a term names a site that is not there, or a number is not finite.
    pub fn new(
        name: impl Into<String>,
        sites: Vec<Points>,
        terms: Vec<Term>,
        rhs: Vec<f64>,
        noise_variance: f64,
    ) -> Result<Self, GpError> {
        let name = name.into();
        let fail = |why: String| Err(GpError::Rows { block: name.clone(), why });
        let Some(first) = sites.first() else {
            return fail("a block needs at least one set of points".into());
        };
        let (n, dim) = (first.len(), first.dim());
        if n == 0 {
            return fail("it has no points; leave the block out or sample at least one point".into());
        }
        if let Some(odd) = sites.iter().find(|s| s.len() != n || s.dim() != dim) {
            return fail(format!("sites differ: [{n}, {dim}] and [{}, {}]", odd.len(), odd.dim()));
        }
        if rhs.len() != n {
            return fail(format!("{n} points but {} right-hand sides", rhs.len()));
        }
        if let Some(i) = rhs.iter().position(|b| !b.is_finite()) {
            return fail(format!("right-hand side {i} is {}", rhs[i]));
        }
        if !(noise_variance.is_finite() && noise_variance >= 0.0) {
            return fail(format!("noise variance is {noise_variance}, it must be finite and not negative"));
        }
        if terms.is_empty() {
            return fail("it has no terms".into());
        }
        for term in &terms {
            if term.site >= sites.len() {
                return fail(format!("a term names site {}, there are {}", term.site, sites.len()));
            }
            if term.operator.dim() != dim {
                return fail(format!(
                    "operator {} acts on {} coordinates, points have {dim}",
                    term.operator,
                    term.operator.dim()
                ));
            }
            if term.coefficients.len() != n {
                return fail(format!("{n} points but {} coefficients of {}", term.coefficients.len(), term.operator));
            }
            if let Some(i) = term.coefficients.iter().position(|c| !c.is_finite()) {
                return fail(format!(
                    "coefficient {i} of {} on field {} is {}",
                    term.operator, term.field, term.coefficients[i]
                ));
            }
        }
        Ok(Self { name, sites, terms, rhs, noise_variance, regularised: false })
    }

    /// `D u_f (x_i) = b_i`: one operator with coefficient one, for example a Dirichlet condition
    /// ([`Operator::identity`]), a Neumann condition (a normal derivative) or an observation.
    ///
    /// # Errors
    /// As [`RowBlock::new`].
    pub fn simple(
        name: impl Into<String>,
        field: usize,
        operator: Operator,
        points: Points,
        rhs: Vec<f64>,
        noise_variance: f64,
    ) -> Result<Self, GpError> {
        let coefficients = vec![1.0; points.len()];
        Self::new(name, vec![points], vec![Term { field, operator, site: 0, coefficients }], rhs, noise_variance)
    }

    /// The same rows, which as validation rows are evaluated on the latents of the regularised system: where a row shares a latent with a
    /// training row it includes the nugget's share, `(K w)_latent + η r Σ_r c_r w_r`. The published code scores data misfits so.
    #[must_use]
    pub fn regularised(mut self) -> Self {
        self.regularised = true;
        self
    }

    /// Whether [`RowBlock::regularised`] was called.
    pub fn is_regularised(&self) -> bool {
        self.regularised
    }

    /// Some of the rows, by index; none of them is no block.
    ///
    /// # Errors
    /// [`GpError::Kernel`] for an index past the end.
    pub fn select(&self, rows: &[usize]) -> Result<Option<Self>, GpError> {
        let sites = self.sites.iter().map(|points| points.select(rows)).collect::<Result<Vec<_>, _>>()?;
        let pick = |values: &[f64]| rows.iter().map(|&i| values[i]).collect::<Vec<f64>>();
        let terms = self.terms.iter().map(|t| Term { coefficients: pick(&t.coefficients), ..t.clone() }).collect();
        let rhs = pick(&self.rhs);
        Ok((!rows.is_empty()).then(|| Self { sites, terms, rhs, ..self.clone() }))
    }

    /// Name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rhs.len()
    }

    /// Whether there are no rows (never true: construction refuses it).
    pub fn is_empty(&self) -> bool {
        self.rhs.is_empty()
    }

    /// Dimension of the points.
    pub fn dim(&self) -> usize {
        self.sites[0].dim()
    }

    /// The sets of points that the terms refer to.
    pub fn sites(&self) -> &[Points] {
        &self.sites
    }

    /// The terms.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Right-hand sides `b`, `[n]`.
    pub fn rhs(&self) -> &[f64] {
        &self.rhs
    }

    /// Variance of the observation noise, zero for exact conditions.
    pub fn noise_variance(&self) -> f64 {
        self.noise_variance
    }
}
