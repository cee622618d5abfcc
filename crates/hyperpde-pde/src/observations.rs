//! Noisy observations of a field, as rows `(D u_f)(x_i) = y_i + ε_i`, `ε_i ~ N(0, σ²)`.

use hyperpde_gp::RowBlock;
use hyperpde_kernels::{Operator, Points};

use crate::error::PdeError;

/// Noisy data `(D u_f)(x_i) = y_i + ε_i`, `ε_i ~ N(0, σ²)` independent.
#[derive(Clone, Debug)]
pub struct Observations {
    name: String,
    field: usize,
    operator: Operator,
    points: Points,
    values: Vec<f64>,
    noise_std: f64,
}

impl Observations {
    /// Observations of `operator` applied to `field` at `points` `[n, d]` with `values` `[n]` and standard
    /// deviation `noise_std` (same units as the values; zero for exact data).
    ///
    /// # Errors
    /// [`PdeError::Observations`] if there are no points, lengths or dimensions disagree, a value is not
    /// finite, or `noise_std` is negative or not finite.
    pub fn new(
        name: impl Into<String>,
        field: usize,
        operator: Operator,
        points: Points,
        values: Vec<f64>,
        noise_std: f64,
    ) -> Result<Self, PdeError> {
        let name = name.into();
        let fail = |why: String| {
            Err(PdeError::Observations {
                observations: name.clone(),
                why,
            })
        };
        if points.is_empty() {
            return fail("there are no points; leave the set out".into());
        }
        if values.len() != points.len() {
            return fail(format!(
                "{} points but {} values",
                points.len(),
                values.len()
            ));
        }
        if operator.dim() != points.dim() {
            return fail(format!(
                "operator {operator} acts on {} coordinates, points have {}",
                operator.dim(),
                points.dim()
            ));
        }
        if let Some(i) = values.iter().position(|v| !v.is_finite()) {
            return fail(format!("value {i} is {}", values[i]));
        }
        if !(noise_std.is_finite() && noise_std >= 0.0) {
            return fail(format!(
                "the standard deviation is {noise_std}; it must be finite and not negative"
            ));
        }
        Ok(Self {
            name,
            field,
            operator,
            points,
            values,
            noise_std,
        })
    }

    /// Name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Index of the observed field.
    pub fn field(&self) -> usize {
        self.field
    }

    /// The observed operator.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// Where it was observed, `[n, d]`.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// The data `y`, `[n]`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Standard deviation `σ` of the noise.
    pub fn noise_std(&self) -> f64 {
        self.noise_std
    }

    /// The rows, with noise variance `σ²`.
    pub(crate) fn rows(&self) -> Result<RowBlock, PdeError> {
        let (points, values) = (self.points.clone(), self.values.clone());
        Ok(RowBlock::simple(
            self.name.clone(),
            self.field,
            self.operator.clone(),
            points,
            values,
            self.noise_std.powi(2),
        )?)
    }
}
