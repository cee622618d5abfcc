//! A system whose entries a GPU computes.

use cubecl::client::Client;
use cubecl::server::Handle;

use super::Element;

/// A [`crate::RowSystem`] on a GPU: its matrix need not leave the device to be factored there.
pub trait DeviceRows: Send + Sync {
    /// The device.
    fn client(&self) -> &Client;

    /// The number type of the entries.
    fn element(&self) -> Element;

    /// Whether to factor there unless told otherwise: a card that computes in float64.
    fn preferred(&self) -> bool;

    /// A buffer with the lower triangle, column-major `[n, n]`.
    fn matrix(&self) -> Handle;
}
