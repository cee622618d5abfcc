//! Settings of the inner solve.

use std::sync::Arc;

use burn::tensor::Device;
use hyperpde_kernels::{Kernel, NetworkStage, Precision};
use hyperpde_linalg::{DenseCholesky, InnerSolver};

use crate::error::GpError;
use crate::pairs::Pairs;
use crate::stages::StageTimes;

/// Which implementation of the inner step to use, from the features of points to predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Assembly {
    /// Fused where the kernel and the operators allow it, as [`Assembly::Tensor`] elsewhere.
    #[default]
    Auto,
    /// Pairs as tensors on the kernel's device: any kernel, any operator. Networks and the solve are operations of our own.
    Tensor,
    /// Networks, pairs and solve as operations of burn alone on the kernel's device, differentiated by burn: no operation has an adjoint of our own.
    /// The oracle of the others. The solver has to offer [`InnerSolver::solve_in_tensors`].
    PureTensor,
}

impl Assembly {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Tensor, Self::PureTensor];

    /// Name in configurations and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Tensor => "tensor",
            Self::PureTensor => "pure-tensor",
        }
    }

    /// In a few words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Auto => "fused operations with own adjoints where kernel and rows allow it",
            Self::Tensor => "pairs in burn operations; networks and the solve with own adjoints",
            Self::PureTensor => "burn operations alone, differentiated by burn: the oracle, slow",
        }
    }

    /// The one of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assembly| assembly.name() == name)
    }

    /// Who takes jets through networks.
    pub(crate) fn networks(self) -> NetworkStage {
        match self {
            Self::Auto | Self::Tensor => NetworkStage::Fused,
            Self::PureTensor => NetworkStage::Tensors,
        }
    }
}

/// Settings of the inner solve.
#[derive(Clone, Debug)]
pub struct SolveSettings {
    /// Which inner step.
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
