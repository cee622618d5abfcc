//! Putting a problem together: every part is checked against the domain and the fields before a solver
//! sees it.

use std::sync::Arc;

use hyperpde_kernels::Operator;

use crate::condition::Condition;
use crate::domain::Domain;
use crate::error::PdeError;
use crate::observations::Observations;
use crate::problem::{Defaults, Problem};
use crate::residual::Equations;
use crate::scoring::{Reference, Score, TestGrid};

/// Collects the parts of a [`Problem`] and checks that they fit.
pub struct ProblemBuilder {
    name: String,
    domain: Domain,
    fields: Vec<String>,
    equations: Option<Arc<dyn Equations>>,
    conditions: Vec<Condition>,
    observations: Vec<Observations>,
    reference: Option<Arc<dyn Reference>>,
    scores: Vec<Score>,
    test_grid: Option<TestGrid>,
    defaults: Defaults,
}

impl ProblemBuilder {
    pub(crate) fn new(name: String, domain: Domain) -> Self {
        Self {
            name,
            domain,
            fields: vec!["u".into()],
            equations: None,
            conditions: Vec::new(),
            observations: Vec::new(),
            reference: None,
            scores: Vec::new(),
            test_grid: None,
            defaults: Defaults::default(),
        }
    }

    /// Names of the fields; one field `u` if not called.
    #[must_use]
    pub fn fields<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.fields = names.into_iter().map(Into::into).collect();
        self
    }

    /// The equations; a [`crate::Residual`] will do.
    #[must_use]
    pub fn equations(mut self, equations: impl Equations + 'static) -> Self {
        self.equations = Some(Arc::new(equations));
        self
    }

    /// Adds a condition.
    #[must_use]
    pub fn condition(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Adds several conditions.
    #[must_use]
    pub fn conditions(mut self, conditions: impl IntoIterator<Item = Condition>) -> Self {
        self.conditions.extend(conditions);
        self
    }

    /// Adds observations.
    #[must_use]
    pub fn observations(mut self, observations: Observations) -> Self {
        self.observations.push(observations);
        self
    }

    /// The reference solution.
    #[must_use]
    pub fn reference(mut self, reference: impl Reference + 'static) -> Self {
        self.reference = Some(Arc::new(reference));
        self
    }

    /// Adds a quantity to report errors in. Without any, they are reported in each field; with one, in
    /// exactly those added.
    #[must_use]
    pub fn score(mut self, score: Score) -> Self {
        self.scores.push(score);
        self
    }

    /// The grid for scores and plots; required.
    #[must_use]
    pub fn test_grid(mut self, grid: TestGrid) -> Self {
        self.test_grid = Some(grid);
        self
    }

    /// Published settings.
    #[must_use]
    pub fn defaults(mut self, defaults: Defaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// The problem.
    ///
    /// # Errors
    /// [`PdeError::Problem`] if a part is missing, a field index, operator, face, grid or point does not
    /// fit the domain and fields, an unknown is listed twice, a field is in no equation and no
    /// observation, two scores share a name, or a default is out of range.
    pub fn build(self) -> Result<Problem, PdeError> {
        let fail = |why: String| PdeError::Problem { problem: self.name.clone(), why };
        if self.fields.is_empty() || (1..self.fields.len()).any(|i| self.fields[..i].contains(&self.fields[i])) {
            return Err(fail(format!("fields are {:?}; it needs at least one, with distinct names", self.fields)));
        }
        let fits = |what: &str, field: usize, operator: &Operator| {
            if field >= self.fields.len() {
                return Err(fail(format!("{what} names field {field}, there are {}", self.fields.len())));
            }
            if operator.dim() != self.domain.dim() {
                return Err(fail(format!(
                    "{what} has operator {operator} on {} coordinates, the domain has {}",
                    operator.dim(),
                    self.domain.dim()
                )));
            }
            Ok(())
        };
        let equations = self.equations.clone().ok_or_else(|| fail("it has no equations".into()))?;
        let unknowns = equations.unknowns();
        if equations.equations() == 0 || unknowns.is_empty() {
            return Err(fail("its equations have no unknowns, or there are none".into()));
        }
        let mut used = vec![false; self.fields.len()];
        for (i, q) in unknowns.iter().enumerate() {
            fits("an unknown", q.field, &q.operator)?;
            if unknowns[..i].contains(q) {
                return Err(fail(format!("the unknown {q} is listed twice")));
            }
            used[q.field] = true;
        }
        let mut faces = Vec::new();
        for c in &self.conditions {
            let what = format!("condition '{}'", c.name());
            let face = c.location().face();
            self.domain.coordinate(face).map_err(|e| fail(format!("{what}: {e}")))?;
            if c.terms().is_empty() {
                return Err(fail(format!("{what} has no terms")));
            }
            for t in c.terms() {
                fits(&what, t.field, &t.operator)?;
            }
            if !faces.contains(&face) {
                faces.push(face);
            }
        }
        for o in &self.observations {
            let what = format!("set of observations '{}'", o.name());
            fits(&what, o.field(), o.operator())?;
            let given = o.points().into_iter().flat_map(|p| p.rows());
            if let Some(x) = given.into_iter().find(|x| !self.domain.contains(x)) {
                return Err(fail(format!("{what} has the point {x:?}, outside the box")));
            }
            used[o.field()] = true;
        }
        if let Some(f) = used.iter().position(|&u| !u) {
            return Err(fail(format!("field '{}' is in no equation and no observation", self.fields[f])));
        }
        let mut scores = self.scores.clone();
        if scores.is_empty() {
            let field = |(f, name): (usize, &String)| Score::new(name, move |u| u[f]);
            scores = self.fields.iter().enumerate().map(field).collect();
        }
        if let Some(i) = (1..scores.len()).find(|&i| {
            let same = |s: &Score| s.name() == scores[i].name();
            scores[..i].iter().any(same)
        }) {
            return Err(fail(format!("two scores are named '{}'", scores[i].name())));
        }
        let test_grid = self.test_grid.clone().ok_or_else(|| fail("it has no test grid".into()))?;
        if test_grid.points().rows().any(|x| !self.domain.contains(x)) {
            return Err(fail("its test grid does not lie in the domain".into()));
        }
        let d = self.defaults;
        let positive = [("learning rate", d.learning_rate), ("loss tolerance", d.loss_tolerance), ("nugget", d.nugget)];
        if let Some((name, value)) = positive.iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            return Err(fail(format!("its default {name} is {value}; it must be positive and finite")));
        }
        Ok(Problem {
            name: self.name,
            domain: self.domain,
            fields: self.fields,
            equations,
            conditions: self.conditions,
            observations: self.observations,
            reference: self.reference,
            scores,
            test_grid,
            defaults: self.defaults,
            faces,
        })
    }
}
