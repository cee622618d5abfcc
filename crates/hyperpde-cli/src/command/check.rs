//! `hyperpde check`: reads a configuration, draws its points, forms its rows, and says what it describes, what a run of it costs, and whether the
//! gradient that it would learn by is right.

use std::fmt::Write as _;
use std::path::PathBuf;

use hyperpde_kernels::{Kernel, Precision, parameters};
use hyperpde_pde::Collocation;

use hyperpde_config::{Config, Target};
use hyperpde_run::trial::{self, Trial};
use hyperpde_run::{RunError, Size, mebibytes, memory, row_count};

use crate::error::CliError;
use crate::target::TargetFlags;

/// Arguments of `hyperpde check`.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// Configuration
    pub config: PathBuf,
    /// Print the configuration with all defaults filled in, instead of a summary
    #[arg(long)]
    pub resolved: bool,
    /// Where to compute, and in which precision.
    #[command(flatten)]
    pub target: TargetFlags,
    /// Do not hold the gradient of the outer loss against differences
    #[arg(long)]
    pub no_gradient: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let config = Config::load(&self.config)?;
        let target = self.target.over(config.target()).open()?.target;
        let config = config.with_target(target);
        let collocation = config.sample()?;
        config.try_equations(&collocation)?;
        if self.resolved {
            return super::print(&config.to_toml()?);
        }
        super::print(&summary(&config, &collocation)?)?;
        let (size, available) = (memory::size(&config, &collocation)?, memory::available_mib()?);
        drop(collocation);
        super::print(&memory_line(&size, available))?;
        self.cost(&config, &size)?;
        Ok(memory::fits(&size, available)?)
    }

    /// Time and gradient, from a trial on few points.
    fn cost(&self, config: &Config, size: &Size) -> Result<(), CliError> {
        let opened = config.target().open()?;
        let mut trial = match Trial::new(config, size.tensors.is_some(), &opened) {
            Ok(trial) => trial,
            // The run itself may well fare better with its own number of points.
            Err(e @ RunError::Numerical { .. }) => {
                return super::print(&format!("{:<12}not estimated: {}\n", "time", e.full_message()));
            }
            Err(e) => return Err(e.into()),
        };
        let seconds = trial.seconds(config, size)?;
        let trial_rows = trial.rows();
        super::print(&format!(
            "{:<12}at most {} if every step is taken (from a trial on {trial_rows} rows)\n",
            "time",
            duration(seconds)
        ))?;
        if size.terms == 0 || self.no_gradient {
            return Ok(());
        }
        let check = match opened.precision {
            Precision::F64 => trial.gradient()?,
            // Differences of float32 have no digits left; the formulas are the same on the host.
            _ => Trial::new(config, size.tensors.is_some(), &Target::host().and_then(Target::open)?)?.gradient()?,
        };
        let word = if trial::passes(&check) { "passes" } else { "FAILS" };
        let directions = if check.directions < check.parameters { "random directions" } else { "parameters" };
        super::print(&format!(
            "{:<12}{word}: {:.1e} from differences at most, relative, over {} {directions}, on {trial_rows} rows\n",
            "gradient", check.deviation, check.directions
        ))?;
        if trial::passes(&check) {
            return Ok(());
        }
        let why = format!("the gradient of the outer loss deviates by {:.1e} from differences", check.deviation);
        Err(RunError::numerical("checking the gradient", why).into())
    }
}

fn memory_line(size: &Size, available: Option<f64>) -> String {
    let available = available.map_or("unknown".to_owned(), mebibytes);
    format!("{:<12}about {} at the peak, available {available}\n", "memory", mebibytes(size.mib()))
}

/// Seconds for a reader, two digits.
fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 90.0 => (s, "s"),
        s if s < 5400.0 => (s / 60.0, "min"),
        s if s < 172_800.0 => (s / 3600.0, "h"),
        s => (s / 86_400.0, "days"),
    };
    if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// What a configuration describes, for a reader.
fn summary(config: &Config, collocation: &Collocation) -> Result<String, CliError> {
    let problem = config.problem();
    let device = config.target().drafting()?;
    let run = config.run_settings();
    let kernels = config.kernels(run.seed, &device).map_err(|e| RunError::numerical("building the kernels", e))?;
    let equations = problem.equations().equations() * run.interior;
    let (boundary, data) = (row_count(&collocation.boundary), row_count(&collocation.observations));
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
        let parameters = parameters(kernel).map_err(|e| RunError::numerical("reading the kernels", e))?;
        line("kernel", format!("{field}: {} with {} parameters", kernel.name(), parameters.len()));
    }
    let learning =
        format!("{} Gauss-Newton steps, up to {} kernel updates in each", run.gauss_newton_steps, run.outer_steps);
    line("steps", learning);
    line("objective", run.objective.name().to_owned());
    line("validation", format!("{} points, batches of {}", run.validation, run.batch));
    let reference = problem.reference().map_or("none", |r| r.name());
    line("reference", reference.to_owned());
    line("backend", config.target().to_string());
    Ok(out)
}
