//! Tokens to trees, by recursive descent.
//!
//! Precedence is that of mathematics: `-u^2` is `-(u^2)` and `a^b^c` is `a^(b^c)`.

use std::ops::Range;

use hyperpde_pde::Unknown;

use crate::error::{ExpressionError, nearest};
use crate::names::{LAPLACIAN, Meaning, Names};
use crate::token::{Placed, Token, tokens};
use crate::tree::{Function, Kind, Node, Operation, Tree};

/// Longest text of one expression, in bytes.
const MAX_LENGTH: usize = 10_000;
/// Deepest nesting of parentheses, functions, signs and powers. The parser is the only part that goes down into itself; to this depth
/// any thread has room.
const MAX_DEPTH: usize = 64;

/// Where fields and their derivatives may stand.
#[derive(Debug)]
pub enum Fields<'a> {
    /// Anywhere; those that occur join the list.
    Collected(&'a mut Vec<Unknown>),
    /// Nowhere; the text says what the expression is.
    Refused(&'static str),
}

/// An expression, or the two sides of an equation.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The nodes of both sides.
    pub tree: Tree,
    /// The expression, or the left side: an index into the tree.
    pub left: usize,
    /// The right side, if there is a `=`.
    pub right: Option<usize>,
}

impl Parsed {
    /// The expression, or the left side.
    pub fn left(&self) -> &Node {
        &self.tree.nodes()[self.left]
    }

    /// The right side, if there is a `=`.
    pub fn right(&self) -> Option<&Node> {
        self.right.map(|right| &self.tree.nodes()[right])
    }

    /// Signs and nodes of which left side minus right side is the sum.
    pub(crate) fn summands(&self) -> Vec<(f64, usize)> {
        let right = self.right.iter().flat_map(|&right| self.tree.summands(right));
        self.tree.summands(self.left).into_iter().chain(right.map(|(sign, node)| (-sign, node))).collect()
    }
}

/// Parses an expression or an equation.
///
/// # Errors
/// [`ExpressionError`] at the first fault.
pub fn parse(text: &str, names: &Names, fields: Fields<'_>) -> Result<Parsed, ExpressionError> {
    if text.len() > MAX_LENGTH {
        let what = format!("the expression has {} characters, at most {MAX_LENGTH} are read", text.len());
        return Err(ExpressionError::new(0..0, what, "too long"));
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(ExpressionError::new(0..text.len(), "the expression is empty", "nothing here"));
    }
    let mut parser = Parser { text, tokens: &tokens, next: 0, depth: 0, names, fields, tree: Tree::default() };
    let left = parser.sum()?;
    let right = if parser.take(&Token::Equals) { Some(parser.sum()?) } else { None };
    match parser.peek() {
        None => Ok(Parsed { tree: parser.tree, left, right }),
        Some((Token::Equals, span)) => {
            Err(ExpressionError::new(span.clone(), "an equation has one '='", "a second '='"))
        }
        Some((Token::Close, span)) => {
            Err(ExpressionError::new(span.clone(), "this ')' closes nothing", "no '(' belongs to it"))
        }
        Some((Token::Comma, span)) => {
            Err(ExpressionError::new(span.clone(), "',' stands outside a function", "unexpected ','"))
        }
        Some((_, span)) => {
            let fault =
                ExpressionError::new(span.clone(), "an operator is missing before this", "expected an operator");
            Err(fault.with_help("products are written with '*'"))
        }
    }
}

struct Parser<'a, 'f> {
    text: &'a str,
    tokens: &'a [Placed],
    next: usize,
    depth: usize,
    names: &'a Names,
    fields: Fields<'f>,
    tree: Tree,
}

impl<'a> Parser<'a, '_> {
    fn peek(&self) -> Option<&'a Placed> {
        self.tokens.get(self.next)
    }

    fn take(&mut self, token: &Token) -> bool {
        let here = self.peek().is_some_and(|(t, _)| t == token);
        self.next += usize::from(here);
        here
    }

    fn sum(&mut self) -> Result<usize, ExpressionError> {
        let mut left = self.product()?;
        loop {
            let op = match self.peek() {
                Some((Token::Plus, _)) => Operation::Add,
                Some((Token::Minus, _)) => Operation::Subtract,
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.product()?;
            left = self.tree.binary(op, left, right);
        }
    }

    fn product(&mut self) -> Result<usize, ExpressionError> {
        let mut left = self.signed()?;
        loop {
            let op = match self.peek() {
                Some((Token::Times, _)) => Operation::Multiply,
                Some((Token::Divide, _)) => Operation::Divide,
                _ => return Ok(left),
            };
            self.next += 1;
            let right = self.signed()?;
            left = self.tree.binary(op, left, right);
        }
    }

    /// A sign binds less tightly than a power and more tightly than a product.
    fn signed(&mut self) -> Result<usize, ExpressionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let span = self.peek().map_or(0..0, |(_, span)| span.clone());
            let what = format!("the expression is nested more than {MAX_DEPTH} deep");
            return Err(ExpressionError::new(span, what, "too deep"));
        }
        let node = match self.peek() {
            Some((Token::Minus, span)) => {
                self.next += 1;
                let inner = self.signed()?;
                let span = span.start..self.tree.nodes()[inner].span.end;
                self.tree.add(Kind::Negative(inner), span)
            }
            Some((Token::Plus, _)) => {
                self.next += 1;
                self.signed()?
            }
            _ => {
                let base = self.atom()?;
                if self.take(&Token::Power) {
                    let exponent = self.signed()?;
                    self.tree.binary(Operation::Power, base, exponent)
                } else {
                    base
                }
            }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn atom(&mut self) -> Result<usize, ExpressionError> {
        let Some((token, span)) = self.peek() else {
            let end = self.text.trim_end().len();
            let at = end.saturating_sub(1)..end;
            return Err(ExpressionError::new(at, "the expression ends too early", "something must follow"));
        };
        self.next += 1;
        match token {
            Token::Number(value) => Ok(self.tree.add(Kind::Number(*value), span.clone())),
            Token::Open => {
                let inner = self.sum()?;
                let end = self.close(span)?;
                self.tree.widen(inner, span.start..end);
                Ok(inner)
            }
            Token::Name(name) if self.take(&Token::Open) => self.call(name, span),
            Token::Name(name) => self.name(name, span),
            _ => Err(ExpressionError::new(span.clone(), "a number, a name or '(' must stand here", "unexpected")),
        }
    }

    /// The end of the ')' that belongs to the '(' at `open`.
    fn close(&mut self, open: &Range<usize>) -> Result<usize, ExpressionError> {
        match self.peek() {
            Some((Token::Close, span)) => {
                self.next += 1;
                Ok(span.end)
            }
            Some((Token::Number(_) | Token::Name(_) | Token::Open, span)) => {
                Err(ExpressionError::new(span.clone(), "an operator is missing before this", "expected an operator"))
            }
            _ => Err(ExpressionError::new(open.clone(), "this '(' is never closed", "no ')' belongs to it")),
        }
    }

    fn call(&mut self, name: &str, at: &Range<usize>) -> Result<usize, ExpressionError> {
        if name == LAPLACIAN {
            return self.laplacian(at);
        }
        let Some(function) = Function::of(name) else {
            let what = match self.names.resolve(name) {
                Ok(_) => format!("'{name}' is no function; for a product write '{name}*(...)'"),
                Err(_) => format!("unknown function '{name}'"),
            };
            let help = match nearest(name, Function::ALL.into_iter().chain([LAPLACIAN])) {
                Some(close) => format!("did you mean '{close}'?"),
                None => format!("functions: {}, {LAPLACIAN}", Function::ALL.join(", ")),
            };
            return Err(ExpressionError::new(at.clone(), what, "not a function").with_help(help));
        };
        let mut arguments = Vec::new();
        if !matches!(self.peek(), Some((Token::Close, _))) {
            arguments.push(self.sum()?);
            while self.take(&Token::Comma) {
                arguments.push(self.sum()?);
            }
        }
        let span = at.start..self.close(at)?;
        let count = arguments.len();
        let [argument] = arguments[..] else {
            let what = format!("'{name}' takes 1 argument, here it has {count}");
            return Err(ExpressionError::new(span, what, "wrong number of arguments"));
        };
        Ok(self.tree.add(Kind::Call(function, argument), span))
    }

    /// What follows `lap(`: the name of a field, and `)`.
    fn laplacian(&mut self, at: &Range<usize>) -> Result<usize, ExpressionError> {
        let fields = self.names.fields.join(", ");
        let wrong = |span: Range<usize>| {
            let what = format!("'{LAPLACIAN}' takes 1 argument, the name of a field: {fields}");
            Err(ExpressionError::new(span, what, "not a field"))
        };
        let argument = self.peek();
        self.next += 1;
        let field = match argument {
            Some((Token::Name(name), span)) => match self.names.fields.iter().position(|f| f == name) {
                Some(field) => field,
                None => return wrong(span.clone()),
            },
            Some((_, span)) => return wrong(span.clone()),
            None => return wrong(at.clone()),
        };
        if let Some((token, span)) = self.peek()
            && *token != Token::Close
        {
            return wrong(span.clone());
        }
        let span = at.start..self.close(at)?;
        self.collect(self.names.laplacian(field), span)
    }

    fn name(&mut self, name: &str, span: &Range<usize>) -> Result<usize, ExpressionError> {
        let kind = match self.names.resolve(name) {
            Ok(Meaning::Coordinate(i)) => Kind::Coordinate(i),
            Ok(Meaning::Parameter(i)) => Kind::Parameter(i),
            Ok(Meaning::Number(value)) => Kind::Number(value),
            Ok(Meaning::Unknown(unknown)) => return self.collect(unknown, span.clone()),
            Err(_) if Function::of(name).is_some() || name == LAPLACIAN => {
                let what = format!("'{name}' is a function and needs an argument in parentheses");
                return Err(ExpressionError::new(span.clone(), what, "no argument"));
            }
            Err((what, help)) => {
                return Err(ExpressionError { help, ..ExpressionError::new(span.clone(), what, "this name") });
            }
        };
        Ok(self.tree.add(kind, span.clone()))
    }

    fn collect(&mut self, unknown: Unknown, span: Range<usize>) -> Result<usize, ExpressionError> {
        match &mut self.fields {
            Fields::Refused(what) => {
                let message = format!(
                    "'{}' is a field; {what} has coordinates, parameters and numbers only",
                    &self.text[span.clone()]
                );
                Err(ExpressionError::new(span, message, "a field"))
            }
            Fields::Collected(list) => {
                let at = list.iter().position(|q| *q == unknown).unwrap_or_else(|| {
                    list.push(unknown);
                    list.len() - 1
                });
                Ok(self.tree.add(Kind::Unknown(at), span))
            }
        }
    }
}
