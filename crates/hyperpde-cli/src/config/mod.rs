//! A problem, its kernels and all settings of a run from a TOML file.
//!
//! Reading goes in four steps, each of which points at the place of a fault: TOML to a [`Document`], gaps filled with defaults, the statement
//! (domain, equations, conditions, data) to a [`Problem`], and the numbers against their ranges. `docs/configuration.md` describes every key.
//!
//! ```
//! use hyperpde_cli::config::Config;
//!
//! let text = r#"
//!     fields = ["u"]
//!     [domain]
//!     space = [["x", 0, 1]]
//!     [equations]
//!     text = "-u_xx + u^3 = sin(pi*x)"
//!     [[conditions]]
//!     on = "boundary"
//!     text = "u = 0"
//!     [sampling]
//!     interior = 30
//!     boundary = 2
//! "#;
//! let config = Config::parse("example.toml", text, ".")?;
//! assert_eq!(config.problem().conditions().len(), 2);
//! // What it writes has every default filled in, and reads back the same.
//! let resolved = config.to_toml()?;
//! assert_eq!(Config::parse("resolved.toml", &resolved, ".")?, config);
//! # Ok::<(), hyperpde_cli::config::ConfigError>(())
//! ```

mod catalogue;
mod clouds;
mod conditions;
mod data;
mod document;
mod error;
mod kernels;
mod known;
mod names;
mod resolve;
mod run;
mod settings;
mod statement;
mod trial;
mod values;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use hyperpde_bilevel::{BilevelSettings, OptimizerState};
use hyperpde_gp::{Assembly, SolveSettings};
use hyperpde_kernels::{AnyKernel, Backend, KernelConfig, KernelError};
use hyperpde_pde::{Problem, Sampler};

pub use catalogue::{commented, names as catalogue_names};
pub use clouds::Clouds;
pub use document::{
    AssemblyChoice, BackendSection, CloudsSection, ConditionSection, Document, DomainSection, EquationsSection,
    Interval, ObservationSection, OuterSection, OutputSection, SamplingSection, SolverSection,
};
pub use error::{ConfigError, Source};
pub use values::{Grid, Number, Texts};

use crate::{RunSettings, Target, input};
use hyperpde_expr::System;

/// Largest configuration that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A configuration that was read, checked and completed.
#[derive(Clone, Debug)]
pub struct Config {
    document: Document,
    source: Source,
    problem: Problem,
    /// The equations, if they came as text.
    system: Option<System>,
    kernels: Vec<KernelConfig>,
    settings: settings::Settings,
    clouds: Clouds,
    data: DataFiles,
}

/// Contents of data files, one per set of observations that has one, in their order.
pub type DataFiles = Vec<Arc<[u8]>>;

impl PartialEq for Config {
    /// Whether both say the same, wherever in their files.
    fn eq(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

impl Config {
    /// Reads a file; data files that it names are relative to its folder.
    ///
    /// # Errors
    /// [`ConfigError`] for the first fault, a file that can't be read among them.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let shown = path.display();
        let unreadable =
            |why: String| ConfigError::without_place(format!("cannot read the configuration {shown}: {why}"));
        let bytes = input::bytes(path, MAX_BYTES).map_err(unreadable)?;
        let text = String::from_utf8(bytes)
            .map_err(|e| unreadable(format!("it is no text: byte {} is not UTF-8", e.utf8_error().valid_up_to())))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&shown.to_string(), &text, folder)
    }

    /// Reads a text; `name` stands for it in messages, `folder` is where data files are relative to.
    ///
    /// # Errors
    /// [`ConfigError`] for the first fault.
    pub fn parse(name: &str, text: &str, folder: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::read(name, text, Files::In(folder.into()))
    }

    /// Reads a text whose data files are at hand, as [`Config::data`] gives them.
    ///
    /// # Errors
    /// [`ConfigError`] for the first fault; too few data files are one.
    pub fn parse_with_data(name: &str, text: &str, data: DataFiles) -> Result<Self, ConfigError> {
        Self::read(name, text, Files::Given(data))
    }

    fn read(name: &str, text: &str, files: Files) -> Result<Self, ConfigError> {
        let source = Source::new(name, text);
        if text.trim().is_empty() {
            return Err(ConfigError::without_place(format!("the configuration {name} is empty"))
                .with_help("`hyperpde new burgers` writes one to start from"));
        }
        let document: Document = toml::from_str(text).map_err(|e| source.from_toml(&e))?;
        let reader = Reader { source: &source, files, used: RefCell::default() };
        let (problem, system) = reader.problem(&document)?;
        let document = reader.complete(document, &problem)?;
        let settings = reader.settings(&document, &problem)?;
        let kernels = reader.kernels(&document, &problem)?;
        let clouds = reader.clouds(&document, &problem)?;
        let data = reader.used.take();
        Ok(Self { document, source, problem, system, kernels, settings, clouds, data })
    }

    /// The data files that were read, as they were then.
    pub fn data(&self) -> &DataFiles {
        &self.data
    }

    /// The configuration with all defaults filled in, as TOML.
    ///
    /// # Errors
    /// [`ConfigError`] if a value can't be written, which no configuration that was read has.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(&self.document)
            .map_err(|e| ConfigError::without_place(format!("cannot write the configuration: {e}")))
    }

    /// The keys, with defaults filled in.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The text it was read from, for faults that show later.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What is solved.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Configurations of the kernels, one per field.
    pub fn kernel_configs(&self) -> &[KernelConfig] {
        &self.kernels
    }

    /// The kernels, one per field, their networks drawn from the run's seed: field `f` from `seed + f · 2^32`.
    ///
    /// # Errors
    /// [`KernelError`] if the device fails; the configurations were checked.
    pub fn kernels(&self, seed: u64, device: &Device) -> Result<Vec<AnyKernel>, KernelError> {
        let one = |(k, f): (&KernelConfig, u64)| k.init(seed.wrapping_add(f << 32), device);
        self.kernels.iter().zip(0..).map(one).collect()
    }

    /// The numbers of a run that flags may override.
    pub fn run_settings(&self) -> RunSettings {
        self.settings.run
    }

    /// Settings of the bilevel loop.
    pub fn bilevel_settings(&self) -> BilevelSettings {
        let settings = &self.settings;
        let assembly = match settings.assembly {
            AssemblyChoice::Auto => Assembly::Auto,
            AssemblyChoice::Tensor => Assembly::Tensor,
        };
        let published = BilevelSettings {
            optimizer_state: self.optimizer_state(),
            solve: SolveSettings { assembly, ..SolveSettings::default() },
            ..BilevelSettings::published(self.problem.defaults(), settings.run.seed)
        };
        settings.run.apply(published)
    }

    /// Which implementation of the pair stage is asked for.
    pub fn assembly(&self) -> AssemblyChoice {
        self.settings.assembly
    }

    /// How points are spread.
    pub fn sampler(&self) -> Sampler {
        self.settings.sampler
    }

    /// Fraction of the observations held out of the inner solve.
    pub fn held_out(&self) -> f64 {
        self.settings.held_out
    }

    /// Folds of the cross-validation over the observations that takes the place of [`Config::held_out`], if one does.
    pub fn folds(&self) -> Option<usize> {
        self.settings.folds
    }

    /// Points other than those learned on, on which the learned kernel is tried.
    pub fn clouds(&self) -> &Clouds {
        &self.clouds
    }

    /// The backend.
    pub fn backend(&self) -> Backend {
        self.settings.target.backend
    }

    /// Backend, device and precision.
    pub fn target(&self) -> Target {
        self.settings.target
    }

    /// Where results go.
    pub fn output(&self) -> OutputSection {
        self.document.output.clone().unwrap_or_default()
    }

    fn optimizer_state(&self) -> OptimizerState {
        self.document.outer.as_ref().and_then(|o| o.optimizer_state).unwrap_or_default()
    }
}

/// Where data files are.
enum Files {
    In(PathBuf),
    Given(DataFiles),
}

/// A configuration being read: where faults point, where data files are, and those that were read so far.
struct Reader<'a> {
    source: &'a Source,
    files: Files,
    used: RefCell<DataFiles>,
}
