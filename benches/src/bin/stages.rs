//! Time of one outer step (loss and hypergradient) against the Cholesky factorisation of the same size, by number of rows.
//!
//! `cargo run --release -p hyperpde-benches --bin stages -- --json stages.json`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hyperpde::bilevel::{Bilevel, BilevelSettings, Event};
use hyperpde::kernels::{AnyKernel, KernelError};
use hyperpde::linalg::{Cholesky, JitterPolicy};
use hyperpde::prelude::*;
use hyperpde_cli::{CliError, exit_code, init_logging, peak_rss_mb, write_atomic};
use serde_json::{Value, json};

/// Times outer steps by number of rows.
#[derive(Parser)]
#[command(name = "stages", version)]
struct Arguments {
    /// Numbers of rows, three quarters of them in the interior
    #[arg(long, value_delimiter = ',', default_values_t = [300, 600, 1200, 2400])]
    rows: Vec<usize>,
    /// Outer steps timed per size; the median counts
    #[arg(long, default_value_t = 9)]
    repeats: usize,
    /// Write the records as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compare with the records in this file
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    init_logging(false);
    exit_code(run(&arguments))
}

fn run(arguments: &Arguments) -> Result<(), CliError> {
    let before = arguments.compare.as_deref().map(read).transpose()?;
    let mut steps = Vec::new();
    println!(
        "{:<10} {:>6} {:>10} {:>12} {:>7} {:>10} {:>9}",
        "problem", "rows", "step ms", "Cholesky ms", "ratio", "peak MiB", "before ms"
    );
    for name in ["elliptic", "burgers"] {
        for &rows in &arguments.rows {
            let record = time(name, rows, arguments.repeats)?;
            let number = |key: &str| record[key].as_f64().unwrap_or(f64::NAN);
            let old =
                before.as_ref().and_then(|b| b.iter().find(|o| o["problem"] == name && o["rows"] == record["rows"]));
            let old =
                old.and_then(|o| o["step_seconds"].as_f64()).map_or("-".to_owned(), |s| format!("{:.1}", 1e3 * s));
            println!(
                "{name:<10} {rows:>6} {:>10.1} {:>12.1} {:>7.1} {:>10.0} {old:>9}",
                1e3 * number("step_seconds"),
                1e3 * number("cholesky_seconds"),
                number("ratio"),
                number("peak_rss_mb"),
            );
            steps.push(record);
        }
    }
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&json!({ "steps": steps }))?;
        write_atomic(file, text.as_bytes())?;
    }
    Ok(())
}

fn read(path: &std::path::Path) -> Result<Vec<Value>, CliError> {
    let refused = |why: String| CliError::Input(format!("--compare {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
    let record: Value = serde_json::from_str(&text).map_err(|e| refused(e.to_string()))?;
    record["steps"].as_array().cloned().ok_or_else(|| refused("it has no list `steps`".into()))
}

/// One record: the median outer step of the second Gauss-Newton step (the first one linearises about zero and is easier).
fn time(name: &str, rows: usize, repeats: usize) -> Result<Value, CliError> {
    let failed = |e: BilevelError| CliError::numerical(format!("timing {name} with {rows} rows"), e);
    let problem = problems::by_name(name)?;
    let device = Backend::default().device().map_err(|e| CliError::Input(e.to_string()))?.autodiff();
    let kernel = || -> Result<AnyKernel, KernelError> {
        match name {
            "burgers" => Ok(GibbsConfig::new(2, LengthScales::PerDimension, 4.0).init(1, &device)?.into()),
            _ => Ok(GaussianConfig::isotropic(0.2).init(&device)?.into()),
        }
    };
    let sizes = SampleSizes { interior: 3 * rows / 4, boundary: rows - 3 * rows / 4, validation: 200 };
    let collocation = problem.sample(&sizes, Sampler::Halton, 1)?;
    let settings = BilevelSettings {
        gauss_newton_steps: 2,
        outer_steps: repeats + 2,
        batch: 200,
        loss_tolerance: 0.0,
        monitor: 0,
        ..BilevelSettings::published(problem.defaults(), 1)
    };
    let kernels = vec![kernel().map_err(|e| CliError::numerical("building the kernel", e))?];
    let mut run = Bilevel::init(&problem, collocation, kernels, settings).map_err(failed)?;
    let (n, mut seconds) = (run.rows(), Vec::new());
    loop {
        match run.step().map_err(failed)? {
            // The first two steps of a Gauss-Newton step warm caches and buffers.
            Event::Outer(r) if r.gauss_newton == 2 && r.outer > 2 => seconds.push(r.seconds),
            Event::Done(_) => break,
            _ => {}
        }
    }
    let (step, cholesky) = (median(&mut seconds), factorisation(n, repeats)?);
    Ok(json!({
        "problem": name, "rows": n, "step_seconds": step, "cholesky_seconds": cholesky, "ratio": step / cholesky, "peak_rss_mb": peak_rss_mb(),
    }))
}

/// Median time of the library's Cholesky factorisation of a well conditioned matrix of size `n`.
fn factorisation(n: usize, repeats: usize) -> Result<f64, CliError> {
    let fill = |a: &mut [f64]| {
        for (j, column) in a.chunks_exact_mut(n).enumerate() {
            for (i, entry) in column.iter_mut().enumerate() {
                *entry = (-(i.abs_diff(j) as f64) / 50.0).exp() + if i == j { 1.0 } else { 0.0 };
            }
        }
    };
    let mut buffer = vec![0.0; n * n];
    let mut seconds = Vec::new();
    for _ in 0..repeats + 1 {
        fill(&mut buffer);
        let start = Instant::now();
        let factor = Cholesky::factor(buffer, n, &JitterPolicy::none(), &mut |a| fill(a))
            .map_err(|e| CliError::numerical("factoring", e))?;
        seconds.push(start.elapsed().as_secs_f64());
        buffer = factor.into_buffer();
    }
    Ok(median(&mut seconds))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
