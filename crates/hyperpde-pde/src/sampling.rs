//! Seeded samples of a box and its faces.
//!
//! Every sampler fills the unit cube and is mapped to the box coordinate by coordinate. The low-discrepancy
//! sequences are randomised so that a seed matters and no point falls on a face: Halton by a
//! Cranley-Patterson shift `(x + Δ) mod 1` (Cranley and Patterson 1976), Sobol by a digital shift
//! `x XOR Δ`, which keeps its stratification (Owen 1995; direction numbers of Joe and Kuo 2008).

use hyperpde_kernels::Points;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::domain::{Domain, Face};
use crate::error::PdeError;

/// How points are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// Independent and uniform, as in the published experiments.
    #[default]
    Uniform,
    /// Latin hypercube: each coordinate has one point in each of `n` equal intervals.
    #[serde(alias = "latin-hypercube")]
    LatinHypercube,
    /// Halton sequence with a random shift; at most 10 coordinates.
    Halton,
    /// Sobol sequence with a random digital shift, best with a power of two of points; at most 10
    /// coordinates.
    Sobol,
}

/// A generator for one purpose: streams of one seed are independent of each other, so that asking for more
/// points of one kind leaves the others as they were.
pub fn seeded(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

impl Sampler {
    /// `n` points `[n, d]` strictly inside the box.
    ///
    /// # Errors
    /// [`PdeError::Sampling`] for zero points or a dimension that the sampler doesn't reach.
    pub fn interior(self, domain: &Domain, n: usize, rng: &mut impl Rng) -> Result<Points, PdeError> {
        let axes: Vec<usize> = (0..domain.dim()).collect();
        let unit = self.unit_cube(n, axes.len(), rng)?;
        place(domain, &axes, &vec![0.0; domain.dim()], n, &unit)
    }

    /// `n` points `[n, d]` on a face. A face of a one-dimensional box is a single point: it is returned
    /// once, whatever `n`, because a repeated row would make the system singular.
    ///
    /// # Errors
    /// As [`Sampler::interior`], and [`PdeError::Domain`] if there is no such face.
    pub fn face(self, domain: &Domain, face: Face, n: usize, rng: &mut impl Rng) -> Result<Points, PdeError> {
        let mut base = vec![0.0; domain.dim()];
        let value = domain.coordinate(face)?;
        base[face.axis] = value;
        let axes: Vec<usize> = (0..domain.dim()).filter(|&i| i != face.axis).collect();
        let n = if axes.is_empty() { n.min(1) } else { n };
        let unit = self.unit_cube(n, axes.len(), rng)?;
        place(domain, &axes, &base, n, &unit)
    }

    /// `n` points in `(0, 1)^d`, `[n, d]`.
    fn unit_cube(self, n: usize, d: usize, rng: &mut impl Rng) -> Result<Vec<f64>, PdeError> {
        if n == 0 {
            return Err(PdeError::Sampling("zero points asked for; ask for at least one".into()));
        }
        if d > MAX_SEQUENCE_DIM && matches!(self, Sampler::Halton | Sampler::Sobol) {
            return Err(PdeError::Sampling(format!(
                "{self:?} reaches {MAX_SEQUENCE_DIM} coordinates, asked for {d}; take the Latin hypercube"
            )));
        }
        let mut points = match self {
            Sampler::Uniform => (0..n * d).map(|_| rng.random()).collect(),
            Sampler::LatinHypercube => latin_hypercube(n, d, rng),
            Sampler::Halton => halton(n, d, rng),
            Sampler::Sobol => sobol(n, d, rng)?,
        };
        for v in &mut points {
            *v = v.clamp(MARGIN, 1.0 - MARGIN);
        }
        Ok(points)
    }
}

/// Keeps samples off the faces, where the same functional may already be a boundary row.
const MARGIN: f64 = 1e-12;

/// Coordinates for which the two sequences have tables.
const MAX_SEQUENCE_DIM: usize = 10;

/// Maps unit coordinates to the intervals of `axes`, and the other coordinates to those of `base`.
fn place(domain: &Domain, axes: &[usize], base: &[f64], n: usize, unit: &[f64]) -> Result<Points, PdeError> {
    let mut data = Vec::with_capacity(n * base.len());
    for i in 0..n {
        let mut point = base.to_vec();
        for (k, &axis) in axes.iter().enumerate() {
            let interval = &domain.axes()[axis];
            point[axis] = interval.lower + interval.width() * unit[i * axes.len() + k];
        }
        data.extend(point);
    }
    Ok(Points::new(base.len(), data)?)
}

fn latin_hypercube(n: usize, d: usize, rng: &mut impl Rng) -> Vec<f64> {
    let mut points = vec![0.0; n * d];
    let mut cells: Vec<usize> = (0..n).collect();
    for k in 0..d {
        cells.shuffle(rng);
        for (i, &cell) in cells.iter().enumerate() {
            points[i * d + k] = (cell as f64 + rng.random::<f64>()) / n as f64;
        }
    }
    points
}

fn halton(n: usize, d: usize, rng: &mut impl Rng) -> Vec<f64> {
    const PRIMES: [usize; MAX_SEQUENCE_DIM] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29];
    let shift: Vec<f64> = (0..d).map(|_| rng.random()).collect();
    let mut points = Vec::with_capacity(n * d);
    for i in 1..=n {
        for (prime, shift) in PRIMES.iter().zip(&shift) {
            points.push((radical_inverse(i, *prime) + shift).fract());
        }
    }
    points
}

/// `Σ_k digit_k(i) / base^(k+1)`: the digits of `i` mirrored at the point.
fn radical_inverse(mut i: usize, base: usize) -> f64 {
    let (mut value, mut scale) = (0.0, 1.0);
    while i > 0 {
        scale /= base as f64;
        value += scale * (i % base) as f64;
        i /= base;
    }
    value
}

fn sobol(n: usize, d: usize, rng: &mut impl Rng) -> Result<Vec<f64>, PdeError> {
    let count = u32::try_from(n).map_err(|_| PdeError::Sampling(format!("Sobol holds 2^32 points, asked for {n}")))?;
    let directions: Vec<[u32; 32]> = (0..d).map(sobol_directions).collect();
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
fn sobol_directions(coordinate: usize) -> [u32; 32] {
    /// (degree, inner coefficients of the polynomial, initial odd numbers m) for coordinates 2 to 10.
    const TABLE: [(usize, u32, &[u32]); MAX_SEQUENCE_DIM - 1] = [
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
