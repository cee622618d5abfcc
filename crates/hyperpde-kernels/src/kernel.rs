//! What a kernel is: point features once per point, then a pair function.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Device;

use crate::error::KernelError;
use crate::jet::{Jet, JetSpace};
use crate::points::Points;

/// A covariance function `k(x, y; θ)` as a burn module whose parameters are the hyperparameters `θ`.
///
/// It is evaluated in two stages. [`Kernel::features`] maps each point to a few numbers (scaled coordinates, squared length scales, the
/// features of a network) with their spatial derivatives: O(n), tensor operations, differentiable. [`Kernel::pair`]
/// combines the features of two points, again with derivatives in both: O(n·m). A kernel that also has a
/// [`PairForm`] takes the fused path; the pair function is then the oracle it is tested against.
pub trait Kernel: Module + Sync + 'static {
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
}

/// The family `k = exp(ψ)` with `ψ = a(x) + a(y) + Σ_c h(…)`, which the fused pair stage computes.
///
/// Channel 0 of the features is `a`; the others are, in this order, the Gibbs channels `A_c = l_c²` and the
/// distance channels `φ_c`:
///
/// - Gibbs channel over the coordinates `I_c`: `h = −|I_c|/2 · ln S − Σ_{i∈I_c} (x_i − y_i)²/S`, `S = A_c(x) + A_c(y)`;
/// - distance channel: `h = −(φ_c(x) − φ_c(y))²/2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PairForm {
    /// Gibbs channels.
    pub gibbs: GibbsChannels,
    /// Number of distance channels.
    pub distances: usize,
}

/// Which Gibbs channels a [`PairForm`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GibbsChannels {
    /// None.
    None,
    /// One for all coordinates.
    Isotropic,
    /// One per coordinate.
    PerDimension,
}

impl GibbsChannels {
    /// Number of Gibbs channels in `dim` dimensions.
    pub fn count(self, dim: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Isotropic => 1,
            Self::PerDimension => dim,
        }
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
    pub fn new<K: Kernel>(kernel: &K, points: &Points, space: &Arc<JetSpace>, device: &Device) -> Result<Self, KernelError> {
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

/// `exp(a + a' − ½ Σ_c (φ_c − φ'_c)²)` over the features from `first` on: the pair function of distance channels.
pub(crate) fn half_squared_distance(x: &PairPoint, y: &PairPoint, first: usize) -> Option<Jet> {
    x.features[first..]
        .iter()
        .zip(&y.features[first..])
        .map(|(f, g)| f.sub(g).square().scale(-0.5))
        .reduce(|sum, term| sum.add(&term))
}
