//! What every example binary and every configuration does with a problem and a kernel: solve, learn, solve again, score, report.

mod baseline;
mod choice;
mod cloud;
mod configured;
mod definition;
mod judge;
mod output;
pub(crate) mod picture;
mod plan;
mod run;
pub(crate) mod solve;
mod spread;
mod watch;

pub use definition::{Experiment, KernelBuilder, KernelFields, Runnable};
pub use picture::{Picture, Quantity};
pub use plan::Plan;
