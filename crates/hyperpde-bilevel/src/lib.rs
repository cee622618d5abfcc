//! Bilevel hyperparameter learning: Gauss-Newton inner solves, outer objectives, optimizers, training loop.

mod bilevel;
mod error;
mod gradient;
mod iterate;
mod optimizer;
mod record;
mod settings;
mod snapshot;
mod stage;
mod step;

pub use bilevel::{Batches, Bilevel, Event, Outcome};
pub use error::BilevelError;
pub use gradient::GradientCheck;
pub use optimizer::{Adam, Lbfgs, Optimizer, OptimizerKind, OptimizerSnapshot, Progress};
pub use record::{GaussNewtonRecord, Observer, OuterRecord, Termination};
pub use settings::{BilevelSettings, OptimizerState, StepControl};
pub use snapshot::{Snapshot, SolveSnapshot};
