//! Formulas as text: parsed with their places kept, differentiated symbolically by `exmex`, evaluated over all points at once.
//!
//! An expression has numbers, `pi`, coordinates, parameters, fields, derivatives (a field, `_`, and a coordinate per order: `u_t`, `u_xx`, `u_xy`),
//! `lap(u)` (over the coordinates of space), `+ - * / ^`, parentheses and the functions in [`Function::ALL`].
//!
//! [`System`] makes equations of text, [`linear`] takes conditions apart, [`scalar`] and [`constant`] are formulas without fields.

mod column;
mod error;
mod formula;
mod linear;
mod names;
mod parser;
mod system;
mod token;
mod tree;

pub use column::Column;
pub use error::{ExpressionError, nearest};
pub use formula::{Formula, culprit};
pub use linear::{Linear, Term, linear};
pub use names::{LAPLACIAN, MAX_ORDER, Meaning, Names, PI};
pub use parser::{Fields, Parsed, parse};
pub use system::{System, Undefined};
pub use tree::{Function, Kind, Node, Operation};

use hyperpde_pde::Unknown;

/// A formula of the coordinates; `what` says what it is, for messages ("an exact solution").
///
/// # Errors
/// [`ExpressionError`] for a fault of the text, or a field in it.
pub fn scalar(text: &str, names: &Names, what: &'static str) -> Result<(Node, Formula), ExpressionError> {
    let parsed = parse(text, names, Fields::Refused(what))?;
    if let Some(right) = parsed.right {
        return Err(ExpressionError::new(right.span, format!("{what} has no '='"), "a right side"));
    }
    let formula = Formula::new(&parsed.left, names.coordinates.len());
    let failed =
        |why: exmex::ExError| ExpressionError::new(0..text.len(), format!("this can't be evaluated: {why}"), "here");
    Ok((parsed.left, formula.map_err(failed)?))
}

/// A finite number from a formula without coordinates.
///
/// # Errors
/// As [`scalar`], and for a coordinate in it or a value that is not finite.
pub fn constant(text: &str, names: &Names, what: &'static str) -> Result<f64, ExpressionError> {
    let known = Names { parameters: names.parameters.clone(), ..Names::default() };
    let (_, formula) = scalar(text, &known, what)?;
    let value = formula.at(&[]);
    if value.is_finite() {
        return Ok(value);
    }
    Err(ExpressionError::new(0..text.len(), format!("{what} is {value}; it must be finite"), "not finite"))
}

/// One field or a derivative of one, such as `u`, `u_xt` or `lap(u)`.
///
/// # Errors
/// [`ExpressionError`] for anything else.
pub fn unknown(text: &str, names: &Names) -> Result<Unknown, ExpressionError> {
    let mut found = Vec::new();
    let parsed = parse(text, names, Fields::Collected(&mut found))?;
    match (parsed.left.kind, parsed.right, found.pop()) {
        (Kind::Unknown(_), None, Some(unknown)) => Ok(unknown),
        _ => {
            let what = format!("'{text}' is no field and no derivative of one");
            Err(ExpressionError::new(0..text.len(), what, "expected for example 'u' or 'u_xx'"))
        }
    }
}
