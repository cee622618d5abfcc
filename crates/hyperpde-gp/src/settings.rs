//! Settings of the inner solve.

use std::sync::Arc;

use burn::tensor::Device;
use hyperpde_kernels::{Kernel, Precision};
use hyperpde_linalg::{DenseCholesky, InnerSolver};

use crate::error::GpError;
use crate::pairs::Pairs;
use crate::stages::StageTimes;

/// Which implementation of the pair stage to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Assembly {
    /// Fused where the kernel and the operators allow it, tensors elsewhere.
    #[default]
    Auto,
    /// Tensors on the kernel's device: any kernel, any operator.
    Tensor,
}

/// Settings of the inner solve.
#[derive(Clone, Debug)]
pub struct SolveSettings {
    /// Which pair stage.
    pub assembly: Assembly,
    /// Where pairs are computed, if not on the kernels' device: with kernels on the host and this a GPU, the O(n) stage of the points
    /// stays in float64 on the host and the O(n²) stage of the pairs goes to the GPU. Kernels without a closed form stay where they are.
    pub pairs: Option<Device>,
    /// How a GPU computes pairs: in float64, in two float32 per number ([`Precision::Mixed`]), or in float32.
    pub precision: Precision,
    /// Who solves the systems: [`DenseCholesky`], with its jitter and its place of factorisation, or any other.
    pub solver: Arc<dyn InnerSolver>,
    /// Records the seconds of each stage, if there.
    pub times: Option<StageTimes>,
}

impl Default for SolveSettings {
    fn default() -> Self {
        Self {
            assembly: Assembly::default(),
            pairs: None,
            precision: Precision::default(),
            solver: Arc::new(DenseCholesky::new()),
            times: None,
        }
    }
}

impl SolveSettings {
    /// The pair stage for a kernel.
    pub(crate) fn pairs<K: Kernel>(&self, kernel: &K) -> Result<Pairs, GpError> {
        match &self.pairs {
            Some(device) => Pairs::of(device, self.precision),
            None => Pairs::of(&device(kernel), self.precision),
        }
    }
}

/// The device of a kernel's parameters.
pub(crate) fn device<K: Kernel>(kernel: &K) -> Device {
    kernel.devices().into_iter().next().unwrap_or_default()
}
