//! The configurations of the built-in problems.

use hyperpde_problems as problems;

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../assets/configs/", $name, ".toml")))),*]
    };
}

/// Problem and commented configuration.
const CONFIGURATIONS: &[(&str, &str)] = assets![
    "elliptic",
    "burgers",
    "eikonal",
    "gray-scott",
    "gray-scott-a",
    "gray-scott-b",
    "gray-scott-c",
    "schrodinger",
    "darcy",
    "poisson",
    "heat",
    "allen-cahn",
    "elliptic-3d",
];

/// The commented configuration of a built-in problem, with its equations as text.
pub fn commented(problem: &str) -> Option<&'static str> {
    CONFIGURATIONS.iter().find(|(name, _)| *name == problem).map(|(_, text)| *text)
}

/// Names of the built-in problems.
pub fn names() -> impl Iterator<Item = &'static str> {
    problems::catalogue().iter().map(|entry| entry.name)
}
