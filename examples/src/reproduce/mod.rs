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
mod study;
mod summary;

use std::process::ExitCode;

use clap::Parser;

use hyperpde_cli::{CliError, exit_code, init_logging};
use hyperpde_plot::{Bars, bars};
use hyperpde_run::write_atomic;

use options::{Arguments, Child, Options};
pub(crate) use runner::end_with_parent;
pub use study::{Entry, Measure, Published, Study};
pub use summary::{CostSummary, ErrorSummary, Summary, Totals};

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
