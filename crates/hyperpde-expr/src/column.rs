//! Numbers at all points at once: the data type in which expressions are evaluated.

use std::str::FromStr;
use std::sync::Arc;

use exmex::{BinOp, MakeOperators, MatchLiteral, Operator};

/// One number for all points, or one per point.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// The same at every point.
    Constant(f64),
    /// One number per point, `[n]`.
    Values(Arc<Vec<f64>>),
}

impl Column {
    /// One number per point.
    pub fn new(values: Vec<f64>) -> Self {
        Self::Values(Arc::new(values))
    }

    /// The number at point `i`.
    pub fn at(&self, i: usize) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Values(values) => values.get(i).copied().unwrap_or(f64::NAN),
        }
    }

    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(f(value)),
            Self::Values(mut values) => {
                match Arc::get_mut(&mut values) {
                    Some(own) => own.iter_mut().for_each(|v| *v = f(*v)),
                    None => values = Arc::new(values.iter().map(|&v| f(v)).collect()),
                }
                Self::Values(values)
            }
        }
    }

    fn combine(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        match (self, other) {
            (a, Self::Constant(b)) => a.map(|a| f(a, b)),
            (Self::Constant(a), b) => b.map(|b| f(a, b)),
            (Self::Values(mut a), Self::Values(mut b)) => {
                if let Some(own) = Arc::get_mut(&mut a) {
                    own.iter_mut().zip(b.iter()).for_each(|(a, &b)| *a = f(*a, b));
                    return Self::Values(a);
                }
                if let Some(own) = Arc::get_mut(&mut b) {
                    own.iter_mut().zip(a.iter()).for_each(|(b, &a)| *b = f(a, *b));
                    return Self::Values(b);
                }
                Self::new(a.iter().zip(b.iter()).map(|(&a, &b)| f(a, b)).collect())
            }
        }
    }

    /// `self ^ exponent`; whole exponents by repeated multiplication, which also holds for negative bases.
    fn power(self, exponent: Self) -> Self {
        match exponent {
            Self::Constant(p) if p.fract() == 0.0 && p.abs() <= 64.0 => self.map(|v| v.powi(p as i32)),
            exponent => self.combine(exponent, f64::powf),
        }
    }
}

impl Default for Column {
    fn default() -> Self {
        Self::Constant(0.0)
    }
}

impl From<f32> for Column {
    fn from(value: f32) -> Self {
        Self::Constant(f64::from(value))
    }
}

impl From<u8> for Column {
    fn from(value: u8) -> Self {
        Self::Constant(f64::from(value))
    }
}

impl FromStr for Column {
    type Err = std::num::ParseFloatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::Constant)
    }
}

/// The operators that expressions have, under the names by which `exmex` differentiates them.
#[derive(Clone, Debug)]
pub(super) struct Operators;

impl MakeOperators<Column> for Operators {
    fn make<'a>() -> Vec<Operator<'a, Column>> {
        // Not marked as commutative: that would let `exmex` regroup numbers across operators of one priority.
        let binary = |apply, prio| BinOp { apply, prio, is_commutative: false };
        vec![
            Operator::make_bin_unary("+", binary(|a: Column, b| a.combine(b, |a, b| a + b), 0), |a| a),
            Operator::make_bin_unary("-", binary(|a, b| a.combine(b, |a, b| a - b), 0), |a| a.map(|v| -v)),
            Operator::make_bin("*", binary(|a, b| a.combine(b, |a, b| a * b), 1)),
            Operator::make_bin("/", binary(|a, b| a.combine(b, |a, b| a / b), 1)),
            Operator::make_bin("^", binary(Column::power, 2)),
            Operator::make_unary("sin", |a| a.map(f64::sin)),
            Operator::make_unary("cos", |a| a.map(f64::cos)),
            Operator::make_unary("tan", |a| a.map(f64::tan)),
            Operator::make_unary("asin", |a| a.map(f64::asin)),
            Operator::make_unary("acos", |a| a.map(f64::acos)),
            Operator::make_unary("atan", |a| a.map(f64::atan)),
            Operator::make_unary("sinh", |a| a.map(f64::sinh)),
            Operator::make_unary("cosh", |a| a.map(f64::cosh)),
            Operator::make_unary("tanh", |a| a.map(f64::tanh)),
            Operator::make_unary("asinh", |a| a.map(f64::asinh)),
            Operator::make_unary("acosh", |a| a.map(f64::acosh)),
            Operator::make_unary("atanh", |a| a.map(f64::atanh)),
            Operator::make_unary("exp", |a| a.map(f64::exp)),
            Operator::make_unary("ln", |a| a.map(f64::ln)),
            Operator::make_unary("log", |a| a.map(f64::ln)),
            Operator::make_unary("log10", |a| a.map(f64::log10)),
            Operator::make_unary("sqrt", |a| a.map(f64::sqrt)),
        ]
    }
}

/// Numbers as Rust prints them: digits, a point, an exponent.
#[derive(Clone, Debug)]
pub(super) struct Numbers;

impl MatchLiteral for Numbers {
    fn is_literal(text: &str) -> Option<&str> {
        let bytes = text.as_bytes();
        let part = |i: usize| match bytes[i] {
            b'0'..=b'9' => true,
            b'.' | b'e' => i > 0,
            b'-' => i > 0 && bytes[i - 1] == b'e',
            _ => false,
        };
        let length = (0..bytes.len()).take_while(|&i| part(i)).count();
        (length > 0).then(|| &text[..length])
    }
}
