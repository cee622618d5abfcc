//! The functions and powers of the language over any [`Number`]: `f64` for values, dual numbers for derivatives.
//!
//! Most are those of the number type. Where that type divides zero by zero or infinity by infinity though the function is smooth, the
//! function is written from its Taylor coefficients about the real part `r`, or in a form that doesn't overflow: `x − r` is nilpotent,
//! so the series ends with the highest derivative that the type carries.

use hyperpde_pde::Number;

use crate::tree::Function;

/// Whole exponents up to here are taken by multiplication.
const MAX_WHOLE: f64 = 64.0;

/// A function of one number.
#[inline]
pub(crate) fn call<D: Number>(function: Function, x: D) -> D {
    match function {
        Function::Sin => x.sin(),
        Function::Cos => x.cos(),
        Function::Tan => x.tan(),
        Function::Asin => x.asin(),
        Function::Acos => x.acos(),
        Function::Atan => x.atan(),
        Function::Sinh => x.sinh(),
        Function::Cosh => x.cosh(),
        Function::Tanh => tanh(x),
        Function::Asinh => x.asinh(),
        Function::Acosh => x.acosh(),
        Function::Atanh => x.atanh(),
        Function::Exp => x.exp(),
        Function::Ln => x.ln(),
        Function::Log10 => x.log10(),
        Function::Sqrt => x.sqrt(),
        Function::Abs => absolute(x),
    }
}

/// `tanh |x| = −m/(2 + m)` with `m = e^(−2|x|) − 1`, which doesn't overflow.
fn tanh<D: Number>(x: D) -> D {
    if D::NDERIV == 0 {
        return D::from(x.re().tanh());
    }
    let of_positive = |x: D| {
        let m = (x * -2.0).exp_m1();
        -m / (m + 2.0)
    };
    if x.re() < 0.0 { -of_positive(-x) } else { of_positive(x) }
}

/// `|x|`; at zero, where it has no derivative, that is not a number.
fn absolute<D: Number>(x: D) -> D {
    if x.re() > 0.0 {
        x
    } else if x.re() < 0.0 {
        -x
    } else {
        (x * x).sqrt()
    }
}

/// `r^p`; whole exponents by multiplication, which also holds for negative `r`.
#[inline]
fn real_power(r: f64, p: f64) -> f64 {
    if p.fract() == 0.0 && p.abs() <= MAX_WHOLE { r.powi(p as i32) } else { r.powf(p) }
}

/// `x^p`: `Σ_k p (p − 1) ... (p − k + 1)/k! r^(p−k) (x − r)^k`.
#[inline]
pub(crate) fn power<D: Number>(x: D, p: f64) -> D {
    let r = x.re();
    if D::NDERIV == 0 {
        return D::from(real_power(r, p));
    }
    let step = x - r;
    let (mut sum, mut term, mut coefficient) = (D::from(real_power(r, p)), D::from(1.0), 1.0);
    for k in 1..=D::NDERIV {
        coefficient *= (p - (k - 1) as f64) / k as f64;
        if coefficient == 0.0 {
            break;
        }
        term *= step;
        sum += term * (coefficient * real_power(r, p - k as f64));
    }
    sum
}

/// `x^y` where both vary, `e^(y ln x)`.
#[inline]
pub(crate) fn general_power<D: Number>(x: D, y: D) -> D {
    if D::NDERIV == 0 { D::from(real_power(x.re(), y.re())) } else { (x.ln() * y).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyperpde_pde::{Dual64, DualNum};

    /// Value, first and second derivative of a function at `x`, from dual numbers over dual numbers.
    fn derivatives(f: impl Fn(num_dual::Dual<Dual64>) -> num_dual::Dual<Dual64>, x: f64) -> [f64; 3] {
        let y = f(num_dual::Dual::new(Dual64::new(x, 1.0), Dual64::new(1.0, 0.0)));
        [y.re.re, y.re.eps, y.eps.eps]
    }

    fn close(ours: [f64; 3], exact: [f64; 3], what: &str) {
        for (a, b) in ours.iter().zip(exact) {
            assert!((a - b).abs() <= 1e-14 * b.abs().max(1e-300), "{what}: {ours:?} and {exact:?}");
        }
    }

    #[test]
    fn powers_at_zero_and_of_negative_numbers() {
        close(derivatives(|x| power(x, 3.0), 0.0), [0.0, 0.0, 0.0], "0^3");
        close(derivatives(|x| power(x, 2.5), 0.0), [0.0, 0.0, 0.0], "0^2.5");
        close(derivatives(|x| power(x, 0.0), 0.0), [1.0, 0.0, 0.0], "0^0");
        close(derivatives(|x| power(x, 1.0), 0.0), [0.0, 1.0, 0.0], "0^1");
        close(derivatives(|x| power(x, -3.0), -2.0), [-0.125, -3.0 / 16.0, -12.0 / 32.0], "(-2)^-3");
        close(derivatives(|x| power(x, -1.0), 1e-100), [1e100, -1e200, 2e300], "1e-100^-1");
        close(derivatives(|x| power(x, 64.0), 1.0), [1.0, 64.0, 64.0 * 63.0], "1^64");
        close(derivatives(|x| power(x, 0.5), 4.0), [2.0, 0.25, -1.0 / 32.0], "4^0.5");
        // The first derivative is there though the second is not.
        let x = power(Dual64::new(0.0, 1.0), 1.5);
        assert_eq!((x.re, x.eps), (0.0, 0.0));
    }

    #[test]
    fn hyperbolic_tangent_far_out_and_near_zero() {
        for x in [-800.0, -30.0, -1.3, -1e-9, 0.0, 1e-9, 0.4, 5.0, 800.0_f64] {
            let t = x.tanh();
            let slope = 1.0 / x.cosh().powi(2);
            let ours = derivatives(tanh, x);
            let bound = |exact: f64| 4.0 * f64::EPSILON * exact.abs();
            assert!((ours[0] - t).abs() <= bound(t), "{x}: {ours:?}");
            assert!((ours[1] - slope).abs() <= 100.0 * bound(slope), "{x}: {ours:?} and {slope}");
            assert!((ours[2] + 2.0 * t * slope).abs() <= 200.0 * bound(slope), "{x}: {ours:?}");
        }
    }

    #[test]
    fn an_absolute_value_has_no_derivative_at_zero() {
        close(derivatives(absolute, -2.0), [2.0, -1.0, 0.0], "|-2|");
        let x = absolute(Dual64::new(0.0, 1.0));
        assert!(x.re == 0.0 && x.eps.is_nan());
        assert_eq!(absolute(0.0), 0.0);
    }

    #[test]
    fn general_powers() {
        // d/dy 2^y = ln 2 · 2^y.
        let y = general_power(Dual64::from(2.0), Dual64::new(3.0, 1.0));
        assert!((y.re - 8.0).abs() < 1e-14 && (y.eps - 8.0 * 2f64.ln()).abs() < 1e-13);
        assert_eq!(general_power(-2.0, 3.0), -8.0);
        let unknown: Dual64 = general_power(Dual64::new(-2.0, 1.0), Dual64::new(3.0, 1.0));
        assert!(DualNum::sin(&unknown).eps.is_nan());
    }
}
