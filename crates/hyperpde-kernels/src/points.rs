//! Sets of points in `R^d`, stored row-major as `[n, d]`.

use std::sync::Arc;

use crate::error::KernelError;

/// `n` points in `R^d`, row-major `[n, d]`, in the units of the coordinates.
///
/// Points are immutable and shared: a clone costs a reference count, and two clones are recognised as
/// the same set ([`Points::same`]), so that work done per point is done once however many rows use it.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    data: Arc<[f64]>,
    dim: usize,
}

impl Points {
    /// Points from row-major data `[n, d]`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if the length is not a multiple of `dim`, [`KernelError::NonFinitePoint`] if a
    /// coordinate is NaN or infinite.
    pub fn new(dim: usize, data: Vec<f64>) -> Result<Self, KernelError> {
        if dim == 0 || !data.len().is_multiple_of(dim) {
            return Err(KernelError::Shape {
                what: "points",
                expected: format!("a multiple of the dimension {dim} (at least 1)"),
                got: format!("{} numbers", data.len()),
            });
        }
        if let Some(at) = data.iter().position(|v| !v.is_finite()) {
            return Err(KernelError::NonFinitePoint { point: at / dim, coordinate: at % dim, value: data[at] });
        }
        Ok(Self { data: data.into(), dim })
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.data.len() / self.dim
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Dimension `d` of the space.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Coordinates of point `i`, `[d]`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.dim..(i + 1) * self.dim]
    }

    /// All points in turn, `[d]` each.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.data.chunks_exact(self.dim)
    }

    /// The row-major data `[n, d]`.
    pub fn as_slice(&self) -> &[f64] {
        &self.data
    }

    /// The subset with the given indices, in their order; indices past the end are an error.
    ///
    /// # Errors
    /// [`KernelError::Shape`] for an index that is out of range.
    pub fn select(&self, indices: &[usize]) -> Result<Self, KernelError> {
        let mut data = Vec::with_capacity(indices.len() * self.dim);
        for &i in indices {
            if i >= self.len() {
                return Err(KernelError::Shape {
                    what: "point index",
                    expected: format!("less than {}", self.len()),
                    got: i.to_string(),
                });
            }
            data.extend_from_slice(self.row(i));
        }
        Self::new(self.dim, data)
    }

    /// All points of `parts`, one set after the other.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if there are no parts or their dimensions differ.
    pub fn concat(parts: &[&Points]) -> Result<Self, KernelError> {
        let dim = parts.first().map_or(0, |p| p.dim);
        if let Some(odd) = parts.iter().find(|p| p.dim != dim) {
            return Err(KernelError::Shape {
                what: "points to concatenate",
                expected: format!("dimension {dim}"),
                got: format!("dimension {}", odd.dim),
            });
        }
        Self::new(dim, parts.iter().flat_map(|p| p.data.iter().copied()).collect())
    }

    /// Whether both are clones of one set (identity, not equality).
    pub fn same(&self, other: &Points) -> bool {
        Arc::ptr_eq(&self.data, &other.data)
    }
}
