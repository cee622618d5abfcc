//! Putting a problem together: every part is checked against the domain and the fields before a solver
//! sees it.

use std::sync::Arc;

use hyperpde_geometry::{Domain, Geometry, Patch};
use hyperpde_kernels::Operator;

use crate::condition::{Condition, Location};
use crate::error::PdeError;
use crate::observations::Observations;
use crate::problem::{Defaults, Problem};
use crate::residual::Equations;
use crate::scoring::{Reference, Score, TestGrid};

/// Distinct patches, and for each condition the index of its own.
type Patches = (Vec<Arc<dyn Patch>>, Vec<usize>);

/// Collects the parts of a [`Problem`] and checks that they fit.
pub struct ProblemBuilder {
    name: String,
    geometry: Arc<dyn Geometry>,
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
    pub(crate) fn new(name: String, geometry: Arc<dyn Geometry>) -> Self {
        Self {
            name,
            geometry,
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
        self.check_fields()?;
        let bounds = Domain::bounding(&self.geometry).map_err(|e| self.refuse(e.to_string()))?;
        let equations = self.equations.clone().ok_or_else(|| self.refuse("it has no equations"))?;
        self.check_unknowns(&*equations)?;
        let (patches, patch_of) = self.resolve_patches()?;
        self.check_conditions()?;
        self.check_observations()?;
        self.check_fields_are_determined(&*equations)?;
        let scores = self.named_scores()?;
        let test_grid = self.checked_grid()?;
        self.check_defaults()?;
        Ok(Problem {
            name: self.name,
            geometry: self.geometry,
            bounds,
            fields: self.fields,
            equations,
            conditions: self.conditions,
            observations: self.observations,
            reference: self.reference,
            scores,
            test_grid,
            defaults: self.defaults,
            patches,
            patch_of,
        })
    }

    fn refuse(&self, why: impl Into<String>) -> PdeError {
        PdeError::Problem { problem: self.name.clone(), why: why.into() }
    }

    fn check_fields(&self) -> Result<(), PdeError> {
        if self.fields.is_empty() || (1..self.fields.len()).any(|i| self.fields[..i].contains(&self.fields[i])) {
            let why = format!("fields are {:?}; it needs at least one, with distinct names", self.fields);
            return Err(self.refuse(why));
        }
        Ok(())
    }

    /// A functional of `what` names a field that exists, and acts on as many coordinates as there are.
    fn check_functional(&self, what: &str, field: usize, operator: &Operator) -> Result<(), PdeError> {
        if field >= self.fields.len() {
            return Err(self.refuse(format!("{what} names field {field}, there are {}", self.fields.len())));
        }
        if operator.dim() != self.geometry.dim() {
            return Err(self.refuse(format!(
                "{what} has operator {operator} on {} coordinates, the domain has {}",
                operator.dim(),
                self.geometry.dim()
            )));
        }
        Ok(())
    }

    fn check_unknowns(&self, equations: &dyn Equations) -> Result<(), PdeError> {
        let unknowns = equations.unknowns();
        if equations.equations() == 0 || unknowns.is_empty() {
            return Err(self.refuse("its equations have no unknowns, or there are none"));
        }
        for (i, q) in unknowns.iter().enumerate() {
            self.check_functional("an unknown", q.field, &q.operator)?;
            if unknowns[..i].contains(q) {
                return Err(self.refuse(format!("the unknown {q} is listed twice")));
            }
        }
        Ok(())
    }

    /// The distinct patches that conditions name, in their order, and for each condition the index of its patch.
    fn resolve_patches(&self) -> Result<Patches, PdeError> {
        let mut patches: Vec<Arc<dyn Patch>> = Vec::new();
        let mut patch_of = Vec::with_capacity(self.conditions.len());
        for c in &self.conditions {
            let patch =
                self.patch(c.location()).map_err(|why| self.refuse(format!("condition '{}': {why}", c.name())))?;
            if patch.dim() != self.geometry.dim() {
                let what = format!("condition '{}': '{}' has {} coordinates", c.name(), patch.name(), patch.dim());
                return Err(self.refuse(format!("{what}, the domain has {}", self.geometry.dim())));
            }
            let known = patches.iter().position(|p| p.name() == patch.name());
            patch_of.push(known.unwrap_or(patches.len()));
            if known.is_none() {
                patches.push(patch);
            }
        }
        Ok((patches, patch_of))
    }

    fn patch(&self, location: &Location) -> Result<Arc<dyn Patch>, String> {
        let found = match (location, location.face(), self.geometry.as_box()) {
            (Location::Patch(name), _, _) => self.geometry.patch(name),
            (_, Some(face), Some(domain)) => domain.face(face),
            _ => return Err("it is on a face, and the domain is no box; name a part of its boundary".into()),
        };
        found.map_err(|e| e.to_string())
    }

    fn check_conditions(&self) -> Result<(), PdeError> {
        for c in &self.conditions {
            let what = format!("condition '{}'", c.name());
            if c.terms().is_empty() {
                return Err(self.refuse(format!("{what} has no terms")));
            }
            for t in c.terms() {
                self.check_functional(&what, t.field, &t.operator)?;
            }
        }
        Ok(())
    }

    fn check_observations(&self) -> Result<(), PdeError> {
        for o in &self.observations {
            let what = format!("set of observations '{}'", o.name());
            self.check_functional(&what, o.field(), o.operator())?;
            let mut given = o.points().into_iter().flat_map(|p| p.rows());
            if let Some(x) = given.find(|x| !self.geometry.contains(x)) {
                return Err(self.refuse(format!("{what} has the point {x:?}, outside the domain")));
            }
        }
        Ok(())
    }

    fn check_fields_are_determined(&self, equations: &dyn Equations) -> Result<(), PdeError> {
        let unknowns = equations.unknowns();
        let used = |f: usize| unknowns.iter().any(|q| q.field == f) || self.observations.iter().any(|o| o.field() == f);
        match (0..self.fields.len()).find(|&f| !used(f)) {
            Some(f) => Err(self.refuse(format!("field '{}' is in no equation and no observation", self.fields[f]))),
            None => Ok(()),
        }
    }

    /// The scores, those of the fields unless others were added.
    fn named_scores(&self) -> Result<Vec<Score>, PdeError> {
        if self.scores.is_empty() {
            let field = |(f, name): (usize, &String)| Score::new(name, move |u| u[f]);
            return Ok(self.fields.iter().enumerate().map(field).collect());
        }
        let repeated = |i: &usize| self.scores[..*i].iter().any(|s| s.name() == self.scores[*i].name());
        match (1..self.scores.len()).find(repeated) {
            Some(i) => Err(self.refuse(format!("two scores are named '{}'", self.scores[i].name()))),
            None => Ok(self.scores.clone()),
        }
    }

    fn checked_grid(&self) -> Result<TestGrid, PdeError> {
        let grid = self.test_grid.clone().ok_or_else(|| self.refuse("it has no test grid"))?;
        if grid.points().rows().any(|x| !self.geometry.contains(x)) {
            return Err(self.refuse("its test grid does not lie in the domain"));
        }
        Ok(grid)
    }

    fn check_defaults(&self) -> Result<(), PdeError> {
        let d = self.defaults;
        let positive = [("learning rate", d.learning_rate), ("loss tolerance", d.loss_tolerance), ("nugget", d.nugget)];
        match positive.iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            Some((name, value)) => {
                Err(self.refuse(format!("its default {name} is {value}; it must be positive and finite")))
            }
            None => Ok(()),
        }
    }
}
