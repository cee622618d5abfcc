//! Linear expressions in the fields, as conditions have: `Σ_j c_j(x) q_j = g(x)`.

use exmex::ExError;
use hyperpde_pde::Unknown;

use super::error::ExpressionError;
use super::formula::Formula;
use super::names::Names;
use super::parser::{Fields, parse};
use super::tree::{Kind, Node, Operation};

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
}

/// Takes a condition apart. With `homogeneous` it is one side of an equation that has no other, as for periodic conditions.
///
/// # Errors
/// [`ExpressionError`] for a fault of the text, a part that is not linear, or a condition in which no field occurs.
pub fn linear(text: &str, names: &Names, homogeneous: bool) -> Result<Linear, ExpressionError> {
    let mut unknowns = Vec::new();
    let parsed = parse(text, names, Fields::Collected(&mut unknowns))?;
    let whole = 0..text.len();
    let right = match (parsed.right, homogeneous) {
        (Some(right), false) => Some(right),
        (None, true) => None,
        (None, false) => {
            let fault = ExpressionError::new(whole, "this is no condition: it has no '='", "no '='");
            return Err(fault.with_help("write for example 'u = 0'"));
        }
        (Some(right), true) => {
            let what = "a periodic condition names what is the same at both ends, without '='";
            return Err(
                ExpressionError::new(right.span, what, "a right side").with_help("write for example 'u' and 'u_x'")
            );
        }
    };
    let (mut terms, mut constants) = (Vec::new(), Vec::new());
    split(parsed.left, &|node| node, &mut terms, &mut constants)?;
    if let Some(right) = right {
        split(right, &Node::negative, &mut terms, &mut constants)?;
    } else if let Some(constant) = constants.first() {
        let what = "a periodic condition has fields and their derivatives only";
        return Err(ExpressionError::new(constant.span.clone(), what, "no field here"));
    }
    if terms.is_empty() {
        return Err(ExpressionError::new(
            whole,
            "no field and no derivative occurs in this condition",
            "nothing to hold",
        ));
    }
    let dim = names.coordinates.len();
    let built = |node: Node| -> Result<Term, ExpressionError> {
        let failed =
            |why: ExError| ExpressionError::new(0..text.len(), format!("this can't be evaluated: {why}"), "here");
        let formula = Formula::new(&node, dim).map_err(failed)?;
        let varies = node.any(&|kind| matches!(kind, Kind::Coordinate(_)));
        Ok(if varies { Term::Function(formula) } else { Term::Constant(formula.at(&[])) })
    };
    let coefficient = |(j, unknown): (usize, Unknown)| {
        let own = terms.iter().filter(|(k, _)| *k == j).map(|(_, c)| c.clone());
        Ok((unknown, built(sum(own))?))
    };
    let terms = unknowns.into_iter().enumerate().map(coefficient).collect::<Result<_, _>>()?;
    Ok(Linear { terms, value: built(sum(constants.into_iter().map(Node::negative)))? })
}

fn sum(nodes: impl Iterator<Item = Node>) -> Node {
    nodes.reduce(|a, b| Node::binary(Operation::Add, a, b)).unwrap_or_else(|| Node::number(0.0, 0..0))
}

/// Divides a tree into `(unknown, coefficient)` and parts without unknowns; `times` multiplies by the factor in front of the tree.
fn split(
    node: Node,
    times: &dyn Fn(Node) -> Node,
    terms: &mut Vec<(usize, Node)>,
    constants: &mut Vec<Node>,
) -> Result<(), ExpressionError> {
    if !node.has_unknowns() {
        constants.push(times(node));
        return Ok(());
    }
    let Node { kind, span } = node;
    match kind {
        Kind::Unknown(j) => {
            terms.push((j, times(Node::number(1.0, span))));
            Ok(())
        }
        Kind::Negative(a) => split(*a, &|n| times(Node::negative(n)), terms, constants),
        Kind::Binary(Operation::Add, a, b) => {
            split(*a, times, terms, constants)?;
            split(*b, times, terms, constants)
        }
        Kind::Binary(Operation::Subtract, a, b) => {
            split(*a, times, terms, constants)?;
            split(*b, &|n| times(Node::negative(n)), terms, constants)
        }
        Kind::Binary(Operation::Multiply, a, b) if !a.has_unknowns() => {
            split(*b, &|n| times(Node::binary(Operation::Multiply, (*a).clone(), n)), terms, constants)
        }
        Kind::Binary(op @ (Operation::Multiply | Operation::Divide), a, b) if !b.has_unknowns() => {
            split(*a, &|n| times(Node::binary(op, n, (*b).clone())), terms, constants)
        }
        _ => {
            let fault = ExpressionError::new(
                span,
                "a condition must be linear in the fields and their derivatives",
                "not linear",
            );
            Err(fault
                .with_help("write it as a sum of 'coefficient * field', the coefficients functions of the coordinates"))
        }
    }
}
