//! Linear differential operators with constant coefficients, `ℓ = Σ_α c_α ∂^α`.
//!
//! An operator is a map from multi-index to coefficient. It is what a row of the inner solve applies to a
//! field: a value, a derivative, a Laplacian. Coefficients that change from point to point are the business
//! of the row (see `hyperpde-gp`), not of the operator.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::KernelError;

/// A multi-index `α ∈ N^d`: how often to differentiate by each coordinate.
pub type MultiIndex = Vec<u8>;

/// `ℓ = Σ_α c_α ∂^α` on functions of `d` coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    dim: usize,
    terms: BTreeMap<MultiIndex, f64>,
}

impl Operator {
    /// `Σ c_α ∂^α` from its terms; terms on the same multi-index add up.
    ///
    /// # Errors
    /// [`KernelError::Operator`] if there is no term, a multi-index has another length than `dim`, or a
    /// coefficient is not finite.
    pub fn new(dim: usize, terms: impl IntoIterator<Item = (MultiIndex, f64)>) -> Result<Self, KernelError> {
        let mut map = BTreeMap::new();
        for (alpha, c) in terms {
            if alpha.len() != dim {
                return Err(KernelError::Operator(format!(
                    "multi-index {alpha:?} has {} entries, the space has {dim} coordinates",
                    alpha.len()
                )));
            }
            if !c.is_finite() {
                return Err(KernelError::Operator(format!("coefficient of {alpha:?} is {c}")));
            }
            *map.entry(alpha).or_insert(0.0) += c;
        }
        if map.is_empty() {
            return Err(KernelError::Operator("an operator needs at least one term".into()));
        }
        Ok(Self { dim, terms: map })
    }

    /// The value itself, `ℓ[u] = u`.
    pub fn identity(dim: usize) -> Self {
        Self::single(dim, vec![0; dim])
    }

    /// `∂u/∂x_i`. A coordinate past the last gives the derivative by the last one.
    pub fn partial(dim: usize, i: usize) -> Self {
        Self::single(dim, unit(dim, i, 1))
    }

    /// `∂²u/∂x_i²`.
    pub fn second(dim: usize, i: usize) -> Self {
        Self::single(dim, unit(dim, i, 2))
    }

    /// `∂^α u`.
    pub fn derivative(alpha: MultiIndex) -> Self {
        Self::single(alpha.len(), alpha)
    }

    /// `Δu = Σ_i ∂²u/∂x_i²` over all coordinates.
    pub fn laplacian(dim: usize) -> Self {
        Self { dim, terms: (0..dim).map(|i| (unit(dim, i, 2), 1.0)).collect() }
    }

    fn single(dim: usize, alpha: MultiIndex) -> Self {
        Self { dim, terms: BTreeMap::from([(alpha, 1.0)]) }
    }

    /// Number of coordinates `d`.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Highest total order `|α|` of a term.
    pub fn order(&self) -> usize {
        self.terms.keys().map(|a| a.iter().map(|&k| k as usize).sum()).max().unwrap_or(0)
    }

    /// The terms `(α, c_α)`, in the order of the multi-indices.
    pub fn terms(&self) -> impl Iterator<Item = (&MultiIndex, f64)> {
        self.terms.iter().map(|(a, &c)| (a, c))
    }

    /// Whether this is the plain value `ℓ[u] = u`.
    pub fn is_identity(&self) -> bool {
        self.terms.len() == 1 && self.terms().all(|(a, c)| c == 1.0 && a.iter().all(|&k| k == 0))
    }
}

fn unit(dim: usize, i: usize, order: u8) -> MultiIndex {
    let mut alpha = vec![0; dim];
    if let Some(last) = dim.checked_sub(1) {
        alpha[i.min(last)] = order;
    }
    alpha
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, (alpha, c)) in self.terms().enumerate() {
            if k > 0 {
                write!(f, " + ")?;
            }
            if c != 1.0 {
                write!(f, "{c}*")?;
            }
            if alpha.iter().all(|&a| a == 0) {
                write!(f, "1")?;
            } else {
                write!(f, "d")?;
                for (i, &a) in alpha.iter().enumerate() {
                    for _ in 0..a {
                        write!(f, "{}", i + 1)?;
                    }
                }
            }
        }
        Ok(())
    }
}
