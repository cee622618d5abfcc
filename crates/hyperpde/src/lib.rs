//! Solve nonlinear PDEs and PDE inverse problems with Gaussian processes, learning the kernel while solving.
//!
//! The crates behind this one, from the bottom up: [`linalg`], [`kernels`], [`gp`], [`geometry`], [`pde`], [`problems`], [`bilevel`]. Most programs need only the
//! [`prelude`].

pub use burn;
pub use hyperpde_bilevel as bilevel;
pub use hyperpde_geometry as geometry;
pub use hyperpde_gp as gp;
pub use hyperpde_kernels as kernels;
pub use hyperpde_linalg as linalg;
pub use hyperpde_pde as pde;
pub use hyperpde_problems as problems;

/// What most programs use.
pub mod prelude {
    pub use hyperpde_bilevel::{
        Bilevel, BilevelError, BilevelSettings, GaussNewtonRecord, Observer, Outcome, OuterRecord,
    };
    pub use hyperpde_gp::{Posterior, RowBlock};
    pub use hyperpde_kernels::{Backend, GaussianConfig, Gibbs, GibbsConfig, Kernel, LengthScales, Operator, Points};
    pub use hyperpde_pde::{
        Collocation, Condition, Defaults, Domain, DualNum, Face, FieldErrors, Geometry, Number, Patch, Problem,
        Residual, SampleSizes, Sampler, TestGrid, Unknown,
    };
    pub use hyperpde_problems as problems;
}

/// The programs of the README are compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
