//! Equations as text.
//!
//! # The language
//! ```text
//! equation   = sum "=" sum
//! sum        = product { ("+" | "-") product }
//! product    = signed { ("*" | "/") signed }
//! signed     = ("+" | "-") signed | atom [ "^" signed ]        so -u^2 is -(u^2), and a^b^c is a^(b^c)
//! atom       = number | name | function "(" sum ")" | "lap" "(" field ")" | "(" sum ")"
//! name       = coordinate | parameter | field | field "_" coordinate { coordinate } | "pi"
//! ```
//! `u_t`, `u_xx`, `u_xy` are derivatives of the field `u`, up to [`MAX_ORDER`]; `lap(u)` is the Laplacian over the coordinates of space;
//! the functions are [`Function::ALL`]. What the names mean is said by [`Names`].
//!
//! # From text to rows
//! 1. [`parse`] splits the text into tokens and makes a [`Tree`]: nodes in a row, each after its parts and with its place in the text. The only
//!    bounds are the length of a text and how deep it is nested. A fault is an [`ExpressionError`] that points at bytes of
//!    the text; which file and line they are in is the caller's affair.
//! 2. A tree becomes a flat program in which equal parts occur once. Coordinates, unknowns (a field or a derivative of one)
//!    and parameters are inputs with an identity, so there are derivatives by each.
//! 3. A program is evaluated with any [`Number`](hyperpde_pde::Number), many points at a time. With `f64` that gives values; dual numbers give
//!    derivatives, exact to rounding. It is the way in which residuals written in Rust are linearised too: a [`System`] is a
//!    [`Residual`](hyperpde_pde::Residual), and all that the solver asks of equations comes from there.
//!
//! [`System`] makes equations of text, [`linear`] takes conditions apart, [`scalar`] and [`constant`] are formulas without fields,
//! [`unknown`] is one field or derivative.
//!
//! To read on: `tree.rs`, `parser.rs`, then `program.rs`, where everything is evaluated, with the functions in `number.rs`; then `system.rs`.
//!
//! # Example
//! ```
//! use hyperpde_expr::{Names, System};
//! use hyperpde_kernels::Points;
//! use hyperpde_pde::Equations;
//!
//! let names = Names {
//!     coordinates: vec!["t".into(), "x".into()],
//!     time: true,
//!     fields: vec!["u".into()],
//!     parameters: vec![("nu".into(), 0.02)],
//! };
//! let burgers = System::parse(&["u_t + u*u_x = nu*u_xx"], &names, Vec::new()).map_err(|(_, fault)| fault)?;
//! // Unknowns in the order of the text: u_t, u, u_x, u_xx.
//! let rows = burgers.linearise(&Points::new(2, vec![0.5, 0.1])?, &[vec![1.0], vec![2.0], vec![3.0], vec![4.0]])?;
//! assert_eq!(rows.coefficients[0], [vec![1.0], vec![3.0], vec![2.0], vec![-0.02]]);
//! assert_eq!(burgers.with_parameter("nu", 0.1)?.parameters(), [("nu".to_owned(), 0.1)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod formula;
mod linear;
mod names;
mod number;
mod parser;
mod program;
mod system;
mod token;
mod tree;

pub use error::{ExpressionError, nearest};
pub use formula::Formula;
pub use linear::{Linear, Term, linear};
pub use names::{LAPLACIAN, MAX_ORDER, Meaning, Names, PI};
pub use parser::{Fields, Parsed, parse};
pub use system::{System, Undefined};
pub use tree::{Function, Kind, Node, Operation, Tree};

use hyperpde_pde::Unknown;

/// A formula of the coordinates; `what` says what it is, for messages ("an exact solution").
///
/// # Errors
/// [`ExpressionError`] for a fault of the text, or a field in it.
pub fn scalar(text: &str, names: &Names, what: &'static str) -> Result<Formula, ExpressionError> {
    let parsed = parse(text, names, Fields::Refused(what))?;
    if let Some(right) = parsed.right() {
        return Err(ExpressionError::new(right.span.clone(), format!("{what} has no '='"), "a right side"));
    }
    Ok(Formula::new(&parsed.tree, &[(1.0, parsed.left)], &names.parameters))
}

/// A finite number from a formula without coordinates.
///
/// # Errors
/// As [`scalar`], and for a coordinate in it or a value that is not finite.
pub fn constant(text: &str, names: &Names, what: &'static str) -> Result<f64, ExpressionError> {
    let known = Names { parameters: names.parameters.clone(), ..Names::default() };
    let value = scalar(text, &known, what)?.at(&[]);
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
    match (parsed.left().kind, parsed.right, found.pop()) {
        (Kind::Unknown(_), None, Some(unknown)) => Ok(unknown),
        _ => {
            let what = format!("'{text}' is no field and no derivative of one");
            Err(ExpressionError::new(0..text.len(), what, "expected for example 'u' or 'u_xx'"))
        }
    }
}
