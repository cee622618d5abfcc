//! To be replaced by `hyperpde_gp`.
use std::sync::Arc;

use burn::tensor::Tensor;
use hyperpde_gp::{GpError, InnerProblem};
use hyperpde_kernels::Kernel;
pub use hyperpde_linalg::CholeskyInfo as SolveStatistics;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    pub weights: bool,
    pub log_det: bool,
    pub inverse_diagonal: bool,
    pub scales: bool,
}

pub struct Solve {
    pub predictions: Tensor<1>,
    pub weights: Option<Tensor<1>>,
    pub log_det: Option<Tensor<1>>,
    pub inverse_diagonal: Option<Tensor<1>>,
    pub scales: Option<Tensor<1>>,
    pub validation_scales: Option<Tensor<1>>,
    pub rhs: Vec<f64>,
    pub validation_rhs: Vec<f64>,
    pub statistics: SolveStatistics,
}

pub fn evaluate<K: Kernel>(problem: &Arc<InnerProblem>, kernels: &[K], _needs: Needs) -> Result<Solve, GpError> {
    let prediction = problem.predict(kernels)?;
    Ok(Solve {
        predictions: prediction.values,
        weights: None,
        log_det: None,
        inverse_diagonal: None,
        scales: None,
        validation_scales: None,
        rhs: Vec::new(),
        validation_rhs: problem.validation_rhs().to_vec(),
        statistics: prediction.info,
    })
}
