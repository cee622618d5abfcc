//! The macro behind the one list of objectives, in `mod.rs`, and how a name is read.

use std::sync::Arc;

use super::{Objective, ObjectiveKind};

/// From one line per objective, `file::Value = Variant, "name", "one line on it";`: module and export, the variant, name and value.
macro_rules! objectives {
    ($($(#[$doc:meta])* $file:ident::$value:ident = $variant:ident, $name:literal, $description:literal;)+) => {
        $(mod $file; pub use $file::$value;)+

        /// An outer objective by name, as configurations and flags choose it.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
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
            pub fn build(self) -> std::sync::Arc<dyn Objective> {
                match self {
                    $(Self::$variant => std::sync::Arc::new($value),)+
                }
            }
        }
    };
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
    use serde::Deserialize;

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
