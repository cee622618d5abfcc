//! The catalogue: PDEs with their domains, data, settings and reference solutions.
//!
//! | problem | equation | unknown to the solver | reference |
//! |---|---|---|---|
//! | [`Elliptic`] | `−Δu + α u^m = f`, unit square | `u` | exact |
//! | [`Burgers`] | `u_t + u u_x = ν u_xx` | `u` | Cole-Hopf |
//! | [`Eikonal`] | `\|∇u\|² = 1 + ε Δu`, unit square | `u` | Hopf-Cole, exit times |
//! | [`GrayScott`] | two reactants, reflecting ends | `u`, `v` | cosine spectral |
//! | [`Schrodinger`] | `i h_t + ½ h_xx + \|h\|² h = 0`, periodic | `h = u + i v` | Fourier split step |
//! | [`Darcy`] | `−∇·(e^a ∇u) = 1`, unit square | `u` and `a`, from observations of `u` | finite volumes |
//! | [`Poisson`] | `−Δu = f`, unit square | `u` | exact |
//! | [`Heat`] | `u_t = κ u_xx` | `u` | exact |
//! | [`AllenCahn`] | `u_t = ε u_xx + u − u³` | `u` | exact travelling front |
//! | [`Elliptic3d`] | `−Δu + α u^m = f`, unit cube | `u` | exact |
//!
//! The first six are those of arXiv 2510.05568, with its settings. The others have settings chosen in their
//! likeness.

mod allen_cahn;
mod burgers;
mod darcy;
mod eikonal;
mod elliptic;
mod elliptic3d;
mod gray_scott;
mod heat;
mod poisson;
mod schrodinger;

use std::ops::RangeInclusive;

pub use allen_cahn::AllenCahn;
pub use burgers::{Burgers, ColeHopf};
pub use darcy::Darcy;
pub use eikonal::Eikonal;
pub use elliptic::Elliptic;
pub use elliptic3d::Elliptic3d;
pub use gray_scott::{GrayScott, GrayScottCase};
pub use heat::Heat;
pub use poisson::Poisson;
pub use schrodinger::Schrodinger;

use crate::condition::Condition;
use crate::domain::{Domain, Face};
use crate::error::PdeError;
use crate::problem::Problem;

/// A problem of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name, that of the problem too.
    pub name: &'static str,
    /// One line on what is solved.
    pub description: &'static str,
    /// Builds the problem with its default parameters; cheap, since references are computed when needed.
    pub build: fn() -> Result<Problem, PdeError>,
}

/// All problems with their default parameters.
pub fn catalogue() -> &'static [Entry] {
    CATALOGUE
}

/// The problem of that name in the [`catalogue`].
///
/// # Errors
/// [`PdeError::Setting`] with the names that exist.
pub fn by_name(name: &str) -> Result<Problem, PdeError> {
    match CATALOGUE.iter().find(|e| e.name == name) {
        Some(entry) => (entry.build)(),
        None => Err(PdeError::Setting {
            name: "problem".into(),
            value: name.into(),
            expected: format!("it must be one of {}", CATALOGUE.iter().map(|e| e.name).collect::<Vec<_>>().join(", ")),
        }),
    }
}

const CATALOGUE: &[Entry] = &[
    Entry {
        name: "elliptic",
        description: "nonlinear elliptic equation -Lap u + u^3 = f on the unit square",
        build: || Elliptic::default().problem(),
    },
    Entry {
        name: "burgers",
        description: "viscous Burgers equation in one dimension, steepening to a shock",
        build: || Burgers::default().problem(),
    },
    Entry {
        name: "eikonal",
        description: "regularised eikonal equation |grad u|^2 = 1 + eps Lap u on the unit square",
        build: || Eikonal::default().problem(),
    },
    Entry {
        name: "gray-scott",
        description: "Gray-Scott reaction-diffusion in one dimension, published base case",
        build: || GrayScott::new(GrayScottCase::Base).problem(),
    },
    Entry {
        name: "gray-scott-a",
        description: "Gray-Scott with other initial data, published case a",
        build: || GrayScott::new(GrayScottCase::A).problem(),
    },
    Entry {
        name: "gray-scott-b",
        description: "Gray-Scott with other initial data, published case b",
        build: || GrayScott::new(GrayScottCase::B).problem(),
    },
    Entry {
        name: "gray-scott-c",
        description: "Gray-Scott with other initial data, published case c",
        build: || GrayScott::new(GrayScottCase::C).problem(),
    },
    Entry {
        name: "schrodinger",
        description: "focusing nonlinear Schroedinger equation, periodic; for kernels periodic in x",
        build: || Schrodinger.problem(),
    },
    Entry {
        name: "darcy",
        description: "Darcy flow inverse problem: log permeability from 60 noisy pressures",
        build: || Darcy::default().problem(),
    },
    Entry {
        name: "poisson",
        description: "Poisson equation on the unit square with boundary data that are not zero (linear)",
        build: || Poisson.problem(),
    },
    Entry { name: "heat", description: "heat equation in one dimension (linear)", build: || Heat::default().problem() },
    Entry {
        name: "allen-cahn",
        description: "Allen-Cahn equation in one dimension, travelling front",
        build: || AllenCahn::default().problem(),
    },
    Entry {
        name: "elliptic-3d",
        description: "nonlinear elliptic equation -Lap u + u^3 = f on the unit cube",
        build: || Elliptic3d::default().problem(),
    },
];

/// `(0, 1)²` with coordinates `x` and `y`.
fn unit_square() -> Result<Domain, PdeError> {
    Domain::space([("x", 0.0, 1.0), ("y", 0.0, 1.0)])
}

/// `u_field = value` on the sides of the square: bottom, right, top, left, the order of the published
/// samples.
fn dirichlet_on_square(domain: &Domain, field: usize, value: fn(&[f64]) -> f64) -> Result<Vec<Condition>, PdeError> {
    [Face::lower(1), Face::upper(0), Face::upper(1), Face::lower(0)]
        .into_iter()
        .map(|side| Condition::dirichlet(domain, side, field, value))
        .collect()
}

/// `value`, if it lies in `range`.
fn within(name: &str, value: f64, range: RangeInclusive<f64>) -> Result<f64, PdeError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(PdeError::Setting {
        name: name.into(),
        value: value.to_string(),
        expected: format!("it must lie between {:e} and {:e}", range.start(), range.end()),
    })
}
