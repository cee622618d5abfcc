//! Boundary and initial conditions, as rows.
//!
//! A condition on a part of the boundary, a [`Patch`], is `Σ_t c_t(x) (D_t u_ft)(x) = g(x)` for every `x` on it. With the
//! outward unit normal `n(x)`, the normal derivative is the sum of terms `n_i(x) ∂u/∂x_i`. The patches of a box are its
//! faces. A periodic
//! condition ties the two faces across a coordinate, `Σ_t c_t (D_t u_ft)(x_lower) − (the same at x_upper) =
//! g(x_lower)`, where `x_upper` is `x_lower` moved across the box.

use std::fmt;
use std::sync::Arc;

use hyperpde_geometry::{Domain, Face, Patch};
use hyperpde_gp::{RowBlock, Term};
use hyperpde_kernels::{Operator, Points};

use crate::error::PdeError;

/// A function of the coordinates `x`, `[d]`.
pub type ScalarFn = Arc<dyn Fn(&[f64]) -> f64 + Send + Sync>;

/// Coefficient of a term: one number, or a function of the point.
#[derive(Clone)]
pub enum Coefficient {
    /// The same at every point.
    Constant(f64),
    /// A function of the coordinates.
    Function(ScalarFn),
}

impl Coefficient {
    fn at(&self, x: &[f64]) -> f64 {
        match self {
            Coefficient::Constant(c) => *c,
            Coefficient::Function(f) => f(x),
        }
    }
}

/// One term `c(x) (D u_f)(x)` of a condition.
#[derive(Clone)]
pub struct ConditionTerm {
    /// Index of the field `f`.
    pub field: usize,
    /// The operator `D`.
    pub operator: Operator,
    /// The coefficient `c`.
    pub coefficient: Coefficient,
}

/// Where a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// On the part of the boundary of that name.
    Patch(String),
    /// On one face of a box.
    Face(Face),
    /// Between the lower and the upper face across a coordinate.
    Periodic {
        /// Index of the coordinate.
        axis: usize,
    },
}

impl Location {
    /// The face on which the condition is sampled, if it is given by one: for a periodic pair the lower one.
    pub fn face(&self) -> Option<Face> {
        match *self {
            Location::Patch(_) => None,
            Location::Face(face) => Some(face),
            Location::Periodic { axis } => Some(Face::lower(axis)),
        }
    }
}

/// A condition on a face or across a pair of faces.
#[derive(Clone)]
pub struct Condition {
    name: String,
    location: Location,
    terms: Vec<ConditionTerm>,
    value: ScalarFn,
}

impl Condition {
    /// `Σ_t c_t D_t u_ft = value` at a location, from its parts.
    pub fn new(
        name: impl Into<String>,
        location: Location,
        terms: Vec<ConditionTerm>,
        value: impl Fn(&[f64]) -> f64 + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), location, terms, value: Arc::new(value) }
    }

    /// `u_f = value` on a part of the boundary.
    pub fn value_on(
        patch: &Arc<dyn Patch>,
        field: usize,
        value: impl Fn(&[f64]) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let terms = vec![term(field, Operator::identity(patch.dim()), 1.0)];
        Self::new(format!("field {field} on {}", patch.name()), Location::Patch(patch.name().into()), terms, value)
    }

    /// `∂u_f/∂n = n(x) · ∇u_f = value` on a part of the boundary, with its outward unit normal `n`.
    ///
    /// On a face of a box this is [`Condition::neumann`] but for the sign on a lower face, where `n` points down the
    /// coordinate.
    pub fn normal(patch: &Arc<dyn Patch>, field: usize, value: impl Fn(&[f64]) -> f64 + Send + Sync + 'static) -> Self {
        let name = format!("normal derivative of field {field} on {}", patch.name());
        Self::new(name, Location::Patch(patch.name().into()), normal_terms(patch, field, 1.0), value)
    }

    /// `a u_f + b ∂u_f/∂n = value` on a part of the boundary, with its outward unit normal `n`.
    pub fn robin_normal(
        patch: &Arc<dyn Patch>,
        field: usize,
        (a, b): (f64, f64),
        value: impl Fn(&[f64]) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let name = format!("{a} field {field} + {b} normal derivative on {}", patch.name());
        let mut terms = vec![term(field, Operator::identity(patch.dim()), a)];
        terms.extend(normal_terms(patch, field, b));
        Self::new(name, Location::Patch(patch.name().into()), terms, value)
    }

    /// `u_f = value` on a face; on the face of the first time this is an initial condition.
    ///
    /// # Errors
    /// [`PdeError::Domain`] if the box has no such face.
    pub fn dirichlet(
        domain: &Domain,
        face: Face,
        field: usize,
        value: impl Fn(&[f64]) -> f64 + Send + Sync + 'static,
    ) -> Result<Self, PdeError> {
        let terms = vec![term(field, Operator::identity(domain.dim()), 1.0)];
        let name = format!("field {field} on {}", domain.face_name(face)?);
        Ok(Self::new(name, Location::Face(face), terms, value))
    }

    /// `∂u_f/∂x_axis = value` on a face, where `axis` is the coordinate that the face fixes.
    ///
    /// This is the derivative along the coordinate, on lower and upper faces alike. The outward normal
    /// derivative is the same on an upper face and its negative on a lower one.
    ///
    /// # Errors
    /// As [`Condition::dirichlet`].
    pub fn neumann(
        domain: &Domain,
        face: Face,
        field: usize,
        value: impl Fn(&[f64]) -> f64 + Send + Sync + 'static,
    ) -> Result<Self, PdeError> {
        let name = format!("derivative of field {field} on {}", domain.face_name(face)?);
        let terms = vec![term(field, Operator::partial(domain.dim(), face.axis), 1.0)];
        Ok(Self::new(name, Location::Face(face), terms, value))
    }

    /// `a u_f + b ∂u_f/∂x_axis = value` on a face, with the coordinate derivative of
    /// [`Condition::neumann`].
    ///
    /// # Errors
    /// As [`Condition::dirichlet`].
    pub fn robin(
        domain: &Domain,
        face: Face,
        field: usize,
        (a, b): (f64, f64),
        value: impl Fn(&[f64]) -> f64 + Send + Sync + 'static,
    ) -> Result<Self, PdeError> {
        let name = format!("{a} field {field} + {b} derivative on {}", domain.face_name(face)?);
        let terms = vec![
            term(field, Operator::identity(domain.dim()), a),
            term(field, Operator::partial(domain.dim(), face.axis), b),
        ];
        Ok(Self::new(name, Location::Face(face), terms, value))
    }

    /// `D u_f` is the same on the lower and the upper face across coordinate `axis`. A second-order
    /// equation takes two of these per field: the value and the derivative along the coordinate.
    ///
    /// # Errors
    /// [`PdeError::Domain`] if there is no such coordinate.
    pub fn periodic(domain: &Domain, axis: usize, field: usize, operator: Operator) -> Result<Self, PdeError> {
        domain.coordinate(Face::lower(axis))?;
        let name = format!("{operator} of field {field} periodic in {}", domain.axes()[axis].name);
        let terms = vec![term(field, operator, 1.0)];
        Ok(Self::new(name, Location::Periodic { axis }, terms, |_| 0.0))
    }

    /// Name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it holds.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Its terms.
    pub fn terms(&self) -> &[ConditionTerm] {
        &self.terms
    }

    /// Its right-hand side `g(x)`.
    pub fn value(&self, x: &[f64]) -> f64 {
        (self.value)(x)
    }

    /// Rows at `points` `[n, d]` on its patch; `opposite` are the points moved across the box, for
    /// periodic conditions.
    pub(crate) fn rows(&self, points: &Points, opposite: Option<&Points>) -> Result<RowBlock, PdeError> {
        let fail = |what: String, x: &[f64], value: f64| PdeError::Condition {
            condition: self.name.clone(),
            why: format!("{what} at x = {x:?} is {value}; it must be finite"),
        };
        let mut rhs = Vec::with_capacity(points.len());
        for x in points.rows() {
            let value = self.value(x);
            if !value.is_finite() {
                return Err(fail("the right-hand side".into(), x, value));
            }
            rhs.push(value);
        }
        let mut terms = Vec::new();
        let sides = [(Some(points), 1.0), (opposite, -1.0)];
        for (site, (side, sign)) in sides.into_iter().enumerate() {
            let Some(side) = side else { continue };
            for t in &self.terms {
                let mut coefficients = Vec::with_capacity(side.len());
                for x in side.rows() {
                    let c = t.coefficient.at(x);
                    if !c.is_finite() {
                        return Err(fail(format!("the coefficient of {}", t.operator), x, c));
                    }
                    coefficients.push(sign * c);
                }
                terms.push(Term { field: t.field, operator: t.operator.clone(), site, coefficients });
            }
        }
        let sites = std::iter::once(points).chain(opposite).cloned().collect();
        Ok(RowBlock::new(self.name.clone(), sites, terms, rhs, 0.0)?)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").field("name", &self.name).field("location", &self.location).finish_non_exhaustive()
    }
}

fn term(field: usize, operator: Operator, coefficient: f64) -> ConditionTerm {
    ConditionTerm { field, operator, coefficient: Coefficient::Constant(coefficient) }
}

/// `scale · n_i(x) ∂u_f/∂x_i` for each coordinate; where the normal is the same everywhere, without the terms that vanish.
fn normal_terms(patch: &Arc<dyn Patch>, field: usize, scale: f64) -> Vec<ConditionTerm> {
    let partial = |i| Operator::partial(patch.dim(), i);
    match patch.constant_normal() {
        Some(normal) => {
            let kept = normal.into_iter().enumerate().filter(|(_, n)| *n != 0.0);
            kept.map(|(i, n)| term(field, partial(i), scale * n)).collect()
        }
        None => {
            let along = |i: usize| {
                let patch = Arc::clone(patch);
                // A normal that is too short gives NaN, which the rows refuse by name.
                let component = move |x: &[f64]| scale * patch.normal(x).get(i).copied().unwrap_or(f64::NAN);
                ConditionTerm { field, operator: partial(i), coefficient: Coefficient::Function(Arc::new(component)) }
            };
            (0..patch.dim()).map(along).collect()
        }
    }
}
