//! A study of what runs say of themselves: every problem of a folder, one child process each, with a limit of time.
//!
//! A folder holds configurations `NAME.toml` with exact solutions and `targets.json`, the relative L2 error to reach by name. Two things must
//! not happen: a run that calls itself solved while its error is above ten times its own estimate (a silent failure), and one
//! that calls itself doubtful or failed though it is right (a false alarm).

mod child;
mod row;
mod summary;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use hyperpde_cli::{CliError, exit_code, init_logging};
use hyperpde_run::{FileError, write_atomic};

pub use row::{Ended, Row};
pub use summary::{Summary, markdown};

/// Run every problem of a folder and compare what the runs say of themselves with the exact solutions
#[derive(Debug, Parser)]
#[command(name = "zoo", version)]
struct Arguments {
    /// Folder of configurations NAME.toml, with targets.json beside them
    folder: PathBuf,
    /// Write rows and summary as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Seconds that a problem may take
    #[arg(long, default_value_t = 60, value_name = "S")]
    limit: u64,
    /// Only problems whose name contains this; may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Solve with the kernels as they are
    #[arg(long)]
    solve: bool,
    /// Used by the program itself: run FOLDER as one configuration and write its report to this file
    #[arg(long, hide = true, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// The `main` of the binary. Exit status 0 without a silent failure, else 1; 2 for a folder that does not fit.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    init_logging(true);
    if let Some(report) = &arguments.report {
        return exit_code(child::run(&arguments.folder, report, arguments.solve));
    }
    match study(&arguments) {
        Ok(summary) if summary.silent_failures.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => exit_code(Err::<(), _>(error)),
    }
}

fn study(arguments: &Arguments) -> Result<Summary, CliError> {
    let targets = targets(&arguments.folder)?;
    let mut rows = Vec::new();
    for file in configurations(&arguments.folder)? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !arguments.only.is_empty() && !arguments.only.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let ended = child::execute(&file, Duration::from_secs(arguments.limit), arguments.solve)?;
        let row = Row::new(&name, targets.get(&name).copied(), ended);
        eprintln!("{}", row.line());
        rows.push(row);
    }
    let summary = Summary::of(&rows);
    print!("{}", markdown(&rows, &summary));
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&serde_json::json!({ "problems": rows, "summary": summary }))?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|e| FileError::new("create the folder", folder, e))?;
        }
        write_atomic(file, text.as_bytes())?;
    }
    Ok(summary)
}

/// The configurations of a folder by name.
fn configurations(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let entries = std::fs::read_dir(folder).map_err(|e| CliError::Input(format!("{}: {e}", folder.display())))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    if files.is_empty() {
        return Err(CliError::Input(format!("{} holds no configuration, NAME.toml", folder.display())));
    }
    Ok(files)
}

/// The errors to reach, by name; none without the file.
fn targets(folder: &Path) -> Result<BTreeMap<String, f64>, CliError> {
    let file = folder.join("targets.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        return Ok(BTreeMap::new());
    };
    serde_json::from_str(&text).map_err(|e| CliError::Input(format!("{}: {e}", file.display())))
}
