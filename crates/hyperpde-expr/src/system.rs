//! Equations as text, linearised symbolically: the [`Equations`] that a configuration gives a problem.
//!
//! Each equation is cut into its summands. A summand is differentiated by the unknowns that occur in it, once, when the problem is
//! built; sources are not differentiated at all.

use std::ops::Range;

use exmex::ExError;
use hyperpde_kernels::Points;
use hyperpde_pde::{Equations, Linearised, PdeError, Unknown};

use super::column::Column;
use super::error::ExpressionError;
use super::formula::{Formula, culprit};
use super::names::Names;
use super::parser::{Fields, parse};
use super::tree::{Kind, Node, Operation};

/// Most work of differentiating, summed over summands and their unknowns, in fourth powers of the [`weight`] of a summand: so fast it grows,
/// through repeated copies in the product rule. It takes a few seconds; a product of a hundred factors is two thirds of it.
const MAX_WORK: f64 = 2.5e9;

/// Parts of a tree, those of powers with an unknown in the exponent counted twice on each level, and whether there is an unknown.
fn weight(node: &Node) -> (f64, bool) {
    let children: Vec<(f64, bool)> = node.children().into_iter().map(weight).collect();
    let inside: f64 = children.iter().map(|(weight, _)| weight).sum();
    let unknown = matches!(node.kind, Kind::Unknown(_)) || children.iter().any(|(_, unknown)| *unknown);
    let in_exponent =
        matches!(node.kind, Kind::Binary(Operation::Power, ..)) && children.last().is_some_and(|(_, u)| *u);
    (1.0 + if in_exponent { 2.0 * inside } else { inside }, unknown)
}

/// Equations from text.
#[derive(Clone, Debug)]
pub struct System {
    dim: usize,
    unknowns: Vec<Unknown>,
    equations: Vec<Equation>,
}

#[derive(Clone, Debug)]
struct Equation {
    text: String,
    summands: Vec<Summand>,
}

#[derive(Clone, Debug)]
struct Summand {
    sign: f64,
    node: Node,
    value: Formula,
    /// Derivatives by the unknowns that occur, with their indices.
    derivatives: Vec<(usize, Formula)>,
}

/// A value that is not finite: in which equation, at which point, and which part of its text is to blame.
#[derive(Clone, Debug, PartialEq)]
pub struct Undefined {
    /// Index of the equation.
    pub equation: usize,
    /// Index of the point.
    pub point: usize,
    /// The part of the text.
    pub span: Range<usize>,
    /// The value.
    pub value: f64,
    /// Whether it is the derivative of the part that has no value.
    pub of_derivative: bool,
}

impl System {
    /// Parses the equations over the fields, coordinates and parameters in `names`. The unknowns are those in `listed`, then those
    /// that occur, in the order of the text.
    ///
    /// # Errors
    /// The index of the equation and what is wrong with it.
    pub fn parse(texts: &[&str], names: &Names, listed: Vec<Unknown>) -> Result<Self, (usize, ExpressionError)> {
        let dim = names.coordinates.len();
        let mut unknowns = listed;
        let mut trees = Vec::new();
        for (e, text) in texts.iter().enumerate() {
            let parsed = parse(text, names, Fields::Collected(&mut unknowns)).map_err(|fault| (e, fault))?;
            let Some(right) = parsed.right else {
                let fault = ExpressionError::new(0..text.len(), "this is no equation: it has no '='", "no '='");
                return Err((e, fault.with_help("write '... = 0'")));
            };
            if !parsed.left.has_unknowns() && !right.has_unknowns() {
                let what = "no field and no derivative occurs in this equation";
                return Err((e, ExpressionError::new(0..text.len(), what, "nothing to solve for")));
            }
            trees.push((parsed.left, right));
        }
        let (mut equations, mut work) = (Vec::new(), 0.0);
        for (e, (text, (left, right))) in texts.iter().zip(trees).enumerate() {
            let mut summands = Vec::new();
            let mut add = |sign: f64, node: Node| {
                let occurring = (0..unknowns.len()).filter(|&j| node.any(&|k| *k == Kind::Unknown(j)));
                let occurring: Vec<usize> = occurring.collect();
                work += occurring.len() as f64 * weight(&node).0.powi(4);
                if work > MAX_WORK {
                    let fault = ExpressionError::new(node.span, "this takes too long to differentiate", "too long");
                    return Err(fault.with_help("write it as a sum, or introduce a further field for a part of it"));
                }
                let failed = |why: ExError| {
                    let what = format!("this equation can't be differentiated: {why}");
                    ExpressionError::new(0..text.len(), what, "here")
                };
                let derivatives = occurring.into_iter().map(|j| Ok((j, Formula::derivative(&node, dim, j)?)));
                let derivatives = derivatives.collect::<Result<_, ExError>>().map_err(failed)?;
                summands.push(Summand { sign, value: Formula::new(&node, dim).map_err(failed)?, derivatives, node });
                Ok(())
            };
            let built = each_summand(left, 1.0, &mut add).and_then(|()| each_summand(right, -1.0, &mut add));
            built.map_err(|fault: ExpressionError| (e, fault))?;
            equations.push(Equation { text: (*text).to_owned(), summands });
        }
        Ok(Self { dim, unknowns, equations })
    }

    /// Whether a field occurs.
    pub fn mentions(&self, field: usize) -> bool {
        let used =
            |j: usize| self.equations.iter().flat_map(|e| &e.summands).any(|s| s.derivatives.iter().any(|d| d.0 == j));
        self.unknowns.iter().enumerate().any(|(j, q)| q.field == field && used(j))
    }

    /// The residuals `[E][n]` at points with unknowns `[m][n]`, or where they have no value.
    ///
    /// # Errors
    /// [`Undefined`] at the first such point of the first such equation.
    pub fn values(&self, x: &Points, u: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Undefined> {
        let inputs = self.inputs(x, u);
        let residual = |(e, equation): (usize, &Equation)| {
            let mut total = vec![0.0; x.len()];
            for summand in &equation.summands {
                let values = summand.value.eval(&inputs);
                for (i, sum) in total.iter_mut().enumerate() {
                    let value = values.at(i);
                    if !value.is_finite() {
                        return Err(self.undefined(e, i, summand, &inputs, value, false));
                    }
                    *sum += summand.sign * value;
                }
            }
            Ok(total)
        };
        self.equations.iter().enumerate().map(residual).collect()
    }

    /// Coefficients `[E][m][n]` of the linearised equations, or where they have no value.
    fn coefficients(&self, x: &Points, u: &[Vec<f64>]) -> Result<Vec<Vec<Vec<f64>>>, Undefined> {
        let inputs = self.inputs(x, u);
        let rows = |(e, equation): (usize, &Equation)| {
            let mut rows = vec![vec![0.0; x.len()]; self.unknowns.len()];
            for summand in &equation.summands {
                for (j, derivative) in &summand.derivatives {
                    let values = derivative.eval(&inputs);
                    for (i, c) in rows[*j].iter_mut().enumerate() {
                        let value = values.at(i);
                        if !value.is_finite() {
                            return Err(self.undefined(e, i, summand, &inputs, value, true));
                        }
                        *c += summand.sign * value;
                    }
                }
            }
            Ok(rows)
        };
        self.equations.iter().enumerate().map(rows).collect()
    }

    /// Whether equations and linearisation have finite values there; fields are `[m][n]`.
    ///
    /// # Errors
    /// [`Undefined`] at the first place where they have none.
    pub fn try_out(&self, x: &Points, u: &[Vec<f64>]) -> Result<(), Undefined> {
        self.values(x, u)?;
        self.coefficients(x, u).map(|_| ())
    }

    fn inputs(&self, x: &Points, u: &[Vec<f64>]) -> Vec<Column> {
        let coordinate = |k: usize| Column::new(x.rows().map(|p| p[k]).collect());
        (0..self.dim).map(coordinate).chain(u.iter().map(|q| Column::new(q.clone()))).collect()
    }

    fn undefined(
        &self,
        e: usize,
        i: usize,
        summand: &Summand,
        inputs: &[Column],
        value: f64,
        of_derivative: bool,
    ) -> Undefined {
        let at: Vec<f64> = inputs.iter().map(|c| c.at(i)).collect();
        let found = if of_derivative { None } else { culprit(&summand.node, self.dim, &at) };
        let (span, value) = found.unwrap_or((summand.node.span.clone(), value));
        Undefined { equation: e, point: i, span, value, of_derivative }
    }

    fn check(&self, x: &Points, u: &[Vec<f64>]) -> Result<(), PdeError> {
        let shape =
            |what: &str, expected: String, got: String| Err(PdeError::Shape { what: what.into(), expected, got });
        if x.dim() != self.dim {
            return shape("coordinates of the points", self.dim.to_string(), x.dim().to_string());
        }
        if u.len() != self.unknowns.len() {
            return shape("arrays of unknowns", self.unknowns.len().to_string(), u.len().to_string());
        }
        for (q, values) in self.unknowns.iter().zip(u) {
            if values.len() != x.len() {
                return shape(
                    &format!("values of {q}"),
                    format!("{} (one per point)", x.len()),
                    values.len().to_string(),
                );
            }
            if let Some(i) = values.iter().position(|v| !v.is_finite()) {
                let what = format!("the unknown {q}");
                return Err(PdeError::NonFiniteResidual {
                    equation: 0,
                    point: x.row(i).to_vec(),
                    what,
                    value: values[i],
                });
            }
        }
        Ok(())
    }

    fn failure(&self, fault: &Undefined, x: &Points) -> PdeError {
        let text = &self.equations[fault.equation].text;
        let part = &text[fault.span.clone()];
        let what = if fault.of_derivative { format!("the derivative of '{part}'") } else { format!("'{part}'") };
        PdeError::NonFiniteResidual {
            equation: fault.equation,
            point: x.row(fault.point).to_vec(),
            what: format!("{what} in '{text}'"),
            value: fault.value,
        }
    }
}

impl Equations for System {
    fn equations(&self) -> usize {
        self.equations.len()
    }

    fn unknowns(&self) -> Vec<Unknown> {
        self.unknowns.clone()
    }

    fn residual(&self, x: &Points, u: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, PdeError> {
        self.check(x, u)?;
        self.values(x, u).map_err(|fault| self.failure(&fault, x))
    }

    fn linearise(&self, x: &Points, u: &[Vec<f64>]) -> Result<Linearised, PdeError> {
        self.check(x, u)?;
        let values = self.values(x, u).map_err(|fault| self.failure(&fault, x))?;
        let coefficients = self.coefficients(x, u).map_err(|fault| self.failure(&fault, x))?;
        let rhs = |(rows, residual): (&Vec<Vec<f64>>, Vec<f64>)| {
            let mut b: Vec<f64> = residual.into_iter().map(|f| -f).collect();
            for (c, q) in rows.iter().zip(u) {
                b.iter_mut().zip(c).zip(q).for_each(|((b, c), q)| *b += c * q);
            }
            b
        };
        let rhs = coefficients.iter().zip(values).map(rhs).collect();
        Ok(Linearised { coefficients, rhs })
    }
}

/// Calls `add` with the sign and the tree of each summand, from left to right.
pub(super) fn each_summand<E>(
    node: Node,
    sign: f64,
    add: &mut impl FnMut(f64, Node) -> Result<(), E>,
) -> Result<(), E> {
    match node.kind {
        Kind::Negative(a) => each_summand(*a, -sign, add),
        Kind::Binary(Operation::Add, a, b) => each_summand(*a, sign, add).and_then(|()| each_summand(*b, sign, add)),
        Kind::Binary(Operation::Subtract, a, b) => {
            each_summand(*a, sign, add).and_then(|()| each_summand(*b, -sign, add))
        }
        kind => add(sign, Node { kind, span: node.span }),
    }
}
