//! Numbers of a kernel that is being written: each operation appends an instruction.
//!
//! The pair arithmetic runs once, when the kernel is compiled, on these numbers; what it leaves is straight-line code. Constants are
//! folded on the way, so that a row of zeros (no second derivative, a fixed amplitude) costs nothing.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use cubecl::ir::{ConstantValue, ExpandValue, Scope};
use cubecl::prelude::*;

use super::super::number::Number;
use super::{Arithmetic, double, two};

/// Single instructions, by the type of their operands.
mod op {
    use cubecl::prelude::*;

    #[cube]
    pub fn add(a: f32, b: f32) -> f32 {
        a + b
    }

    #[cube]
    pub fn sub(a: f32, b: f32) -> f32 {
        a - b
    }

    #[cube]
    pub fn mul(a: f32, b: f32) -> f32 {
        a * b
    }

    #[cube]
    pub fn div(a: f32, b: f32) -> f32 {
        a / b
    }

    #[cube]
    pub fn neg(a: f32) -> f32 {
        -a
    }

    #[cube]
    pub fn fused(a: f32, b: f32, c: f32) -> f32 {
        fma(a, b, c)
    }

    #[cube]
    pub fn sqrt(a: f32) -> f32 {
        f32::sqrt(a)
    }

    #[cube]
    pub fn exp(a: f32) -> f32 {
        f32::exp(a)
    }

    #[cube]
    pub fn ln_1p(a: f32) -> f32 {
        f32::log1p(a)
    }
}

/// A value of the kernel; its type is that of the arithmetic, whatever is written here.
pub(super) type Var = NativeExpand<f32>;

/// What it takes to write an instruction.
#[derive(Clone, Copy)]
pub(crate) struct Pen<'s> {
    pub scope: &'s Scope,
    pub arithmetic: Arithmetic,
    /// Zero, known at run time only (see [`two`]).
    pub zero: NativeExpand<u32>,
}

#[derive(Clone, Copy)]
pub(super) enum Value {
    Constant(f64),
    One(Var),
    Two(Var, Var),
}

/// A number of the kernel.
#[derive(Clone, Copy)]
pub(crate) struct Traced<'s> {
    pen: Pen<'s>,
    pub(super) value: Value,
}

impl<'s> Traced<'s> {
    pub fn new(pen: Pen<'s>, value: Value) -> Self {
        Self { pen, value }
    }

    fn of(self, value: Value) -> Self {
        Self { value, ..self }
    }

    fn constant(self) -> Option<f64> {
        match self.value {
            Value::Constant(x) => Some(x),
            _ => None,
        }
    }

    fn is(self, x: f64) -> bool {
        self.constant() == Some(x)
    }

    /// The leading part as a value of the kernel.
    fn one(self) -> Var {
        match self.value {
            Value::Constant(x) => self.pen.number(x),
            Value::One(v) | Value::Two(v, _) => v,
        }
    }

    /// Both parts.
    pub(super) fn two(self) -> (Var, Var) {
        match self.value {
            Value::Constant(x) => {
                let hi = x as f32;
                (self.pen.number(f64::from(hi)), self.pen.number(x - f64::from(hi)))
            }
            Value::One(v) => (v, self.pen.number(0.0)),
            Value::Two(hi, lo) => (hi, lo),
        }
    }

    fn binary(
        self,
        o: Self,
        one: impl Fn(&Scope, Var, Var) -> Var,
        pair: impl Fn(&Scope, Var, Var, Var, Var, NativeExpand<u32>) -> two::TwoExpand,
    ) -> Self {
        let Pen { scope, arithmetic, zero } = self.pen;
        if arithmetic == Arithmetic::TwoF32 {
            let ((ah, al), (bh, bl)) = (self.two(), o.two());
            self.of_two(pair(scope, ah, al, bh, bl, zero))
        } else {
            self.of(Value::One(one(scope, self.one(), o.one())))
        }
    }

    fn unary(
        self,
        host: impl Fn(f64) -> f64,
        one: impl Fn(&Scope, Var) -> Var,
        pair: impl Fn(&Scope, Var, Var, NativeExpand<u32>) -> two::TwoExpand,
    ) -> Self {
        if let Some(x) = self.constant() {
            return self.of(Value::Constant(host(x)));
        }
        let Pen { scope, arithmetic, zero } = self.pen;
        if arithmetic == Arithmetic::TwoF32 {
            let (hi, lo) = self.two();
            self.of_two(pair(scope, hi, lo, zero))
        } else {
            self.of(Value::One(one(scope, self.one())))
        }
    }

    fn of_two(self, x: two::TwoExpand) -> Self {
        self.of(Value::Two(x.hi, x.lo))
    }
}

impl Pen<'_> {
    fn number(self, x: f64) -> Var {
        let elem = match self.arithmetic {
            Arithmetic::F64 => f64::elem_type(self.scope),
            Arithmetic::F32 | Arithmetic::TwoF32 => f32::elem_type(self.scope),
        };
        ExpandValue::constant(ConstantValue::Float(x), elem).into()
    }
}

impl<'s> Number for Traced<'s> {
    type Context = Pen<'s>;

    fn splat(pen: Pen<'s>, x: f64) -> Self {
        Self { pen, value: Value::Constant(x) }
    }

    fn times(self, x: f64) -> Self {
        match self.value {
            // A power of two changes no digit.
            Value::Two(hi, lo) if x.abs().log2().fract() == 0.0 => {
                let (scope, x) = (self.pen.scope, self.pen.number(x));
                self.of(Value::Two(op::mul::expand(scope, hi, x), op::mul::expand(scope, lo, x)))
            }
            _ => self * Self::splat(self.pen, x),
        }
    }

    fn mul_add(self, b: Self, c: Self) -> Self {
        let known = self.constant().is_some() || b.constant().is_some() || c.is(0.0);
        if known || self.pen.arithmetic == Arithmetic::TwoF32 {
            return self * b + c;
        }
        self.of(Value::One(op::fused::expand(self.pen.scope, self.one(), b.one(), c.one())))
    }

    fn recip(self) -> Self {
        let one = self.pen.number(1.0);
        self.unary(|x| 1.0 / x, |scope, x| op::div::expand(scope, one, x), two::recip::expand)
    }

    fn sqrt(self) -> Self {
        self.unary(f64::sqrt, op::sqrt::expand, two::sqrt::expand)
    }

    fn exp(self) -> Self {
        let arithmetic = self.pen.arithmetic;
        let one = |scope: &Scope, x: Var| match arithmetic {
            Arithmetic::F64 => double::exp::expand(scope, x.expand.into()).expand.into(),
            _ => op::exp::expand(scope, x),
        };
        self.unary(f64::exp, one, two::exp::expand)
    }

    fn ln_1p(self) -> Self {
        // Only the rational quadratic profile asks for it, which stays on the host (see `takes`): float32 would do for nothing else.
        self.unary(f64::ln_1p, op::ln_1p::expand, |scope, hi, _, _| two::TwoExpand {
            hi: op::ln_1p::expand(scope, hi),
            lo: self.pen.number(0.0),
        })
    }
}

impl Add for Traced<'_> {
    type Output = Self;

    fn add(self, o: Self) -> Self {
        match (self.constant(), o.constant()) {
            (Some(a), Some(b)) => self.of(Value::Constant(a + b)),
            (Some(0.0), _) => o,
            (_, Some(0.0)) => self,
            _ => self.binary(o, op::add::expand, two::add::expand),
        }
    }
}

impl AddAssign for Traced<'_> {
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}

impl Sub for Traced<'_> {
    type Output = Self;

    fn sub(self, o: Self) -> Self {
        if self.pen.arithmetic == Arithmetic::TwoF32 || self.constant().is_some() || o.constant().is_some() {
            return self + -o;
        }
        self.of(Value::One(op::sub::expand(self.pen.scope, self.one(), o.one())))
    }
}

impl Mul for Traced<'_> {
    type Output = Self;

    fn mul(self, o: Self) -> Self {
        match (self.constant(), o.constant()) {
            (Some(a), Some(b)) => self.of(Value::Constant(a * b)),
            (Some(0.0), _) | (_, Some(0.0)) => self.of(Value::Constant(0.0)),
            (Some(1.0), _) => o,
            (_, Some(1.0)) => self,
            (Some(-1.0), _) => -o,
            (_, Some(-1.0)) => -self,
            _ => self.binary(o, op::mul::expand, two::mul::expand),
        }
    }
}

impl Neg for Traced<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        let turn = |v: Var| op::neg::expand(self.pen.scope, v);
        self.of(match self.value {
            Value::Constant(x) => Value::Constant(-x),
            Value::One(v) => Value::One(turn(v)),
            Value::Two(hi, lo) => Value::Two(turn(hi), turn(lo)),
        })
    }
}
