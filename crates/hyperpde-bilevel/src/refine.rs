//! Refinement: other points between two Gauss-Newton steps, chosen from the solution so far.

use hyperpde_gp::{Posterior, RowBlock};
use hyperpde_kernels::Kernel;
use hyperpde_pde::Collocation;

use crate::error::BilevelError;

/// Chooses the points of the next Gauss-Newton step.
///
/// It may change the interior points and the validation pool; conditions and observations stay. The equations are then linearised about the
/// solution's values at the new points. The choice should follow from the arguments alone (and from seeds that stay the same): a resumed run
/// asks again about the same solution and is to get the same points. A step that failed and is tried again asks again, too.
pub trait Refiner<K: Kernel>: Send {
    /// Other points for the next step, or `None` to keep them.
    ///
    /// # Arguments
    /// * `posterior` - the solution of the last step.
    /// * `collocation` - the points it was solved on.
    ///
    /// # Errors
    /// Whatever its evaluations give; the run is then as it was before the step.
    fn refine(
        &mut self,
        posterior: &Posterior<K>,
        collocation: &Collocation,
    ) -> Result<Option<Collocation>, BilevelError>;
}

/// Refuses a refinement that changes more than points.
pub(crate) fn check(old: &Collocation, new: &Collocation) -> Result<(), BilevelError> {
    let same = |old: &[RowBlock], new: &[RowBlock]| {
        old.len() == new.len() && old.iter().zip(new).all(|(a, b)| a.sites() == b.sites() && a.rhs() == b.rhs())
    };
    let bad =
        |name, value: String, expected: &str| Err(BilevelError::Setting { name, value, expected: expected.into() });
    if new.interior.is_empty() || new.interior.dim() != old.interior.dim() {
        let value = format!("[{}, {}]", new.interior.len(), new.interior.dim());
        return bad("refined interior", value, &format!("at least one point of dimension {}", old.interior.dim()));
    }
    if new.pool.dim() != old.pool.dim() {
        return bad("dimension of the refined pool", new.pool.dim().to_string(), &old.pool.dim().to_string());
    }
    if !same(&old.boundary, &new.boundary) || !same(&old.observations, &new.observations) {
        let expected = "a refiner changes interior points and the validation pool only";
        return bad("refined conditions or observations", "others".into(), expected);
    }
    Ok(())
}
