//! The floating-point precision of a run, and the element type of a device's tensors.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{DType, Device};
use serde::{Deserialize, Serialize};

/// In which precision a run computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// float64 throughout.
    #[default]
    F64,
    /// float32 throughout, with a nugget that fits.
    F32,
    /// While learning, pairs on the device in two float32 per number (about 47 bits); all else, final solves included, in float64 on the
    /// host.
    Mixed,
}

impl Precision {
    /// All precisions.
    pub const ALL: [Self; 3] = [Self::F64, Self::F32, Self::Mixed];

    /// Name as given to `--precision`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::Mixed => "mixed",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|p| p.name() == text)
            .ok_or_else(|| "no such precision; use f64, f32 or mixed".to_owned())
    }
}

/// Element type of the tensors that this library makes on a device: float64 on the host whatever burn's default there, on a GPU the
/// type that the device was configured for (see [`crate::Backend`]).
pub fn float_dtype(device: &Device) -> DType {
    if on_host(device) { DType::F64 } else { device.settings().float_dtype.into() }
}

/// Whether tensors of a device lie in the host's memory.
pub fn on_host(device: &Device) -> bool {
    #[cfg(feature = "gpu")]
    if gpu_device(device).is_some() {
        return false;
    }
    let _ = device;
    true
}

/// The GPU behind a device, with or without gradients; `None` on the host.
#[cfg(feature = "gpu")]
pub fn gpu_device(device: &Device) -> Option<cubecl::Device> {
    use burn::backend::DispatchDevice;
    match device.clone().without_autodiff().as_dispatch() {
        DispatchDevice::Cube(device) => Some(device.clone()),
        #[allow(unreachable_patterns)]
        _ => None,
    }
}
