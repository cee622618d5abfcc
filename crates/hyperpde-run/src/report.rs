//! The record of one run: what was solved, with which settings, how well and at what cost.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use hyperpde_config::RunSettings;
use hyperpde_kernels::{Backend, Precision};
use hyperpde_pde::FieldErrors;

use crate::atomic::write_atomic;
use crate::error::RunError;
use crate::per_field::PerField;
use crate::table::{TableRow, table};
use crate::verdict::{Outcome, Verdict};

/// The state of a run after one kernel update, or after a Gauss-Newton step without learning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepLine {
    /// Gauss-Newton step, from 1.
    pub gauss_newton: usize,
    /// Kernel update within that step, from 1; 0 when the step only solved.
    pub outer: usize,
    /// Validation loss, where computed.
    pub loss: Option<f64>,
    /// Norm of the PDE residual, where computed.
    pub residual: Option<f64>,
    /// Error against the reference solution, where computed.
    pub error: Option<f64>,
}

/// A step of the run's history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The state shown by the progress bar.
    #[serde(flatten)]
    pub step: StepLine,
    /// Time since the start of learning, s.
    pub seconds: f64,
}

/// Errors of the solution with the learned kernel frozen, on collocation points and validation pool together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LargerCloud {
    /// Collocation points inside the domain.
    pub interior: usize,
    /// Rows of boundary conditions.
    pub boundary: usize,
    /// Largest error per field.
    pub linf: PerField,
    /// Root mean square error per field.
    pub rmse: PerField,
    /// Relative L2 error per field.
    pub rel_l2: PerField,
}

impl From<&CloudErrors> for LargerCloud {
    fn from(cloud: &CloudErrors) -> Self {
        let CloudErrors { interior, boundary, linf, rmse, rel_l2, .. } = cloud.clone();
        Self { interior, boundary, linf, rmse, rel_l2 }
    }
}

/// Where the kernel of a solve came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KernelState {
    /// As it was before learning.
    Initial,
    /// Learned.
    Learned,
    /// The constant length scales with the smallest error.
    Constant,
}

/// Errors of a solve with a frozen kernel on one set of points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudErrors {
    /// `training`, `larger` (collocation points and validation pool together) or `fresh` (new points).
    pub name: String,
    /// Which kernel.
    pub kernel: KernelState,
    /// Name of the problem solved, which need not be the one learned on.
    pub problem: String,
    /// Collocation points inside the domain.
    pub interior: usize,
    /// Rows of boundary conditions.
    pub boundary: usize,
    /// Largest error per field.
    pub linf: PerField,
    /// Root mean square error per field.
    pub rmse: PerField,
    /// Relative L2 error per field.
    pub rel_l2: PerField,
}

impl CloudErrors {
    /// From the names, the numbers of points (interior, boundary rows) and the errors per field.
    #[must_use]
    pub fn new(
        name: &str,
        kernel: KernelState,
        problem: &str,
        size: (usize, usize),
        errors: &[(String, FieldErrors)],
    ) -> Self {
        let [linf, rmse, rel_l2] = columns(errors);
        let (interior, boundary) = size;
        Self { name: name.to_owned(), kernel, problem: problem.to_owned(), interior, boundary, linf, rmse, rel_l2 }
    }

    /// The row's name in the printed table of a run on the problem `own`.
    fn label(&self, own: &str) -> String {
        let kernel = match (self.kernel, self.name.as_str()) {
            (KernelState::Learned, "larger") => "frozen kernel",
            (KernelState::Learned, _) => "frozen kernel, fresh",
            (KernelState::Initial, "larger") => "initial kernel",
            (KernelState::Initial, _) => "initial kernel, fresh",
            (KernelState::Constant, _) => "best constant length scales,",
        };
        let comma = if self.name == "larger" && self.kernel != KernelState::Constant { "," } else { "" };
        let problem = if self.problem == own { String::new() } else { format!("{}: ", self.problem) };
        format!("{problem}{kernel}{comma} {}+{} points", self.interior, self.boundary)
    }
}

/// The constant length scales with the smallest error that a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConstantKernel {
    /// Length scales by name.
    pub length_scales: Map<String, Value>,
    /// Solves that the search took.
    pub solves: usize,
    /// Its wall time, s.
    pub seconds: f64,
}

/// The report of one run; its fields are the keys of the JSON file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Name of the problem.
    pub problem: String,
    /// Backend that computed.
    pub backend: Backend,
    /// Floating-point precision.
    pub precision: Precision,
    /// Seed of samples, batches and weights.
    pub seed: u64,
    /// Rows of the linear system of one Gauss-Newton step.
    pub rows: usize,
    /// Final hyperparameters by name, numbers or arrays (networks: a summary, the weights go to a checkpoint).
    pub hyperparameters: Map<String, Value>,
    /// Why the loop ended: the name of a [`hyperpde_bilevel::Termination`]; none in reports of earlier versions.
    #[serde(default)]
    pub termination: Option<String>,
    /// Whether the equations were found to be linear, so that one step is exact for its kernel.
    #[serde(default)]
    pub linear: bool,
    /// Kernel updates taken in all.
    pub outer_steps: usize,
    /// Largest absolute error of the final solution.
    pub linf: PerField,
    /// Root mean square error of the final solution.
    pub rmse: PerField,
    /// Relative L2 error of the final solution.
    pub rel_l2: PerField,
    /// Largest absolute error with the initial kernel, where computed.
    pub linf_initial: Option<PerField>,
    /// Root mean square error with the initial kernel, where computed.
    pub rmse_initial: Option<PerField>,
    /// Relative L2 error with the initial kernel, where computed.
    pub rel_l2_initial: Option<PerField>,
    /// The solution on the larger cloud with the learned kernel, where the experiment asks for it.
    pub larger_cloud: Option<LargerCloud>,
    /// Whether the kernels of the beginning were kept, since those that were learned meet equations and conditions no better at new points.
    #[serde(default)]
    pub kept_initial: bool,
    /// Every solve with a frozen kernel: on the training points and further ones, before and after learning.
    pub clouds: Vec<CloudErrors>,
    /// Per score, the fraction of the reference's values inside one posterior standard deviation of the final solution.
    #[serde(default)]
    pub coverage_1sd: PerField,
    /// The same inside two.
    pub coverage_2sd: PerField,
    /// The best constant length scales, where looked for; their errors are among `clouds`.
    pub constant: Option<ConstantKernel>,
    /// Wall time of learning, s.
    pub seconds_learn: f64,
    /// Wall time of the run without baselines, s.
    pub seconds_total: f64,
    /// Wall time of the baselines, where asked for, s.
    pub seconds_baselines: Option<f64>,
    /// Peak resident memory, MiB; `null` where the system doesn't tell.
    pub peak_rss_mb: Option<f64>,
    /// What the run is worth; nothing in reports of versions that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Settings by name.
    pub settings: Map<String, Value>,
    /// The run step by step.
    pub history: Vec<StepRecord>,
    /// Version of HyperPDE.
    pub version: String,
}

impl RunReport {
    /// A report with the settings of a run and its results still empty.
    #[must_use]
    pub fn new(problem: &str, backend: Backend, precision: Precision, settings: &RunSettings) -> Self {
        Self {
            problem: problem.to_owned(),
            backend,
            precision,
            seed: settings.seed,
            rows: 0,
            hyperparameters: Map::new(),
            termination: None,
            linear: false,
            outer_steps: 0,
            linf: PerField::default(),
            rmse: PerField::default(),
            rel_l2: PerField::default(),
            linf_initial: None,
            rmse_initial: None,
            rel_l2_initial: None,
            larger_cloud: None,
            kept_initial: false,
            clouds: Vec::new(),
            coverage_1sd: PerField::default(),
            coverage_2sd: PerField::default(),
            constant: None,
            seconds_learn: 0.0,
            seconds_total: 0.0,
            seconds_baselines: None,
            peak_rss_mb: None,
            verdict: None,
            settings: settings.to_map(),
            history: Vec::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Sets the errors of the final solution, one entry per field.
    pub fn set_errors(&mut self, errors: &[(String, FieldErrors)]) {
        [self.linf, self.rmse, self.rel_l2] = columns(errors);
    }

    /// Sets the errors of the solution with the initial kernel, one entry per field.
    pub fn set_initial_errors(&mut self, errors: &[(String, FieldErrors)]) {
        [self.linf_initial, self.rmse_initial, self.rel_l2_initial] = columns(errors).map(Some);
    }

    /// The report as indented JSON. Numbers that are not finite become `null`.
    ///
    /// # Errors
    /// [`RunError::Json`] if serde refuses.
    pub fn to_json(&self) -> Result<String, RunError> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads what [`RunReport::to_json`] wrote, but for the last bit of some numbers. JSON does not name the field of a problem that has only
    /// one; `field` does.
    ///
    /// # Errors
    /// [`RunError::Json`] for text that is no report.
    pub fn from_json(text: &str, field: &str) -> Result<Self, RunError> {
        let mut report: Self = serde_json::from_str(text)?;
        let Self { linf, rmse, rel_l2, linf_initial, rmse_initial, rel_l2_initial, coverage_2sd, .. } = &mut report;
        let initial = [linf_initial, rmse_initial, rel_l2_initial].into_iter().flatten();
        initial.chain([linf, rmse, rel_l2, coverage_2sd]).for_each(|column| column.name_single(field));
        for cloud in &mut report.clouds {
            for column in [&mut cloud.linf, &mut cloud.rmse, &mut cloud.rel_l2] {
                column.name_single(field);
            }
        }
        if let Some(cloud) = &mut report.larger_cloud {
            for column in [&mut cloud.linf, &mut cloud.rmse, &mut cloud.rel_l2] {
                column.name_single(field);
            }
        }
        if let Some(verdict) = &mut report.verdict {
            verdict.estimate.name_single(field);
        }
        Ok(report)
    }

    /// Writes [`RunReport::to_json`] to `path` with [`write_atomic`].
    ///
    /// # Errors
    /// [`RunError::Json`], or [`RunError::Io`] with the path.
    pub fn write_json(&self, path: &Path) -> Result<(), RunError> {
        Ok(write_atomic(path, self.to_json()?.as_bytes())?)
    }

    /// The final table: per field a line before learning (where the initial errors are known), one after, and one for each
    /// further cloud. Without a reference a single line has what is known, and the residual of the equations is told below.
    ///
    /// The verdict follows.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = self.table_of_errors();
        if let Some(verdict) = &self.verdict {
            // Writing to a String can't fail.
            let _ = write!(text, "\n{verdict}");
        }
        text
    }

    /// How the run ended. A report that does not say is not to be relied on.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.verdict.as_ref().map_or(Outcome::Doubtful, |verdict| verdict.outcome)
    }

    fn table_of_errors(&self) -> String {
        let rows = self.rows_of_errors();
        if !rows.is_empty() {
            return table(&rows);
        }
        let mut text = table(&[self.costs()]);
        text.push_str("no reference solution, so no errors");
        if let Some(residual) = self.history.iter().rev().find_map(|record| record.step.residual) {
            // Writing to a String can't fail.
            let _ = write!(
                text,
                "; the equations have a residual of {residual:.1e} (root mean square at independent points)"
            );
        }
        text.push('\n');
        text
    }

    /// A line of the table with what the run took.
    fn costs(&self) -> TableRow {
        TableRow {
            label: if self.learned() { "after learning" } else { "solution" }.to_owned(),
            steps: Some(self.outer_steps),
            seconds: Some(self.seconds_learn),
            memory_mb: self.peak_rss_mb,
            ..TableRow::default()
        }
    }

    /// Whether there was anything to learn: a run without outer steps that knows of no initial errors was one solve.
    #[must_use]
    pub fn learned(&self) -> bool {
        self.outer_steps > 0 || self.linf_initial.is_some()
    }

    /// The rows of [`RunReport::table`].
    #[must_use]
    pub fn rows_of_errors(&self) -> Vec<TableRow> {
        let several = self.linf.0.len() > 1;
        let mut rows = Vec::new();
        for (index, (field, linf)) in self.linf.0.iter().enumerate() {
            let row = |text: &str, [linf, rmse, rel_l2]: [&PerField; 3]| {
                let at = |column: &PerField| column.0.get(index).map(|entry| entry.1);
                let label = if several { format!("{field} {text}") } else { text.to_owned() };
                TableRow { label, linf: at(linf), rmse: at(rmse), rel_l2: at(rel_l2), ..TableRow::default() }
            };
            let none = PerField::default();
            if let Some(linf) = &self.linf_initial {
                let [rmse, rel_l2] = [&self.rmse_initial, &self.rel_l2_initial].map(|c| c.as_ref().unwrap_or(&none));
                rows.push(TableRow { steps: Some(0), ..row("before learning", [linf, rmse, rel_l2]) });
            }
            let costs = self.costs();
            let errors = row(&costs.label, [&self.linf, &self.rmse, &self.rel_l2]);
            rows.push(TableRow {
                label: errors.label,
                linf: Some(*linf),
                rmse: errors.rmse,
                rel_l2: errors.rel_l2,
                coverage: self.coverage_2sd.0.iter().find(|(score, _)| score == field).map(|(_, c)| *c),
                ..costs
            });
            for cloud in self.clouds.iter().filter(|c| c.name != "training" || c.kernel == KernelState::Constant) {
                rows.push(row(&cloud.label(&self.problem), [&cloud.linf, &cloud.rmse, &cloud.rel_l2]));
            }
        }
        rows
    }
}

/// `[linf, rmse, rel_l2]`.
fn columns(errors: &[(String, FieldErrors)]) -> [PerField; 3] {
    let column =
        |of: fn(&FieldErrors) -> f64| PerField(errors.iter().map(|(field, e)| (field.clone(), of(e))).collect());
    [column(|e| e.linf), column(|e| e.rmse), column(|e| e.rel_l2)]
}

/// Peak resident memory of this process so far in MiB (`VmHWM` of Linux); `None` elsewhere.
#[must_use]
pub fn peak_rss_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
