//! What the catalogue keeps of a problem.

use hyperpde_pde::{PdeError, Problem};

/// A problem of the [`catalogue()`](crate::catalogue()).
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name, that of the problem too.
    pub name: &'static str,
    /// One line on what is solved.
    pub description: &'static str,
    /// Builds the problem with its default parameters; cheap, since references are computed when needed.
    pub build: fn() -> Result<Problem, PdeError>,
}
