//! The system `A = K + N` of the training rows: by the fused pair stage as a [`hyperpde_linalg::RowSystem`], or as tensors.

mod adjoint;
mod fused;
mod plan;
pub(crate) mod tensor;

use std::sync::Arc;

use hyperpde_kernels::{Kernel, tensor_to_vec};
use hyperpde_linalg::{Factor, MatrixSystem, RowSystem};

use crate::error::GpError;
use crate::setup::Setup;
use crate::stages::{Stage, timed_rest};
pub(crate) use fused::FusedSystem;
pub(crate) use plan::Plan;
use tensor::TensorRows;

/// Lets the solver of the settings factor a system.
pub(crate) fn factor(setup: &Setup, system: &Arc<dyn RowSystem>) -> Result<Box<dyn Factor>, GpError> {
    // A solver asks for entries in between; those have their own stage.
    let work = || setup.settings.solver.factor(system);
    let times = setup.settings.times.as_ref();
    timed_rest(times, Stage::Factorisation, Stage::TrainingBlock, work).map_err(|e| setup.factorisation(e))
}

/// The system as the tensor path has it, off the tape, with the nugget's ratios.
pub(crate) fn from_tensors<K: Kernel>(
    setup: &Setup,
    rows: &TensorRows<'_, K>,
) -> Result<(Arc<dyn RowSystem>, Vec<f64>), GpError> {
    let ratios = rows.ratios.iter().cloned().map(tensor_to_vec).collect::<Result<Vec<_>, _>>()?.concat();
    // Row-major and symmetric: column-major as well.
    let system = MatrixSystem::new(tensor_to_vec(rows.system())?, setup.rows()).map_err(|e| setup.factorisation(e))?;
    Ok((Arc::new(system.with_locations(setup.locations().clone())), ratios))
}

/// `w = A⁻¹ b`.
pub(crate) fn weights(setup: &Setup, factor: &dyn Factor, rhs: &[f64]) -> Result<Vec<f64>, GpError> {
    let mut weights = rhs.to_vec();
    setup.timed(Stage::Solve, || factor.solve(&mut weights, 1)).map_err(|e| setup.factorisation(e))?;
    if weights.iter().any(|w| !w.is_finite()) {
        return Err(GpError::NonFinite {
            what: "the solution of the inner system".into(),
            advice: "raise the nugget or shorten the length scales",
        });
    }
    Ok(weights)
}
