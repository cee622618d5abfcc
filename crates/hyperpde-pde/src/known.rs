//! Two ways to have a [`Reference`]: formulas, and numerics that run when first asked.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, OnceLock};

use hyperpde_kernels::Points;

use crate::condition::ScalarFn;
use crate::error::PdeError;
use crate::scoring::Reference;

/// A solution given by one formula per field, valid at every point.
#[derive(Clone)]
pub struct ClosedForm {
    name: String,
    dim: usize,
    fields: Vec<ScalarFn>,
    accuracy: f64,
}

impl ClosedForm {
    /// No fields yet; `accuracy` bounds the rounding error of the formulas in the maximum norm.
    pub fn new(name: impl Into<String>, dim: usize, accuracy: f64) -> Self {
        Self { name: name.into(), dim, fields: Vec::new(), accuracy }
    }

    /// Adds the formula of the next field, a function of the coordinates `[d]`.
    #[must_use]
    pub fn field(mut self, formula: impl Fn(&[f64]) -> f64 + Send + Sync + 'static) -> Self {
        self.fields.push(Arc::new(formula));
        self
    }
}

impl Reference for ClosedForm {
    fn name(&self) -> &str {
        &self.name
    }

    fn evaluate(&self, points: &Points) -> Result<Vec<Vec<f64>>, PdeError> {
        check_dimension(&self.name, self.dim, points)?;
        let column = |formula: &ScalarFn| {
            let at = |x: &[f64]| match formula(x) {
                value if value.is_finite() => Ok(value),
                value => Err(PdeError::Reference {
                    reference: self.name.clone(),
                    why: format!("its value at {x:?} is {value}"),
                }),
            };
            points.rows().map(at).collect()
        };
        self.fields.iter().map(column).collect()
    }

    fn accuracy(&self) -> f64 {
        self.accuracy
    }
}

impl fmt::Debug for ClosedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosedForm").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why numerics failed, in their own words.
type Failure = Box<dyn Error + Send + Sync>;

/// Values of each field `[F][n]` from row-major coordinates `[n, d]`.
type Evaluate = dyn Fn(&[f64]) -> Result<Vec<Vec<f64>>, Failure> + Send + Sync;

/// The outcome of a numerical solution: how to evaluate it, and how accurate it is.
pub struct NumericalSolution {
    evaluate: Box<Evaluate>,
    accuracy: f64,
}

impl NumericalSolution {
    /// `evaluate` takes row-major coordinates `[n, d]` and gives the values of each field, `[F][n]`;
    /// `accuracy` bounds their error in the maximum norm.
    pub fn new(
        accuracy: f64,
        evaluate: impl Fn(&[f64]) -> Result<Vec<Vec<f64>>, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { evaluate: Box::new(evaluate), accuracy }
    }
}

/// A numerical solution, computed when it is first evaluated and kept, so that a problem is cheap to build.
///
/// Threads that ask while it is being computed wait for it. A failure is kept too.
pub struct Computed {
    name: String,
    dim: usize,
    solve: Box<dyn Fn() -> Result<NumericalSolution, Failure> + Send + Sync>,
    solved: OnceLock<Result<NumericalSolution, Failure>>,
}

impl Computed {
    /// The solution that `solve` will give, on points of `dim` coordinates.
    pub fn new(
        name: impl Into<String>,
        dim: usize,
        solve: impl Fn() -> Result<NumericalSolution, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), dim, solve: Box::new(solve), solved: OnceLock::new() }
    }

    fn solved(&self) -> Result<&NumericalSolution, PdeError> {
        let outcome = self.solved.get_or_init(|| (self.solve)());
        outcome.as_ref().map_err(|e| self.failure(e.as_ref()))
    }

    fn failure(&self, error: &dyn Error) -> PdeError {
        PdeError::Reference { reference: self.name.clone(), why: error.to_string() }
    }
}

impl Reference for Computed {
    fn name(&self) -> &str {
        &self.name
    }

    fn evaluate(&self, points: &Points) -> Result<Vec<Vec<f64>>, PdeError> {
        check_dimension(&self.name, self.dim, points)?;
        (self.solved()?.evaluate)(points.as_slice()).map_err(|e| self.failure(e.as_ref()))
    }

    /// Computes the solution if that was not done yet; infinite if it failed.
    fn accuracy(&self) -> f64 {
        self.solved().map_or(f64::INFINITY, |s| s.accuracy)
    }
}

impl fmt::Debug for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Computed")
            .field("name", &self.name)
            .field("solved", &self.solved.get().is_some())
            .finish_non_exhaustive()
    }
}

fn check_dimension(name: &str, dim: usize, points: &Points) -> Result<(), PdeError> {
    if points.dim() == dim {
        return Ok(());
    }
    Err(PdeError::Shape {
        what: format!("points of the reference '{name}'"),
        expected: format!("dimension {dim}"),
        got: format!("dimension {}", points.dim()),
    })
}
