//! What a kernel is: point features once per point, then a pair function.

use std::sync::Arc;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;

use crate::error::KernelError;
use crate::form::PairForm;
use crate::jet::{Jet, JetSpace};
use crate::points::Points;

/// A covariance function `k(x, y; θ)` as a burn module whose parameters are the hyperparameters `θ`.
///
/// It is evaluated in two stages. [`Kernel::features`] maps each point to a few numbers (scaled coordinates, squared length scales, the
/// features of a network) with their spatial derivatives: O(n), tensor operations, differentiable. [`Kernel::pair`]
/// combines the features of two points, again with derivatives in both: O(n·m). A kernel that also has a
/// [`PairForm`] takes the fused path; the pair function is then the oracle it is tested against.
pub trait Kernel: Module + ModuleDisplay + Sync + 'static {
    /// Name for messages and reports.
    fn name(&self) -> String;

    /// Checks that points of dimension `dim` fit the kernel.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if they do not.
    fn check_dim(&self, dim: usize) -> Result<(), KernelError>;

    /// How often the kernel may be differentiated in each argument; `None` for infinitely smooth.
    fn smoothness(&self) -> Option<usize> {
        None
    }

    /// Number of feature channels `C` in `dim` dimensions. The default takes it from the form, or else from the features of one point.
    fn channels(&self, dim: usize) -> usize {
        if let Some(form) = self.form(dim) {
            return form.channels(dim);
        }
        let space = JetSpace::covering(dim, []);
        let device = self.devices().into_iter().next().unwrap_or_default();
        let origin = Points::new(dim, vec![0.0; dim]).map(|p| Jet::coordinates(&space, &p, &device));
        origin.map_or(0, |x| self.features(&x).value().dims()[1])
    }

    /// Jet of the point features `[n, C]` from the jet of the coordinates `[n, d]`.
    fn features(&self, x: &Jet) -> Jet;

    /// Jet of `k(x, y)` in the variables of both points, `[n, m]`.
    fn pair(&self, x: &PairPoint, y: &PairPoint) -> Jet;

    /// The closed form in `dim` dimensions that the fused path knows, if the kernel has one.
    fn form(&self, dim: usize) -> Option<PairForm> {
        let _ = dim;
        None
    }

    /// Named hyperparameters worth a line in a report (a network is not).
    fn summary(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// Length scales as fields, `[1][n]` or one per coordinate `[d][n]`, at points `[n, d]`: what is worth a figure. None for a stationary kernel.
    ///
    /// # Errors
    /// [`KernelError`] if the points don't fit or a tensor can't be read.
    fn fields(&self, points: &Points) -> Result<Vec<Vec<f64>>, KernelError> {
        let _ = points;
        Ok(Vec::new())
    }
}

/// One argument of a pair function: jets of its coordinates and features, one channel each, lifted to the
/// variables of the pair; `[n, 1]` for the first argument, `[1, m]` for the second.
#[derive(Clone, Debug)]
pub struct PairPoint {
    /// Coordinates `x_i`.
    pub x: Vec<Jet>,
    /// Features.
    pub features: Vec<Jet>,
}

/// Jets of coordinates and features at a set of points: everything the pair stage needs to know of them.
#[derive(Clone, Debug)]
pub struct PointJets {
    /// Coordinates, `[n, d]`.
    pub x: Jet,
    /// Features, `[n, C]`.
    pub features: Jet,
}

impl PointJets {
    /// Evaluates the kernel's features at `points`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if the points do not fit, [`KernelError::Smoothness`] if the kernel has fewer
    /// derivatives than `space` asks for.
    pub fn new<K: Kernel>(
        kernel: &K,
        points: &Points,
        space: &Arc<JetSpace>,
        device: &Device,
    ) -> Result<Self, KernelError> {
        kernel.check_dim(points.dim())?;
        if let Some(have) = kernel.smoothness().filter(|&have| have < space.order()) {
            return Err(KernelError::Smoothness { kernel: kernel.name(), have, need: space.order() });
        }
        let x = Jet::coordinates(space, points, device);
        let features = kernel.features(&x);
        Ok(Self { x, features })
    }

    /// The jets of points `start..start + n`.
    pub fn rows(&self, start: usize, n: usize) -> Self {
        let cut = |jet: &Jet| jet.linear(|t| t.narrow(0, start, n));
        Self { x: cut(&self.x), features: cut(&self.features) }
    }

    /// As the first argument of a pair.
    pub fn first(&self, pair: &Arc<JetSpace>) -> PairPoint {
        self.lifted(|channel| channel.lift_x(pair))
    }

    /// As the second argument of a pair.
    pub fn second(&self, pair: &Arc<JetSpace>) -> PairPoint {
        self.lifted(|channel| channel.lift_y(pair))
    }

    /// As the second argument of pairs `(x_i, y_i)` of equal index: `[n, 1]` on both sides.
    pub fn second_diagonal(&self, pair: &Arc<JetSpace>) -> PairPoint {
        self.lifted(|channel| channel.lift_y(pair).linear(|t| t.transpose()))
    }

    fn lifted(&self, lift: impl Fn(Jet) -> Jet) -> PairPoint {
        let split = |jet: &Jet| -> Vec<Jet> {
            let [_, channels] = jet.value().dims();
            (0..channels).map(|c| lift(jet.channel(c))).collect()
        };
        PairPoint { x: split(&self.x), features: split(&self.features) }
    }
}

impl PairPoint {
    /// The argument with only the features of channels `range`; past the last channel there are none.
    pub fn channels(&self, range: std::ops::Range<usize>) -> Self {
        let end = range.end.min(self.features.len());
        Self { x: self.x.clone(), features: self.features[range.start.min(end)..end].to_vec() }
    }
}

/// A channel of zeros, `[n, 1]`: the log-amplitude of a kernel of amplitude one.
pub(crate) fn no_amplitude(x: &Jet) -> Jet {
    Jet::constant(x.space(), x.value().narrow(1, 0, 1).zeros_like())
}

/// `−½ Σ_c (φ_c − φ'_c)²` over the features from `first` on, `None` without any.
pub(crate) fn half_squared_distance(x: &PairPoint, y: &PairPoint, first: usize) -> Option<Jet> {
    x.features[first..]
        .iter()
        .zip(&y.features[first..])
        .map(|(f, g)| f.sub(g).square().scale(-0.5))
        .reduce(|sum, term| sum.add(&term))
}
