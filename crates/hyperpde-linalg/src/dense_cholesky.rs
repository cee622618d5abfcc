//! The dense solver: the lower triangle as a whole, factored on the host or on the GPU where it was assembled.
//!
//! `A + j mean(diag A) I = L Lᵀ` ([`crate::Cholesky`]): `n³/3` flops and one `[n, n]` matrix, which is kept from one factor to the next.

use std::sync::{Arc, Mutex};

use burn::tensor::Tensor;

#[cfg(feature = "gpu")]
use crate::device::{DeviceCholesky, DeviceMatrix, DeviceRows, Element};
use crate::{
    Cholesky, Factor, InnerSolver, JitterPolicy, RowSystem, SolveError, SolveStatistics, SpdNeeds, SpdSolution,
    spd_solve_in_tensors,
};

const NAME: &str = "dense Cholesky";

/// Where systems whose rows are computed on a GPU are factored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FactorOn {
    /// On the GPU in float64 if it is a card; in float32 and in two float32 per number on the host, in float64.
    #[default]
    Auto,
    /// On the host.
    Host,
    /// On the GPU, in its own number type; with two float32 per number on the host.
    Device,
}

/// The buffer of n x n floats that one dense factor leaves for the next, shared by clones.
#[derive(Clone, Default)]
pub struct Workspace(Arc<Mutex<Vec<f64>>>);

impl Workspace {
    /// A buffer of `len` floats with arbitrary contents.
    fn take(&self, len: usize) -> Vec<f64> {
        let mut buffer = self.0.lock().map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default();
        buffer.resize(len, 0.0);
        buffer
    }

    /// Keeps a buffer for the next [`Workspace::take`], if none is kept.
    fn give(&self, buffer: Vec<f64>) {
        if let Ok(mut kept) = self.0.lock()
            && kept.is_empty()
        {
            *kept = buffer;
        }
    }
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The contents are no part of any setting.
        f.write_str("Workspace")
    }
}

/// The dense Cholesky factorisation as an [`InnerSolver`]. Clones share one workspace.
#[derive(Clone, Debug, Default)]
pub struct DenseCholesky {
    /// What to do about pivots that are not positive.
    pub jitter: JitterPolicy,
    /// Where to factor what a GPU assembles.
    pub place: FactorOn,
    workspace: Workspace,
}

impl DenseCholesky {
    /// The solver with the default jitter.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with another jitter.
    #[must_use]
    pub fn with_jitter(mut self, jitter: JitterPolicy) -> Self {
        self.jitter = jitter;
        self
    }

    /// The same with another place for systems of a GPU.
    #[must_use]
    pub fn with_place(mut self, place: FactorOn) -> Self {
        self.place = place;
        self
    }

    #[cfg(feature = "gpu")]
    fn factor_on_device(&self, rows: &dyn DeviceRows, n: usize) -> Result<Box<dyn Factor>, SolveError> {
        let DeviceMatrix { client, element, handle } = rows.matrix()?;
        let jitter = if element == Element::F64 { self.jitter } else { element.jitter() };
        let (destroyed, mut failure) = (handle.clone(), None);
        let mut refill = || match rows.matrix() {
            Ok(matrix) => matrix.handle,
            Err(e) => {
                failure = Some(e);
                destroyed.clone()
            }
        };
        let factor = DeviceCholesky::factor(&client, handle, n, element, &jitter, &mut refill);
        if let Some(failure) = failure {
            return Err(failure);
        }
        let factor = factor?;
        Ok(Box::new(factor))
    }
}

impl InnerSolver for DenseCholesky {
    fn name(&self) -> &'static str {
        NAME
    }

    fn factor(&self, system: &Arc<dyn RowSystem>) -> Result<Box<dyn Factor>, SolveError> {
        let n = system.len();
        #[cfg(feature = "gpu")]
        if let Some(rows) = system.on_device()
            && (self.place == FactorOn::Device || (self.place == FactorOn::Auto && rows.preferred()))
        {
            return self.factor_on_device(rows, n);
        }
        let mut buffer = self.workspace.take(n * n);
        if let Err(e) = system.lower(&mut buffer) {
            self.workspace.give(buffer);
            return Err(e);
        }
        let mut failure = None;
        let mut refill = |matrix: &mut [f64]| failure = failure.take().or(system.lower(matrix).err());
        let cholesky = Cholesky::factor(buffer, n, &self.jitter, &mut refill);
        match failure {
            Some(failure) => Err(failure),
            None => Ok(Box::new(HostFactor { cholesky: Some(cholesky?), n, workspace: self.workspace.clone() })),
        }
    }

    fn solve_in_tensors(&self, a: Tensor<2>, b: Tensor<2>, needs: SpdNeeds) -> Result<SpdSolution, SolveError> {
        spd_solve_in_tensors(a, b, &self.jitter, needs)
    }
}

/// A factor on the host. Its buffer goes back to the workspace when it is dropped.
#[derive(Debug)]
struct HostFactor {
    /// There until the drop.
    cholesky: Option<Cholesky>,
    n: usize,
    workspace: Workspace,
}

impl HostFactor {
    fn get(&self) -> Result<&Cholesky, SolveError> {
        self.cholesky.as_ref().ok_or_else(|| SolveError::Rows("the factor is gone".into()))
    }
}

impl Drop for HostFactor {
    fn drop(&mut self) {
        if let Some(cholesky) = self.cholesky.take() {
            self.workspace.give(cholesky.into_buffer());
        }
    }
}

impl Factor for HostFactor {
    fn len(&self) -> usize {
        self.n
    }

    fn solver(&self) -> &'static str {
        NAME
    }

    fn solve(&self, b: &mut [f64], columns: usize) -> Result<(), SolveError> {
        self.get()?.solve_in_place(b, columns)
    }

    fn half_solve(&self, b: &mut [f64], columns: usize) -> Result<(), SolveError> {
        self.get()?.half_solve_in_place(b, columns)
    }

    fn log_det(&self) -> Result<f64, SolveError> {
        Ok(self.get()?.log_det())
    }

    fn inverse_diagonal(&self) -> Result<Vec<f64>, SolveError> {
        Ok(self.get()?.inverse_diagonal())
    }

    fn inverse(&self) -> Result<Vec<f64>, SolveError> {
        Ok(self.get()?.inverse())
    }

    fn statistics(&self) -> SolveStatistics {
        self.cholesky.as_ref().map_or(SolveStatistics::direct(0.0, 0, 1.0), Cholesky::info)
    }
}

#[cfg(feature = "gpu")]
impl Factor for DeviceCholesky {
    fn len(&self) -> usize {
        self.n()
    }

    fn solver(&self) -> &'static str {
        "dense Cholesky on the device"
    }

    fn solve(&self, b: &mut [f64], columns: usize) -> Result<(), SolveError> {
        self.solve_in_place(b, columns)
    }

    fn log_det(&self) -> Result<f64, SolveError> {
        Ok(DeviceCholesky::log_det(self))
    }

    fn statistics(&self) -> SolveStatistics {
        self.info()
    }
}
