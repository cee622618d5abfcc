//! Many experiments with several seeds from one command, and the table that compares them with what was published.
//!
//! Each run is a process of its own (the same program with a hidden subcommand), so that peak memory is that of the run, and a run
//! that fails leaves the others alone. What a run reports is kept in one file, written when it is complete: an interrupted command
//! goes on where it stopped. Tables are written anew after every run.
//!
//! ```text
//! OUT/table.md, table.json, table.png     the tables, and the errors as a figure
//! OUT/runs/NAME-SEED.json                 one run: digest of all it depends on, and its report
//! OUT/runs/NAME-SEED.log                  its warnings
//! OUT/figures/NAME/                       figures of the first seed (not with --quick)
//! ```

mod markdown;
mod options;
mod record;
mod runner;
mod summary;

use std::process::ExitCode;

use clap::Parser;

use hyperpde_cli::{CliError, exit_code, init_logging};
use hyperpde_plot::{Bars, bars};
use hyperpde_run::{RunError, Runnable, write_atomic};

use options::{Arguments, Child, Options};
pub(crate) use runner::end_with_parent;
pub use summary::{CostSummary, ErrorSummary, Summary, Totals};

/// An experiment of the study.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name, also in file names.
    pub name: &'static str,
    /// Builds it; cheap.
    pub build: fn() -> Result<Box<dyn Runnable>, RunError>,
    /// Whether runs look for baselines (`--baselines`).
    pub baselines: bool,
    /// Published wall time of learning, s.
    pub published_seconds: Option<f64>,
    /// Rough wall time of a run at the published scale, s. Only for the time left, until a run of this experiment has been timed.
    pub expected_seconds: f64,
}

/// Which error of a solve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Largest absolute error.
    Linf,
    /// Root mean square error.
    Rmse,
    /// Relative L2 error.
    RelL2,
}

impl Measure {
    /// The key in reports.
    fn key(self) -> &'static str {
        match self {
            Self::Linf => "linf",
            Self::Rmse => "rmse",
            Self::RelL2 => "rel_l2",
        }
    }

    /// The name in tables.
    fn name(self) -> &'static str {
        match self {
            Self::Linf => "L-infinity",
            Self::Rmse => "RMSE",
            Self::RelL2 => "relative L2",
        }
    }
}

/// A published number, and where its like stands in our reports.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// Name of the [`Entry`].
    pub experiment: &'static str,
    /// What the row is about.
    pub label: &'static str,
    /// Name of the cloud in the report: `training`, `larger` or `fresh`.
    pub cloud: &'static str,
    /// Name of the problem solved there.
    pub problem: &'static str,
    /// Name of the score.
    pub score: &'static str,
    /// Which error.
    pub measure: Measure,
    /// The published error.
    pub error: f64,
    /// The error that passes: the published one, or a smaller one where that is known to be the error of its reference.
    pub bar: f64,
    /// The published error with the initial hyperparameters.
    pub initial: Option<f64>,
}

/// Experiments and published numbers.
pub struct Study {
    /// The experiments, in the order of the tables.
    pub entries: Vec<Entry>,
    /// The published numbers, in the order of the table.
    pub published: Vec<Published>,
}

impl Study {
    fn entry(&self, name: &str) -> Result<&Entry, CliError> {
        self.entries.iter().find(|e| e.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.entries.iter().map(|e| e.name).collect();
            CliError::Input(format!("no experiment is called '{name}'; there are {}", names.join(", ")))
        })
    }
}

/// The `main` of a binary that reproduces `study`: parses the flags, runs what is not there yet, writes and prints the table.
///
/// Exit status 0 if all runs are there, whether or not their errors pass; 1 if a run failed; 2 for flags that don't fit.
pub fn main(study: &Study) -> ExitCode {
    let arguments = Arguments::parse();
    init_logging(arguments.quiet());
    match arguments.child {
        Some(Child::Run { name, flags }) => {
            end_with_parent();
            let experiment = study.entry(&name).and_then(|e| Ok((e.build)()?));
            exit_code(experiment.and_then(|e| hyperpde_cli::run(e.as_ref(), &flags)).map(|_| ()))
        }
        None => match reproduce(study, &arguments.options) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(e) => exit_code(Err::<(), _>(e)),
        },
    }
}

/// Whether all runs succeeded.
fn reproduce(study: &Study, options: &Options) -> Result<bool, CliError> {
    let entries = options.selection(study)?;
    let records = runner::run_all(study, &entries, options, |records| write_tables(study, &entries, records, options))?;
    let summary = write_tables(study, &entries, &records, options)?;
    print!("{}", markdown::tables(&summary));
    eprintln!("written to {}", options.out.join("table.md").display());
    Ok(summary.totals.failed == 0)
}

fn write_tables(
    study: &Study,
    entries: &[&Entry],
    records: &[record::Record],
    options: &Options,
) -> Result<Summary, CliError> {
    let summary = Summary::new(study, entries, records, options.quick);
    let figure = options.out.join("table.png");
    let drawn: Vec<Bars> = summary.errors.iter().filter_map(ErrorSummary::bars).collect();
    if !drawn.is_empty() {
        bars(&figure, "errors: published and ours", &drawn)?;
    }
    let mut json = serde_json::to_string_pretty(&summary)?;
    json.push('\n');
    write_atomic(&options.out.join("table.json"), json.as_bytes())?;
    write_atomic(&options.out.join("table.md"), markdown::document(&summary, !drawn.is_empty()).as_bytes())?;
    Ok(summary)
}
