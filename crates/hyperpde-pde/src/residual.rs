//! Residuals, written once, and their exact linearisation by forward dual numbers.
//!
//! A system of equations is `F_e(x, q_1, ..., q_m) = 0`, e = 1..E, where each *unknown* `q_j = D_j u_f` is a
//! differential operator applied to a field. About an iterate with values `q^k` the Gauss-Newton row is
//!
//! `Σ_j c_ej D_j u_f = Σ_j c_ej q_j^k − F_e(x, q^k)`,  `c_ej = ∂F_e/∂q_j (x, q^k)`
//!
//! (arXiv 2510.05568, the linearised inner problem). The coefficients come from evaluating the same `F` with
//! dual numbers, one pass per unknown, and are exact to rounding.

use std::fmt;

use hyperpde_gp::{RowBlock, Term};
use hyperpde_kernels::{MultiIndex, Operator, Points};
use num_dual::{Dual64, DualNum};

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
        let unknowns = Residual::unknowns(self);
        check_shapes(&unknowns, x, u)?;
        let mut values = vec![Vec::with_capacity(x.len()); Residual::equations(self)];
        let mut q = vec![0.0; unknowns.len()];
        for (i, point) in x.rows().enumerate() {
            gather(&unknowns, point, u, i, &mut q)?;
            for (e, f) in evaluate(self, point, &q)?.into_iter().enumerate() {
                values[e].push(finite(e, point, || "the residual".into(), f)?);
            }
        }
        Ok(values)
    }

    fn linearise(&self, x: &Points, u: &[Vec<f64>]) -> Result<Linearised, PdeError> {
        let unknowns = Residual::unknowns(self);
        check_shapes(&unknowns, x, u)?;
        let (n, m, equations) = (x.len(), unknowns.len(), Residual::equations(self));
        let mut coefficients = vec![vec![Vec::with_capacity(n); m]; equations];
        let mut rhs = vec![Vec::with_capacity(n); equations];
        let mut q = vec![0.0; m];
        for (i, point) in x.rows().enumerate() {
            gather(&unknowns, point, u, i, &mut q)?;
            let mut b: Vec<f64> = evaluate(self, point, &q)?.into_iter().map(|f| -f).collect();
            let mut dual: Vec<Dual64> = q.iter().map(|&v| Dual64::new(v, 0.0)).collect();
            for j in 0..m {
                dual[j].eps = 1.0;
                for (e, f) in evaluate(self, point, &dual)?.into_iter().enumerate() {
                    let c = finite(e, point, || format!("the derivative by {}", unknowns[j]), f.eps)?;
                    coefficients[e][j].push(c);
                    b[e] += c * q[j];
                }
                dual[j].eps = 0.0;
            }
            for (e, b) in b.into_iter().enumerate() {
                rhs[e].push(finite(e, point, || "the residual".into(), b)?);
            }
        }
        Ok(Linearised { coefficients, rhs })
    }
}

/// `F(x, q)`, held to the number of equations that the residual announces.
fn evaluate<R: Residual, D: Number>(residual: &R, x: &[f64], q: &[D]) -> Result<Vec<D>, PdeError> {
    let values = residual.eval(x, q);
    let expected = residual.equations();
    if values.len() != expected {
        return Err(PdeError::Shape {
            what: "values of Residual::eval".into(),
            expected: format!("{expected}, as Residual::equations says"),
            got: values.len().to_string(),
        });
    }
    Ok(values)
}

fn check_shapes(unknowns: &[Unknown], x: &Points, u: &[Vec<f64>]) -> Result<(), PdeError> {
    let shape = |what: String, expected: String, got: String| Err(PdeError::Shape { what, expected, got });
    if u.len() != unknowns.len() {
        return shape("arrays of unknowns".into(), unknowns.len().to_string(), u.len().to_string());
    }
    for (q, values) in unknowns.iter().zip(u) {
        if q.operator.dim() != x.dim() {
            return shape(
                format!("points for {q}"),
                format!("dimension {}", q.operator.dim()),
                format!("dimension {}", x.dim()),
            );
        }
        if values.len() != x.len() {
            return shape(format!("values of {q}"), format!("{} (one per point)", x.len()), values.len().to_string());
        }
    }
    Ok(())
}

/// Puts the unknowns at point `i` into `q`.
fn gather(unknowns: &[Unknown], point: &[f64], u: &[Vec<f64>], i: usize, q: &mut [f64]) -> Result<(), PdeError> {
    for ((slot, values), unknown) in q.iter_mut().zip(u).zip(unknowns) {
        *slot = finite(0, point, || format!("the unknown {unknown}"), values[i])?;
    }
    Ok(())
}

fn finite(equation: usize, point: &[f64], what: impl FnOnce() -> String, value: f64) -> Result<f64, PdeError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(PdeError::NonFiniteResidual { equation, point: point.to_vec(), what: what(), value })
    }
}
