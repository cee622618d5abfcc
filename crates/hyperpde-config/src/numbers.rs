//! The numbers of a run, each held to its range.

use std::ops::Range;
use std::str::FromStr;

use hyperpde_kernels::{Backend, BackendError, Precision};
use hyperpde_pde::Problem;
use toml::Spanned;

use super::document::Document;
use super::error::ConfigError;
use super::reader::Reader;
use super::settings::RunSettings;
use super::spec::{CloudsSpec, Output, RunSpec, Statement};
use super::target::Target;

/// Largest count that a configuration or a flag may ask for: the matrices are dense, and a million rows would already fill 8 TB.
pub const MAX_COUNT: usize = 1_000_000;

impl Reader<'_> {
    /// The specification of a completed document.
    pub(crate) fn spec(&self, document: &Document, problem: &Problem) -> Result<RunSpec, ConfigError> {
        let section = document.sampling.as_ref().map(Spanned::get_ref).cloned().unwrap_or_default();
        let solver = document.solver.clone().unwrap_or_default();
        let outer = document.outer.clone().unwrap_or_default();
        let positive = |v: f64| v > 0.0;
        let not_negative = |v: f64| v >= 0.0;
        let run = RunSettings {
            seed: self.seed(section.seed.as_ref())?,
            interior: self.count("interior", section.interior.as_ref(), 1)?,
            boundary: self.boundary(section.boundary.as_ref(), problem)?,
            validation: self.count("validation", section.validation.as_ref(), 0)?,
            batch: self.count("batch", outer.batch.as_ref(), 0)?,
            gauss_newton_steps: self.count("gauss_newton_steps", solver.gauss_newton_steps.as_ref(), 1)?,
            outer_steps: self.count("steps", outer.steps.as_ref(), 0)?,
            warm_up: self.count("warm_up", outer.warm_up.as_ref(), 0)?,
            // A nugget of 1 already weighs as much as the kernel itself.
            nugget: self.number("nugget", solver.nugget.as_ref(), "from 0 to 1", |v| (0.0..=1.0).contains(&v))?,
            learning_rate: self.number("learning_rate", outer.learning_rate.as_ref(), "above 0", positive)?,
            loss_tolerance: self.number("tolerance", outer.tolerance.as_ref(), "0 or more", not_negative)?,
            objective: outer.objective.unwrap_or_default(),
            optimizer: outer.optimizer.unwrap_or_default(),
            step_control: solver.step_control.unwrap_or_default(),
            gain_tolerance: self.number("gain_tolerance", outer.gain_tolerance.as_ref(), "0 or more", not_negative)?,
            gain_steps: self.count("gain_steps", outer.gain_steps.as_ref(), 1)?,
            regularisation: self.number("regularisation", outer.regularisation.as_ref(), "0 or more", not_negative)?,
            increment_tolerance: self.number(
                "increment_tolerance",
                solver.increment_tolerance.as_ref(),
                "0 or more",
                not_negative,
            )?,
        };
        if run.outer_steps > 0 && (run.batch == 0 || run.batch > run.validation) {
            let why = format!("the batch is {}, the validation pool has {} points", run.batch, run.validation);
            let help = "to learn, the batch must have 1 point or more and fit into the pool; steps = 0 keeps the kernel as it is";
            return Err(self.at(outer.batch.as_ref(), why, "does not fit").with_help(help));
        }
        if let Some(simulated) = problem.observations().iter().filter(|o| o.points().is_none()).map(|o| o.count()).max()
            && simulated > run.interior
        {
            let why = format!("{simulated} observations are at interior points, of which there are {}", run.interior);
            return Err(self.at(section.interior.as_ref(), why, "too few"));
        }
        let held_out =
            self.number("held_out", outer.held_out.as_ref(), "at least 0 and below 1", |v| (0.0..1.0).contains(&v))?;
        let output = document.output.clone().unwrap_or_default();
        let clouds = document.clouds.clone().unwrap_or_default();
        let transfer = clouds.transfer.map(Spanned::into_inner).unwrap_or_default();
        Ok(RunSpec {
            name: document.name.clone().unwrap_or_else(|| problem.name().to_owned()),
            problem: Statement::of(document)?,
            kernels: self.kernels(document, problem)?,
            settings: run,
            sampler: section.sampler.map(Spanned::into_inner).unwrap_or_default(),
            optimizer_state: outer.optimizer_state.unwrap_or_default(),
            assembly: solver.assembly.unwrap_or_default(),
            held_out,
            folds: self.folds(outer.folds.as_ref(), held_out, problem)?,
            clouds: CloudsSpec {
                larger: clouds.larger.is_some_and(Spanned::into_inner),
                fresh: clouds.fresh.map(Spanned::into_inner),
                transfer: transfer.into_iter().map(Spanned::into_inner).collect(),
            },
            target: self.target(document)?,
            output: Output {
                checkpoint_every: self.count("checkpoint_every", output.checkpoint_every.as_ref(), 1)?,
                folder: output.folder,
                json: output.json,
            },
        })
    }

    /// A fault at a value; one that came from a default has no place.
    pub(crate) fn at<T>(&self, value: Option<&Spanned<T>>, message: String, label: &str) -> ConfigError {
        match value.map(Spanned::span).filter(|span| *span != NOWHERE) {
            Some(span) => self.source.error(span, message, label),
            None => self.source.without_place(message),
        }
    }

    fn seed(&self, value: Option<&Spanned<u64>>) -> Result<u64, ConfigError> {
        let seed = value.map_or(0, |v| *v.get_ref());
        if i64::try_from(seed).is_ok() {
            return Ok(seed);
        }
        Err(self.at(value, format!("seed = {seed}: it may be at most {}", i64::MAX), "too large"))
    }

    pub(crate) fn count(&self, name: &str, value: Option<&Spanned<usize>>, least: usize) -> Result<usize, ConfigError> {
        let count = value.map_or(least, |v| *v.get_ref());
        if (least..=MAX_COUNT).contains(&count) {
            return Ok(count);
        }
        let why = format!("{name} = {count}: it must be a whole number from {least} to {MAX_COUNT}");
        Err(self.at(value, why, "out of range"))
    }

    /// Folds of a cross-validation: each set of observations must fill them.
    fn folds(
        &self,
        value: Option<&Spanned<usize>>,
        held_out: f64,
        problem: &Problem,
    ) -> Result<Option<usize>, ConfigError> {
        let Some(folds) = value else { return Ok(None) };
        let count = *folds.get_ref();
        if held_out > 0.0 {
            let help = "held_out sets a part of the observations aside, folds sets each part aside in turn";
            return Err(self
                .at(value, "`folds` and `held_out` exclude each other".into(), "one of them")
                .with_help(help));
        }
        let fewest = problem.observations().iter().map(|o| o.count()).min().unwrap_or(0);
        if (2..=fewest).contains(&count) {
            return Ok(Some(count));
        }
        let why = format!(
            "folds = {count}: it must be 2 or more, and each set of observations as large; the smallest has {fewest}"
        );
        Err(self.at(value, why, "out of range"))
    }

    fn boundary(&self, value: Option<&Spanned<usize>>, problem: &Problem) -> Result<usize, ConfigError> {
        let boundary = self.count("boundary", value, 0)?;
        match problem.boundary_allotment(boundary) {
            Ok(_) => Ok(boundary),
            Err(_) => {
                let faces = problem.patches().len();
                let why = format!("boundary = {boundary}: the conditions are on {faces} faces");
                let help = if faces == 0 { "ask for 0".into() } else { format!("ask for at least {faces}") };
                Err(self.at(value, why, "does not fit").with_help(help))
            }
        }
    }

    pub(crate) fn number(
        &self,
        name: &str,
        value: Option<&Spanned<f64>>,
        allowed: &str,
        test: impl Fn(f64) -> bool,
    ) -> Result<f64, ConfigError> {
        let number = value.map_or(0.0, |v| *v.get_ref());
        if number.is_finite() && test(number) {
            return Ok(number);
        }
        Err(self.at(value, format!("{name} = {number}: it must be a finite number {allowed}"), "out of range"))
    }

    /// Whether the device is there is seen when it is opened.
    fn target(&self, document: &Document) -> Result<Target, ConfigError> {
        let section = document.backend.clone().unwrap_or_default();
        let backend = match &section.name {
            None => Backend::default(),
            Some(name) => Backend::from_str(name.get_ref())
                .map_err(|e| self.at(Some(name), format!("backend '{name}': {e}"), "not available"))?,
        };
        let device = self.count("device", section.device.as_ref(), 0)?;
        let Some(precision) = &section.precision else { return Ok(Target { backend, device, precision: None }) };
        let refused =
            |why: String| self.at(Some(precision), format!("precision '{precision}': {why}"), "not available");
        let asked = Precision::from_str(precision.get_ref()).map_err(refused)?;
        if backend.is_host() && asked != Precision::F64 {
            return Err(refused(BackendError::Host { name: backend.name(), precision: asked }.to_string()));
        }
        Ok(Target { backend, device, precision: Some(asked) })
    }
}

/// The place of values that stand in no file.
const NOWHERE: Range<usize> = 0..0;
