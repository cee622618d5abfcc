//! Conjugate gradients: an inner solver that multiplies and never factors.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;

use hyperpde::linalg::{Factor, InnerSolver, RowSystem, SolveError, SolveStatistics};

const NAME: &str = "conjugate gradients";

/// More right-hand sides at a time than this are solved with the entries of the system, read once, in place of its products.
const FEW_COLUMNS: usize = 4;

/// The method of conjugate gradients without a preconditioner (Hestenes and Stiefel 1952; Golub and Van Loan, *Matrix Computations*, 4th
/// edition, algorithm 11.3.3), on [`RowSystem::apply`] alone.
///
/// ```text
/// x = 0, r = p = b;   α = rᵀr / pᵀA p,   x += α p,   r' = r − α A p,   p = r' + (r'ᵀr' / rᵀr) p
/// ```
///
/// The number of iterations grows with the square root of the condition number, so it wants a nugget that is not tiny.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConjugateGradients {
    /// A right-hand side is solved once `|b − A x| ≤ tolerance · |b|`.
    pub tolerance: f64,
    /// Iterations for one right-hand side at most; without rounding, as many as rows would do.
    pub most: usize,
}

impl Default for ConjugateGradients {
    fn default() -> Self {
        Self { tolerance: 1e-10, most: 10_000 }
    }
}

impl InnerSolver for ConjugateGradients {
    fn name(&self) -> &'static str {
        NAME
    }

    fn factor(&self, system: &Arc<dyn RowSystem>) -> Result<Box<dyn Factor>, SolveError> {
        Ok(Box::new(Iteration { system: system.clone(), settings: *self, worst: Mutex::new((0, 0.0)) }))
    }
}

/// A system that is solved anew for each right-hand side.
struct Iteration {
    system: Arc<dyn RowSystem>,
    settings: ConjugateGradients,
    /// Most iterations and largest relative residual so far.
    worst: Mutex<(usize, f64)>,
}

impl fmt::Debug for Iteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iteration").field("rows", &self.len()).field("settings", &self.settings).finish()
    }
}

impl Factor for Iteration {
    fn len(&self) -> usize {
        self.system.len()
    }

    fn solver(&self) -> &'static str {
        NAME
    }

    fn solve(&self, b: &mut [f64], columns: usize) -> Result<(), SolveError> {
        let n = self.len();
        if b.len() != n * columns {
            let (expected, got) = (format!("[{n}, {columns}]"), format!("{} entries", b.len()));
            return Err(SolveError::Shape { what: "right-hand sides", expected, got });
        }
        if columns <= FEW_COLUMNS {
            return b.chunks_exact_mut(n.max(1)).try_for_each(|b| self.solve_one(b, |x, y| self.system.apply(x, y)));
        }
        let matrix = Symmetric::read(self.system.as_ref())?;
        b.chunks_exact_mut(n).try_for_each(|b| {
            self.solve_one(b, |x, y| {
                matrix.apply(x, y);
                Ok(())
            })
        })
    }

    fn statistics(&self) -> SolveStatistics {
        let (iterations, residual) = self.worst.lock().map(|worst| *worst).unwrap_or_default();
        SolveStatistics::iterative(iterations, residual)
    }
}

impl Iteration {
    fn solve_one(
        &self,
        b: &mut [f64],
        mut apply: impl FnMut(&[f64], &mut [f64]) -> Result<(), SolveError>,
    ) -> Result<(), SolveError> {
        let ConjugateGradients { tolerance, most } = self.settings;
        let n = b.len();
        let (mut x, mut r, mut p, mut ap) = (vec![0.0; n], b.to_vec(), b.to_vec(), vec![0.0; n]);
        let (norm, mut rr) = (dot(b, b).sqrt(), dot(b, b));
        let mut iterations = 0;
        while rr.sqrt() > tolerance * norm {
            let stuck = || SolveError::NotConverged { solver: NAME, iterations, residual: rr.sqrt() / norm, tolerance };
            if iterations == most {
                return Err(stuck());
            }
            apply(&p, &mut ap)?;
            let curvature = dot(&p, &ap);
            // Not positive: rounding, or a matrix that is not positive definite. Not a number: so are its entries.
            if curvature.is_nan() || curvature <= 0.0 {
                return Err(stuck());
            }
            let step = rr / curvature;
            x.iter_mut().zip(&p).for_each(|(x, p)| *x += step * p);
            r.iter_mut().zip(&ap).for_each(|(r, a)| *r -= step * a);
            let next = dot(&r, &r);
            p.iter_mut().zip(&r).for_each(|(p, r)| *p = r + next / rr * *p);
            rr = next;
            iterations += 1;
        }
        b.copy_from_slice(&x);
        if let Ok(mut worst) = self.worst.lock() {
            let residual = if norm > 0.0 { rr.sqrt() / norm } else { 0.0 };
            *worst = (worst.0.max(iterations), worst.1.max(residual));
        }
        Ok(())
    }
}

/// A symmetric matrix, column by column.
struct Symmetric {
    n: usize,
    entries: Vec<f64>,
}

impl Symmetric {
    fn read(system: &dyn RowSystem) -> Result<Self, SolveError> {
        let n = system.len();
        let mut entries = vec![0.0; n * n];
        system.lower(&mut entries)?;
        for j in 0..n {
            for i in 0..j {
                entries[i + j * n] = entries[j + i * n];
            }
        }
        Ok(Self { n, entries })
    }

    fn apply(&self, x: &[f64], y: &mut [f64]) {
        y.fill(0.0);
        for (column, x) in self.entries.chunks_exact(self.n).zip(x) {
            y.iter_mut().zip(column).for_each(|(y, a)| *y += a * x);
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
