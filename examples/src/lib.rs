//! The experiments behind the example binaries, each defined once, and what was published about them.

pub mod experiments;
pub mod published;
