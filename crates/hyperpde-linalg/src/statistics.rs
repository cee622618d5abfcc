//! What a solver had to do.

/// What a factorisation, and the solves with it so far, had to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SolveStatistics {
    /// Relative jitter that was added to the diagonal (units: mean diagonal entry), 0 if none was needed.
    pub jitter: f64,
    /// Number of factorisations tried, 1 if the first succeeded; 0 for a solver that factors nothing.
    pub attempts: usize,
    /// A lower bound of the 2-norm condition number of the matrix that was solved, for a Cholesky factor
    /// `(max_i L_ii / min_i L_ii)²`; 1, which always is one, where a solver knows nothing better.
    pub condition: f64,
    /// Most iterations that one right-hand side took; 0 for a direct solver.
    pub iterations: usize,
    /// Largest relative residual `|b − A x| / |b|` that was left; `None` where it is not computed.
    pub residual: Option<f64>,
}

impl SolveStatistics {
    /// Those of a direct factorisation.
    pub fn direct(jitter: f64, attempts: usize, condition: f64) -> Self {
        Self { jitter, attempts, condition, iterations: 0, residual: None }
    }

    /// Those of an iterative solver without a factorisation.
    pub fn iterative(iterations: usize, residual: f64) -> Self {
        Self { jitter: 0.0, attempts: 0, condition: 1.0, iterations, residual: Some(residual) }
    }
}
