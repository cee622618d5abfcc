//! A configuration that was read: the specification of a run, and what was built from it on the way.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use hyperpde_bilevel::BilevelSettings;
use hyperpde_expr::System;
use hyperpde_kernels::{AnyKernel, Backend, KernelConfig, KernelError};
use hyperpde_pde::{Problem, Sampler};

use super::clouds::Clouds;
use super::document::{AssemblyChoice, Document};
use super::error::{ConfigError, Source};
use super::input;
use super::reader::{DataFiles, Files, Reader};
use super::settings::RunSettings;
use super::spec::{Output, RunSpec};
use super::target::Target;

/// Largest configuration that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A configuration that was read, checked and completed.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it says.
    pub(crate) spec: RunSpec,
    /// The keys it was read from, for faults that show later, and for the data files' names.
    pub(crate) document: Document,
    pub(crate) source: Source,
    pub(crate) problem: Problem,
    /// The equations, if they came as text.
    pub(crate) system: Option<System>,
    clouds: Clouds,
    data: DataFiles,
}

impl PartialEq for Config {
    /// Whether both say the same, wherever in their files.
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
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
        let spec = reader.spec(&document, &problem)?;
        let clouds = reader.clouds(&document, &problem)?;
        let data = reader.used.take();
        Ok(Self { spec, document, source, problem, system, clouds, data })
    }

    /// Checks a specification and builds its problem; `folder` is where data files are relative to.
    ///
    /// # Errors
    /// [`ConfigError`] for the first fault; its place is one of the TOML that the specification makes.
    pub fn from_spec(spec: &RunSpec, folder: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::parse("specification.toml", &spec.to_toml()?, folder)
    }

    /// What a run of this configuration is made from.
    pub fn spec(&self) -> &RunSpec {
        &self.spec
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
        self.spec.to_toml()
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
    pub fn kernel_configs(&self) -> impl Iterator<Item = &KernelConfig> {
        self.problem.fields().iter().filter_map(|field| self.spec.kernels.get(field))
    }

    /// The kernels, one per field, their networks drawn from the run's seed: field `f` from `seed + f · 2^32`.
    ///
    /// # Errors
    /// [`KernelError`] if the device fails; the configurations were checked.
    pub fn kernels(&self, seed: u64, device: &Device) -> Result<Vec<AnyKernel>, KernelError> {
        let one = |(k, f): (&KernelConfig, u64)| k.init(seed.wrapping_add(f << 32), device);
        self.kernel_configs().zip(0..).map(one).collect()
    }

    /// The numbers of a run that flags may override.
    pub fn run_settings(&self) -> RunSettings {
        self.spec.settings
    }

    /// Settings of the bilevel loop.
    pub fn bilevel_settings(&self) -> BilevelSettings {
        self.spec.bilevel_settings(self.problem.defaults())
    }

    /// Which implementation of the inner step is asked for.
    pub fn assembly(&self) -> AssemblyChoice {
        self.spec.assembly
    }

    /// How points are spread.
    pub fn sampler(&self) -> Sampler {
        self.spec.sampler
    }

    /// Fraction of the observations held out of the inner solve.
    pub fn held_out(&self) -> f64 {
        self.spec.held_out
    }

    /// Folds of the cross-validation over the observations that takes the place of [`Config::held_out`], if one does.
    pub fn folds(&self) -> Option<usize> {
        self.spec.folds
    }

    /// Points other than those learned on, on which the learned kernel is tried.
    pub fn clouds(&self) -> &Clouds {
        &self.clouds
    }

    /// The backend.
    pub fn backend(&self) -> Backend {
        self.spec.target.backend
    }

    /// Backend, device and precision.
    pub fn target(&self) -> Target {
        self.spec.target
    }

    /// Where results go.
    pub fn output(&self) -> &Output {
        &self.spec.output
    }
}
