//! Time of one outer step (loss and hypergradient) stage by stage, against the machine's peak and against faer's Cholesky of the same size.
//!
//! `cargo run --release --bin stages -- --json stages.json --markdown stages.md`
//!
//! Every size runs in a process of its own, so that the peak memory is that of the size.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;
use hyperpde::gp::Assembly;
use hyperpde_benches::case::Case;
use hyperpde_benches::machine::Machine;
use hyperpde_benches::present::{cases, figure, fill, head, line, markdown, same};
use hyperpde_benches::record::{Record, Records, fill_exponents, measure};
use hyperpde_cli::{CliError, TargetFlags, exit_code, init_logging};
use hyperpde_config::Target;
use hyperpde_run::{RunError, write_atomic};
use serde_json::Value;

/// Sizes from here on are timed with fewer repeats.
const LARGE: usize = 4000;
/// Repeats at large sizes.
const LARGE_REPEATS: usize = 4;

/// Times outer steps by number of rows.
#[derive(Parser)]
#[command(name = "stages", version)]
struct Arguments {
    /// Numbers of rows, three quarters of them in the interior
    #[arg(long, value_delimiter = ',', default_values_t = [300, 600, 1200, 2400, 4800])]
    rows: Vec<usize>,
    /// Outer steps timed per size (4 at most from 4000 rows on); the median counts
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    repeats: u16,
    /// Which inner step: auto, tensor or pure-tensor. Stages are told apart for fused operations alone
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = assembly)]
    assembly: Assembly,
    /// Write the records as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Set the records in this file beside these
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Write the tables of docs/performance.md to this file, between its markers if it has them
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Draw time against size per case into this folder, as stages_CASE.png
    #[arg(long, value_name = "FOLDER")]
    figures: Option<PathBuf>,
    /// Measure one case in this process, with the machine's peak as JSON on standard input
    #[arg(long, hide = true, value_name = "CASE")]
    only: Option<String>,
    /// Where and in which precision; the peak and Cholesky beside it stay the host's
    #[command(flatten)]
    target: TargetFlags,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    init_logging(false);
    exit_code(if arguments.only.is_some() { child(&arguments) } else { run(&arguments) })
}

fn run(arguments: &Arguments) -> Result<(), CliError> {
    if let Some(small) = arguments.rows.iter().find(|&&r| r < 16) {
        return Err(CliError::Input(format!("--rows {small}: a system needs at least 16 rows")));
    }
    let before = arguments.compare.as_deref().map(read).transpose()?.unwrap_or_default();
    let machine = Machine::measure();
    println!(
        "{} threads, {:.0} GFLOP/s in a matrix product, {:.2} exponentials per ns",
        machine.threads, machine.product_gflops, machine.exponentials_per_ns
    );
    println!("{}", head());
    let mut records = Records { machine, steps: Vec::new() };
    for case in Case::ALL {
        for &rows in &arguments.rows {
            records.steps.push(spawn(case, rows, arguments, &records.machine)?);
            fill_exponents(&mut records.steps);
            if let Some(record) = records.steps.last() {
                println!("{}", line(record, same(&before, record)));
            }
        }
    }
    if let Some(file) = &arguments.json {
        write_atomic(file, serde_json::to_string_pretty(&records)?.as_bytes())?;
    }
    if let Some(file) = &arguments.markdown {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        write_atomic(file, fill(&text, &markdown(&records, &before)).as_bytes())?;
    }
    if let Some(folder) = &arguments.figures {
        for name in cases(&records.steps) {
            figure(&records, name, &folder.join(format!("stages_{name}.png")))?;
        }
    }
    Ok(())
}

/// Measures one size in a child process.
fn spawn(case: Case, rows: usize, arguments: &Arguments, machine: &Machine) -> Result<Record, CliError> {
    let doing = || format!("timing {} with {rows} rows", case.name());
    let failed = |e: std::io::Error| RunError::numerical(doing(), e);
    let mut child = Command::new(std::env::current_exe().map_err(failed)?)
        .args(["--only", case.name(), "--rows", &rows.to_string(), "--repeats", &arguments.repeats.to_string()])
        .args(["--assembly", arguments.assembly.name()])
        .args(arguments.target.words())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(input) = child.stdin.take() {
        serde_json::to_writer(input, machine)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(RunError::numerical(doing(), format!("the process ended with {}", output.status)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn child(arguments: &Arguments) -> Result<(), CliError> {
    let case = Case::by_name(arguments.only.as_deref().unwrap_or_default())?;
    let machine: Machine = serde_json::from_reader(std::io::stdin())?;
    let opened = arguments.target.over(Target::default()).open()?;
    for &rows in &arguments.rows {
        let repeats = usize::from(arguments.repeats);
        let repeats = if rows >= LARGE { repeats.min(LARGE_REPEATS) } else { repeats };
        println!("{}", serde_json::to_string(&measure(case, rows, repeats, arguments.assembly, &machine, &opened)?)?);
    }
    Ok(())
}

fn assembly(name: &str) -> Result<Assembly, String> {
    let names = || Assembly::ALL.map(Assembly::name).join(", ");
    Assembly::by_name(name).ok_or_else(|| format!("there is no such assembly; there are {}", names()))
}

fn read(path: &Path) -> Result<Vec<Record>, CliError> {
    let refused = |why: String| CliError::Input(format!("--compare {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| refused(e.to_string()))?;
    let steps = value.get("steps").ok_or_else(|| refused("it has no list `steps`".into()))?;
    serde_json::from_value(steps.clone()).map_err(|e| refused(e.to_string()))
}
