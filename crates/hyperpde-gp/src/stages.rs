//! Seconds per stage of an inner solve and its adjoint, recorded on request.
//!
//! Put a [`StageTimes`] into [`crate::SolveSettings`] and read it after each step. Without one nothing is measured. The stages follow one another in
//! one thread, so their seconds add up to the step less what happens outside.

use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A part of an outer step, in the order of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Features of all points with their spatial derivatives: burn operations and networks.
    PointJets,
    /// Traces of the nugget, features contracted with the row coefficients: everything else that is O(n).
    Preparation,
    /// Lower triangle of `K + N`.
    TrainingBlock,
    /// Cholesky factorisation.
    Factorisation,
    /// `w = (K + N)⁻¹ b`.
    Solve,
    /// `V` and `p = V w`.
    ValidationBlock,
    /// `λ = (K + N)⁻¹ Vᵀ ḡ`.
    AdjointSolve,
    /// `−λᵀ (dK) w` by the features.
    AdjointTraining,
    /// `ḡᵀ dV w` by the features.
    AdjointValidation,
    /// From there to the gradient by the features.
    AdjointPreparation,
}

impl Stage {
    /// All stages, in the order of a step.
    pub const ALL: [Self; 10] = [
        Self::PointJets,
        Self::Preparation,
        Self::TrainingBlock,
        Self::Factorisation,
        Self::Solve,
        Self::ValidationBlock,
        Self::AdjointSolve,
        Self::AdjointTraining,
        Self::AdjointValidation,
        Self::AdjointPreparation,
    ];

    /// Name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::PointJets => "point_jets",
            Self::Preparation => "preparation",
            Self::TrainingBlock => "training_block",
            Self::Factorisation => "factorisation",
            Self::Solve => "solve",
            Self::ValidationBlock => "validation_block",
            Self::AdjointSolve => "adjoint_solve",
            Self::AdjointTraining => "adjoint_training",
            Self::AdjointValidation => "adjoint_validation",
            Self::AdjointPreparation => "adjoint_preparation",
        }
    }
}

/// Seconds per [`Stage`], shared by clones.
#[derive(Clone, Debug, Default)]
pub struct StageTimes(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    seconds: [f64; Stage::ALL.len()],
    last: Option<Instant>,
}

impl StageTimes {
    /// Seconds per stage since the last call, and seconds since the last stage ended (zero if none was recorded): after an outer step, the time
    /// of the backward pass through the features and of the update.
    pub fn take(&self) -> ([f64; Stage::ALL.len()], f64) {
        let Ok(mut recorded) = self.0.lock() else { return Default::default() };
        let taken = std::mem::take(&mut *recorded);
        (taken.seconds, taken.last.map_or(0.0, |t| t.elapsed().as_secs_f64()))
    }

    /// Seconds of one stage so far.
    fn of(&self, stage: Stage) -> f64 {
        self.0.lock().map_or(0.0, |recorded| recorded.seconds[stage as usize])
    }

    fn add_seconds(&self, stage: Stage, seconds: f64) {
        if let Ok(mut recorded) = self.0.lock() {
            recorded.seconds[stage as usize] += seconds;
            recorded.last = Some(Instant::now());
        }
    }
}

/// Runs `work`, with its time recorded if there is a recorder.
pub(crate) fn timed<T>(times: Option<&StageTimes>, stage: Stage, work: impl FnOnce() -> T) -> T {
    let Some(times) = times else { return work() };
    let start = Instant::now();
    let out = work();
    times.add_seconds(stage, start.elapsed().as_secs_f64());
    out
}

/// The same for work in which `inner`, a stage recorded on its own, takes place: what is left is recorded.
pub(crate) fn timed_rest<T>(times: Option<&StageTimes>, stage: Stage, inner: Stage, work: impl FnOnce() -> T) -> T {
    let Some(times) = times else { return work() };
    let (start, before) = (Instant::now(), times.of(inner));
    let out = work();
    times.add_seconds(stage, (start.elapsed().as_secs_f64() - (times.of(inner) - before)).max(0.0));
    out
}
