//! Noisy observations of a field, as rows `(D u_f)(x_i) = y_i + ε_i`, `ε_i ~ N(0, σ²)`.
//!
//! Data are either given, or simulated from a known solution at interior collocation points of each draw.

use std::fmt;
use std::sync::Arc;

use hyperpde_gp::RowBlock;
use hyperpde_kernels::{Operator, Points};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::error::PdeError;
use crate::scoring::Reference;

/// Noisy data `(D u_f)(x_i) = y_i + ε_i`, `ε_i ~ N(0, σ²)` independent.
#[derive(Clone, Debug)]
pub struct Observations {
    name: String,
    field: usize,
    operator: Operator,
    data: Data,
    noise_std: f64,
}

/// Where the data come from.
#[derive(Clone)]
enum Data {
    Given {
        points: Points,
        values: Vec<f64>,
    },
    /// At the first `count` interior points of a draw.
    OnInterior {
        count: usize,
        truth: Arc<dyn Reference>,
    },
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::Given { points, .. } => write!(f, "{} given values", points.len()),
            Data::OnInterior { count, truth } => {
                write!(f, "first {count} interior points of '{}'", truth.name())
            }
        }
    }
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
        let fail = |why: String| Err(PdeError::Observations { observations: name.clone(), why });
        if points.is_empty() {
            return fail("there are no points; leave the set out".into());
        }
        if values.len() != points.len() {
            return fail(format!("{} points but {} values", points.len(), values.len()));
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
        check_noise(&name, noise_std)?;
        Ok(Self { name, field, operator, data: Data::Given { points, values }, noise_std })
    }

    /// Observations simulated at the first `count` interior points of each draw: values of `field` of the
    /// `truth`, in `dim` coordinates, plus noise of standard deviation `noise_std` from the seed of the draw.
    ///
    /// # Errors
    /// [`PdeError::Observations`] if `count` is zero, or `noise_std` is negative or not finite.
    pub fn on_interior(
        name: impl Into<String>,
        field: usize,
        dim: usize,
        count: usize,
        truth: Arc<dyn Reference>,
        noise_std: f64,
    ) -> Result<Self, PdeError> {
        let name = name.into();
        if count == 0 {
            return Err(PdeError::Observations {
                observations: name,
                why: "zero points asked for; leave the set out".into(),
            });
        }
        check_noise(&name, noise_std)?;
        Ok(Self { name, field, operator: Operator::identity(dim), data: Data::OnInterior { count, truth }, noise_std })
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

    /// Number of observations.
    pub fn count(&self) -> usize {
        match &self.data {
            Data::Given { values, .. } => values.len(),
            Data::OnInterior { count, .. } => *count,
        }
    }

    /// Where it was observed, `[n, d]`; nothing if the points come with each draw.
    pub fn points(&self) -> Option<&Points> {
        match &self.data {
            Data::Given { points, .. } => Some(points),
            Data::OnInterior { .. } => None,
        }
    }

    /// The data `y`, `[n]`; nothing if they are simulated with each draw.
    pub fn values(&self) -> Option<&[f64]> {
        match &self.data {
            Data::Given { values, .. } => Some(values),
            Data::OnInterior { .. } => None,
        }
    }

    /// Standard deviation `σ` of the noise.
    pub fn noise_std(&self) -> f64 {
        self.noise_std
    }

    /// The rows, with noise variance `σ²`; simulated data are at the first of the `interior` points.
    pub(crate) fn rows(&self, interior: &Points, rng: &mut impl Rng) -> Result<RowBlock, PdeError> {
        let (points, values) = match &self.data {
            Data::Given { points, values } => (points.clone(), values.clone()),
            Data::OnInterior { count, truth } => self.simulate(interior, *count, truth.as_ref(), rng)?,
        };
        Ok(RowBlock::simple(
            self.name.clone(),
            self.field,
            self.operator.clone(),
            points,
            values,
            self.noise_std.powi(2),
        )?)
    }

    fn simulate(
        &self,
        interior: &Points,
        count: usize,
        truth: &dyn Reference,
        rng: &mut impl Rng,
    ) -> Result<(Points, Vec<f64>), PdeError> {
        if interior.len() < count {
            return Err(PdeError::Sampling(format!(
                "observations '{}' are at the first {count} interior points, of which there are {}; sample more or observe fewer",
                self.name,
                interior.len()
            )));
        }
        let points = interior.select(&(0..count).collect::<Vec<_>>())?;
        let mut fields = truth.evaluate(&points)?;
        if self.field >= fields.len() || fields[self.field].len() != count {
            return Err(PdeError::Observations {
                observations: self.name.clone(),
                why: format!("the reference '{}' does not give {count} values of field {}", truth.name(), self.field),
            });
        }
        let mut values = fields.swap_remove(self.field);
        for value in &mut values {
            *value += self.noise_std * rng.sample::<f64, _>(StandardNormal);
        }
        Ok((points, values))
    }
}

fn check_noise(name: &str, noise_std: f64) -> Result<(), PdeError> {
    if noise_std.is_finite() && noise_std >= 0.0 {
        return Ok(());
    }
    Err(PdeError::Observations {
        observations: name.into(),
        why: format!("the standard deviation is {noise_std}; it must be finite and not negative"),
    })
}
