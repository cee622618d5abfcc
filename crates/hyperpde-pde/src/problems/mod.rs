//! The catalogue: PDEs with their published domains, data, settings and reference solutions.

mod burgers;
mod eikonal;

pub use burgers::{Burgers, ColeHopf};
pub use eikonal::Eikonal;
