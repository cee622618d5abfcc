//! What several problems use.

use std::ops::RangeInclusive;

use hyperpde_pde::{Condition, Domain, Face, PdeError};

/// `(0, 1)²` with coordinates `x` and `y`.
pub(crate) fn unit_square() -> Result<Domain, PdeError> {
    Ok(Domain::space([("x", 0.0, 1.0), ("y", 0.0, 1.0)])?)
}

/// `u_field = value` on the sides of the square: bottom, right, top, left, the order of the published
/// samples.
pub(crate) fn dirichlet_on_square(
    domain: &Domain,
    field: usize,
    value: fn(&[f64]) -> f64,
) -> Result<Vec<Condition>, PdeError> {
    [Face::lower(1), Face::upper(0), Face::upper(1), Face::lower(0)]
        .into_iter()
        .map(|side| Condition::dirichlet(domain, side, field, value))
        .collect()
}

/// `value`, if it lies in `range`.
pub(crate) fn within(name: &str, value: f64, range: RangeInclusive<f64>) -> Result<f64, PdeError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(PdeError::Setting {
        name: name.into(),
        value: value.to_string(),
        expected: format!("it must lie between {:e} and {:e}", range.start(), range.end()),
    })
}
