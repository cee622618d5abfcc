//! Closed forms of kernels that the fused pair stage computes.
//!
//! A form is a sum of components `k = Σ e^{a(x) + a(y)} g(ψ(x, y))`, each over its own feature channels.

/// Components a [`PairForm`] may have.
const MAX_COMPONENTS: usize = 4;

/// A sum of up to four components over consecutive channels of the features.
///
/// The channels of a component are, in this order: the log-amplitude `a`, the Gibbs channels, the parameters of the profile, and the
/// channels of `ψ`. Where a kernel has a form, its pair function must be this sum, log-amplitudes included; without Gibbs channels it
/// depends on the features alone (not on the coordinates).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PairForm {
    components: [Component; MAX_COMPONENTS],
    count: usize,
}

/// One component `e^{a(x) + a(y)} g(ψ)` of a [`PairForm`].
///
/// With [`Profile::Exponential`], `a` may depend on the point and `ψ` is the sum of
///
/// - for a Gibbs channel `A_c = l_c²` over the coordinates `I_c`: `−|I_c|/2 · ln S − Σ_{i∈I_c} (x_i − y_i)²/S`, `S = A_c(x) + A_c(y)`;
/// - for each further channel: `−(φ_c(x) − φ_c(y))²/2`.
///
/// The other profiles take no Gibbs channels and an `a` that is the same at all points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Component {
    /// The outer function `g`.
    pub profile: Profile,
    /// Gibbs channels.
    pub gibbs: GibbsChannels,
    /// Number of channels of `ψ`.
    pub channels: usize,
}

/// The outer function `g` of a [`Component`] and the meaning of its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `g = e^ψ`, `ψ` as in [`Component`].
    Exponential,
    /// Matérn, `ψ = −½ Σ_c (φ_c(x) − φ_c(y))²` with `φ = √(2ν) x/l`: see [`crate::Matern`].
    Matern(MaternOrder),
    /// `g = (1 − ψ/α)^{−α}`, `ψ = −½ Σ_c (φ_c(x) − φ_c(y))²`; `α` is a channel of its own, the same number at all points.
    RationalQuadratic,
    /// `g = ψ^p`, `ψ = Σ_c φ_c(x) φ_c(y)`.
    Power(u8),
}

impl Profile {
    /// Number of parameter channels.
    pub fn parameters(self) -> usize {
        usize::from(self == Self::RationalQuadratic)
    }
}

/// Added to `z²`, so that negative powers of `z` stay finite and vanish against exact zeros; far below the rounding of any sensible `z`.
pub(crate) const MATERN_TINY: f64 = 1e-30;

/// Smoothness `ν` of a Matérn kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum MaternOrder {
    /// `ν = 5/2`: two derivatives per argument.
    #[serde(rename = "5/2")]
    FiveHalves,
    /// `ν = 7/2`: three.
    #[serde(rename = "7/2")]
    SevenHalves,
    /// `ν = 9/2`: four.
    #[serde(rename = "9/2")]
    NineHalves,
}

impl MaternOrder {
    /// Derivatives per argument, `ν − 1/2`.
    pub fn smoothness(self) -> usize {
        match self {
            Self::FiveHalves => 2,
            Self::SevenHalves => 3,
            Self::NineHalves => 4,
        }
    }

    /// `ν`.
    pub fn nu(self) -> f64 {
        self.smoothness() as f64 + 0.5
    }

    /// `√(2/π) z^ν K_ν(z)` at zero, `1·3·5⋯(2ν − 2)`.
    pub(crate) fn at_zero(self) -> f64 {
        (1..=self.smoothness()).map(|j| (2 * j - 1) as f64).product()
    }
}

/// Which Gibbs channels a [`Component`] has.
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

impl Component {
    /// Number of feature channels in `dim` dimensions, the log-amplitude included.
    pub fn width(&self, dim: usize) -> usize {
        1 + self.gibbs.count(dim) + self.profile.parameters() + self.channels
    }
}

impl PairForm {
    /// A single component with the exponential profile.
    pub fn exponential(gibbs: GibbsChannels, channels: usize) -> Self {
        Self::single(Component { profile: Profile::Exponential, gibbs, channels })
    }

    /// A single component without Gibbs channels.
    pub fn of_profile(profile: Profile, channels: usize) -> Self {
        Self::single(Component { profile, gibbs: GibbsChannels::None, channels })
    }

    fn single(component: Component) -> Self {
        Self { components: [component; MAX_COMPONENTS], count: 1 }
    }

    /// The components, in the order of their channels.
    pub fn components(&self) -> &[Component] {
        &self.components[..self.count]
    }

    /// Number of feature channels in `dim` dimensions.
    pub fn channels(&self, dim: usize) -> usize {
        self.components().iter().map(|c| c.width(dim)).sum()
    }

    /// The channels that hold log-amplitudes, one per component.
    pub fn amplitudes(&self, dim: usize) -> Vec<usize> {
        let widths = self.components().iter().scan(0, |end, c| {
            let start = *end;
            *end += c.width(dim);
            Some(start)
        });
        widths.collect()
    }

    /// The form of the sum of two kernels, features side by side; `None` if it has too many components.
    pub fn sum(&self, other: &Self) -> Option<Self> {
        let count = self.count + other.count;
        let mut out = Self { count, ..*self };
        out.components.get_mut(self.count..count)?.copy_from_slice(other.components());
        Some(out)
    }

    /// The form of the product of two kernels: one exponential component each, and Gibbs channels in one of them at most. Log-amplitudes add up,
    /// the other channels lie side by side, Gibbs channels first.
    pub fn product(&self, other: &Self) -> Option<Self> {
        let (&[a], &[b]) = (self.components(), other.components()) else { return None };
        let gibbs = match (a.gibbs, b.gibbs) {
            (gibbs, GibbsChannels::None) | (GibbsChannels::None, gibbs) => gibbs,
            _ => return None,
        };
        let exponential = a.profile == Profile::Exponential && b.profile == Profile::Exponential;
        exponential.then(|| Self::exponential(gibbs, a.channels + b.channels))
    }
}
