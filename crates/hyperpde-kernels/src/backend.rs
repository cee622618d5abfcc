//! Which backends are compiled in, and a float64 device on one of them.
//!
//! Cargo features choose what is compiled in (`ndarray` by default, `flex`); a program then picks by name at run time. GPU
//! backends plug in here: one more variant behind its feature, and the custom operations' `backend_extension` lists.
// burn marks its ndarray backend as deprecated as a whole; it stays selectable here for as long as burn ships it.
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A tensor backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// burn-ndarray, on the CPU (feature `ndarray`).
    NdArray,
    /// burn-flex, on the CPU (feature `flex`).
    Flex,
}

impl Backend {
    /// All backends that this library knows, compiled in or not.
    pub const ALL: [Self; 2] = [Self::NdArray, Self::Flex];

    /// Name as given to `--backend`, which is also the cargo feature that compiles it in.
    pub fn name(self) -> &'static str {
        match self {
            Self::NdArray => "ndarray",
            Self::Flex => "flex",
        }
    }

    /// Whether it is compiled in.
    pub fn is_available(self) -> bool {
        match self {
            Self::NdArray => cfg!(feature = "ndarray"),
            Self::Flex => cfg!(feature = "flex"),
        }
    }

    /// The backends that are compiled in.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|b| b.is_available()).collect()
    }

    /// A device without gradients; take [`Device::autodiff`] of it to learn.
    ///
    /// # Errors
    /// [`BackendError::Missing`] if the backend is not compiled in.
    pub fn device(self) -> Result<Device, BackendError> {
        match self {
            #[cfg(feature = "ndarray")]
            Self::NdArray => Ok(Device::ndarray()),
            #[cfg(feature = "flex")]
            Self::Flex => Ok(Device::flex()),
            #[allow(unreachable_patterns)]
            missing => Err(BackendError::missing(missing)),
        }
    }
}

/// Why there is no such backend.
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
}

impl BackendError {
    fn missing(backend: Backend) -> Self {
        Self::Missing { name: backend.name(), compiled: compiled() }
    }
}

/// Names of the backends that are compiled in.
fn compiled() -> String {
    let names: Vec<&str> = Backend::available().into_iter().map(Backend::name).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
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
            Some(backend) => Err(BackendError::missing(backend)),
            None => Err(BackendError::Unknown { compiled: compiled() }),
        }
    }
}
