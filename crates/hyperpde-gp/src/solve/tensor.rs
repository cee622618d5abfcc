//! The inner solve with tensors: any kernel, any operator, everything on the tape. The solve itself is one operation with an adjoint of its own,
//! or, with [`Assembly::PureTensor`], operations of burn like the rest.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use hyperpde_kernels::Kernel;
use hyperpde_linalg::{SpdNeeds, spd_solve_with};

use crate::error::GpError;
use crate::settings::{Assembly, device};
use crate::setup::Setup;
use crate::solve::{Needs, Solve};
use crate::system::tensor::{TensorRows, typed};

pub(crate) fn evaluate<K: Kernel>(setup: &Arc<Setup>, kernels: &[K], needs: Needs) -> Result<Solve, GpError> {
    let rows = TensorRows::new(setup, kernels)?;
    let (n, m) = (setup.rows(), setup.scored());
    let b = Tensor::<2>::from_data(TensorData::new(setup.rhs.clone(), [n, 1]), typed(&device(&kernels[0])));
    let wanted = SpdNeeds { log_det: needs.log_det, inverse_diagonal: needs.inverse_diagonal };
    let (a, solver) = (rows.system(), &setup.settings.solver);
    let solution = match setup.settings.assembly {
        Assembly::PureTensor => solver.solve_in_tensors(a, b, wanted),
        Assembly::Auto | Assembly::Tensor => spd_solve_with(a, b, solver, setup.locations(), wanted),
    };
    let solution = solution.map_err(|e| setup.factorisation(e))?;
    let predictions = rows.cross().matmul(solution.x.clone()).reshape([m]);
    let scales = |of: &[crate::sites::RowSet], len| needs.scales.then(|| rows.variances(of, len).sqrt());
    Ok(Solve {
        predictions,
        weights: needs.weights.then(|| solution.x.reshape([n])),
        log_det: solution.log_det,
        inverse_diagonal: solution.inverse_diagonal,
        scales: scales(&setup.training, n),
        validation_scales: scales(&setup.validation, m),
        rhs: setup.rhs.clone(),
        validation_rhs: setup.validation_rhs.clone(),
        statistics: solution.statistics,
    })
}
