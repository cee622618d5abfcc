//! Reference solutions and the grids on which predictions are scored against them.

use hyperpde_kernels::Points;

use crate::domain::{Axis, Domain};
use crate::error::PdeError;

/// A solution known independently of the method: exact, or computed far more accurately than it is used.
pub trait Reference: Send + Sync {
    /// Name, with the method: "Cole-Hopf", "Fourier split step".
    fn name(&self) -> &str;

    /// Values of each field at the points `[n, d]`, as `[F][n]`.
    ///
    /// # Errors
    /// [`PdeError::Reference`] for points outside the reference's reach, [`PdeError::Shape`] for points of
    /// another dimension.
    fn evaluate(&self, points: &Points) -> Result<Vec<Vec<f64>>, PdeError>;

    /// Bound on its own error in the maximum norm. Errors measured below it mean nothing.
    fn accuracy(&self) -> f64;
}

/// A tensor grid, row-major: the first coordinate varies slowest.
#[derive(Clone, Debug)]
pub struct TestGrid {
    names: Vec<String>,
    axes: Vec<Vec<f64>>,
    points: Points,
}

impl TestGrid {
    /// Equidistant points per coordinate of the box, its ends included; `shape` `[d]`.
    ///
    /// # Errors
    /// [`PdeError::Shape`] if `shape` has another length than the box has coordinates, or a count below 2.
    pub fn uniform(domain: &Domain, shape: &[usize]) -> Result<Self, PdeError> {
        if shape.len() != domain.dim() || shape.iter().any(|&n| n < 2) {
            return Err(PdeError::Shape {
                what: "test grid".into(),
                expected: format!("{} counts of at least 2", domain.dim()),
                got: format!("{shape:?}"),
            });
        }
        let nodes = |(axis, &n): (&Axis, &usize)| {
            (0..n)
                .map(|i| {
                    if i + 1 == n {
                        axis.upper
                    } else {
                        axis.lower + axis.width() * i as f64 / (n - 1) as f64
                    }
                })
                .collect()
        };
        Self::new(
            domain.names(),
            domain.axes().iter().zip(shape).map(nodes).collect(),
        )
    }

    /// All combinations of the given coordinates, one list per axis.
    ///
    /// # Errors
    /// [`PdeError::Shape`] if there is no axis, an axis is empty, or names and axes differ in number.
    pub fn new(names: Vec<String>, axes: Vec<Vec<f64>>) -> Result<Self, PdeError> {
        if axes.is_empty() || names.len() != axes.len() || axes.iter().any(Vec::is_empty) {
            return Err(PdeError::Shape {
                what: "test grid".into(),
                expected: format!(
                    "{} non-empty lists of coordinates (one per name)",
                    names.len().max(1)
                ),
                got: format!(
                    "lists of {:?}",
                    axes.iter().map(Vec::len).collect::<Vec<_>>()
                ),
            });
        }
        let total: usize = axes.iter().map(Vec::len).product();
        let mut data = Vec::with_capacity(total * axes.len());
        for flat in 0..total {
            let (mut rest, mut stride) = (flat, total);
            for axis in &axes {
                stride /= axis.len();
                data.push(axis[rest / stride]);
                rest %= stride;
            }
        }
        let points = Points::new(axes.len(), data)?;
        Ok(Self {
            names,
            axes,
            points,
        })
    }

    /// Names of the coordinates, `[d]`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of nodes per coordinate, `[d]`.
    pub fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(Vec::len).collect()
    }

    /// Nodes per coordinate.
    pub fn axes(&self) -> &[Vec<f64>] {
        &self.axes
    }

    /// All points, `[Π shape, d]`.
    pub fn points(&self) -> &Points {
        &self.points
    }
}
