//! What the measurements share: the cases that are timed, the machine's peak, records and their presentation.
//!
//! The program `stages` measures whole outer steps stage by stage and sets them beside the floor; `cargo bench` times each stage
//! by itself.

pub mod case;
pub mod count;
pub mod machine;
pub mod present;
pub mod record;
