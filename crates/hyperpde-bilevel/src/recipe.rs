//! What an inner solve is made from, in numbers: enough to make it again.

use hyperpde_kernels::{KernelError, Points};
use hyperpde_pde::Collocation;
use serde::{Deserialize, Serialize};

/// The points that a refiner may move, as plain numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointsSnapshot {
    /// Dimension `d`.
    pub dim: usize,
    /// Interior collocation points, `[n, d]`, row-major.
    pub interior: Vec<f64>,
    /// Validation pool, `[n_v, d]`, row-major.
    pub pool: Vec<f64>,
}

impl PointsSnapshot {
    /// The points of a collocation.
    pub fn of(collocation: &Collocation) -> Self {
        Self {
            dim: collocation.interior.dim(),
            interior: collocation.interior.as_slice().to_vec(),
            pool: collocation.pool.as_slice().to_vec(),
        }
    }

    /// A collocation with its points replaced by these; conditions and observations stay.
    ///
    /// # Errors
    /// [`KernelError::Shape`] for coordinates that do not fill whole points.
    pub fn put_into(&self, collocation: &Collocation) -> Result<Collocation, KernelError> {
        Ok(Collocation {
            interior: Points::new(self.dim, self.interior.clone())?,
            pool: Points::new(self.dim, self.pool.clone())?,
            ..collocation.clone()
        })
    }
}

/// What one inner solve is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SolveSnapshot {
    /// Unknowns at the collocation points that the equations were linearised about, `[unknowns][n]`.
    pub about: Vec<Vec<f64>>,
    /// Hyperparameters, flat.
    pub theta: Vec<f64>,
    /// Fraction of the Gauss-Newton step.
    pub fraction: f64,
    /// The collocation points, if a refiner has changed those that the run began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<PointsSnapshot>,
}
