//! Where a run computes and in which precision: the flags, the choice they make, and the opened device.

use std::fmt;

use burn::tensor::Device;
use hyperpde_bilevel::BilevelSettings;
use hyperpde_kernels::{Backend, BackendError, Precision, probe};
use serde::{Deserialize, Serialize};

use crate::CliError;

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

/// The flags that choose a [`Target`].
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct TargetFlags {
    /// Backend that computes: ndarray, flex, wgpu, vulkan, metal, cuda or rocm, as far as compiled in [default: the configuration's, else
    /// the first compiled in]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<Backend>,
    /// Number of the backend's device, as `hyperpde list` shows it [default: the configuration's, else 0]
    #[arg(long, value_name = "N", value_parser = parse_device, allow_negative_numbers = true)]
    pub device: Option<usize>,
    /// Floating-point precision: f64; mixed: learns with pairs in two float32 each on the device, all else in float64 on the host; f32
    /// [default: the configuration's, else f64 where the device computes rightly in it, else mixed]
    #[arg(long, value_name = "NAME")]
    pub precision: Option<Precision>,
}

fn parse_device(text: &str) -> Result<usize, String> {
    text.parse::<u16>().map(usize::from).map_err(|_| format!("must be a whole number from 0 to {}", u16::MAX))
}

impl TargetFlags {
    /// The target of a configuration, or none, with what the flags say in its place. Device and precision belong to a backend: another
    /// backend leaves them.
    #[must_use]
    pub fn over(&self, own: Target) -> Target {
        let own = match self.backend {
            Some(backend) if backend != own.backend => Target { backend, ..Target::default() },
            _ => own,
        };
        Target {
            backend: own.backend,
            device: self.device.unwrap_or(own.device),
            precision: self.precision.or(own.precision),
        }
    }

    /// The flags as words of a command line.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let named = [
            ("--backend", self.backend.map(|b| b.to_string())),
            ("--device", self.device.map(|n| n.to_string())),
            ("--precision", self.precision.map(|p| p.to_string())),
        ];
        named.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?])).flatten().collect()
    }
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
    pub(crate) fn drafting(self) -> Result<Device, CliError> {
        let host = Backend::host().map(|backend| Self { backend, device: 0, precision: None });
        let target = if self.backend.is_host() { self } else { host.unwrap_or(self) };
        Ok(target.open()?.device)
    }

    /// Opens the device.
    ///
    /// # Errors
    /// [`CliError::Input`] if it is not there or not able, see [`Backend::open`].
    pub fn open(self) -> Result<Opened, CliError> {
        let Self { backend, device, precision } = self;
        let open = || {
            let precision = precision.map_or_else(|| backend.default_precision(device), Ok)?;
            Ok((backend.open(device, precision)?, precision))
        };
        let (opened, precision) = open().map_err(|e: BackendError| CliError::Input(e.to_string()))?;
        let target = Self { precision: Some(precision), ..self };
        if backend.is_host() || precision == Precision::F32 {
            return Ok(Opened { device: opened, pairs: None, target, precision });
        }
        // Features of points in float32 are rounded point by point, which the inner solve amplifies: they cost next to nothing on the host.
        Ok(Opened { pairs: Some(opened), target, precision, ..Self::host()?.open()? })
    }

    /// The host in float64, for the final solves of a run in mixed precision.
    pub(crate) fn host() -> Result<Self, CliError> {
        let backend = Backend::host().map_err(|e| CliError::Input(e.to_string()))?;
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
    pub fn for_final_solves(&self) -> Result<Self, CliError> {
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

    fn flags(backend: Option<Backend>, device: Option<usize>, precision: Option<Precision>) -> TargetFlags {
        TargetFlags { backend, device, precision }
    }

    #[test]
    fn flags_go_over_the_configuration_and_another_backend_leaves_its_device() {
        let own = Target { backend: Backend::Wgpu, device: 1, precision: Some(Precision::Mixed) };
        assert_eq!(flags(None, None, None).over(own), own);
        assert_eq!(flags(Some(Backend::Wgpu), Some(2), None).over(own), Target { device: 2, ..own });
        assert_eq!(
            flags(None, None, Some(Precision::F32)).over(own),
            Target { precision: Some(Precision::F32), ..own }
        );
        let moved = Target { backend: Backend::Flex, device: 0, precision: None };
        assert_eq!(flags(Some(Backend::Flex), None, None).over(own), moved);
    }

    #[test]
    fn words_say_what_the_flags_say() {
        assert!(flags(None, None, None).words().is_empty());
        let all = flags(Some(Backend::Cuda), Some(3), Some(Precision::F64));
        assert_eq!(all.words(), ["--backend", "cuda", "--device", "3", "--precision", "f64"]);
    }

    #[test]
    fn on_the_host_only_the_backend_tells_runs_apart() {
        let host = Target { backend: Backend::Flex, device: 0, precision: None };
        assert_eq!(host.to_string(), "flex");
        assert_eq!(Target { precision: Some(Precision::F64), ..host }.to_string(), "flex");
        let gpu = Target { backend: Backend::Wgpu, device: 1, precision: Some(Precision::Mixed) };
        assert_eq!(gpu.to_string(), "wgpu device 1 in mixed");
    }
}
