//! A system whose entries a GPU computes.

use cubecl::client::Client;
use cubecl::server::Handle;

use super::Element;
use crate::SolveError;

/// A lower triangle on a device.
pub struct DeviceMatrix {
    /// The device.
    pub client: Client,
    /// The number type of the entries.
    pub element: Element,
    /// Column-major `[n, n]`.
    pub handle: Handle,
}

/// A [`crate::RowSystem`] on a GPU: its matrix need not leave the device to be factored there.
pub trait DeviceRows: Send + Sync {
    /// Whether to factor there unless told otherwise: a card that computes in float64.
    fn preferred(&self) -> bool;

    /// The lower triangle, in a buffer of its own.
    ///
    /// # Errors
    /// [`SolveError::Device`], [`SolveError::Rows`] if it can't be assembled.
    fn matrix(&self) -> Result<DeviceMatrix, SolveError>;
}
