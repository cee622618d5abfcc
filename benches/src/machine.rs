//! What this machine can do at best, measured: matrix products, exponentials, Cholesky factorisations.

use std::time::Instant;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, Par};
use hyperpde::kernels::fused::exp_in_place;
use hyperpde_run::RunError;
use serde::{Deserialize, Serialize};

/// Size of the matrix product that stands for the peak.
const PRODUCT: usize = 1536;
/// Numbers in the loop of exponentials: they stay in the second-level caches.
const NUMBERS: usize = 1 << 16;
/// Repetitions, of which the fastest counts.
const REPEATS: usize = 15;

/// Peak rates of this machine, all cores.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Threads.
    pub threads: usize,
    /// Peak of floating-point operations: a product of matrices of size 1536 with faer, `2 n³` operations, in GFLOP/s.
    pub product_gflops: f64,
    /// Vectorised exponentials, in 10⁹ per second.
    pub exponentials_per_ns: f64,
}

impl Machine {
    /// Measures this machine; takes about a second.
    pub fn measure() -> Self {
        let a = Mat::<f64>::from_fn(PRODUCT, PRODUCT, |i, j| ((i * 7 + j * 3) % 11) as f64 - 5.0);
        let mut c = Mat::<f64>::zeros(PRODUCT, PRODUCT);
        let product = fastest(|| matmul(c.as_mut(), Accum::Replace, a.as_ref(), a.as_ref(), 1.0, Par::rayon(0)));
        let numbers: Vec<f64> = (0..NUMBERS).map(|i| -20.0 * i as f64 / NUMBERS as f64).collect();
        let mut work = numbers.clone();
        let exponentials = fastest(|| {
            // e^x ≤ 1 for x ≤ 0: repeated application stays in range.
            for _ in 0..64 {
                exp_in_place(&mut work);
            }
        });
        Self {
            threads: rayon::current_num_threads(),
            product_gflops: 2e-9 * (PRODUCT as f64).powi(3) / product,
            exponentials_per_ns: 64e-9 * NUMBERS as f64 / exponentials,
        }
    }
}

fn fastest(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..REPEATS {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

/// Median seconds of faer's own Cholesky factorisation of a well conditioned matrix of size `n`, all cores.
///
/// # Errors
/// [`RunError::Numerical`] if it fails.
pub fn cholesky_seconds(n: usize, repeats: usize) -> Result<f64, RunError> {
    let mut buffer = vec![0.0; n * n];
    let scratch = cholesky_in_place_scratch::<f64>(n, Par::rayon(0), Default::default());
    let mut memory = MemBuffer::new(scratch);
    let mut seconds = Vec::new();
    for _ in 0..repeats + 1 {
        for (j, column) in buffer.chunks_exact_mut(n).enumerate() {
            for (i, entry) in column.iter_mut().enumerate() {
                *entry = (-(i.abs_diff(j) as f64) / 50.0).exp() + if i == j { 1.0 } else { 0.0 };
            }
        }
        let matrix = MatMut::from_column_major_slice_mut(&mut buffer, n, n);
        let start = Instant::now();
        cholesky_in_place(matrix, Default::default(), Par::rayon(0), MemStack::new(&mut memory), Default::default())
            .map_err(|e| RunError::numerical("factoring", e))?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(median(&mut seconds))
}

/// Median, NaN for no values. Sorts them.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
