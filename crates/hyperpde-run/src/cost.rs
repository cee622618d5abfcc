//! What the cost of a run depends on, and the memory that follows from it.
//!
//! With `n` rows, at most `s` of one kind, `m` validation rows, `F` folds (else 1) and blocks of `g` points at which the solution is evaluated,
//!
//! ```text
//! learning    F (n² + n m)                  the inner system and the validation block of every term of the outer loss
//! scoring     n² + (n + s) g                the kept factor, and the blocks of a posterior variance
//! clouds      n² + n_c² + n_c g             the factor kept of the solution, and a solve on n_c rows elsewhere: on more points for the verdict (2 n, of
//!                                           up to 4000), on `[clouds]`
//! ```
//!
//! floats, of which the largest counts, beside what the program takes by itself and what goes with single points. Where the fused pair stage does
//! not take kernels or derivatives, tensor operations assemble these blocks and hold many arrays of their size at once: how many, a run on a few points
//! tells.

/// Bytes of a mebibyte.
pub(crate) const MIB: f64 = (1 << 20) as f64;
/// What the program takes by itself: code, threads, reports. Measured, as all below.
const BASE_MIB: f64 = 20.0;
/// Bytes per row (features with their derivatives, forward and backward) and per point of the test grid.
const ROW_BYTES: f64 = 4096.0;
const GRID_BYTES: f64 = 256.0;
/// Points at which a posterior is evaluated in one block, and floats of that block (see `hyperpde_gp::Posterior`).
const BLOCK_POINTS: f64 = 4096.0;
const BLOCK_FLOATS: f64 = (4 << 20) as f64;

/// Arrays that tensor operations hold at once, as large as the blocks they assemble.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tensors {
    /// With the gradient of the outer loss.
    pub learning: f64,
    /// When the solution is evaluated.
    pub scoring: f64,
}

/// What the cost of a run depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// Rows of the inner system.
    pub rows: usize,
    /// Most rows of one kind.
    pub largest: usize,
    /// Validation rows of a term of the outer loss.
    pub validation: usize,
    /// Terms of the outer loss, none without learning.
    pub terms: usize,
    /// Most points at which the solution is evaluated.
    pub grid: usize,
    /// Fields.
    pub fields: usize,
    /// Their derivatives in the equations.
    pub unknowns: usize,
    /// Rows, and most rows of one kind, of the clouds on which the kernel is tried and the run is judged.
    pub clouds: Vec<(usize, usize)>,
    /// If tensor operations assemble.
    pub tensors: Option<Tensors>,
}

impl Size {
    /// Bytes at the peak.
    pub fn bytes(&self) -> f64 {
        let [n, m, terms, grid] = [self.rows, self.validation, self.terms, self.grid].map(|count| count as f64);
        let points = |rows: f64| grid.min((BLOCK_FLOATS / rows).clamp(8.0, BLOCK_POINTS));
        let learning = self.tensors.map_or(1.0, |tensors| tensors.learning) * terms * (n * n + n * m);
        let scoring = |n: f64, s: usize| {
            let arrays = self.tensors.map_or(1.0, |tensors| tensors.scoring);
            n * n + (n + arrays * s as f64) * points(n)
        };
        // No variance is wanted of a cloud: the fused stage holds one block less.
        let cloud =
            |&(rows, s): &(usize, usize)| n * n + scoring(rows as f64, if self.tensors.is_some() { s } else { 0 });
        let floats = self.clouds.iter().map(cloud).fold(learning.max(scoring(n, self.largest)), f64::max);
        BASE_MIB * MIB + ROW_BYTES * (n + m) + GRID_BYTES * grid + 8.0 * floats
    }

    /// The same in MiB.
    pub fn mib(&self) -> f64 {
        self.bytes() / MIB
    }
}

/// Mebibytes for a reader.
pub fn shown(mib: f64) -> String {
    if mib < 10_000.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

/// A line such as `MemAvailable:   12 kB`, in bytes.
pub fn kibibytes(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(1024.0 * line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()?)
}
