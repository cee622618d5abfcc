//! What the catalogue keeps of a problem, and how a name finds one.

use hyperpde_pde::{PdeError, Problem};

use crate::catalogue;

/// A problem of the [`catalogue()`].
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name, that of the problem too.
    pub name: &'static str,
    /// One line on what is solved.
    pub description: &'static str,
    /// Builds the problem with its default parameters; cheap, since references are computed when needed.
    pub build: fn() -> Result<Problem, PdeError>,
}

/// The problem of that name in the [`catalogue()`].
///
/// # Errors
/// [`PdeError::Setting`] with the names that exist.
pub fn by_name(name: &str) -> Result<Problem, PdeError> {
    match catalogue().iter().find(|e| e.name == name) {
        Some(entry) => (entry.build)(),
        None => Err(PdeError::Setting {
            name: "problem".into(),
            value: name.into(),
            expected: format!(
                "it must be one of {}",
                catalogue().iter().map(|e| e.name).collect::<Vec<_>>().join(", ")
            ),
        }),
    }
}
