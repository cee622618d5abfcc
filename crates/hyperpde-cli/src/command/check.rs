//! `hyperpde check`: reads a configuration, draws its points, forms its rows, and says what it describes.

use std::fmt::Write as _;
use std::path::PathBuf;

use hyperpde_gp::RowBlock;
use hyperpde_kernels::{Kernel, parameters};
use hyperpde_pde::Collocation;

use crate::CliError;
use crate::config::Config;

/// Arguments of `hyperpde check`.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// Configuration
    pub config: PathBuf,
    /// Print the configuration with all defaults filled in, instead of a summary
    #[arg(long)]
    pub resolved: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let config = Config::load(&self.config)?;
        let collocation = config.sample()?;
        config.try_equations(&collocation)?;
        if self.resolved { super::print(&config.to_toml()?) } else { super::print(&summary(&config, &collocation)?) }
    }
}

/// What a configuration describes, for a reader.
fn summary(config: &Config, collocation: &Collocation) -> Result<String, CliError> {
    let problem = config.problem();
    let device = config.backend().device().map_err(|e| CliError::Input(e.to_string()))?;
    let run = config.run_settings();
    let kernels = config.kernels(run.seed, &device).map_err(|e| CliError::numerical("building the kernels", e))?;
    let count = |blocks: &[RowBlock]| blocks.iter().map(RowBlock::len).sum::<usize>();
    let equations = problem.equations().equations() * run.interior;
    let (boundary, data) = (count(&collocation.boundary), count(&collocation.observations));
    let axes: Vec<String> =
        problem.domain().axes().iter().map(|a| format!("{} in [{}, {}]", a.name, a.lower, a.upper)).collect();
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a String can't fail.
        let _ = writeln!(out, "{name:<12}{value}");
    };
    line("problem", problem.name().to_owned());
    line("domain", axes.join(", "));
    line(
        "rows",
        format!("{} ({equations} equations, {boundary} conditions, {data} observations)", equations + boundary + data),
    );
    for (field, kernel) in problem.fields().iter().zip(&kernels) {
        let parameters = parameters(kernel).map_err(|e| CliError::numerical("reading the kernels", e))?;
        line("kernel", format!("{field}: {} with {} parameters", kernel.name(), parameters.len()));
    }
    let learning =
        format!("{} Gauss-Newton steps, up to {} kernel updates in each", run.gauss_newton_steps, run.outer_steps);
    line("steps", learning);
    line("validation", format!("{} points, batches of {}", run.validation, run.batch));
    let reference = problem.reference().map_or("none", |r| r.name());
    line("reference", reference.to_owned());
    line("backend", config.backend().to_string());
    Ok(out)
}
