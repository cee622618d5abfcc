//! What a device, a size and a buffer are held to before anything is launched.

use cubecl::client::Client;
use cubecl::server::Handle;

use super::Element;
use super::kernels::{SHARED, UNITS};
use crate::SolveError;

/// Most cubes along a dimension that every device has; also keeps places in the matrix within 32 bits.
const MOST: usize = 65_535;

pub(super) fn check_device(client: &Client, element: Element) -> Result<(), SolveError> {
    let properties = client.properties();
    let missing = if !properties.supports_type(element.elem_type()) {
        format!("{} numbers", element.name())
    } else if (properties.hardware.max_units_per_cube as usize) < UNITS {
        format!("workgroups of {UNITS}")
    } else if properties.hardware.max_shared_memory_size < SHARED * element.size() {
        format!("{} bytes of shared memory", SHARED * element.size())
    } else {
        return Ok(());
    };
    Err(SolveError::Device(format!("{} does not have {missing}", client.name())))
}

pub(super) fn check_count(what: &'static str, name: &str, count: usize) -> Result<(), SolveError> {
    if (1..=MOST).contains(&count) {
        return Ok(());
    }
    Err(SolveError::Shape { what, expected: format!("{name} from 1 to {MOST} on a device"), got: format!("{count}") })
}

pub(super) fn check_buffer(
    what: &'static str,
    handle: &Handle,
    entries: usize,
    element: Element,
) -> Result<(), SolveError> {
    let expected = entries * element.size();
    if handle.size_in_used() >= expected as u64 {
        return Ok(());
    }
    Err(SolveError::Shape {
        what,
        expected: format!("a buffer of {entries} {} entries, {expected} bytes", element.name()),
        got: format!("{} bytes", handle.size_in_used()),
    })
}
