//! The macro behind the one list of optimizers, in `mod.rs`, and how a name is read.

use super::OptimizerKind;

/// From one line per optimizer, `file::Optimizer(Constants) = "one line on it";`: module and exports, the variant, its name (the file's, also the field of the
/// constants), the constants, which have `build(learning_rate)`.
macro_rules! optimizers {
    ($($(#[$doc:meta])* $name:ident::$variant:ident($settings:ident) = $description:literal;)+) => {
        $(mod $name; pub use $name::{$variant, $settings};)+

        /// An optimizer by name, as configurations and flags choose it.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum OptimizerKind {
            $($(#[$doc])* $variant,)+
        }

        /// Constants of all optimizers; those of the one that is chosen count.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct OptimizerConstants {
            $(
                #[doc = concat!("Those of `", stringify!($name), "`.")]
                pub $name: $settings,
            )+
        }

        impl OptimizerKind {
            /// All optimizers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in configurations and flags.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)+
                }
            }

            /// One line on what it is for.
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description,)+
                }
            }

            /// The optimizer with these constants and this learning rate, where it has one.
            pub fn build(self, learning_rate: f64, constants: &OptimizerConstants) -> Box<dyn Optimizer> {
                match self {
                    $(Self::$variant => Box::new(constants.$name.build(learning_rate)),)+
                }
            }
        }
    };
}

impl std::str::FromStr for OptimizerKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.iter().map(|k| k.name()).collect::<Vec<_>>().join(" or ");
        Self::ALL.iter().copied().find(|k| k.name() == text).ok_or_else(|| format!("must be {}", names()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::optimizer::OptimizerConstants;

    #[test]
    fn names_are_read_back_and_build_what_they_name() {
        for &kind in OptimizerKind::ALL {
            assert_eq!(kind.name().parse::<OptimizerKind>(), Ok(kind));
            assert_eq!(kind.build(1e-2, &OptimizerConstants::default()).name(), kind.name());
        }
        assert_eq!("sgd".parse::<OptimizerKind>(), Err("must be adam or lbfgs".to_owned()));
    }

    #[test]
    fn no_optimizer_takes_the_memory_of_another() {
        let built = |kind: OptimizerKind| kind.build(1e-2, &OptimizerConstants::default());
        for &of in OptimizerKind::ALL {
            let mut other = built(of);
            let mut theta = [0.3, 0.1];
            other.step(&mut theta, 1.0, &[0.4, -0.2]);
            for &into in OptimizerKind::ALL {
                assert_eq!(built(into).load(&other.save()).is_ok(), of == into, "{} into {}", of.name(), into.name());
            }
            let mut short = other.save();
            short.scalars.pop();
            assert!(built(of).load(&short).unwrap_err().to_string().contains("scalars"));
        }
    }
}
