//! Reference solutions of the catalogue's problems that have no closed form, as plain numerics on slices.
//!
//! | solver | problem | method | accuracy (L∞) |
//! |---|---|---|---|
//! | [`Eikonal`] | viscous eikonal on the unit square | Hopf-Cole and an exit-time integral | 1e-13 |
//! | [`EikonalGrid`] | the same | five-point finite differences, as in published comparisons | 2e-4 |
//! | [`GrayScott`] | Gray-Scott system, reflecting ends | cosine spectral, integrating-factor RK4 | 1e-12 |
//! | [`Schrodinger`] | focusing nonlinear Schrödinger, periodic | Fourier split step of order four | 2.4e-5 (RMS 3e-7) |
//! | [`Darcy`] | Darcy flow on the unit square | five-point finite volumes | 2.4e-7 (`max u` is 0.024) |
//!
//! The accuracies are for the published data, the default resolution, and 400 cells (Darcy) or 1000 nodes (eikonal) per side.
//! Points are row-major slices `[n, 2]`, `(t, x)` or `(x, y)`. Every solver measures or states its accuracy; none returns a value
//! that is not finite.

mod darcy;
mod eikonal;
mod eikonal_grid;
mod error;
mod five_point;
mod gray_scott;
mod interpolation;
mod schrodinger;

pub use darcy::{Darcy, permeability as darcy_permeability};
pub use eikonal::Eikonal;
pub use eikonal_grid::EikonalGrid;
pub use error::ReferenceError;
pub use gray_scott::{GrayScott, GrayScottSolution};
pub use schrodinger::{Schrodinger, SchrodingerSolution, initial_sech};
