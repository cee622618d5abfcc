//! Observations: data files in CSV or NPY, or data simulated from the exact solution.

use std::path::Path;
use std::sync::Arc;

use hyperpde_kernels::Points;
use hyperpde_pde::{Domain, Observations, Reference};
use toml::Spanned;

use super::document::{Document, ObservationSection};
use super::error::ConfigError;
use super::numbers::MAX_COUNT;
use super::reader::{Files, Reader};
use super::tables::{self, Wanted};
use hyperpde_expr::Names;

impl Reader<'_> {
    /// The observations of a document.
    pub(crate) fn observations(
        &self,
        document: &Document,
        names: &Names,
        domain: &Domain,
        truth: Option<&Arc<dyn Reference>>,
    ) -> Result<Vec<Observations>, ConfigError> {
        document.observations.iter().map(|entry| self.observation(entry, names, domain, truth)).collect()
    }

    fn observation(
        &self,
        entry: &Spanned<ObservationSection>,
        names: &Names,
        domain: &Domain,
        truth: Option<&Arc<dyn Reference>>,
    ) -> Result<Observations, ConfigError> {
        let section = entry.get_ref();
        let of = self.unknown(section.of.get_ref(), &section.of.span(), names)?;
        let noise = self.number("noise", Some(&section.noise), "0 or more", |v| v >= 0.0)?;
        let name = section.of.get_ref().clone();
        match (&section.file, &section.simulate) {
            (Some(file), None) => {
                let fail = |why: String| {
                    let what = format!("cannot use the data file {}: {why}", file.get_ref().display());
                    self.source.error(file.span(), what, "this file")
                };
                let dim = names.coordinates.len();
                let wanted: Vec<&str> = names.coordinates.iter().map(String::as_str).chain([name.as_str()]).collect();
                let wanted = Wanted { columns: &wanted, others: true, most: MAX_COUNT };
                let table = tables::read(file.get_ref(), &self.contents(file.get_ref()).map_err(fail)?, &wanted);
                let table = table.map_err(fail)?;
                let points = table.chunks_exact(dim + 1).flat_map(|row| &row[..dim]).copied().collect();
                let values = table.chunks_exact(dim + 1).map(|row| row[dim]).collect();
                let points = Points::new(dim, points).map_err(|e| fail(e.to_string()))?;
                if let Some((i, x)) = points.rows().enumerate().find(|(_, x)| !domain.contains(x)) {
                    return Err(fail(format!("row {} has the point {x:?}, outside the domain", i + 1)));
                }
                Observations::new(name, of.field, of.operator, points, values, noise).map_err(|e| fail(e.to_string()))
            }
            (None, Some(count)) => {
                let fail = |why: &str| Err(self.source.error(count.span(), why, "here"));
                let Some(truth) = truth else {
                    return fail("simulated observations need an [exact] solution");
                };
                if !of.operator.is_identity() {
                    return fail("values of a field can be simulated, derivatives can't");
                }
                let n = self.count("simulate", Some(count), 1)?;
                Observations::on_interior(name, of.field, domain.dim(), n, Arc::clone(truth), noise)
                    .map_err(|e| self.wrap(entry.span(), &e))
            }
            _ => {
                let help = "write file = \"data.csv\" or simulate = 60";
                Err(self
                    .source
                    .error(entry.span(), "observations have either `file` or `simulate`", "this set")
                    .with_help(help))
            }
        }
    }

    fn contents(&self, file: &Path) -> Result<Arc<[u8]>, String> {
        let mut used = self.used.borrow_mut();
        let bytes = match &self.files {
            Files::In(folder) => tables::contents(&folder.join(file))?.into(),
            Files::Given(files) => files.get(used.len()).cloned().ok_or("it is not among the files at hand")?,
        };
        used.push(Arc::clone(&bytes));
        Ok(bytes)
    }
}
