//! Which backends are compiled in, which devices they find, and an opened device that computes in a given precision.
//!
//! Cargo features choose what is compiled in (`ndarray` by default); a program then picks by name and number at run time. Devices of
//! the host compute in float64. A device of a GPU is configured once per process, for float64 if that is asked for and found right by
//! computing ([`crate::probe`]), else for float32.
// burn marks its ndarray backend as deprecated as a whole; it stays selectable here for as long as burn ships it.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

mod error;

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
#[cfg(feature = "gpu")]
use burn::tensor::{DeviceError, DeviceType, FloatDType};
use serde::{Deserialize, Serialize};

use crate::Precision;
#[cfg(feature = "gpu")]
use crate::probe::{Check, Probe, guarded, is_software, probe};

pub use error::BackendError;
use error::{compiled, requirements};

/// A tensor backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// burn-ndarray, on the CPU (feature `ndarray`).
    NdArray,
    /// burn-flex, on the CPU (feature `flex`).
    Flex,
    /// Whatever graphics interface wgpu finds: Vulkan on Linux, Metal on macOS, Direct3D 12 on Windows (feature `wgpu`).
    Wgpu,
    /// wgpu on Vulkan, with SPIR-V shaders where the driver takes them (feature `vulkan`).
    Vulkan,
    /// wgpu on Metal, with native shaders (feature `metal`). Untested.
    Metal,
    /// NVIDIA GPUs (feature `cuda`).
    Cuda,
    /// AMD GPUs (feature `rocm`). Untested.
    Rocm,
}

impl Backend {
    /// All backends that this library knows, compiled in or not.
    pub const ALL: [Self; 7] =
        [Self::Flex, Self::NdArray, Self::Wgpu, Self::Vulkan, Self::Metal, Self::Cuda, Self::Rocm];

    /// Name as given to `--backend`, which is also the cargo feature that compiles it in.
    pub fn name(self) -> &'static str {
        match self {
            Self::NdArray => "ndarray",
            Self::Flex => "flex",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
        }
    }

    /// Whether it is compiled in.
    pub fn is_available(self) -> bool {
        match self {
            Self::NdArray => cfg!(feature = "ndarray"),
            Self::Flex => cfg!(feature = "flex"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Rocm => cfg!(feature = "rocm"),
        }
    }

    /// The backends that are compiled in.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|b| b.is_available()).collect()
    }

    /// Whether it computes on the CPU, in the memory of the host.
    pub fn is_host(self) -> bool {
        matches!(self, Self::NdArray | Self::Flex)
    }

    /// The backend for what is to be solved in float64 on the host: flex if it is compiled in, else ndarray.
    ///
    /// # Errors
    /// [`BackendError::NoHost`] if neither is.
    pub fn host() -> Result<Self, BackendError> {
        [Self::Flex, Self::NdArray].into_iter().find(|b| b.is_available()).ok_or(BackendError::NoHost)
    }

    /// The devices that are there, in the order of their numbers: GPUs before software devices. Nothing is opened.
    ///
    /// # Errors
    /// [`BackendError::Missing`] if the backend is not compiled in.
    pub fn devices(self) -> Result<Vec<Device>, BackendError> {
        match self {
            #[cfg(feature = "ndarray")]
            Self::NdArray => Ok(vec![Device::ndarray()]),
            #[cfg(feature = "flex")]
            Self::Flex => Ok(vec![Device::flex()]),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Ok(enumerate(DeviceType::Wgpu)),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Ok(enumerate(DeviceType::Vulkan)),
            #[cfg(feature = "metal")]
            Self::Metal => Ok(enumerate(DeviceType::Metal)),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(enumerate(DeviceType::Cuda)),
            #[cfg(feature = "rocm")]
            Self::Rocm => Ok(enumerate(DeviceType::Rocm)),
            #[allow(unreachable_patterns)]
            missing => Err(BackendError::Missing { name: missing.name(), compiled: compiled() }),
        }
    }

    /// The first device, in its default precision, without gradients; take [`Device::autodiff`] of it to learn.
    ///
    /// # Errors
    /// As [`Backend::open`].
    pub fn device(self) -> Result<Device, BackendError> {
        self.open(0, self.default_precision(0)?)
    }

    /// The precision in which a device computes unless another is asked for: float64 on the host and where [`crate::probe`] finds it
    /// right, else mixed.
    ///
    /// # Errors
    /// As [`Backend::open`] for a device that is not there or can't be opened.
    pub fn default_precision(self, index: usize) -> Result<Precision, BackendError> {
        let device = self.find(index)?;
        if self.is_host() {
            return Ok(Precision::F64);
        }
        self.gpu_default(index, &device)
    }

    /// Device number `index` for computations in `precision`, without gradients; take [`Device::autodiff`] of it to learn.
    ///
    /// On a GPU this sets the float type of all tensors made there from now on, once per process: float64 for [`Precision::F64`] where the
    /// device computes rightly in it, else float32. Call it before the first tensor is made there. In float64 and mixed precision the GPU
    /// computes pairs, without tensors, and kernels live on the host (see [`Precision`]).
    ///
    /// # Errors
    /// * [`BackendError::Missing`] if the backend is not compiled in.
    /// * [`BackendError::NoDevice`] and [`BackendError::Index`] if there is no such device.
    /// * [`BackendError::Unable`] if the driver does not open it.
    /// * [`BackendError::Precision`] if it does not compute in that precision, or not rightly.
    /// * [`BackendError::Configured`] if this process opened it in another float type before.
    pub fn open(self, index: usize, precision: Precision) -> Result<Device, BackendError> {
        let device = self.find(index)?;
        if self.is_host() {
            return match precision {
                Precision::F64 => Ok(device),
                other => Err(BackendError::Host { name: self.name(), precision: other }),
            };
        }
        self.open_gpu(index, device, precision)
    }

    /// A device that is there.
    fn find(self, index: usize) -> Result<Device, BackendError> {
        let devices = self.devices()?;
        let count = devices.len();
        match devices.into_iter().nth(index) {
            Some(device) => Ok(device),
            None if count == 0 => Err(BackendError::NoDevice { name: self.name(), advice: requirements(self) }),
            None => Err(BackendError::Index { name: self.name(), index, last: count - 1 }),
        }
    }

    #[cfg(feature = "gpu")]
    fn gpu_default(self, index: usize, device: &Device) -> Result<Precision, BackendError> {
        let probe = self.probed(index, device)?;
        Ok(if probe.pairs_f64.is_right() { Precision::F64 } else { Precision::Mixed })
    }

    #[cfg(feature = "gpu")]
    fn open_gpu(self, index: usize, device: Device, precision: Precision) -> Result<Device, BackendError> {
        let probe = self.probed(index, &device)?;
        // Tensors in float64 only where they are right: the pair stage does without.
        let float64 = precision == Precision::F64 && probe.f64.is_right();
        let wanted = if float64 { FloatDType::F64 } else { FloatDType::F32 };
        match probe.precision(precision).clone() {
            Check::Right { .. } => {}
            // Every card has float32: it is the driver or a library that is missing.
            Check::Missing { why } if precision != Precision::F64 => return Err(self.unable(index, why)),
            wrong => {
                let (name, why) = (self.name(), wrong.to_string());
                return Err(BackendError::Precision { name, index, device: probe.name, precision, why });
            }
        }
        let mut opened = device.clone();
        // Configuring opens the device, which ends in a panic where the driver refuses.
        let outcome = guarded(move || (opened.configure(wanted), opened.settings().float_dtype));
        match outcome.map_err(|why| self.unable(index, why))? {
            (Ok(()), _) => Ok(device),
            (Err(DeviceError::AlreadyInitialized { .. }), found) if found == wanted => Ok(device),
            (Err(DeviceError::AlreadyInitialized { .. }), found) => {
                Err(BackendError::Configured { name: self.name(), index, found: found.into(), wanted: wanted.into() })
            }
            (Err(other), _) => Err(self.unable(index, other.to_string())),
        }
    }

    #[cfg(feature = "gpu")]
    fn probed(self, index: usize, device: &Device) -> Result<Probe, BackendError> {
        probe(device).map_err(|why| self.unable(index, why))
    }

    #[cfg(feature = "gpu")]
    fn unable(self, index: usize, why: String) -> BackendError {
        BackendError::Unable { name: self.name(), index, why, advice: requirements(self) }
    }

    // Without a GPU backend no device of one is ever found.
    #[cfg(not(feature = "gpu"))]
    fn gpu_default(self, _: usize, _: &Device) -> Result<Precision, BackendError> {
        Err(BackendError::Missing { name: self.name(), compiled: compiled() })
    }

    #[cfg(not(feature = "gpu"))]
    fn open_gpu(self, _: usize, _: Device, _: Precision) -> Result<Device, BackendError> {
        Err(BackendError::Missing { name: self.name(), compiled: compiled() })
    }
}

/// The devices of a GPU backend; none where the driver or its loader is missing.
#[cfg(feature = "gpu")]
fn enumerate(kind: DeviceType) -> Vec<Device> {
    let mut devices = guarded(|| Device::enumerate(kind).into_vec()).unwrap_or_default();
    // Stable: cards keep the driver's order.
    devices.sort_by_key(is_software);
    devices
}

impl Default for Backend {
    /// The first one that is compiled in.
    fn default() -> Self {
        Self::available().first().copied().unwrap_or(Self::NdArray)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = BackendError;

    /// The backend of that name, which must be compiled in.
    fn from_str(name: &str) -> Result<Self, BackendError> {
        match Self::ALL.into_iter().find(|b| b.name() == name) {
            Some(backend) if backend.is_available() => Ok(backend),
            Some(backend) => Err(BackendError::Missing { name: backend.name(), compiled: compiled() }),
            None => Err(BackendError::Unknown { compiled: compiled() }),
        }
    }
}
