//! Expressions as trees, with the place of every part in the text.

use std::ops::Range;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

/// What a part of an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number, a parameter or `pi`.
    Number(f64),
    /// A coordinate, by index.
    Coordinate(usize),
    /// An unknown, by its index in the list that the parser fills.
    Unknown(usize),
    /// `-a`.
    Negative(Box<Node>),
    /// `a + b` and the like.
    Binary(Operation, Box<Node>, Box<Node>),
    /// `sin(a)` and the like.
    Call(Function, Box<Node>),
}

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Operation {
    /// The operator.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "^",
        }
    }
}

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function(&'static str);

impl Function {
    /// Names of all functions but the Laplacian. `log` is the natural logarithm, as `ln`.
    pub const ALL: [&'static str; 18] = [
        "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "ln",
        "log", "log10", "sqrt", "abs",
    ];

    /// The function of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| *f == name).map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl Node {
    /// The number `value`, in place of the text `span`.
    pub fn number(value: f64, span: Range<usize>) -> Self {
        Self { kind: Kind::Number(value), span }
    }

    /// `a op b`, spanning both.
    pub fn binary(op: Operation, a: Node, b: Node) -> Self {
        let span = a.span.start.min(b.span.start)..a.span.end.max(b.span.end);
        Self { kind: Kind::Binary(op, Box::new(a), Box::new(b)), span }
    }

    /// `-a`, in place of `a`.
    pub fn negative(a: Node) -> Self {
        let span = a.span.clone();
        Self { kind: Kind::Negative(Box::new(a)), span }
    }

    /// The parts of which it is made.
    pub fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Number(_) | Kind::Coordinate(_) | Kind::Unknown(_) => Vec::new(),
            Kind::Negative(a) | Kind::Call(_, a) => vec![a],
            Kind::Binary(_, a, b) => vec![a, b],
        }
    }

    /// Number of numbers, names, operators and functions in it.
    pub fn parts(&self) -> usize {
        1 + self.children().into_iter().map(Self::parts).sum::<usize>()
    }

    /// Whether `test` holds for it or a part of it.
    pub fn any(&self, test: &dyn Fn(&Kind) -> bool) -> bool {
        test(&self.kind) || self.children().into_iter().any(|c| c.any(test))
    }

    /// Whether an unknown occurs in it.
    pub fn has_unknowns(&self) -> bool {
        self.any(&|kind| matches!(kind, Kind::Unknown(_)))
    }
}
