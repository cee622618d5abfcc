//! Trees to formulas that `exmex` differentiates and evaluates.
//!
//! `exmex` reads a text in which every part is in parentheses and every name is `x0, x1, ...` (coordinates) or `q0, q1, ...`
//! (unknowns), so that neither its precedence of signs nor its reserved names matter.

use std::fmt::Write as _;
use std::ops::Range;

use exmex::{DeepEx, Differentiate, ExError, Express, FlatEx};

use super::column::{Column, Numbers, Operators};
use super::tree::{Kind, Node, Operation};

/// A function of coordinates and unknowns, ready to evaluate.
#[derive(Clone, Debug)]
pub struct Formula {
    /// On the heap: `exmex` keeps short expressions inside the value, 19 kB of it.
    expression: Box<FlatEx<Column, Operators, Numbers>>,
    /// For each variable of the expression, its place among the inputs: coordinates, then unknowns.
    inputs: Vec<usize>,
}

impl Formula {
    /// The value of a tree over `dim` coordinates.
    ///
    /// # Errors
    /// What `exmex` says; it accepts all that [`super::parse`] makes.
    pub fn new(node: &Node, dim: usize) -> Result<Self, ExError> {
        on_stack_for(node, || Self::of(DeepEx::parse(&text(node))?, dim))
    }

    /// The derivative of a tree by an unknown, symbolically.
    ///
    /// # Errors
    /// As [`Formula::new`].
    pub fn derivative(node: &Node, dim: usize, unknown: usize) -> Result<Self, ExError> {
        on_stack_for(node, || {
            let text = text(node);
            let expression = DeepEx::<Column, Operators, Numbers>::parse(&text)?;
            let name = format!("q{unknown}");
            match expression.var_names().iter().position(|v| *v == name) {
                Some(variable) => Self::of(expression.partial(variable)?, dim),
                None => Self::of(DeepEx::zero(), dim),
            }
        })
    }

    fn of(expression: DeepEx<'_, Column, Operators, Numbers>, dim: usize) -> Result<Self, ExError> {
        let expression = FlatEx::from_deepex(expression)?;
        let place = |name: &String| {
            let (letter, index) = name.split_at(1);
            let index: usize = index.parse().map_err(|_| ExError::new("a variable that no tree has"))?;
            Ok(if letter == "q" { dim + index } else { index })
        };
        let inputs = expression.var_names().iter().map(place).collect::<Result<_, ExError>>()?;
        Ok(Self { expression: Box::new(expression), inputs })
    }

    /// The values at all points, from the coordinates and then the unknowns.
    pub fn eval(&self, inputs: &[Column]) -> Column {
        let missing = Column::Constant(f64::NAN);
        let variables: Vec<Column> = self.inputs.iter().map(|&i| inputs.get(i).unwrap_or(&missing).clone()).collect();
        // The number of variables is right, which is all that can go wrong.
        self.expression.eval(&variables).unwrap_or(missing)
    }

    /// The value at one point.
    pub fn at(&self, inputs: &[f64]) -> f64 {
        let inputs: Vec<Column> = inputs.iter().map(|&v| Column::Constant(v)).collect();
        self.eval(&inputs).at(0)
    }
}

/// Parts up to which any thread has room for a formula being made.
const SHALLOW: usize = 16;
/// Stack for larger ones, of which only what is used takes memory. `exmex` takes tens of kilobytes for each level: too much for a thread of
/// Rust at a product of thirty factors.
const STACK: usize = 256 << 20;

/// What `make` gives, which may need much stack for a tree of many parts.
fn on_stack_for(node: &Node, make: impl FnOnce() -> Result<Formula, ExError> + Send) -> Result<Formula, ExError> {
    if node.parts() <= SHALLOW {
        return make();
    }
    std::thread::scope(|scope| match std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, make) {
        Ok(made) => made.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Err(e) => Err(ExError::new(&format!("no thread for it: {e}"))),
    })
}

/// The smallest part of a tree that has no finite value at a point, with that value.
pub fn culprit(node: &Node, dim: usize, inputs: &[f64]) -> Option<(Range<usize>, f64)> {
    let inside = node.children().into_iter().find_map(|child| culprit(child, dim, inputs));
    inside.or_else(|| {
        let value = Formula::new(node, dim).ok()?.at(inputs);
        (!value.is_finite()).then(|| (node.span.clone(), value))
    })
}

fn text(node: &Node) -> String {
    let mut out = String::new();
    write(node, &mut out);
    out
}

/// Appends the text of a tree. Sums and products stay in a row, as long as they lean left: fewer levels, faster to differentiate.
fn write(node: &Node, out: &mut String) {
    // Writing to a String can't fail.
    match &node.kind {
        Kind::Number(value) if value.is_sign_negative() => {
            let _ = write!(out, "(-({:?}))", -value);
        }
        Kind::Number(value) => {
            let _ = write!(out, "{value:?}");
        }
        Kind::Coordinate(i) => {
            let _ = write!(out, "x{i}");
        }
        Kind::Unknown(j) => {
            let _ = write!(out, "q{j}");
        }
        Kind::Negative(a) => {
            out.push_str("(-(");
            write(a, out);
            out.push_str("))");
        }
        Kind::Call(function, a) if function.name() == "abs" => {
            // A square and its root are exact; unlike an absolute value, exmex differentiates them.
            out.push_str("sqrt((");
            write(a, out);
            out.push_str(")^2.0)");
        }
        Kind::Call(function, a) => {
            out.push_str(function.name());
            out.push('(');
            write(a, out);
            out.push(')');
        }
        Kind::Binary(..) => {
            out.push('(');
            row(node, out);
            out.push(')');
        }
    }
}

fn row(node: &Node, out: &mut String) {
    let Kind::Binary(op, a, b) = &node.kind else { return write(node, out) };
    let additive = |op: &Operation| matches!(op, Operation::Add | Operation::Subtract);
    let alike = match &a.kind {
        Kind::Binary(Operation::Power, ..) => false,
        Kind::Binary(inner, ..) => *op != Operation::Power && additive(inner) == additive(op),
        _ => false,
    };
    if alike {
        row(a, out)
    } else {
        write(a, out)
    }
    out.push_str(op.symbol());
    write(b, out);
}
