//! Where a run computes and in which precision: the choice, and the opened device.

use std::fmt;

use burn::tensor::Device;
use hyperpde_bilevel::BilevelSettings;
use hyperpde_kernels::{Backend, BackendError, Precision, probe};
use serde::{Deserialize, Serialize};

/// A device of a backend, and the precision it computes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The backend.
    pub backend: Backend,
    /// Number of the device, as `hyperpde list` shows it.
    #[serde(default)]
    pub device: usize,
    /// None for the device's own: [`Backend::default_precision`].
    #[serde(default)]
    pub precision: Option<Precision>,
}

/// The smallest nugget of runs in float32. Frozen solves of Burgers (300 + 100 points) differ from those in float64 with the same nugget by 1% at
/// 1e-5, by 60% at 1e-6, and below that systems can't be factored.
const NUGGET_FLOOR: f64 = 1e-5;

/// A device that is open, and what it was opened for.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Where kernels live, without gradients: the GPU in float32, else the host.
    pub device: Device,
    /// The GPU that computes pairs for kernels on the host.
    pub pairs: Option<Device>,
    /// What was asked for, the precision filled in.
    pub target: Target,
    /// The precision.
    pub precision: Precision,
}

impl Target {
    /// A device for kernels that are only looked at: the host's if there is one.
    pub fn drafting(self) -> Result<Device, BackendError> {
        let host = Backend::host().map(|backend| Self { backend, device: 0, precision: None });
        let target = if self.backend.is_host() { self } else { host.unwrap_or(self) };
        Ok(target.open()?.device)
    }

    /// Opens the device.
    ///
    /// # Errors
    /// [`BackendError`] if it is not there or not able, see [`Backend::open`].
    pub fn open(self) -> Result<Opened, BackendError> {
        let Self { backend, device, precision } = self;
        let open = || -> Result<_, BackendError> {
            let precision = precision.map_or_else(|| backend.default_precision(device), Ok)?;
            Ok((backend.open(device, precision)?, precision))
        };
        let (opened, precision) = open()?;
        let target = Self { precision: Some(precision), ..self };
        if backend.is_host() || precision == Precision::F32 {
            return Ok(Opened { device: opened, pairs: None, target, precision });
        }
        // Features of points in float32 are rounded point by point, which the inner solve amplifies: they cost next to nothing on the host.
        Ok(Opened { pairs: Some(opened), target, precision, ..Self::host()?.open()? })
    }

    /// The host in float64, for the final solves of a run in mixed precision.
    pub fn host() -> Result<Self, BackendError> {
        let backend = Backend::host()?;
        Ok(Self { backend, device: 0, precision: Some(Precision::F64) })
    }
}

impl fmt::Display for Target {
    /// What tells the rounding of one run from that of another: on the host the backend, on a GPU device and precision too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.backend.name())?;
        if self.backend.is_host() {
            return Ok(());
        }
        write!(f, " device {}", self.device)?;
        self.precision.map_or(Ok(()), |precision| write!(f, " in {precision}"))
    }
}

impl From<Backend> for Target {
    /// Its first device.
    fn from(backend: Backend) -> Self {
        Self { backend, ..Self::default() }
    }
}

impl Opened {
    /// The device of final solves: in mixed precision the host's, else this one.
    ///
    /// # Errors
    /// As [`Target::open`].
    pub fn for_final_solves(&self) -> Result<Self, BackendError> {
        match self.precision {
            Precision::Mixed => Target::host()?.open(),
            _ => Ok(self.clone()),
        }
    }

    /// The settings for solves here: in float32 with a nugget of 1e-5 at least.
    pub fn settings(&self, settings: &BilevelSettings) -> BilevelSettings {
        let mut settings = settings.clone();
        settings.solve.precision = self.precision;
        settings.solve.pairs.clone_from(&self.pairs);
        if self.precision == Precision::F32 {
            settings.nugget = settings.nugget.max(NUGGET_FLOOR);
        }
        settings
    }

    /// Says on a GPU what computes and how accurate that is; on the host there is nothing to choose.
    pub fn announce(&self, settings: &BilevelSettings) {
        let Target { backend, device, .. } = self.target;
        if backend.is_host() {
            return;
        }
        let (name, software) = probe(self.pairs.as_ref().unwrap_or(&self.device))
            .map_or_else(|_| ("unknown".into(), false), |p| (p.name, p.software));
        let accuracy = match self.precision {
            Precision::F64 => "everything in float64",
            Precision::Mixed => {
                "the kernel is learned with pairs in two float32 each (about 14 digits), the rest in float64 on the host, where the \
                 delivered solution is solved too"
            }
            Precision::F32 => {
                "pairs and networks in float32: errors of 1e-3 of the solution are to be expected; use mixed for less"
            }
        };
        log::info!("{backend} device {device} ({name}) in {}: {accuracy}", self.precision);
        let nugget = self.settings(settings).nugget;
        if nugget > settings.nugget {
            log::warn!(
                "the nugget is raised from {:e} to {nugget:e}: float32 factors nothing smaller",
                settings.nugget
            );
        }
        if software {
            log::warn!(
                "{name} is a software device: it computes on the CPU, slower than the backends flex and ndarray"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_host_only_the_backend_tells_runs_apart() {
        let host = Target { backend: Backend::Flex, device: 0, precision: None };
        assert_eq!(host.to_string(), "flex");
        assert_eq!(Target { precision: Some(Precision::F64), ..host }.to_string(), "flex");
        let gpu = Target { backend: Backend::Wgpu, device: 1, precision: Some(Precision::Mixed) };
        assert_eq!(gpu.to_string(), "wgpu device 1 in mixed");
    }
}
