//! The specification of a run: all that its numbers depend on, as plain values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hyperpde_bilevel::{BilevelSettings, OptimizerState};
use hyperpde_gp::{Assembly, SolveSettings};
use hyperpde_kernels::KernelConfig;
use hyperpde_pde::{Defaults, Sampler};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::document::{
    AssemblyChoice, BackendSection, CloudsSection, Document, OuterSection, OutputSection, SamplingSection,
    SolverSection, plain,
};
use super::error::ConfigError;
use super::settings::RunSettings;
use super::target::Target;

/// What is solved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statement {
    /// A problem of the catalogue.
    BuiltIn(String),
    /// The statement in TOML, with the keys `fields`, `[domain]`, `[parameters]`, `[equations]`, `[[conditions]]`, `[[observations]]`, `[exact]`
    /// and `test_grid` in `[sampling]`, as `docs/configuration.md` describes them.
    Text(String),
}

/// Points other than those learned on, on which the learned kernel is tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudsSpec {
    /// Collocation points and validation pool together.
    pub larger: bool,
    /// So many new points, inside and on the faces.
    pub fresh: Option<(usize, usize)>,
    /// New points of these problems of the catalogue.
    pub transfer: Vec<String>,
}

/// Where a run writes, and how often. Nothing here changes a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Folder of the run; relative to where the program runs.
    pub folder: Option<PathBuf>,
    /// File for another copy of the report.
    pub json: Option<PathBuf>,
    /// Gauss-Newton steps from one checkpoint to the next.
    pub checkpoint_every: usize,
}

/// The specification of a run, complete: every value is the one that is used.
///
/// It is read from a configuration ([`super::Config::spec`]), or taken from a built-in problem and changed field by field; it goes to JSON and back.
/// [`super::Config::from_spec`] checks it and builds the problem.
///
/// ```
/// use hyperpde_config::{Config, RunSpec};
///
/// let mut spec = RunSpec::built_in("poisson")?;
/// spec.settings.interior = 50;
/// spec.settings.seed = 3;
/// let config = Config::from_spec(&spec, ".")?;
/// assert_eq!(config.problem().name(), "poisson");
/// // Through JSON and back.
/// let text = serde_json::to_string(&spec)?;
/// assert_eq!(serde_json::from_str::<RunSpec>(&text)?, *config.spec());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// Name of the problem in reports.
    pub name: String,
    /// What is solved.
    pub problem: Statement,
    /// Kernels by field.
    pub kernels: BTreeMap<String, KernelConfig>,
    /// Seed, numbers of points, and the numbers of the loop.
    pub settings: RunSettings,
    /// How points are spread.
    pub sampler: Sampler,
    /// The optimizer's state at a new Gauss-Newton step.
    pub optimizer_state: OptimizerState,
    /// Inner step.
    pub assembly: AssemblyChoice,
    /// Fraction of the observations that the inner solve does not see and the outer loss scores.
    pub held_out: f64,
    /// Folds of a cross-validation over the observations, in place of `held_out`.
    pub folds: Option<usize>,
    /// Where the learned kernel is tried.
    pub clouds: CloudsSpec,
    /// Where the run computes.
    pub target: Target,
    /// Where it writes.
    pub output: Output,
}

/// Parts of a configuration that some files leave out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub output: bool,
    pub target: bool,
}

impl Statement {
    /// Of the statement's keys in a document.
    pub(crate) fn of(document: &Document) -> Result<Self, ConfigError> {
        if let Some(name) = &document.problem {
            return Ok(Self::BuiltIn(name.get_ref().clone()));
        }
        let grid = document.sampling.as_ref().and_then(|s| s.get_ref().test_grid.clone());
        let sampling = SamplingSection { test_grid: grid, ..SamplingSection::default() };
        let statement = Document {
            name: None,
            sampling: plain(sampling),
            kernel: BTreeMap::new(),
            solver: None,
            outer: None,
            clouds: None,
            backend: None,
            output: None,
            ..document.clone()
        };
        Ok(Self::Text(written(&statement)?))
    }

    /// A document with these keys and no others.
    fn document(&self) -> Result<Document, ConfigError> {
        let read = |text: &str| {
            let fault = |e: toml::de::Error| super::error::Source::new("the statement", text).from_toml(&e);
            toml::from_str(text).map_err(fault)
        };
        match self {
            Self::BuiltIn(name) => Ok(Document { problem: plain(name.clone()), ..read("")? }),
            Self::Text(text) => read(text),
        }
    }
}

fn written(document: &Document) -> Result<String, ConfigError> {
    toml::to_string(document).map_err(|e| ConfigError::without_place(format!("cannot write the configuration: {e}")))
}

impl RunSpec {
    /// The specification of a problem of the catalogue, as its commented configuration has it.
    ///
    /// # Errors
    /// [`ConfigError`] for a name that is not in the catalogue.
    pub fn built_in(problem: &str) -> Result<Self, ConfigError> {
        let text = format!("problem = {}", toml::Value::String(problem.to_owned()));
        Ok(super::config::Config::parse("the built-in problem", &text, ".")?.spec().clone())
    }

    /// The specification as a configuration in TOML, which names every value.
    ///
    /// # Errors
    /// [`ConfigError`] for a statement that is no TOML, or a value that TOML can't hold.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        self.write(Parts { output: true, target: true })
    }

    /// As [`RunSpec::to_toml`], with the parts that are asked for.
    pub(crate) fn write(&self, parts: Parts) -> Result<String, ConfigError> {
        let run = &self.settings;
        let mut document = self.problem.document()?;
        let test_grid = document.sampling.take().and_then(|s| s.into_inner().test_grid);
        document.name = Some(self.name.clone());
        document.sampling = plain(SamplingSection {
            interior: plain(run.interior),
            boundary: plain(run.boundary),
            validation: plain(run.validation),
            sampler: plain(self.sampler),
            seed: plain(run.seed),
            test_grid,
        });
        let kernels = self.kernels.iter();
        document.kernel =
            kernels.map(|(f, k)| (Spanned::new(0..0, f.clone()), Spanned::new(0..0, k.clone()))).collect();
        document.solver = Some(SolverSection { assembly: Some(self.assembly), ..run.solver_section() });
        document.outer = Some(OuterSection {
            optimizer_state: Some(self.optimizer_state),
            folds: self.folds.and_then(plain),
            held_out: plain(self.held_out),
            ..run.outer_section()
        });
        let transfer = &self.clouds.transfer;
        document.clouds = Some(CloudsSection {
            larger: plain(self.clouds.larger),
            fresh: self.clouds.fresh.and_then(plain),
            transfer: plain(transfer.iter().map(|name| Spanned::new(0..0, name.clone())).collect())
                .filter(|_| !transfer.is_empty()),
        });
        document.backend = parts.target.then(|| BackendSection {
            name: plain(self.target.backend.name().to_owned()),
            device: plain(self.target.device),
            precision: self.target.precision.and_then(|p| plain(p.name().to_owned())),
        });
        document.output = parts.output.then(|| OutputSection {
            folder: self.output.folder.clone(),
            json: self.output.json.clone(),
            checkpoint_every: plain(self.output.checkpoint_every),
        });
        written(&document)
    }

    /// Settings of the bilevel loop on a problem with these defaults.
    #[must_use]
    pub fn bilevel_settings(&self, defaults: &Defaults) -> BilevelSettings {
        let assembly = match self.assembly {
            AssemblyChoice::Auto => Assembly::Auto,
            AssemblyChoice::Tensor => Assembly::Tensor,
            AssemblyChoice::PureTensor => Assembly::PureTensor,
        };
        self.settings.apply(BilevelSettings {
            optimizer_state: self.optimizer_state,
            solve: SolveSettings { assembly, ..SolveSettings::default() },
            ..BilevelSettings::published(defaults, self.settings.seed)
        })
    }
}
