//! Trees compiled to a flat program, and its evaluation with any [`Number`].
//!
//! A program is a row of operations, each on results of earlier ones; equal operations stand in it once, whatever equations and places
//! they come from. It is evaluated at several points at a time: each operation goes over all points before the next one starts, so that
//! finding out what to do costs nothing beside doing it.
//!
//! Values come first, in `f64`. Derivatives by some of the inputs then need further numbers only for the operations that these inputs
//! reach; all others enter as plain values. That is why the derivative of `u_t + u*u_x − nu*u_xx` by `u_xx` is one product, and why a
//! source term is not differentiated.

use std::collections::HashMap;

use hyperpde_pde::Number;

use crate::number::{call, general_power, power};
use crate::tree::{Function, Kind, Operation, Tree};

/// Points that are evaluated at a time: the results of a dozen operations stay in the cache nearest to the processor.
pub(crate) const LANES: usize = 64;

/// An operation; operands are indices of earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    /// A number, by its bits.
    Number(u64),
    Input(Input),
    Negative(usize),
    Binary(Operation, usize, usize),
    Call(Function, usize),
}

/// What a program is a function of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Input {
    Parameter(usize),
    Coordinate(usize),
    Unknown(usize),
}

impl Op {
    fn operands(self) -> impl Iterator<Item = usize> {
        let (a, b) = match self {
            Self::Number(_) | Self::Input(_) => (None, None),
            Self::Negative(a) | Self::Call(_, a) => (Some(a), None),
            Self::Binary(_, a, b) => (Some(a), Some(b)),
        };
        a.into_iter().chain(b)
    }
}

/// Operations in an order in which they can be carried out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    ops: Vec<Op>,
    known: HashMap<Op, usize>,
}

impl Program {
    fn push(&mut self, op: Op) -> usize {
        let next = self.ops.len();
        let at = *self.known.entry(op).or_insert(next);
        if at == next {
            self.ops.push(op);
        }
        at
    }

    /// Adds a tree; for each of its nodes the operation that gives its value.
    pub(crate) fn add(&mut self, tree: &Tree) -> Vec<usize> {
        let mut at: Vec<usize> = Vec::with_capacity(tree.nodes().len());
        for node in tree.nodes() {
            let op = match node.kind {
                Kind::Number(value) => Op::Number(value.to_bits()),
                Kind::Parameter(i) => Op::Input(Input::Parameter(i)),
                Kind::Coordinate(i) => Op::Input(Input::Coordinate(i)),
                Kind::Unknown(j) => Op::Input(Input::Unknown(j)),
                Kind::Negative(a) => Op::Negative(at[a]),
                Kind::Call(function, a) => Op::Call(function, at[a]),
                Kind::Binary(op, a, b) => Op::Binary(op, at[a], at[b]),
            };
            at.push(self.reduced(op));
        }
        at
    }

    /// Squares and cubes are products.
    fn reduced(&mut self, op: Op) -> usize {
        let Op::Binary(Operation::Power, a, b) = op else { return self.push(op) };
        let exponent = match self.ops[b] {
            Op::Number(bits) => f64::from_bits(bits),
            _ => f64::NAN,
        };
        if exponent != 2.0 && exponent != 3.0 {
            return self.push(op);
        }
        let square = self.push(Op::Binary(Operation::Multiply, a, a));
        if exponent == 2.0 { square } else { self.push(Op::Binary(Operation::Multiply, square, a)) }
    }

    /// Which operations depend on an input for which `test` holds.
    pub(crate) fn reached(&self, test: impl Fn(Input) -> bool) -> Vec<bool> {
        let mut reached: Vec<bool> = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            let input = matches!(op, Op::Input(input) if test(*input));
            reached.push(input || op.operands().any(|a| reached[a]));
        }
        reached
    }

    /// Degree of each operation as a polynomial in the unknowns: 0, 1, or 2 for whatever is not affine.
    pub(crate) fn degrees(&self) -> Vec<u8> {
        let mut degrees: Vec<u8> = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            let nonlinear = |degree: u8| if degree == 0 { 0 } else { 2 };
            degrees.push(match *op {
                Op::Number(_) => 0,
                Op::Input(input) => u8::from(matches!(input, Input::Unknown(_))),
                Op::Negative(a) => degrees[a],
                Op::Call(_, a) => nonlinear(degrees[a]),
                Op::Binary(Operation::Add | Operation::Subtract, a, b) => degrees[a].max(degrees[b]),
                Op::Binary(Operation::Multiply, a, b) => (degrees[a] + degrees[b]).min(2),
                Op::Binary(Operation::Divide, a, b) if degrees[b] == 0 => degrees[a],
                Op::Binary(_, a, b) => nonlinear(degrees[a].max(degrees[b])),
            });
        }
        degrees
    }

    /// What numbers and parameters alone decide, for evaluation at up to `lanes` points.
    pub(crate) fn constants(&self, parameters: &[(String, f64)], lanes: usize) -> Values {
        let varying = self.reached(|input| !matches!(input, Input::Parameter(_)));
        let at = |wanted: bool| (0..self.ops.len()).filter(|&k| varying[k] == wanted).collect::<Vec<_>>();
        let (fixed, steps) = (at(false), at(true));
        let mut numbers = vec![0.0; self.ops.len() * lanes];
        let all = vec![true; self.ops.len()];
        self.carry_out(fixed.into_iter(), &all, &[], &mut numbers, (lanes, lanes), |input, out| {
            if let Input::Parameter(i) = input {
                out.fill(parameters[i].1);
            }
        });
        Values { numbers, lanes, steps, all }
    }

    /// Fills in the values of the operations that are `wanted`, at `count` points whose coordinates and unknowns `input` writes.
    pub(crate) fn evaluate(
        &self,
        values: &mut Values,
        count: usize,
        wanted: impl Fn(usize) -> bool,
        input: impl FnMut(Input, &mut [f64]),
    ) {
        let Values { numbers, lanes, steps, all } = values;
        let steps = steps.iter().copied().filter(|&k| wanted(k));
        self.carry_out(steps, all, &[], numbers, (*lanes, count), input);
    }

    /// Evaluates the operations of a [`Reach`] with other numbers, at points where the values are known.
    pub(crate) fn differentiate<D: Number>(
        &self,
        reach: &Reach,
        values: &Values,
        count: usize,
        work: &mut Vec<D>,
        input: impl FnMut(Input, &mut [D]),
    ) {
        work.resize(self.ops.len() * values.lanes, D::from(0.0));
        self.carry_out(
            reach.steps.iter().copied(),
            &reach.reached,
            &values.numbers,
            work,
            (values.lanes, count),
            input,
        );
    }

    /// Carries out `steps`, in order. Operands that are `inside` are taken from `work`, others from `outside`; both hold `lanes` numbers per
    /// operation, of which the first `count` are used.
    fn carry_out<D: Number>(
        &self,
        steps: impl Iterator<Item = usize>,
        inside: &[bool],
        outside: &[f64],
        work: &mut [D],
        (lanes, count): (usize, usize),
        mut input: impl FnMut(Input, &mut [D]),
    ) {
        for k in steps {
            let (done, rest) = work.split_at_mut(k * lanes);
            let out = &mut rest[..count];
            let own = |a: usize| &done[a * lanes..a * lanes + count];
            let plain = |a: usize| &outside[a * lanes..a * lanes + count];
            match self.ops[k] {
                Op::Number(bits) => out.fill(D::from(f64::from_bits(bits))),
                Op::Input(which) => input(which, out),
                Op::Negative(a) => map(out, own(a), |a| -a),
                Op::Call(function, a) => call_all(function, out, own(a)),
                Op::Binary(op, a, b) => match (inside[a], inside[b]) {
                    (true, true) => both(op, out, own(a), own(b)),
                    (true, false) => left(op, out, own(a), plain(b)),
                    _ => right(op, out, plain(a), own(b)),
                },
            }
        }
    }
}

/// Results of all operations in `f64` at up to [`Values::lanes`] points.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    numbers: Vec<f64>,
    lanes: usize,
    /// Operations that vary from point to point.
    steps: Vec<usize>,
    /// `true` for each operation.
    all: Vec<bool>,
}

impl Values {
    /// Results of operation `k`.
    pub(crate) fn of(&self, k: usize) -> &[f64] {
        &self.numbers[k * self.lanes..(k + 1) * self.lanes]
    }

    /// Points at a time.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes
    }
}

/// The operations that some inputs reach.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    pub(crate) reached: Vec<bool>,
    steps: Vec<usize>,
}

impl Reach {
    /// Of the inputs for which `test` holds.
    pub(crate) fn of(program: &Program, test: impl Fn(Input) -> bool) -> Self {
        let reached = program.reached(test);
        let steps = (0..reached.len()).filter(|&k| reached[k]).collect();
        Self { reached, steps }
    }
}

fn map<D: Number>(out: &mut [D], a: &[D], f: impl Fn(D) -> D) {
    out.iter_mut().zip(a).for_each(|(out, a)| *out = f(*a));
}

fn zip<D: Number, A: Copy, B: Copy>(out: &mut [D], a: &[A], b: &[B], f: impl Fn(A, B) -> D) {
    out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (a, b))| *out = f(*a, *b));
}

fn call_all<D: Number>(function: Function, out: &mut [D], a: &[D]) {
    map(out, a, |a| call(function, a));
}

fn both<D: Number>(op: Operation, out: &mut [D], a: &[D], b: &[D]) {
    match op {
        Operation::Add => zip(out, a, b, |a, b| a + b),
        Operation::Subtract => zip(out, a, b, |a, b| a - b),
        Operation::Multiply => zip(out, a, b, |a, b| a * b),
        Operation::Divide => zip(out, a, b, |a, b| a / b),
        Operation::Power => zip(out, a, b, general_power),
    }
}

fn left<D: Number>(op: Operation, out: &mut [D], a: &[D], b: &[f64]) {
    match op {
        Operation::Add => zip(out, a, b, |a, b| a + b),
        Operation::Subtract => zip(out, a, b, |a, b| a - b),
        Operation::Multiply => zip(out, a, b, |a, b| a * b),
        Operation::Divide => zip(out, a, b, |a, b| a / b),
        Operation::Power => zip(out, a, b, power),
    }
}

fn right<D: Number>(op: Operation, out: &mut [D], a: &[f64], b: &[D]) {
    match op {
        Operation::Add => zip(out, a, b, |a, b| b + a),
        Operation::Subtract => zip(out, a, b, |a, b| -b + a),
        Operation::Multiply => zip(out, a, b, |a, b| b * a),
        Operation::Divide => zip(out, a, b, |a: f64, b: D| D::from(a) / b),
        Operation::Power => zip(out, a, b, |a: f64, b: D| general_power(D::from(a), b)),
    }
}
