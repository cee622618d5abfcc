//! How points are spread over a unit cube, from where a domain places them.
//!
//! Independent points are the default, as in the published experiments; the two sequences reach 10 coordinates, and
//! Sobol's is best with a power of two of points. The sequences are randomised so that a seed matters and no point falls on a face. A sampler is one
//! file with a function `draw` and one line in the list below, from which come the enum, the names in configurations and
//! on the command line, and the descriptions.

use std::fmt;
use std::str::FromStr;

use hyperpde_kernels::Points;
use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::GeometryError;

/// From `file::Variant, "name", "description"` per sampler, the default one first.
macro_rules! samplers {
    ($default_file:ident::$default:ident, $default_name:literal, $default_doc:literal;
     $($file:ident::$variant:ident, $name:literal, $doc:literal;)*) => {
        mod $default_file;
        $(mod $file;)*

        /// How points are spread.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum Sampler {
            #[default]
            #[doc = $default_doc]
            $default,
            $(#[doc = $doc] $variant,)*
        }

        const ALL: &[Sampler] = &[Sampler::$default, $(Sampler::$variant),*];
        const NAMES: &[&str] = &[$default_name, $($name),*];

        impl Sampler {
            /// Name in configurations, on the command line and in records.
            pub fn name(self) -> &'static str {
                match self {
                    Self::$default => $default_name,
                    $(Self::$variant => $name,)*
                }
            }

            /// One line on how it spreads points.
            pub fn description(self) -> &'static str {
                match self {
                    Self::$default => $default_doc,
                    $(Self::$variant => $doc,)*
                }
            }

            fn draw(self, n: usize, d: usize, rng: &mut dyn Rng) -> Result<Vec<f64>, GeometryError> {
                match self {
                    Self::$default => $default_file::draw(n, d, rng),
                    $(Self::$variant => $file::draw(n, d, rng),)*
                }
            }
        }
    };
}

samplers! {
    uniform::Uniform, "uniform", "independent points";
    latin_hypercube::LatinHypercube, "latin-hypercube", "one point in each of n intervals per coordinate";
    halton::Halton, "halton", "Halton sequence with a random shift";
    sobol::Sobol, "sobol", "Sobol sequence with a random digital shift";
}

impl Sampler {
    /// Every sampler.
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// The names of all, for messages.
    pub fn names() -> &'static [&'static str] {
        NAMES
    }

    /// Draws `n` points in the unit cube of `parameters` coordinates, strictly inside, and maps each to a point in
    /// space: `to_point` takes `[parameters]` and gives `[d]`. Without parameters all points are the same.
    ///
    /// # Errors
    /// [`GeometryError::Sampling`] for zero points or a dimension that the sampler doesn't reach, and
    /// [`GeometryError::Points`] if coordinates are not finite.
    pub fn place(
        self,
        n: usize,
        parameters: usize,
        rng: &mut dyn Rng,
        mut to_point: impl FnMut(&[f64]) -> Vec<f64>,
    ) -> Result<Points, GeometryError> {
        if n == 0 {
            return Err(GeometryError::Sampling("zero points asked for; ask for at least one".into()));
        }
        let mut unit = self.draw(n, parameters, rng)?;
        unit.iter_mut().for_each(|v| *v = v.clamp(MARGIN, 1.0 - MARGIN));
        let (mut dim, mut data) = (0, Vec::new());
        for i in 0..n {
            let point = to_point(&unit[i * parameters..(i + 1) * parameters]);
            dim = point.len();
            data.extend(point);
        }
        Ok(Points::new(dim, data)?)
    }
}

/// Keeps samples off the faces, where the same functional may already be a boundary row.
const MARGIN: f64 = 1e-12;

/// Refuses more coordinates than a sequence has tables for.
fn reach(name: &str, most: usize, d: usize) -> Result<(), GeometryError> {
    if d <= most {
        return Ok(());
    }
    Err(GeometryError::Sampling(format!("{name} reaches {most} coordinates, asked for {d}; take the Latin hypercube")))
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Sampler {
    type Err = GeometryError;

    /// From the name, with hyphens or underscores.
    fn from_str(text: &str) -> Result<Self, GeometryError> {
        let hyphens = text.replace('_', "-");
        ALL.iter().copied().find(|s| s.name() == hyphens).ok_or_else(|| {
            GeometryError::Sampling(format!("there is no sampler '{text}'; there are {}", NAMES.join(", ")))
        })
    }
}

impl Serialize for Sampler {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Sampler {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::unknown_variant(&text, NAMES))
    }
}
