//! Fields, their derivatives and standard deviations at any points, as columns of a table.

use std::fmt::Write as _;
use std::path::Path;

use hyperpde_gp::{GpError, Posterior};
use hyperpde_kernels::{Kernel, KernelError, Points};
use hyperpde_pde::{Problem, Unknown};
use npyz::WriterBuilder;

use crate::arrays::{NamedArray, write_arrays};
use crate::atomic::write_atomic;
use crate::error::RunError;
use hyperpde_expr::{Names, unknown};

/// Columns with names: coordinates, fields, derivatives, standard deviations.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    outside: usize,
}

/// Evaluates a posterior at `points` `[n, d]`.
///
/// The columns are the coordinates, each field, each of `derivatives` (written as in equations: `u_x`, `u_xt`, `lap(u)`), and with `deviation` the
/// posterior standard deviation of each of these, named `u.deviation`. Points are taken in blocks: beside the result no memory grows with `n`.
/// Values outside the domain are extrapolated ([`Evaluation::outside`] counts them).
///
/// # Errors
/// [`RunError::Input`] for points of another dimension, a text that is no derivative, or one that the kernel does not have;
/// [`RunError::Numerical`] if a value is not finite.
pub fn evaluate<K: Kernel>(
    problem: &Problem,
    posterior: &Posterior<K>,
    points: &Points,
    derivatives: &[impl AsRef<str>],
    deviation: bool,
) -> Result<Evaluation, RunError> {
    let dim = problem.domain().dim();
    if points.dim() != dim {
        return Err(RunError::Input(format!("the points have {} coordinates, the domain has {dim}", points.dim())));
    }
    let quantities = quantities(problem, derivatives)?;
    let failed = |name: &str, e: GpError| match e {
        GpError::Kernel(why @ KernelError::Smoothness { .. }) => {
            RunError::Input(format!("cannot evaluate '{name}': {why}"))
        }
        other => RunError::numerical(format!("evaluating '{name}'"), other),
    };
    let (mut names, mut columns) = (problem.domain().names(), Vec::new());
    for axis in 0..dim {
        columns.push(points.rows().map(|x| x[axis]).collect());
    }
    for (name, Unknown { field, operator }) in &quantities {
        let values = posterior.evaluate(*field, std::slice::from_ref(operator), points).map_err(|e| failed(name, e))?;
        names.push(name.clone());
        columns.extend(values);
    }
    let scaling = |e| RunError::numerical("scaling the standard deviations", e);
    let amplitudes = if deviation { posterior.amplitudes().map_err(scaling)? } else { Vec::new() };
    for (name, Unknown { field, operator }) in quantities.iter().filter(|_| deviation) {
        let variance = posterior.variance(*field, operator, points).map_err(|e| failed(name, e))?;
        names.push(format!("{name}.deviation"));
        columns.push(variance.into_iter().map(|v| (amplitudes[*field] * v).sqrt()).collect());
    }
    let outside = points.rows().filter(|x| !problem.geometry().contains(x)).count();
    Ok(Evaluation { names, columns, outside })
}

/// The fields, and the derivatives asked for, none twice.
///
/// # Errors
/// [`RunError::Input`] for a text that is no derivative.
pub fn quantities(problem: &Problem, derivatives: &[impl AsRef<str>]) -> Result<Vec<(String, Unknown)>, RunError> {
    let domain = problem.domain();
    let fields = problem.fields().to_vec();
    let names = Names { coordinates: domain.names(), time: domain.has_time(), fields, ..Names::default() };
    let mut all: Vec<(String, Unknown)> =
        names.fields.iter().enumerate().map(|(f, name)| (name.clone(), Unknown::value(f, domain.dim()))).collect();
    for text in derivatives.iter().map(AsRef::as_ref) {
        let found = unknown(text, &names).map_err(|fault| {
            let help = fault.help.map_or_else(String::new, |help| format!("; {help}"));
            RunError::Input(format!("derivative '{}': {}{help}", text.escape_debug(), fault.message))
        })?;
        if all.iter().all(|(_, known)| *known != found) {
            all.push((text.trim().to_owned(), found));
        }
    }
    Ok(all)
}

/// What [`Evaluation::write`] can write.
const FORMATS: &str = ".csv, .npy or .safetensors";

impl Evaluation {
    /// Names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns, `[n]` each.
    pub fn columns(&self) -> &[Vec<f64>] {
        &self.columns
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        self.names.iter().position(|n| n == name).map(|i| self.columns[i].as_slice())
    }

    /// Number of points outside the domain.
    pub fn outside(&self) -> usize {
        self.outside
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// CSV with a header; numbers are written so that reading gives the same bits.
    pub fn to_csv(&self) -> String {
        let mut text = self.names.join(",");
        text.push('\n');
        for i in 0..self.rows() {
            for (c, column) in self.columns.iter().enumerate() {
                // Writing to a String can't fail.
                let _ = write!(text, "{}{:?}", if c == 0 { "" } else { "," }, column[i]);
            }
            text.push('\n');
        }
        text
    }

    /// Refuses a file that [`Evaluation::write`] could not write, before there is anything to write.
    ///
    /// # Errors
    /// [`RunError::Input`] for an extension that is none of the three.
    pub fn check_format(path: &Path) -> Result<(), RunError> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("csv" | "npy" | "safetensors") => Ok(()),
            _ => Err(RunError::Input(format!("cannot write {}: it must end in {FORMATS}", path.display()))),
        }
    }

    /// Writes CSV, NPY (`[n, columns]`, float64) or safetensors (an array `[n]` per column), as the extension says, atomically.
    ///
    /// # Errors
    /// [`RunError::Input`] for another extension, [`RunError::Io`] if the file can't be written.
    pub fn write(&self, path: &Path) -> Result<(), RunError> {
        Self::check_format(path)?;
        match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => Ok(write_atomic(path, self.to_csv().as_bytes())?),
            Some("npy") => {
                let bytes = self.to_npy().map_err(|e| RunError::io("write", path, e))?;
                Ok(write_atomic(path, &bytes)?)
            }
            _ => {
                let arrays = self.names.iter().zip(&self.columns);
                let arrays: Vec<NamedArray> = arrays
                    .map(|(name, column)| NamedArray::new(name.as_str(), [column.len()], column.clone()))
                    .collect();
                write_arrays(path, &arrays)
            }
        }
    }

    fn to_npy(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let shape = [self.rows() as u64, self.columns.len() as u64];
        let mut out = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
        for i in 0..self.rows() {
            out.extend(self.columns.iter().map(|column| column[i]))?;
        }
        out.finish()?;
        Ok(bytes)
    }
}
