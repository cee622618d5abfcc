//! What a command changes in a configuration before it runs it.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::document::{BackendSection, OutputSection};
use super::{Config, ConfigError};
use crate::Target;

/// A value that is in no file.
fn own<T>(value: T) -> Option<Spanned<T>> {
    Some(Spanned::new(0..0, value))
}

impl Config {
    /// The same with another seed of points, batches and initial weights.
    ///
    /// # Errors
    /// [`ConfigError`] for a seed above 2⁶³ − 1, which TOML can't write.
    pub fn with_seed(mut self, seed: u64) -> Result<Self, ConfigError> {
        if i64::try_from(seed).is_err() {
            return Err(ConfigError::without_place(format!("the seed {seed} may be at most {}", i64::MAX)));
        }
        self.settings.run.seed = seed;
        let section = self.document.sampling.get_or_insert_with(|| Spanned::new(0..0, Default::default()));
        section.get_mut().seed = own(seed);
        Ok(self)
    }

    /// The same on another backend or device, or in another precision.
    #[must_use]
    pub fn with_target(mut self, target: Target) -> Self {
        self.settings.target = target;
        self.document.backend = Some(BackendSection {
            name: own(target.backend.name().to_owned()),
            device: own(target.device),
            precision: target.precision.and_then(|p| own(p.name().to_owned())),
        });
        self
    }

    /// The same without a word on where to compute, which a program without that backend could not read.
    #[must_use]
    pub(crate) fn without_target(mut self) -> Self {
        self.document.backend = None;
        self
    }

    /// The same with the kernels kept as they are.
    #[must_use]
    pub fn without_learning(mut self) -> Self {
        self.settings.run.outer_steps = 0;
        self.document.outer.get_or_insert_default().steps = own(0);
        self
    }

    /// The same without files to write to: a run's folder says where, and may be moved.
    #[must_use]
    pub(crate) fn without_output(&self) -> Self {
        let checkpoint_every = own(self.settings.checkpoint_every);
        let mut config = self.clone();
        config.document.output = Some(OutputSection { checkpoint_every, ..OutputSection::default() });
        config
    }

    /// All that numbers depend on but backend and data files, as text.
    pub(crate) fn fingerprint(&self) -> Result<String, ConfigError> {
        let mut config = self.clone();
        (config.document.output, config.document.backend) = (None, None);
        config.to_toml()
    }

    /// The data files, in the order of the observations, as [`Config::data`].
    pub fn data_files(&self) -> Vec<&Path> {
        let sets = self.document.observations.iter().map(Spanned::get_ref);
        sets.filter_map(|set| set.file.as_ref()).map(|file| file.get_ref().as_path()).collect()
    }

    /// The same with other names for the data files, in the order of [`Config::data_files`].
    #[must_use]
    pub(crate) fn with_data_files(mut self, names: &[String]) -> Self {
        let sets = self.document.observations.iter_mut().map(Spanned::get_mut);
        for (file, name) in sets.filter_map(|set| set.file.as_mut()).zip(names) {
            *file = Spanned::new(file.span(), PathBuf::from(name));
        }
        self
    }

    /// Gauss-Newton steps from one checkpoint to the next.
    pub fn checkpoint_every(&self) -> usize {
        self.settings.checkpoint_every
    }
}
