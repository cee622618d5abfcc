//! Residuals, written once, and what the solver asks of them: values, rows, and the reverse product of the rows.
//!
//! A system of equations is `F_e(x, q_1, ..., q_m) = 0`, e = 1..E, where each *unknown* `q_j = D_j u_f` is a
//! differential operator applied to a field. About an iterate with values `q^k` the Gauss-Newton row is
//!
//! `Σ_j c_ej D_j u_f = Σ_j c_ej q_j^k − F_e(x, q^k)`,  `c_ej = ∂F_e/∂q_j (x, q^k)`
//!
//! (arXiv 2510.05568, the linearised inner problem). The coefficients come from evaluating the same `F` with
//! dual numbers and are exact to rounding; the file `dual.rs` does that, for code and for text alike.
//!
//! A hypergradient through the iterate needs how the rows move with it. From cotangents `c̄_ej`, `b̄_e` of a row,
//! with the Hessian `H_e = ∂²F_e/∂q²`,
//!
//! `∂c_ej/∂q_k = H_e,jk`,  `∂b_e/∂q_k = Σ_j H_e,jk q_j`,  so `q̄_k = Σ_e Σ_j (c̄_ej + b̄_e q_j) H_e,jk`:
//!
//! one Hessian-vector product per point and equation, from second-order dual numbers.

use std::fmt;

use hyperpde_gp::{RowBlock, Term};
use hyperpde_kernels::{MultiIndex, Operator, Points};
use num_dual::DualNum;

use crate::dual;
use crate::error::PdeError;

/// The number type of a residual: `f64` itself or a dual number over it.
pub trait Number: DualNum<Primitive = f64> + Copy {}

impl<T: DualNum<Primitive = f64> + Copy> Number for T {}

/// An argument of a residual: an operator applied to a field, `D u_f`.
///
/// The list of unknowns is also the list of functionals that the nugget acts on, so it should name each
/// derivative that occurs in the equation once, and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// Index of the field `f`.
    pub field: usize,
    /// The operator `D`.
    pub operator: Operator,
}

impl Unknown {
    /// The value `u_f` in a space of `dim` coordinates.
    pub fn value(field: usize, dim: usize) -> Self {
        Self { field, operator: Operator::identity(dim) }
    }

    /// `∂u_f/∂x_i`.
    pub fn partial(field: usize, dim: usize, i: usize) -> Self {
        Self { field, operator: Operator::partial(dim, i) }
    }

    /// `∂²u_f/∂x_i²`.
    pub fn second(field: usize, dim: usize, i: usize) -> Self {
        Self { field, operator: Operator::second(dim, i) }
    }

    /// `Δu_f`, over all coordinates.
    pub fn laplacian(field: usize, dim: usize) -> Self {
        Self { field, operator: Operator::laplacian(dim) }
    }

    /// `∂^α u_f`.
    pub fn derivative(field: usize, alpha: MultiIndex) -> Self {
        Self { field, operator: Operator::derivative(alpha) }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of field {}", self.operator, self.field)
    }
}

/// Equations `F_e(x, q) = 0`, written as arithmetic over any [`Number`].
///
/// # Example
/// The viscous Burgers equation `u_t + u u_x − ν u_xx = 0` on `(t, x)`:
/// ```
/// use hyperpde_pde::{Number, Residual, Unknown};
///
/// struct Burgers { nu: f64 }
///
/// impl Residual for Burgers {
///     fn unknowns(&self) -> Vec<Unknown> {
///         vec![Unknown::partial(0, 2, 0), Unknown::partial(0, 2, 1), Unknown::second(0, 2, 1), Unknown::value(0, 2)]
///     }
///
///     fn eval<D: Number>(&self, _x: &[f64], u: &[D]) -> Vec<D> {
///         let [u_t, u_x, u_xx, u] = [u[0], u[1], u[2], u[3]];
///         vec![u_t + u * u_x - u_xx * self.nu]
///     }
/// }
/// ```
pub trait Residual: Send + Sync {
    /// Number of equations `E`.
    fn equations(&self) -> usize {
        1
    }

    /// The unknowns `q_1..q_m`, in the order in which [`Residual::eval`] takes them.
    fn unknowns(&self) -> Vec<Unknown>;

    /// `F_e(x, q)` for each equation, `[E]`, at the point `x`, `[d]`, with unknowns `u`, `[m]`.
    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D>;

    /// Values at all points at once, `[E][n]`, from unknowns `[m][n]`. What stands here evaluates [`Residual::eval`] point by point;
    /// equations whose structure is known may do the same by columns, as those of `hyperpde-expr` do.
    ///
    /// # Errors
    /// [`PdeError::Shape`] if [`Residual::eval`] gives another number of values than [`Residual::equations`].
    fn values(&self, x: &Points, u: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, PdeError> {
        dual::values(self, x, u)
    }

    /// Values and first derivatives at all points at once, as [`Residual::values`].
    ///
    /// # Errors
    /// As [`Residual::values`].
    fn jacobian(&self, x: &Points, u: &[Vec<f64>]) -> Result<Jacobian, PdeError> {
        dual::jacobian(self, x, u)
    }

    /// Whether `F_e` is known to be affine in the unknowns at every point, so that its Hessian vanishes. `false` says nothing.
    fn is_affine(&self, _equation: usize) -> bool {
        false
    }

    /// What a message calls the part of equation `equation` that has no finite value at `x`, with unknowns `u`; with `by`, whose
    /// derivative by that unknown has none. Nothing if the residual has no names for its parts.
    fn culprit(&self, _equation: usize, _x: &[f64], _u: &[f64], _by: Option<usize>) -> Option<String> {
        None
    }
}

/// Values and first derivatives of equations at `n` points, before anything is made of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Jacobian {
    /// `F_e` at each point, `[E][n]`.
    pub values: Vec<Vec<f64>>,
    /// `∂F_e/∂q_j` at each point, `[E][m][n]`.
    pub derivatives: Vec<Vec<Vec<f64>>>,
}

/// A [`Residual`] behind a trait object: what a problem stores.
pub trait Equations: Send + Sync {
    /// Number of equations `E`.
    fn equations(&self) -> usize;

    /// The unknowns `q_1..q_m`.
    fn unknowns(&self) -> Vec<Unknown>;

    /// `F_e(x_i, q(x_i))` as `[E][n]`, from points `[n, d]` and values of the unknowns `[m][n]`.
    ///
    /// # Errors
    /// [`PdeError::Shape`] if shapes disagree, [`PdeError::NonFiniteResidual`] if a value is not finite.
    fn residual(&self, x: &Points, u: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, PdeError>;

    /// The rows about the iterate whose unknowns have the values `u` `[m][n]` at the points `[n, d]`.
    ///
    /// # Errors
    /// As [`Equations::residual`].
    fn linearise(&self, x: &Points, u: &[Vec<f64>]) -> Result<Linearised, PdeError>;

    /// The reverse product of [`Equations::linearise`] at `u` `[m][n]`: from cotangents of `coefficients`, `[E][m][n]`, and of
    /// `rhs`, `[E][n]`, the cotangent of `u`, `[m][n]`:
    ///
    /// `ū_k = Σ_e Σ_j (c̄_ej + b̄_e u_j) ∂²F_e/∂q_j∂q_k`.
    ///
    /// Points and equations where all factors in parentheses vanish, and equations known to be affine, cost nothing.
    ///
    /// # Errors
    /// [`PdeError::Shape`] if shapes disagree, [`PdeError::NonFiniteResidual`] if a second derivative is not finite.
    fn vjp(
        &self,
        x: &Points,
        u: &[Vec<f64>],
        coefficients: &[Vec<Vec<f64>>],
        rhs: &[Vec<f64>],
    ) -> Result<Vec<Vec<f64>>, PdeError>;
}

/// Linearised equations `Σ_j c_ej q_j = b_e` at `n` points.
#[derive(Clone, Debug, PartialEq)]
pub struct Linearised {
    /// `c_ej = ∂F_e/∂q_j` at each point, `[E][m][n]`.
    pub coefficients: Vec<Vec<Vec<f64>>>,
    /// `b_e = Σ_j c_ej q_j^k − F_e(q^k)` at each point, `[E][n]`.
    pub rhs: Vec<Vec<f64>>,
}

impl Linearised {
    /// One block of rows per equation, all on the same `points` `[n, d]`, with every unknown as a term
    /// (coefficients that vanish are kept, so that the structure of a row does not depend on the iterate).
    ///
    /// # Errors
    /// [`PdeError::Rows`] if the points or unknowns are not those of the linearisation.
    pub fn rows(&self, name: &str, unknowns: &[Unknown], points: &Points) -> Result<Vec<RowBlock>, PdeError> {
        let equations = self.rhs.len();
        let mut blocks = Vec::with_capacity(equations);
        for (e, (coefficients, rhs)) in self.coefficients.iter().zip(&self.rhs).enumerate() {
            if coefficients.len() != unknowns.len() {
                return Err(PdeError::Shape {
                    what: format!("unknowns of the rows '{name}'"),
                    expected: coefficients.len().to_string(),
                    got: unknowns.len().to_string(),
                });
            }
            let terms = unknowns
                .iter()
                .zip(coefficients)
                .map(|(q, c)| Term { field: q.field, operator: q.operator.clone(), site: 0, coefficients: c.clone() })
                .collect();
            let label = if equations == 1 { name.to_owned() } else { format!("{name}, equation {e}") };
            blocks.push(RowBlock::new(label, vec![points.clone()], terms, rhs.clone(), 0.0)?);
        }
        Ok(blocks)
    }
}

impl<R: Residual> Equations for R {
    fn equations(&self) -> usize {
        Residual::equations(self)
    }

    fn unknowns(&self) -> Vec<Unknown> {
        Residual::unknowns(self)
    }

    fn residual(&self, x: &Points, u: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, PdeError> {
        dual::residual(self, x, u)
    }

    fn linearise(&self, x: &Points, u: &[Vec<f64>]) -> Result<Linearised, PdeError> {
        dual::linearise(self, x, u)
    }

    fn vjp(
        &self,
        x: &Points,
        u: &[Vec<f64>],
        coefficients: &[Vec<Vec<f64>>],
        rhs: &[Vec<f64>],
    ) -> Result<Vec<Vec<f64>>, PdeError> {
        dual::vjp(self, x, u, coefficients, rhs)
    }
}
