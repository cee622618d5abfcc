//! The outer objectives that configurations and flags can name: the one list of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{LeaveOneOut, MarginalLikelihood, Objective, SquaredResidual, Validation};

/// Variant, name, the value, one line on it.
macro_rules! objectives {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $value:expr, $description:literal;)+) => {
        /// An outer objective by name, as configurations and flags choose it.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ObjectiveKind {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl ObjectiveKind {
            /// All objectives.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in configurations, flags and reports.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// One line on what it is.
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description,)+
                }
            }

            /// The objective.
            pub fn build(self) -> Arc<dyn Objective> {
                match self {
                    $(Self::$variant => Arc::new($value),)+
                }
            }
        }
    };
}

objectives! {
    /// [`SquaredResidual`], published: the equations at validation points.
    #[default]
    Published = "published", SquaredResidual, "squared residual of the equations at validation points, as published";
    /// [`Validation`]: equations, conditions and held-out observations at new points, each over its own size.
    Validation = "validation", Validation, "equations, conditions and held-out data at new points, each over its own size";
    /// [`LeaveOneOut`]: every row predicted from all others.
    LeaveOneOut = "leave-one-out", LeaveOneOut, "log density of every row given all others";
    /// [`MarginalLikelihood`]: all rows under the prior.
    MarginalLikelihood = "marginal-likelihood", MarginalLikelihood, "log density of all rows under the prior";
}

impl From<ObjectiveKind> for Arc<dyn Objective> {
    fn from(kind: ObjectiveKind) -> Self {
        kind.build()
    }
}

impl std::str::FromStr for ObjectiveKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|k| k.name() == text);
        found.ok_or_else(|| match Self::ALL {
            [others @ .., last] => {
                let others: Vec<&str> = others.iter().map(|k| k.name()).collect();
                format!("must be {} or {}", others.join(", "), last.name())
            }
            [] => String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    #[test]
    fn names_are_read_back_and_are_those_of_what_is_built_and_stored() {
        for &kind in ObjectiveKind::ALL {
            assert_eq!(kind.name().parse::<ObjectiveKind>(), Ok(kind));
            assert_eq!(kind.build().name(), kind.name());
            let name: StrDeserializer<'_, Error> = kind.name().into_deserializer();
            assert_eq!(ObjectiveKind::deserialize(name), Ok(kind));
        }
        let refused = "residual".parse::<ObjectiveKind>().unwrap_err();
        assert!(refused.starts_with("must be published, validation") && refused.contains(" or "), "{refused}");
        assert_eq!(ObjectiveKind::default(), ObjectiveKind::Published);
    }
}
