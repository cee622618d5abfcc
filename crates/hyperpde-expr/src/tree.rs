//! Expressions as trees, with the place of every part in the text.
//!
//! A tree is a row of nodes in which the parts of a node stand before it: whoever goes through it from the front has seen the parts
//! first, without recursion, however deep it is.

use std::ops::Range;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

/// What a part of an expression is; other parts are named by their index in the [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number, or `pi`.
    Number(f64),
    /// A parameter, by its index among the [`Names`](crate::Names).
    Parameter(usize),
    /// A coordinate, by index.
    Coordinate(usize),
    /// An unknown, by its index in the list that the parser fills.
    Unknown(usize),
    /// `-a`.
    Negative(usize),
    /// `a + b` and the like.
    Binary(Operation, usize, usize),
    /// `sin(a)` and the like.
    Call(Function, usize),
}

impl Kind {
    /// The parts of which it is made.
    pub fn parts(self) -> impl Iterator<Item = usize> {
        let (a, b) = match self {
            Self::Number(_) | Self::Parameter(_) | Self::Coordinate(_) | Self::Unknown(_) => (None, None),
            Self::Negative(a) | Self::Call(_, a) => (Some(a), None),
            Self::Binary(_, a, b) => (Some(a), Some(b)),
        };
        a.into_iter().chain(b)
    }
}

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a * b`.
    Multiply,
    /// `a / b`.
    Divide,
    /// `a ^ b`.
    Power,
}

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Function {
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Exp,
    Ln,
    Log10,
    Sqrt,
    Abs,
}

impl Function {
    /// Names of all functions but the Laplacian. `log` is the natural logarithm, as `ln`.
    pub const ALL: [&'static str; 18] = [
        "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "ln",
        "log", "log10", "sqrt", "abs",
    ];

    /// The function of that name.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "sin" => Self::Sin,
            "cos" => Self::Cos,
            "tan" => Self::Tan,
            "asin" => Self::Asin,
            "acos" => Self::Acos,
            "atan" => Self::Atan,
            "sinh" => Self::Sinh,
            "cosh" => Self::Cosh,
            "tanh" => Self::Tanh,
            "asinh" => Self::Asinh,
            "acosh" => Self::Acosh,
            "atanh" => Self::Atanh,
            "exp" => Self::Exp,
            "ln" | "log" => Self::Ln,
            "log10" => Self::Log10,
            "sqrt" => Self::Sqrt,
            "abs" => Self::Abs,
            _ => return None,
        })
    }
}

/// Nodes, each after its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree(Vec<Node>);

impl Tree {
    /// All nodes, parts first.
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// Adds a node whose parts are there already; its index.
    pub(crate) fn add(&mut self, kind: Kind, span: Range<usize>) -> usize {
        self.0.push(Node { kind, span });
        self.0.len() - 1
    }

    /// Adds `a op b`, spanning both.
    pub(crate) fn binary(&mut self, op: Operation, a: usize, b: usize) -> usize {
        let span = self.0[a].span.start.min(self.0[b].span.start)..self.0[a].span.end.max(self.0[b].span.end);
        self.add(Kind::Binary(op, a, b), span)
    }

    /// Widens a node to the parentheses around it.
    pub(crate) fn widen(&mut self, node: usize, span: Range<usize>) {
        self.0[node].span = span;
    }

    /// For each node, whether `test` holds for it or a part of it.
    pub fn with_parts(&self, test: impl Fn(Kind) -> bool) -> Vec<bool> {
        let mut holds: Vec<bool> = Vec::with_capacity(self.0.len());
        for node in &self.0 {
            holds.push(test(node.kind) || node.kind.parts().any(|part| holds[part]));
        }
        holds
    }

    /// The parts that `node` is the sum of, with their signs, from left to right.
    pub fn summands(&self, node: usize) -> Vec<(f64, usize)> {
        let (mut out, mut rest) = (Vec::new(), vec![(1.0, node)]);
        while let Some((sign, node)) = rest.pop() {
            match self.0[node].kind {
                Kind::Negative(a) => rest.push((-sign, a)),
                Kind::Binary(Operation::Add, a, b) => rest.extend([(sign, b), (sign, a)]),
                Kind::Binary(Operation::Subtract, a, b) => rest.extend([(-sign, b), (sign, a)]),
                _ => out.push((sign, node)),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_function() {
        assert!(Function::ALL.iter().all(|name| Function::of(name).is_some()));
        assert_eq!((Function::of("log"), Function::of("lap")), (Some(Function::Ln), None));
    }
}
