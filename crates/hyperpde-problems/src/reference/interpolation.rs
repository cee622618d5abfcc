//! Local Lagrange interpolation on uniform grids, and the checks on evaluation points.
//!
//! On nodes `s = 0, 1, ..., n-1` the value at `s` is `Σ_j l_j(s) f_j` over the `p + 1` nodes nearest to `s`, with
//! `l_j` the Lagrange polynomials of those nodes. For data sampled with step `h` the error is
//! `max |f^(p+1)| h^(p+1) |Π (s - j)| / (p+1)!`: for `p = 3` at most `3/128 h⁴ max |f⁗|` inside the grid.

use super::error::ReferenceError;

/// Points within this relative distance outside an interval are moved onto its end: rounding in `a + i h`.
const ROUNDING: f64 = 1e-12;

/// The `P` nodes around `position` (in units of the grid step) and their Lagrange weights.
///
/// Near the ends the stencil is shifted inwards, never shortened. `count >= P` is the caller's duty.
pub(super) fn stencil<const P: usize>(position: f64, count: usize) -> (usize, [f64; P]) {
    let left = position.floor() - (P / 2 - 1) as f64;
    let start = (left.max(0.0) as usize).min(count - P);
    let s = position - start as f64;
    let mut weights = [1.0; P];
    for (j, weight) in weights.iter_mut().enumerate() {
        for m in (0..P).filter(|&m| m != j) {
            *weight *= (s - m as f64) / (j as f64 - m as f64);
        }
    }
    (start, weights)
}

/// Bicubic (tensor product of cubic Lagrange) value at `position`, both coordinates in units of the grid step,
/// of node values `value(i, j)`, `i, j < count`.
pub(super) fn bicubic(position: [f64; 2], count: usize, value: impl Fn(usize, usize) -> f64) -> f64 {
    let (i, wi) = stencil::<4>(position[0], count);
    let (j, wj) = stencil::<4>(position[1], count);
    let mut sum = 0.0;
    for (a, wa) in wi.iter().enumerate() {
        for (b, wb) in wj.iter().enumerate() {
            sum += wa * wb * value(i + a, j + b);
        }
    }
    sum
}

/// The points of a row-major list `[n, 2]`, checked to lie in the rectangle `domain` (`[low, high]` per coordinate).
pub(super) fn pairs(points: &[f64], domain: [[f64; 2]; 2]) -> Result<Vec<[f64; 2]>, ReferenceError> {
    let (chunks, rest) = points.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(ReferenceError::Shape { got: points.len() });
    }
    let mut pairs = chunks.to_vec();
    for (point, pair) in pairs.iter_mut().enumerate() {
        for (coordinate, value) in pair.iter_mut().enumerate() {
            let [low, high] = domain[coordinate];
            let slack = ROUNDING * (high - low);
            if !(low - slack..=high + slack).contains(value) || !value.is_finite() {
                return Err(ReferenceError::OutsideDomain { point, coordinate, value: *value, low, high });
            }
            *value = value.clamp(low, high);
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cubic_polynomials_are_exact_everywhere_on_the_grid() {
        let f = |s: f64| 1.0 - 2.0 * s + 0.5 * s * s - 0.1 * s * s * s;
        for i in 0..=70 {
            let s = i as f64 / 10.0;
            let (start, w) = stencil::<4>(s, 8);
            let got: f64 = w.iter().enumerate().map(|(j, w)| w * f((start + j) as f64)).sum();
            assert!((got - f(s)).abs() < 1e-12, "s = {s}: {got} against {}", f(s));
            let product = bicubic([s, 7.0 - s], 8, |i, j| f(i as f64) * f(j as f64));
            assert!((product - f(s) * f(7.0 - s)).abs() < 1e-11);
        }
    }

    #[test]
    fn interior_stencils_are_centred() {
        assert_eq!(stencil::<4>(3.5, 8).0, 2);
        assert_eq!(stencil::<6>(3.5, 8).0, 1);
        assert_eq!(stencil::<6>(0.2, 8).0, 0);
        assert_eq!(stencil::<6>(7.0, 8).0, 2);
    }

    #[test]
    fn points_outside_or_malformed_are_refused() {
        let unit = [[0.0, 1.0], [0.0, 1.0]];
        assert_eq!(pairs(&[0.1, 0.2, 0.3], unit), Err(ReferenceError::Shape { got: 3 }));
        for bad in [1.1, -0.1, f64::NAN, f64::INFINITY] {
            let error = pairs(&[0.5, 0.5, 0.5, bad], unit);
            assert!(matches!(error, Err(ReferenceError::OutsideDomain { point: 1, coordinate: 1, .. })), "{error:?}");
        }
        assert_eq!(pairs(&[1.0 + 1e-14, 0.5], unit), Ok(vec![[1.0, 0.5]]));
    }
}
