//! Equations as text: the [`Residual`] that a configuration gives a problem.
//!
//! An equation is a sum of summands with signs, the right side with opposite ones. All equations share one program, so what they
//! have in common is evaluated once. Values and first derivatives go over the points by columns ([`Residual::jacobian`]); one point with any
//! [`Number`] is [`Residual::eval`].

use std::ops::Range;

use hyperpde_kernels::Points;
use hyperpde_pde::{Dual64, Equations, Jacobian, Number, PdeError, Residual, Unknown};

use crate::error::{ExpressionError, nearest};
use crate::names::Names;
use crate::parser::{Fields, Parsed, parse};
use crate::program::{Input, LANES, Program, Reach, Values};
use crate::tree::Kind;

/// Equations from text.
#[derive(Clone, Debug)]
pub struct System {
    unknowns: Vec<Unknown>,
    parameters: Vec<(String, f64)>,
    equations: Vec<Equation>,
    program: Program,
    /// Numbers and parameters, and what is made of them alone, for a block of points and for one.
    constants: [Values; 2],
    /// What reaches from any unknown, and from each of them.
    by_unknowns: Reach,
    by_unknown: Vec<Reach>,
}

#[derive(Clone, Debug)]
struct Equation {
    text: String,
    /// Signs and operations.
    summands: Vec<(f64, usize)>,
    /// Places of the summands in the text.
    spans: Vec<Range<usize>>,
    /// All parts with their places, smaller ones first.
    parts: Vec<(usize, Range<usize>)>,
    affine: bool,
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
        let (mut unknowns, mut program, mut equations) = (listed, Program::default(), Vec::new());
        for (e, text) in texts.iter().enumerate() {
            let parsed = parse(text, names, Fields::Collected(&mut unknowns)).map_err(|fault| (e, fault))?;
            equations.push(Equation::new(text, &parsed, &mut program).map_err(|fault| (e, fault))?);
        }
        let degrees = program.degrees();
        for equation in &mut equations {
            equation.affine = equation.summands.iter().all(|(_, k)| degrees[*k] < 2);
        }
        let parameters = names.parameters.clone();
        Ok(Self {
            constants: [LANES, 1].map(|lanes| program.constants(&parameters, lanes)),
            by_unknowns: Reach::of(&program, |input| matches!(input, Input::Unknown(_))),
            by_unknown: (0..unknowns.len()).map(|j| Reach::of(&program, |input| input == Input::Unknown(j))).collect(),
            unknowns,
            parameters,
            equations,
            program,
        })
    }

    /// The parameters with their values, in the order in which they were declared.
    pub fn parameters(&self) -> &[(String, f64)] {
        &self.parameters
    }

    /// The same equations with another value of a parameter. Parameters that were computed from it before keep their values.
    ///
    /// # Errors
    /// [`PdeError::Setting`] for a name that is no parameter or a value that is not finite.
    pub fn with_parameter(&self, name: &str, value: f64) -> Result<Self, PdeError> {
        let at = self.parameter(name, &value.to_string())?;
        if !value.is_finite() {
            return Err(setting(name, &value.to_string(), "a parameter must be finite".into()));
        }
        let mut changed = self.clone();
        changed.parameters[at].1 = value;
        changed.constants = [LANES, 1].map(|lanes| changed.program.constants(&changed.parameters, lanes));
        Ok(changed)
    }

    /// `∂F_e/∂p` by the parameter of that name, `[E][n]`, at points `[n, d]` with unknowns `u` `[m][n]`.
    ///
    /// # Errors
    /// As [`Equations::linearise`], and [`PdeError::Setting`] for a name that is no parameter.
    pub fn parameter_derivative(&self, name: &str, x: &Points, u: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, PdeError> {
        let at = self.parameter(name, "its derivative")?;
        // Shapes and values are held to what they must be.
        self.residual(x, u)?;
        let reach = Reach::of(&self.program, |input| input == Input::Parameter(at));
        let mut out = vec![vec![0.0; x.len()]; self.equations.len()];
        let mut work = Vec::new();
        let value = self.parameters[at].1;
        self.for_blocks(x, u, |values, block| {
            let seed = |_: Input, out: &mut [Dual64]| out.fill(Dual64::new(value, 1.0));
            self.program.differentiate(&reach, values, block.len(), &mut work, seed);
            for (equation, column) in self.equations.iter().zip(&mut out) {
                equation.add_slopes(&reach, &work, values.lanes(), &mut column[block.clone()]);
            }
        });
        for (e, column) in out.iter().enumerate() {
            if let Some(i) = column.iter().position(|v| !v.is_finite()) {
                let what = format!("the derivative by the parameter '{name}' in '{}'", self.equations[e].text);
                let point = x.row(i).to_vec();
                return Err(PdeError::NonFiniteResidual { equation: e, point, what, value: column[i] });
            }
        }
        Ok(out)
    }

    fn parameter(&self, name: &str, value: &str) -> Result<usize, PdeError> {
        let names = || self.parameters.iter().map(|(p, _)| p.as_str());
        names().position(|p| p == name).ok_or_else(|| {
            let expected = match nearest(name, names()) {
                Some(close) => format!("these equations have no such parameter, did you mean '{close}'?"),
                None => format!(
                    "these equations have no such parameter; there are: {}",
                    names().collect::<Vec<_>>().join(", ")
                ),
            };
            setting(name, value, expected)
        })
    }

    /// Whether a field occurs.
    pub fn mentions(&self, field: usize) -> bool {
        let used = |j: usize| {
            let reached = &self.by_unknown[j].reached;
            self.equations.iter().flat_map(|e| &e.summands).any(|(_, k)| reached[*k])
        };
        self.unknowns.iter().enumerate().any(|(j, q)| q.field == field && used(j))
    }

    /// Whether equations and linearisation have finite values there; unknowns are `[m][n]`.
    ///
    /// # Errors
    /// [`Undefined`] at the first place where they have none.
    pub fn try_out(&self, x: &Points, u: &[Vec<f64>]) -> Result<(), Undefined> {
        let Jacobian { values, derivatives } = self.columns(x, u, true);
        let unfit = |column: &[f64]| column.iter().position(|v| !v.is_finite());
        let fault = |e: usize, i: usize, by: Option<usize>, value: f64| {
            let q: Vec<f64> = u.iter().map(|column| column[i]).collect();
            let whole = || (0..self.equations[e].text.len(), value);
            let (span, value) = self.blame(e, x.row(i), &q, by).unwrap_or_else(whole);
            Undefined { equation: e, point: i, span, value, of_derivative: by.is_some() }
        };
        for (e, (f, rows)) in values.iter().zip(&derivatives).enumerate() {
            if let Some(i) = unfit(f) {
                return Err(fault(e, i, None, f[i]));
            }
            if let Some((j, i)) = rows.iter().enumerate().find_map(|(j, c)| Some((j, unfit(c)?))) {
                return Err(fault(e, i, Some(j), rows[j][i]));
            }
        }
        Ok(())
    }

    /// The part of an equation without a finite value, or without a finite derivative by an unknown, with that number: the smallest part
    /// for a value, the summand for a derivative. Nothing if all of them are finite, only their sum is not.
    fn blame(&self, e: usize, x: &[f64], q: &[f64], by: Option<usize>) -> Option<(Range<usize>, f64)> {
        let equation = &self.equations[e];
        let values = self.values_at(x, q, |_| true);
        match by {
            None => {
                let value = |(k, span): &(usize, Range<usize>)| (span.clone(), values.of(*k)[0]);
                equation.parts.iter().map(value).find(|(_, value)| !value.is_finite())
            }
            Some(j) => {
                let (reach, mut work) = (&self.by_unknown[j], Vec::new());
                let seed = |_: Input, out: &mut [Dual64]| out[0] = Dual64::new(q[j], 1.0);
                self.program.differentiate(reach, &values, 1, &mut work, seed);
                let reached = equation.summands.iter().zip(&equation.spans).filter(|((_, k), _)| reach.reached[*k]);
                reached.map(|((_, k), span)| (span.clone(), work[*k].eps)).find(|(_, value)| !value.is_finite())
            }
        }
    }

    /// Values at one point; those for which `wanted` says so.
    fn values_at(&self, x: &[f64], q: &[f64], wanted: impl Fn(usize) -> bool) -> Values {
        let mut values = self.constants[1].clone();
        self.program.evaluate(&mut values, 1, wanted, |input, out| match input {
            Input::Coordinate(i) => out[0] = x[i],
            Input::Unknown(j) => out[0] = q[j],
            Input::Parameter(_) => {}
        });
        values
    }

    /// Calls `use_block` with the values at each block of points.
    fn for_blocks(&self, x: &Points, u: &[Vec<f64>], mut use_block: impl FnMut(&Values, Range<usize>)) {
        let mut values = self.constants[0].clone();
        for start in (0..x.len()).step_by(LANES) {
            let block = start..(start + LANES).min(x.len());
            self.program.evaluate(
                &mut values,
                block.len(),
                |_| true,
                |input, out| match input {
                    Input::Coordinate(k) => {
                        out.iter_mut().zip(x.rows().skip(start)).for_each(|(out, point)| *out = point[k]);
                    }
                    Input::Unknown(j) => out.copy_from_slice(&u[j][block.clone()]),
                    Input::Parameter(_) => {}
                },
            );
            use_block(&values, block);
        }
    }

    /// Values and, if asked for, derivatives at all points.
    fn columns(&self, x: &Points, u: &[Vec<f64>], derivatives: bool) -> Jacobian {
        let (n, equations) = (x.len(), self.equations.len());
        let mut out = Jacobian {
            values: vec![vec![0.0; n]; equations],
            derivatives: if derivatives { vec![vec![vec![0.0; n]; u.len()]; equations] } else { Vec::new() },
        };
        let mut work = Vec::new();
        self.for_blocks(x, u, |values, block| {
            for (equation, column) in self.equations.iter().zip(&mut out.values) {
                equation.add_values(values, &mut column[block.clone()]);
            }
            if !derivatives {
                return;
            }
            for (j, reach) in self.by_unknown.iter().enumerate() {
                let seed = |_: Input, out: &mut [Dual64]| {
                    out.iter_mut().zip(&u[j][block.clone()]).for_each(|(out, q)| *out = Dual64::new(*q, 1.0));
                };
                self.program.differentiate(reach, values, block.len(), &mut work, seed);
                for (equation, rows) in self.equations.iter().zip(&mut out.derivatives) {
                    equation.add_slopes(reach, &work, values.lanes(), &mut rows[j][block.clone()]);
                }
            }
        });
        out
    }
}

impl Equation {
    /// Adds an equation to the program.
    fn new(text: &str, parsed: &Parsed, program: &mut Program) -> Result<Self, ExpressionError> {
        let whole = 0..text.len();
        if parsed.right.is_none() {
            let fault = ExpressionError::new(whole, "this is no equation: it has no '='", "no '='");
            return Err(fault.with_help("write '... = 0'"));
        }
        let nodes = parsed.tree.nodes();
        if !nodes.iter().any(|node| matches!(node.kind, Kind::Unknown(_))) {
            let what = "no field and no derivative occurs in this equation";
            return Err(ExpressionError::new(whole, what, "nothing to solve for"));
        }
        let at = program.add(&parsed.tree);
        let summands = parsed.summands();
        Ok(Self {
            text: text.to_owned(),
            spans: summands.iter().map(|&(_, node)| nodes[node].span.clone()).collect(),
            summands: summands.into_iter().map(|(sign, node)| (sign, at[node])).collect(),
            parts: at.into_iter().zip(nodes).map(|(k, node)| (k, node.span.clone())).collect(),
            affine: false,
        })
    }

    fn add_values(&self, values: &Values, out: &mut [f64]) {
        for &(sign, k) in &self.summands {
            out.iter_mut().zip(values.of(k)).for_each(|(out, value)| *out += sign * value);
        }
    }

    fn add_slopes(&self, reach: &Reach, work: &[Dual64], lanes: usize, out: &mut [f64]) {
        for &(sign, k) in self.summands.iter().filter(|(_, k)| reach.reached[*k]) {
            out.iter_mut().zip(&work[k * lanes..]).for_each(|(out, value)| *out += sign * value.eps);
        }
    }
}

impl Residual for System {
    fn equations(&self) -> usize {
        self.equations.len()
    }

    fn unknowns(&self) -> Vec<Unknown> {
        self.unknowns.clone()
    }

    fn eval<D: Number>(&self, x: &[f64], u: &[D]) -> Vec<D> {
        // What does not depend on the unknowns stays a plain number.
        let reach = &self.by_unknowns;
        let values = self.values_at(x, &[], |k| !reach.reached[k]);
        let mut work = Vec::new();
        self.program.differentiate(reach, &values, 1, &mut work, |input, out: &mut [D]| {
            if let Input::Unknown(j) = input {
                out[0] = u[j];
            }
        });
        let summand = |&(sign, k): &(f64, usize)| {
            let value = if reach.reached[k] { work[k] } else { D::from(values.of(k)[0]) };
            value * sign
        };
        self.equations.iter().map(|e| e.summands.iter().map(summand).sum()).collect()
    }

    fn values(&self, x: &Points, u: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, PdeError> {
        Ok(self.columns(x, u, false).values)
    }

    fn jacobian(&self, x: &Points, u: &[Vec<f64>]) -> Result<Jacobian, PdeError> {
        Ok(self.columns(x, u, true))
    }

    fn is_affine(&self, equation: usize) -> bool {
        self.equations[equation].affine
    }

    fn culprit(&self, equation: usize, x: &[f64], u: &[f64], by: Option<usize>) -> Option<String> {
        let text = &self.equations[equation].text;
        let span = self.blame(equation, x, u, by).map_or(0..text.len(), |(span, _)| span);
        Some(format!("'{}' in '{text}'", &text[span]))
    }
}

fn setting(name: &str, value: &str, expected: String) -> PdeError {
    PdeError::Setting { name: name.into(), value: value.into(), expected }
}
