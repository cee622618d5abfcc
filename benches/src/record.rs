//! One record per case and size, as the program `stages` writes it.

use hyperpde::bilevel::{BilevelError, Event};
use hyperpde::gp::{Assembly, Stage, StageTimes};
use hyperpde_config::Opened;
use hyperpde_run::{RunError, peak_rss_mb};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::count::{feature_backward_gflop, floor_seconds, gflop};
use crate::machine::{Machine, cholesky_seconds, median};

/// Outer steps of a Gauss-Newton step that warm caches and buffers.
const WARM: usize = 2;

/// All that one run of `stages` measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Records {
    /// Peak rates.
    pub machine: Machine,
    /// One record per case and size.
    pub steps: Vec<Record>,
}

/// An outer step (loss and hypergradient) at one size: medians over steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Name of the case.
    pub problem: String,
    /// Rows of the inner system.
    pub rows: usize,
    /// Seconds of a step.
    pub step_seconds: f64,
    /// Seconds of faer's own Cholesky factorisation of the same size, in the same process.
    pub cholesky_seconds: f64,
    /// `step_seconds / cholesky_seconds`.
    pub ratio: f64,
    /// Peak resident memory of the process that took the steps, MiB; missing where the system doesn't tell.
    pub peak_rss_mb: Option<f64>,
    /// Operations of a step at the measured peak, seconds.
    pub floor_seconds: f64,
    /// `step_seconds / floor_seconds`.
    pub floor_ratio: f64,
    /// Exponent of growth in the number of rows since the size before, if there is one.
    pub exponent: Option<f64>,
    /// The step stage by stage.
    pub stages: Vec<StageRecord>,
}

/// A stage of a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageRecord {
    /// Name of the stage.
    pub stage: String,
    /// Median seconds.
    pub seconds: f64,
    /// 10⁹ floating-point operations by the count of this program, where it counts them.
    pub gflop: Option<f64>,
    /// GFLOP/s.
    pub gflops: Option<f64>,
    /// Share of the measured peak.
    pub peak_share: Option<f64>,
}

/// Times the outer steps of the second Gauss-Newton step (the first one linearises about zero and is easier).
///
/// # Errors
/// [`RunError`] if the run fails.
pub fn measure(
    case: Case,
    rows: usize,
    repeats: usize,
    assembly: Assembly,
    machine: &Machine,
    opened: &Opened,
) -> Result<Record, RunError> {
    let times = StageTimes::default();
    let mut run = case.run(rows, repeats + WARM, assembly, &times, opened)?;
    let failed = |e: BilevelError| RunError::numerical(format!("timing {} with {rows} rows", case.name()), e);
    let n = run.rows();
    let names: Vec<&str> = Stage::ALL.iter().map(|s| s.name()).chain(["feature_backward", "rest"]).collect();
    let (mut steps, mut stages) = (Vec::new(), vec![Vec::new(); names.len()]);
    loop {
        let event = run.step().map_err(failed)?;
        let (seconds, after) = times.take();
        match event {
            Event::Outer(record) if record.gauss_newton == 2 && record.outer > WARM => {
                steps.push(record.seconds);
                let rest = record.seconds - after - seconds.iter().sum::<f64>();
                for (values, s) in stages.iter_mut().zip(seconds.into_iter().chain([after, rest])) {
                    values.push(s);
                }
            }
            Event::Done(_) => break,
            _ => {}
        }
    }
    // Before the comparison below takes a matrix of its own.
    let peak_rss_mb = peak_rss_mb();
    let (step_seconds, cholesky_seconds) = (median(&mut steps), cholesky_seconds(n, repeats)?);
    let floor_seconds = floor_seconds(case, n, machine.product_gflops);
    let counts = Stage::ALL.iter().map(|s| gflop(case, n, *s)).chain([feature_backward_gflop(case, n), None]);
    let stages = names
        .iter()
        .zip(&mut stages)
        .zip(counts)
        .map(|((name, values), gflop)| {
            let seconds = median(values);
            let gflops = gflop.map(|g| g / seconds);
            let peak_share = gflops.map(|g| g / machine.product_gflops);
            StageRecord { stage: (*name).to_owned(), seconds, gflop, gflops, peak_share }
        })
        .collect();
    Ok(Record {
        problem: case.name().to_owned(),
        rows: n,
        step_seconds,
        cholesky_seconds,
        ratio: step_seconds / cholesky_seconds,
        peak_rss_mb,
        floor_seconds,
        floor_ratio: step_seconds / floor_seconds,
        exponent: None,
        stages,
    })
}

/// Fills in the exponents `ln(t/t₀)/ln(n/n₀)` between neighbouring sizes of each case.
pub fn fill_exponents(records: &mut [Record]) {
    for k in 1..records.len() {
        let (before, here) = records.split_at_mut(k);
        let (before, here) = (&before[k - 1], &mut here[0]);
        if before.problem == here.problem && before.rows != here.rows {
            let growth = (here.step_seconds / before.step_seconds).ln();
            here.exponent = Some(growth / (here.rows as f64 / before.rows as f64).ln());
        }
    }
}
