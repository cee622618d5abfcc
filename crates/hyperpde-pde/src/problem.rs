//! A problem: everything that is known about the fields before a solver sees them.
//!
//! Built once through [`ProblemBuilder`], which refuses parts that do not fit, then sampled into
//! [`Collocation`] points and rows as often as needed.

use std::fmt;
use std::sync::Arc;

use hyperpde_geometry::{Domain, Face, Geometry, Patch, Sampler, seeded};
use hyperpde_gp::RowBlock;
use hyperpde_kernels::Points;
use serde::{Deserialize, Serialize};

use crate::builder::ProblemBuilder;
use crate::collocation::Collocation;
use crate::condition::{Condition, Location};
use crate::error::PdeError;
use crate::metrics::FieldErrors;
use crate::observations::Observations;
use crate::residual::Equations;
use crate::scoring::{Reference, Score, TestGrid};

/// How many points to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleSizes {
    /// Collocation points in the interior, at least one.
    pub interior: usize,
    /// Points on the boundary, at least one per patch that carries conditions.
    pub boundary: usize,
    /// Points of the validation pool, in the interior; zero for a solve with fixed hyperparameters.
    pub validation: usize,
}

/// Settings with which a problem was published, as a starting point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Defaults {
    /// Interior collocation points.
    pub interior: usize,
    /// Boundary points, all patches together.
    pub boundary: usize,
    /// Points of the validation pool.
    pub validation: usize,
    /// Validation points per Gauss-Newton step.
    pub batch: usize,
    /// Gauss-Newton steps.
    pub gauss_newton_steps: usize,
    /// Optimizer updates per Gauss-Newton step.
    pub outer_steps: usize,
    /// Learning rate of the optimizer.
    pub learning_rate: f64,
    /// Validation loss (plain sum of squares) at which the updates of a step stop early.
    pub loss_tolerance: f64,
    /// Nugget `η`, relative to the trace ratios.
    pub nugget: f64,
}

impl Defaults {
    /// The sample sizes among the settings.
    pub fn sizes(&self) -> SampleSizes {
        SampleSizes { interior: self.interior, boundary: self.boundary, validation: self.validation }
    }
}

impl Default for Defaults {
    /// What most of the published experiments share.
    fn default() -> Self {
        Self {
            interior: 900,
            boundary: 300,
            validation: 900,
            batch: 200,
            gauss_newton_steps: 30,
            outer_steps: 50,
            learning_rate: 1e-2,
            loss_tolerance: 1e-5,
            nugget: 1e-10,
        }
    }
}

/// First random stream for the noise of observations, past those of points on patches.
const NOISE_STREAMS: u64 = 1 << 32;
/// First random stream for the conditions' pool, past those that divide observations.
const BOUNDARY_POOL_STREAMS: u64 = 1 << 34;

/// Equations, conditions and data on a domain.
#[derive(Clone)]
pub struct Problem {
    pub(crate) name: String,
    pub(crate) geometry: Arc<dyn Geometry>,
    pub(crate) bounds: Domain,
    pub(crate) fields: Vec<String>,
    pub(crate) equations: Arc<dyn Equations>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) observations: Vec<Observations>,
    pub(crate) reference: Option<Arc<dyn Reference>>,
    pub(crate) scores: Vec<Score>,
    pub(crate) test_grid: TestGrid,
    pub(crate) defaults: Defaults,
    pub(crate) patches: Vec<Arc<dyn Patch>>,
    /// Of each condition, the index of its patch.
    pub(crate) patch_of: Vec<usize>,
}

impl Problem {
    /// Starts a problem of one field `u` on a domain.
    pub fn builder(name: impl Into<String>, geometry: impl Geometry + 'static) -> ProblemBuilder {
        ProblemBuilder::new(name.into(), Arc::new(geometry))
    }

    /// Name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the equations hold.
    pub fn geometry(&self) -> &Arc<dyn Geometry> {
        &self.geometry
    }

    /// The bounding box of [`Problem::geometry`], which is the geometry itself if that is a box: names and intervals of the
    /// coordinates.
    pub fn domain(&self) -> &Domain {
        &self.bounds
    }

    /// Names of the fields, `[F]`.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// The equations.
    pub fn equations(&self) -> &Arc<dyn Equations> {
        &self.equations
    }

    /// The conditions.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The observations.
    pub fn observations(&self) -> &[Observations] {
        &self.observations
    }

    /// The reference solution, if one is known.
    pub fn reference(&self) -> Option<&Arc<dyn Reference>> {
        self.reference.as_ref()
    }

    /// The quantities in which errors are reported; the fields themselves unless the problem says otherwise.
    pub fn scores(&self) -> &[Score] {
        &self.scores
    }

    /// Errors of a prediction against the reference's values, per score, both given as fields `[F][n]` at
    /// the same points.
    ///
    /// # Errors
    /// [`PdeError::Shape`] for a wrong number of fields or values, [`PdeError::Metrics`] if there are no
    /// values or one is not finite.
    pub fn errors(
        &self,
        prediction: &[Vec<f64>],
        reference: &[Vec<f64>],
    ) -> Result<Vec<(String, FieldErrors)>, PdeError> {
        for (what, fields) in [("prediction", prediction), ("reference", reference)] {
            if fields.len() != self.fields.len() {
                return Err(PdeError::Shape {
                    what: format!("{what} to score"),
                    expected: format!("{} fields", self.fields.len()),
                    got: fields.len().to_string(),
                });
            }
        }
        let errors = |score: &Score| {
            let (p, r) = (score.evaluate(prediction)?, score.evaluate(reference)?);
            Ok((score.name().to_owned(), FieldErrors::between(&p, &r)?))
        };
        self.scores.iter().map(errors).collect()
    }

    /// The grid for scores and plots.
    pub fn test_grid(&self) -> &TestGrid {
        &self.test_grid
    }

    /// Published settings.
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// The distinct parts of the boundary that carry conditions, in the order in which conditions name them. A periodic
    /// pair counts as its lower face.
    pub fn patches(&self) -> &[Arc<dyn Patch>] {
        &self.patches
    }

    /// Shares `boundary` points among [`Problem::patches`] as [`Geometry::allot`] says: equally on a box, elsewhere by
    /// measure.
    ///
    /// # Errors
    /// [`PdeError::Sampling`] if a patch would get none, or if there are points but no patches.
    pub fn boundary_allotment(&self, boundary: usize) -> Result<Vec<usize>, PdeError> {
        let patches = self.patches.len();
        if boundary < patches || (patches == 0 && boundary > 0) {
            return Err(PdeError::Sampling(format!(
                "problem '{}' has {patches} parts of the boundary with conditions, asked for {boundary} boundary points; {}",
                self.name,
                if patches == 0 { "ask for 0".into() } else { format!("ask for at least {patches}") }
            )));
        }
        Ok(self.geometry.allot(&self.patches, boundary))
    }

    /// Draws points and forms the rows of conditions and observations. The same seed gives the same points;
    /// interior, pool, each patch, its pool and the noise of each set of simulated observations have their own random
    /// streams, so the size of one leaves the others. The conditions' pool is in proportion to that of the interior.
    ///
    /// # Errors
    /// [`PdeError::Sampling`] for zero interior points, too few boundary points, or fewer interior points
    /// than simulated observations, [`PdeError::Condition`] if boundary data are not finite, and those of the
    /// reference that observations are simulated from.
    pub fn sample(&self, sizes: &SampleSizes, sampler: Sampler, seed: u64) -> Result<Collocation, PdeError> {
        let shares = self.boundary_allotment(sizes.boundary)?;
        let interior = sampler.interior(&self.geometry, sizes.interior, &mut seeded(seed, 0))?;
        let pool = match sizes.validation {
            0 => Points::new(self.geometry.dim(), Vec::new())?,
            n => sampler.interior(&self.geometry, n, &mut seeded(seed, 1))?,
        };
        let mut on_patches = Vec::with_capacity(shares.len());
        for ((patch, n), stream) in self.patches.iter().zip(shares).zip(2..) {
            on_patches.push(patch.sample(n, sampler, &mut seeded(seed, stream))?);
        }
        let boundary_pool = self.boundary_pool(sizes, sampler, seed)?;
        Ok(Collocation { boundary_pool, ..self.assemble(interior, &on_patches, pool, seed)? })
    }

    /// The conditions at points of their own: as many per boundary point as there are validation points per interior point, one per patch at
    /// least, and none without validation points.
    fn boundary_pool(&self, sizes: &SampleSizes, sampler: Sampler, seed: u64) -> Result<Vec<RowBlock>, PdeError> {
        if sizes.validation == 0 || self.patches.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = (sizes.boundary as f64 * sizes.validation as f64 / sizes.interior as f64).round() as usize;
        let shares = self.boundary_allotment(wanted.max(self.patches.len()))?;
        let mut on_patches = Vec::with_capacity(shares.len());
        for ((patch, n), stream) in self.patches.iter().zip(shares).zip(BOUNDARY_POOL_STREAMS..) {
            on_patches.push(patch.sample(n, sampler, &mut seeded(seed, stream))?);
        }
        self.condition_rows(&on_patches)
    }

    /// Rows on given points: `on_patches` has one set `[n, d]` for each of [`Problem::patches`], in that order.
    /// Simulated observations take their noise from seed 0; the conditions' pool is empty.
    ///
    /// # Errors
    /// [`PdeError::Shape`] for a wrong number of sets or dimension, [`PdeError::Sampling`] for an empty
    /// interior or patch, [`PdeError::Domain`] for points outside the domain or off their patch, and otherwise as
    /// [`Problem::sample`].
    pub fn collocation_from(
        &self,
        interior: Points,
        on_patches: &[Points],
        pool: Points,
    ) -> Result<Collocation, PdeError> {
        self.assemble(interior, on_patches, pool, 0)
    }

    fn assemble(
        &self,
        interior: Points,
        on_patches: &[Points],
        pool: Points,
        noise_seed: u64,
    ) -> Result<Collocation, PdeError> {
        if interior.is_empty() {
            return Err(PdeError::Sampling("there are no interior points".into()));
        }
        self.check_inside("interior", &interior)?;
        self.check_inside("validation", &pool)?;
        if on_patches.len() != self.patches.len() {
            return Err(PdeError::Shape {
                what: "sets of boundary points".into(),
                expected: format!("{}, one per part of the boundary with conditions", self.patches.len()),
                got: on_patches.len().to_string(),
            });
        }
        for (patch, points) in self.patches.iter().zip(on_patches) {
            let name = patch.name();
            if points.is_empty() {
                return Err(PdeError::Sampling(format!("there are no points on {name}")));
            }
            self.check_inside(name, points)?;
            if let Some(x) = points.rows().find(|x| !patch.contains(x)) {
                return Err(PdeError::Domain(format!("boundary point {x:?} is not on {name}")));
            }
        }
        let boundary = self.condition_rows(on_patches)?;
        let observations = self
            .observations
            .iter()
            .zip(NOISE_STREAMS..)
            .map(|(o, stream)| o.rows(&interior, &mut seeded(noise_seed, stream)))
            .collect::<Result<_, _>>()?;
        Ok(Collocation { interior, boundary, pool, observations, boundary_pool: Vec::new() })
    }

    /// The rows of all conditions on one set of points per patch.
    fn condition_rows(&self, on_patches: &[Points]) -> Result<Vec<RowBlock>, PdeError> {
        let opposite = self.opposite_sites(on_patches)?;
        let mut rows = Vec::with_capacity(self.conditions.len());
        for (condition, &at) in self.conditions.iter().zip(&self.patch_of) {
            let across = matches!(condition.location(), Location::Periodic { .. });
            rows.push(condition.rows(&on_patches[at], opposite[at].as_ref().filter(|_| across))?);
        }
        Ok(rows)
    }

    /// For each patch that is one of a periodic pair of faces, its points moved to the other face; made once, so that
    /// all conditions across the pair share them.
    fn opposite_sites(&self, on_patches: &[Points]) -> Result<Vec<Option<Points>>, PdeError> {
        let mut sites = vec![None; on_patches.len()];
        for (condition, &at) in self.conditions.iter().zip(&self.patch_of) {
            let &Location::Periodic { axis } = condition.location() else { continue };
            if sites[at].is_none() {
                // The box, since only boxes are periodic.
                let target = self.bounds.coordinate(Face::upper(axis))?;
                let points = &on_patches[at];
                let mut data = points.as_slice().to_vec();
                data.iter_mut().skip(axis).step_by(points.dim()).for_each(|v| *v = target);
                sites[at] = Some(Points::new(points.dim(), data)?);
            }
        }
        Ok(sites)
    }

    fn check_inside(&self, what: &str, points: &Points) -> Result<(), PdeError> {
        if points.dim() != self.geometry.dim() {
            return Err(PdeError::Shape {
                what: format!("{what} points"),
                expected: format!("dimension {}", self.geometry.dim()),
                got: format!("dimension {}", points.dim()),
            });
        }
        match points.rows().find(|x| !self.geometry.contains(x)) {
            Some(x) => Err(PdeError::Domain(format!("{what} point {x:?} is outside the domain"))),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("name", &self.name)
            .field("geometry", &self.geometry)
            .field("fields", &self.fields)
            .field("conditions", &self.conditions)
            .finish_non_exhaustive()
    }
}
