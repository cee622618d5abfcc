//! Linear expressions in the fields, as conditions have: `Σ_j c_j(x) q_j = g(x)`.
//!
//! A condition `F(x, q) = 0` that is linear in the fields is its own linearisation about zero: `c_j = ∂F/∂q_j (x, 0)` and `g = −F(x, 0)`.

use hyperpde_pde::Unknown;

use crate::error::ExpressionError;
use crate::formula::Formula;
use crate::names::Names;
use crate::parser::{Fields, Parsed, parse};
use crate::tree::{Kind, Operation};

/// A linear condition, taken apart.
#[derive(Clone, Debug)]
pub struct Linear {
    /// The unknowns with their coefficients, functions of the coordinates.
    pub terms: Vec<(Unknown, Term)>,
    /// What does not depend on the fields, brought to the right side.
    pub value: Term,
}

/// A function of the coordinates.
#[derive(Clone, Debug)]
pub enum Term {
    /// A number.
    Constant(f64),
    /// A formula.
    Function(Formula),
}

impl Term {
    /// The value at a point.
    pub fn at(&self, x: &[f64]) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Function(formula) => formula.at(x),
        }
    }

    fn new(formula: Formula, varies: bool) -> Self {
        if varies { Self::Function(formula) } else { Self::Constant(formula.at(&[])) }
    }
}

/// Takes a condition apart. With `homogeneous` it is one side of an equation that has no other, as for periodic conditions.
///
/// # Errors
/// [`ExpressionError`] for a fault of the text, a part that is not linear, or a condition in which no field occurs.
pub fn linear(text: &str, names: &Names, homogeneous: bool) -> Result<Linear, ExpressionError> {
    let mut unknowns = Vec::new();
    let parsed = parse(text, names, Fields::Collected(&mut unknowns))?;
    let whole = 0..text.len();
    match (parsed.right(), homogeneous) {
        (None, false) => {
            let fault = ExpressionError::new(whole, "this is no condition: it has no '='", "no '='");
            return Err(fault.with_help("write for example 'u = 0'"));
        }
        (Some(right), true) => {
            let what = "a periodic condition names what is the same at both ends, without '='";
            let fault = ExpressionError::new(right.span.clone(), what, "a right side");
            return Err(fault.with_help("write for example 'u' and 'u_x'"));
        }
        _ => {}
    }
    let Parts { varies, constants } = Parts::of(&parsed, unknowns.len())?;
    if let Some(&constant) = constants.first().filter(|_| homogeneous) {
        let what = "a periodic condition has fields and their derivatives only";
        return Err(ExpressionError::new(parsed.tree.nodes()[constant].span.clone(), what, "no field here"));
    }
    if unknowns.is_empty() {
        return Err(ExpressionError::new(
            whole,
            "no field and no derivative occurs in this condition",
            "nothing to hold",
        ));
    }
    let in_coordinates = parsed.tree.with_parts(|kind| matches!(kind, Kind::Coordinate(_)));
    // Its terms without fields and their signs; those with fields vanish where these do.
    let formula = Formula::new(&parsed.tree, &parsed.summands(), &names.parameters);
    let terms = unknowns.into_iter().zip(varies).enumerate();
    let terms = terms.map(|(j, (unknown, varies))| (unknown, Term::new(formula.derivative(j), varies))).collect();
    let value = Term::new(formula.negative(), constants.iter().any(|&node| in_coordinates[node]));
    Ok(Linear { terms, value })
}

/// What a linear expression is made of.
struct Parts {
    /// For each unknown, whether a coordinate occurs in its coefficient.
    varies: Vec<bool>,
    /// Nodes without unknowns, from left to right.
    constants: Vec<usize>,
}

impl Parts {
    fn of(parsed: &Parsed, unknowns: usize) -> Result<Self, ExpressionError> {
        let tree = &parsed.tree;
        let has_unknowns = tree.with_parts(|kind| matches!(kind, Kind::Unknown(_)));
        let in_coordinates = tree.with_parts(|kind| matches!(kind, Kind::Coordinate(_)));
        let mut parts = Self { varies: vec![false; unknowns], constants: Vec::new() };
        // Nodes to look at, with whether a coordinate occurs in the factor before them.
        let mut rest: Vec<(usize, bool)> = parsed.right.into_iter().chain([parsed.left]).map(|n| (n, false)).collect();
        while let Some((node, varies)) = rest.pop() {
            if !has_unknowns[node] {
                parts.constants.push(node);
                continue;
            }
            match tree.nodes()[node].kind {
                Kind::Unknown(j) => parts.varies[j] |= varies,
                Kind::Negative(a) => rest.push((a, varies)),
                Kind::Binary(Operation::Add | Operation::Subtract, a, b) => rest.extend([(b, varies), (a, varies)]),
                Kind::Binary(Operation::Multiply, a, b) if !has_unknowns[a] => {
                    rest.push((b, varies || in_coordinates[a]))
                }
                Kind::Binary(Operation::Multiply | Operation::Divide, a, b) if !has_unknowns[b] => {
                    rest.push((a, varies || in_coordinates[b]));
                }
                _ => {
                    let span = tree.nodes()[node].span.clone();
                    let what = "a condition must be linear in the fields and their derivatives";
                    let help =
                        "write it as a sum of 'coefficient * field', the coefficients functions of the coordinates";
                    return Err(ExpressionError::new(span, what, "not linear").with_help(help));
                }
            }
        }
        Ok(parts)
    }
}
