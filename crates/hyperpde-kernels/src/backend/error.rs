//! Why a backend or a device can't be had, and what to do about it.

use burn::tensor::DType;
use thiserror::Error;

use super::Backend;
use crate::Precision;

/// Why there is no such backend or device.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackendError {
    /// It exists, but the program was built without it.
    #[error(
        "this program was built without the backend {name}; rebuild with `--features {name}` (compiled in: {compiled})"
    )]
    Missing {
        /// Its name.
        name: &'static str,
        /// What there is instead.
        compiled: String,
    },
    /// There is none of this name.
    #[error("no such backend in this version; compiled in: {compiled}")]
    Unknown {
        /// What there is instead.
        compiled: String,
    },
    /// Neither of the host's backends is compiled in.
    #[error(
        "float64 solves on the host need one of its backends, and this program was built without; rebuild with `--features flex`"
    )]
    NoHost,
    /// The backend finds no device at all.
    #[error("the backend {name} finds no device on this machine; {advice}")]
    NoDevice {
        /// Its name.
        name: &'static str,
        /// What to install.
        advice: &'static str,
    },
    /// There are fewer devices.
    #[error("the backend {name} has no device {index}: there {}; `hyperpde list` shows them", known(*.last))]
    Index {
        /// Its name.
        name: &'static str,
        /// The number asked for.
        index: usize,
        /// The highest number there is.
        last: usize,
    },
    /// The driver refuses.
    #[error("device {index} of the backend {name} can't be opened: {why}; {advice}")]
    Unable {
        /// The backend.
        name: &'static str,
        /// Number of the device.
        index: usize,
        /// The driver's reason.
        why: String,
        /// What to install.
        advice: &'static str,
    },
    /// The device does not compute in this precision, or not rightly.
    #[error("device {index} of the backend {name} ({device}) can't compute in {precision}: {why}; {}", instead(*.precision))]
    Precision {
        /// The backend.
        name: &'static str,
        /// Number of the device.
        index: usize,
        /// The device's own name.
        device: String,
        /// What was asked for.
        precision: Precision,
        /// What was found.
        why: String,
    },
    /// Less than float64 on the host.
    #[error(
        "the backend {name} computes on the host, in f64 only: {precision} would lose digits there and save little; use f64, or a GPU backend"
    )]
    Host {
        /// The backend.
        name: &'static str,
        /// What was asked for.
        precision: Precision,
    },
    /// One process, one float type per device.
    #[error(
        "device {index} of the backend {name} computes in {found:?} in this process, not in {wanted:?}: a process computes in one type per device; open it in the wanted precision before anything else is made there, or use another process"
    )]
    Configured {
        /// The backend.
        name: &'static str,
        /// Number of the device.
        index: usize,
        /// The float type it has.
        found: DType,
        /// The float type asked for.
        wanted: DType,
    },
}

fn instead(precision: Precision) -> &'static str {
    match precision {
        Precision::F64 => "use mixed, or f64 on the host (flex)",
        Precision::F32 | Precision::Mixed => "use another device, or the host (flex)",
    }
}

fn known(last: usize) -> String {
    if last == 0 { "is device 0 only".into() } else { format!("are devices 0 to {last}") }
}

/// Names of the backends that are compiled in.
pub(super) fn compiled() -> String {
    let names: Vec<&str> = Backend::available().into_iter().map(Backend::name).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// What a backend needs on the machine.
pub(super) fn requirements(backend: Backend) -> &'static str {
    match backend {
        Backend::NdArray | Backend::Flex => "the host is always there",
        Backend::Wgpu | Backend::Vulkan => {
            "it needs a Vulkan driver: that of the card's maker (on Debian or Ubuntu nvidia-driver, or mesa-vulkan-drivers for AMD and \
             Intel) with libvulkan1; mesa-vulkan-drivers also brings a software device that needs no card"
        }
        Backend::Metal => "it needs macOS on a Mac with Metal",
        Backend::Cuda => {
            "it needs an NVIDIA card, its driver (libcuda.so.1; on Debian or Ubuntu nvidia-driver) and the CUDA toolkit with NVRTC and its \
             headers (nvidia-cuda-toolkit, or CUDA_PATH)"
        }
        Backend::Rocm => "it needs an AMD card, its driver and ROCm's HIP runtime (libamdhip64, libhiprtc)",
    }
}
