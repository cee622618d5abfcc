//! Sobol's sequence with a random digital shift `x XOR Δ`, which keeps its stratification (Owen 1995); direction numbers
//! of Joe and Kuo (SIAM J. Sci. Comput. 30, 2008), points in the order of the Gray code.

use rand::{Rng, RngExt};

use super::reach;
use crate::error::GeometryError;

/// (degree, inner coefficients of the polynomial, initial odd numbers m) for coordinates 2 to 10.
const TABLE: [(usize, u32, &[u32]); 9] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
];

/// `n` points in the unit cube, `[n, d]`.
pub(super) fn draw(n: usize, d: usize, rng: &mut dyn Rng) -> Result<Vec<f64>, GeometryError> {
    reach("Sobol", TABLE.len() + 1, d)?;
    let count = u32::try_from(n).map_err(|_| GeometryError::Sampling(format!("Sobol holds 2^32 points, asked for {n}")))?;
    let directions: Vec<[u32; 32]> = (0..d).map(directions_of).collect();
    let mut state: Vec<u32> = (0..d).map(|_| rng.random()).collect();
    let mut points = Vec::with_capacity(n * d);
    for i in 0..count {
        // Half a step of the 2^-32 grid keeps zero out and every elementary interval as it is.
        points.extend(state.iter().map(|&s| (f64::from(s) + 0.5) / 4_294_967_296.0));
        // Gray code order: consecutive points differ by one direction number.
        let bit = i.trailing_ones().min(31) as usize;
        for (s, v) in state.iter_mut().zip(&directions) {
            *s ^= v[bit];
        }
    }
    Ok(points)
}

/// Direction numbers of one coordinate, from its primitive polynomial over GF(2).
fn directions_of(coordinate: usize) -> [u32; 32] {
    let mut v = [0_u32; 32];
    let Some(row) = coordinate.checked_sub(1) else {
        for (i, v) in v.iter_mut().enumerate() {
            *v = 1 << (31 - i);
        }
        return v;
    };
    let (degree, inner, m) = TABLE[row.min(TABLE.len() - 1)];
    for i in 0..32 {
        v[i] = if i < degree {
            m[i] << (31 - i)
        } else {
            let mut next = v[i - degree] ^ (v[i - degree] >> degree);
            for k in 1..degree {
                if (inner >> (degree - 1 - k)) & 1 == 1 {
                    next ^= v[i - k];
                }
            }
            next
        };
    }
    v
}
