//! The experiments behind the example binaries, each defined once, what was published about them, and the study that compares the two.

pub mod experiments;
pub mod published;
pub mod reproduce;
pub mod zoo;
