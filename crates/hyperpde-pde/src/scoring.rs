//! Reference solutions, what of them is scored, and the grids on which it is.

use std::fmt;
use std::sync::Arc;

use hyperpde_geometry::{Axis, Geometry};
use hyperpde_kernels::Points;

use crate::condition::ScalarFn;
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

impl<R: Reference + ?Sized> Reference for Arc<R> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn evaluate(&self, points: &Points) -> Result<Vec<Vec<f64>>, PdeError> {
        (**self).evaluate(points)
    }

    fn accuracy(&self) -> f64 {
        (**self).accuracy()
    }
}

/// A quantity in which errors are reported: a function of the fields at a point, such as the modulus of two
/// fields that are the parts of a complex one.
#[derive(Clone)]
pub struct Score {
    name: String,
    value: ScalarFn,
}

impl Score {
    /// The quantity `value(u_1(x), ..., u_F(x))`.
    pub fn new(name: impl Into<String>, value: impl Fn(&[f64]) -> f64 + Send + Sync + 'static) -> Self {
        Self { name: name.into(), value: Arc::new(value) }
    }

    /// Name, for reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The quantity at `n` points, `[n]`, from the fields there, `[F][n]`.
    ///
    /// # Errors
    /// [`PdeError::Shape`] if the fields have different numbers of values.
    pub fn evaluate(&self, fields: &[Vec<f64>]) -> Result<Vec<f64>, PdeError> {
        let n = fields.first().map_or(0, Vec::len);
        if let Some(odd) = fields.iter().find(|f| f.len() != n) {
            return Err(PdeError::Shape {
                what: format!("values of the fields for the score '{}'", self.name),
                expected: format!("{n} per field"),
                got: odd.len().to_string(),
            });
        }
        let mut at = vec![0.0; fields.len()];
        let value = |i: usize| {
            at.iter_mut().zip(fields).for_each(|(slot, field)| *slot = field[i]);
            (self.value)(&at)
        };
        Ok((0..n).map(value).collect())
    }
}

impl fmt::Debug for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Score").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A tensor grid, row-major: the first coordinate varies slowest. Over a domain that is not a box, its nodes in the domain.
#[derive(Clone, Debug)]
pub struct TestGrid {
    names: Vec<String>,
    axes: Vec<Vec<f64>>,
    nodes: Vec<usize>,
    points: Points,
}

impl TestGrid {
    /// Equidistant points per coordinate of the bounding box, its ends included, `shape` `[d]`; those in the domain.
    ///
    /// # Errors
    /// [`PdeError::Shape`] if `shape` has another length than the domain has coordinates, or a count below 2, and
    /// [`PdeError::Domain`] if no node lies in the domain.
    pub fn uniform(domain: &(impl Geometry + ?Sized), shape: &[usize]) -> Result<Self, PdeError> {
        if shape.len() != domain.dim() || shape.iter().any(|&n| n < 2) {
            return Err(PdeError::Shape {
                what: "test grid".into(),
                expected: format!("{} counts of at least 2", domain.dim()),
                got: format!("{shape:?}"),
            });
        }
        let nodes = |(axis, &n): (&Axis, &usize)| {
            (0..n)
                .map(|i| if i + 1 == n { axis.upper } else { axis.lower + axis.width() * i as f64 / (n - 1) as f64 })
                .collect()
        };
        let names = domain.axes().iter().map(|a| a.name.clone()).collect();
        let full = Self::new(names, domain.axes().iter().zip(shape).map(nodes).collect())?;
        let nodes: Vec<usize> = (0..full.points.len()).filter(|&i| domain.contains(full.points.row(i))).collect();
        if nodes.is_empty() {
            return Err(PdeError::Domain(format!("no node of a test grid of {shape:?} lies in it; take a finer one")));
        }
        if nodes.len() == full.points.len() {
            return Ok(full);
        }
        Ok(Self { points: full.points.select(&nodes)?, nodes, ..full })
    }

    /// All combinations of the given coordinates, one list per axis.
    ///
    /// # Errors
    /// [`PdeError::Shape`] if there is no axis, an axis is empty, or names and axes differ in number.
    pub fn new(names: Vec<String>, axes: Vec<Vec<f64>>) -> Result<Self, PdeError> {
        if axes.is_empty() || names.len() != axes.len() || axes.iter().any(Vec::is_empty) {
            return Err(PdeError::Shape {
                what: "test grid".into(),
                expected: format!("{} non-empty lists of coordinates (one per name)", names.len().max(1)),
                got: format!("lists of {:?}", axes.iter().map(Vec::len).collect::<Vec<_>>()),
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
        Ok(Self { names, axes, nodes: (0..points.len()).collect(), points })
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

    /// Index of each point among all combinations of the nodes, `[n]`: `0..Π shape` over a box.
    pub fn nodes(&self) -> &[usize] {
        &self.nodes
    }

    /// The points `[n, d]`, all combinations of the nodes over a box, `n = Π shape`.
    pub fn points(&self) -> &Points {
        &self.points
    }
}
