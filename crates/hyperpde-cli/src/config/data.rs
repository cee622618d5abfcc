//! Observations: data files in CSV or NPY, or data simulated from the exact solution.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use hyperpde_kernels::Points;
use hyperpde_pde::{Domain, Observations, Reference};
use toml::Spanned;

use super::Reader;
use super::document::{Document, ObservationSection};
use super::error::ConfigError;
use super::settings::MAX_COUNT;
use crate::expression::Names;

/// Rows of numbers, each as long as the others.
struct Table {
    columns: usize,
    values: Vec<f64>,
}

impl Reader<'_> {
    /// The observations of a document.
    pub(super) fn observations(
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
                let (points, values) = read(&self.folder.join(file.get_ref()), names, &name).map_err(fail)?;
                let points = Points::new(names.coordinates.len(), points).map_err(|e| fail(e.to_string()))?;
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
}

/// Coordinates `[n, d]` and values `[n]`.
fn read(path: &Path, names: &Names, value: &str) -> Result<(Vec<f64>, Vec<f64>), String> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let table = match extension.as_deref() {
        Some("csv") => read_csv(path, names, value)?,
        Some("npy") => read_npy(path)?,
        _ => return Err("it must end in .csv or .npy".into()),
    };
    let dim = names.coordinates.len();
    if table.columns != dim + 1 {
        return Err(format!(
            "it has {} columns, needed are {} ({}, {value})",
            table.columns,
            dim + 1,
            names.coordinates.join(", ")
        ));
    }
    if table.values.is_empty() {
        return Err("it has no rows".into());
    }
    let (mut points, mut values) = (Vec::new(), Vec::new());
    for (i, row) in table.values.chunks_exact(dim + 1).enumerate() {
        if let Some(bad) = row.iter().find(|v| !v.is_finite()) {
            return Err(format!("row {} has the value {bad}; all must be finite", i + 1));
        }
        points.extend_from_slice(&row[..dim]);
        values.push(row[dim]);
    }
    Ok((points, values))
}

/// A header names the columns, in any order; without a header they are the coordinates in their order, then the value.
fn read_csv(path: &Path, names: &Names, value: &str) -> Result<Table, String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_path(path).map_err(|e| e.to_string())?;
    let expected: Vec<&str> = names.coordinates.iter().map(String::as_str).chain([value]).collect();
    let mut order: Vec<usize> = (0..expected.len()).collect();
    let mut table = Table { columns: 0, values: Vec::new() };
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|e| e.to_string())?;
        if i == 0 {
            table.columns = record.len();
            if record.iter().any(|cell| cell.parse::<f64>().is_err()) {
                let found = |name: &&str| record.iter().position(|cell| cell == *name);
                let columns: Option<Vec<usize>> = expected.iter().map(found).collect();
                let heads: Vec<&str> = record.iter().collect();
                order = columns.ok_or_else(|| {
                    format!("its columns are {}, needed are {}", heads.join(", "), expected.join(", "))
                })?;
                table.columns = order.len();
                continue;
            }
        }
        if i > MAX_COUNT {
            return Err(format!("it has more than {MAX_COUNT} rows"));
        }
        if table.columns != expected.len() {
            return Ok(table);
        }
        for &column in &order {
            let cell = record.get(column).unwrap_or_default();
            table.values.push(cell.parse().map_err(|_| format!("line {} has '{cell}', which is no number", i + 1))?);
        }
    }
    Ok(table)
}

fn read_npy(path: &Path) -> Result<Table, String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    let array = npyz::NpyFile::new(BufReader::new(file)).map_err(|e| e.to_string())?;
    let shape = array.shape().to_vec();
    let [rows, columns] = shape[..] else {
        return Err(format!("its shape is {shape:?}, needed is a table of two dimensions"));
    };
    // The header alone must not make us ask for memory.
    let bytes = rows.checked_mul(columns).and_then(|n| n.checked_mul(8));
    if rows > MAX_COUNT as u64 || bytes.is_none_or(|bytes| bytes > size) {
        return Err(format!("its shape is {shape:?}, which does not fit its {size} bytes of float64"));
    }
    let (rows, columns) = (rows as usize, columns as usize);
    let by_columns = array.order() == npyz::Order::Fortran;
    let stored = array.into_vec::<f64>().map_err(|e| format!("{e}; needed is float64"))?;
    let at = |i: usize| if by_columns { stored[(i % columns) * rows + i / columns] } else { stored[i] };
    Ok(Table { columns, values: (0..stored.len()).map(at).collect() })
}
