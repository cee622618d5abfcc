//! Are the conditions met where the solver has not looked?
//!
//! A solution that ignores its initial data can satisfy the equation perfectly. At `n` new points of a condition `ℓ[u] = g`
//!
//! ```text
//! misfit = rms(ℓ[u] − g) / scale
//! ```
//!
//! **Scale.** The condition's own data where it has some: the largest `rms(g)` among the conditions on the same functional, since a wall
//! at zero beside a face with data is to be judged as that face is. Where all these data are zero they have no scale, and the size of the
//! functional over the domain takes its place, `rms(Σ |c D u|)` at interior points. Data that are small beside what the solution does
//! inside (the tail of a pulse) count as at least a tenth of that size: an error there is small in every norm of the solution.

use hyperpde_gp::{GpError, Posterior, RowBlock, Term};
use hyperpde_kernels::{Kernel, Points};

use super::{Bar, Finding, ratio, rms};

/// At most one percent of the size of the data. A misfit of one part in a hundred moves a well-posed solution by about as much, which is the
/// error at which a run no longer counts as solved; a tenth of the data is no solution of that problem.
pub const CONDITIONS: Bar = Bar { solved: 1e-2, failed: 0.1 };

/// Share of the functional's size over the domain below which data have no scale of their own.
const FLOOR: f64 = 0.1;

/// A condition at new points.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// Name of the condition.
    pub name: String,
    /// Root mean square of `ℓ[u] − g`.
    pub rms: f64,
    /// What it is held against.
    pub scale: f64,
}

impl Misfit {
    /// `rms / scale`.
    #[must_use]
    pub fn relative(&self) -> f64 {
        ratio(self.rms, self.scale)
    }
}

/// The misfit of every condition: `rows` are its rows at new points, `inside` points of the domain.
///
/// # Errors
/// [`GpError`] if the solution can't be evaluated or is not finite.
pub fn misfits<K: Kernel>(solution: &Posterior<K>, rows: &[RowBlock], inside: &Points) -> Result<Vec<Misfit>, GpError> {
    rows.iter()
        .map(|block| {
            let missed = apply(solution, block)?.into_iter().zip(block.rhs()).map(|(l, g)| l - g);
            let same = rows.iter().filter(|other| same_functional(block, other));
            let data = same.map(|other| rms(other.rhs().iter().copied())).fold(0.0, f64::max);
            let size = size(solution, block, inside)?;
            let scale = if data == 0.0 { size } else { data.max(FLOOR * size) };
            Ok(Misfit { name: block.name().to_owned(), rms: rms(missed), scale })
        })
        .collect()
}

/// The worst of them as a finding; none for a problem without conditions.
#[must_use]
pub fn finding(misfits: &[Misfit]) -> Option<Finding> {
    let worst = misfits.iter().max_by(|a, b| a.relative().total_cmp(&b.relative()))?;
    let sentence = format!(
        "at new points '{}' is missed by {:.1e} of the size of its data ({:.1e}, root mean square)",
        worst.name,
        worst.relative(),
        worst.scale
    );
    let advice = "the kernel is too smooth for the data, or the nugget too large: try a shorter length scale, \
                  a smaller nugget, more boundary points, or learning with another seed";
    Some(Finding::new("conditions", worst.relative(), CONDITIONS, sentence, advice))
}

/// `ℓ[u]` at the points of a block, `[n]`.
pub(crate) fn apply<K: Kernel>(solution: &Posterior<K>, block: &RowBlock) -> Result<Vec<f64>, GpError> {
    let mut sums = vec![0.0; block.len()];
    for Term { field, operator, site, coefficients } in block.terms() {
        let values = solution.evaluate(*field, std::slice::from_ref(operator), &block.sites()[*site])?.concat();
        for ((sum, value), c) in sums.iter_mut().zip(values).zip(coefficients) {
            *sum += c * value;
        }
    }
    Ok(sums)
}

/// `rms(Σ |c D u|)` over the domain, with the root mean square of each term's coefficient in place of its values.
fn size<K: Kernel>(solution: &Posterior<K>, block: &RowBlock, inside: &Points) -> Result<f64, GpError> {
    let mut sums = vec![0.0; inside.len()];
    // Both sides of a periodic pair say the same.
    for Term { field, operator, coefficients, .. } in block.terms().iter().filter(|t| t.site == 0) {
        let c = rms(coefficients.iter().copied());
        let values = solution.evaluate(*field, std::slice::from_ref(operator), inside)?.concat();
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += c * value.abs());
    }
    Ok(rms(sums))
}

fn same_functional(a: &RowBlock, b: &RowBlock) -> bool {
    let of = |block: &RowBlock| block.terms().iter().map(|t| (t.field, t.operator.clone())).collect::<Vec<_>>();
    of(a) == of(b)
}
