//! What a program changes in a configuration before it runs it.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::config::Config;
use super::error::ConfigError;
use super::spec::{Output, Parts, Statement};
use super::target::Target;

impl Config {
    /// The same with another seed of points, batches and initial weights.
    ///
    /// # Errors
    /// [`ConfigError`] for a seed above 2⁶³ − 1, which TOML can't write.
    pub fn with_seed(mut self, seed: u64) -> Result<Self, ConfigError> {
        if i64::try_from(seed).is_err() {
            return Err(ConfigError::without_place(format!("the seed {seed} may be at most {}", i64::MAX)));
        }
        self.spec.settings.seed = seed;
        Ok(self)
    }

    /// The same on another backend or device, or in another precision.
    #[must_use]
    pub fn with_target(mut self, target: Target) -> Self {
        self.spec.target = target;
        self
    }

    /// The same with the kernels kept as they are.
    #[must_use]
    pub fn without_learning(mut self) -> Self {
        self.spec.settings.outer_steps = 0;
        self
    }

    /// The same without files to write to: a run's folder says where, and may be moved.
    #[must_use]
    pub fn without_output(mut self) -> Self {
        self.spec.output = Output { folder: None, json: None, ..self.spec.output };
        self
    }

    /// The configuration in TOML without a word on where to compute, which a program without that backend could not read.
    ///
    /// # Errors
    /// As [`Config::to_toml`].
    pub fn to_toml_anywhere(&self) -> Result<String, ConfigError> {
        self.spec.write(Parts { output: true, target: false })
    }

    /// All that numbers depend on but backend and data files, as text.
    ///
    /// # Errors
    /// As [`Config::to_toml`].
    pub fn fingerprint(&self) -> Result<String, ConfigError> {
        self.spec.write(Parts { output: false, target: false })
    }

    /// The data files, in the order of the observations, as [`Config::data`].
    pub fn data_files(&self) -> Vec<&Path> {
        let sets = self.document.observations.iter().map(Spanned::get_ref);
        sets.filter_map(|set| set.file.as_ref()).map(|file| file.get_ref().as_path()).collect()
    }

    /// The same with other names for the data files, in the order of [`Config::data_files`].
    ///
    /// # Errors
    /// As [`Config::to_toml`].
    pub fn with_data_files(mut self, names: &[String]) -> Result<Self, ConfigError> {
        let sets = self.document.observations.iter_mut().map(Spanned::get_mut);
        for (file, name) in sets.filter_map(|set| set.file.as_mut()).zip(names) {
            *file = Spanned::new(file.span(), PathBuf::from(name));
        }
        self.spec.problem = Statement::of(&self.document)?;
        Ok(self)
    }

    /// Gauss-Newton steps from one checkpoint to the next.
    pub fn checkpoint_every(&self) -> usize {
        self.spec.output.checkpoint_every
    }
}
