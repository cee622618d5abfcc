//! Every golden file in every precision of every device, with the accuracy that it keeps there.
//!
//! Kernels of the additive experiment have a polynomial part, which the device's pair stage does not take: in float64 and mixed
//! precision the host computes it, in float32 tensors do.

use std::time::Instant;

use hyperpde::bilevel::BilevelError;
use hyperpde::gp::GpError;
use hyperpde::kernels::Precision;

use crate::experiment::Experiment;
use crate::file::Golden;
use crate::suite::{Computed, Deviation, Quantity, Verdict, Way, files, step, trajectory};
use crate::{Row, all_kernels, rows};

const QUANTITIES: [Quantity; 4] = [Quantity::Loss, Quantity::Gradient, Quantity::Functionals, Quantity::Solution];

/// Measured errors may be this much larger: on the software device they were measured on, and on others, which round differently.
const MARGIN: [f64; 2] = [3.0, 10.0];

/// What a file is held to.
#[derive(Clone, Copy)]
enum Bar {
    /// A multiple of the accuracy that it states for itself.
    Stated(f64),
    /// Measured errors of loss, gradient, functionals and solution.
    Measured([f64; 4]),
    /// Float32 has no digit of the loss left at the file's nugget. A jitter or a typed failure says so, or the numbers are finite and
    /// far off; the command line raises the nugget of runs in float32 for this reason.
    NoDigits,
}

fn bar(file: &str, precision: Precision) -> Bar {
    use Bar::{Measured, NoDigits, Stated};
    match (precision, file) {
        // Rounding of two float32 is about fifty times that of float64; these two files state what float64 just reaches.
        (Precision::Mixed, "darcy_step_1") => Stated(10.0),
        (Precision::Mixed, "darcy_trajectory_2") => Stated(5.0),
        (Precision::Mixed | Precision::F64, _) => Stated(1.0),
        (Precision::F32, "burgers_step_1") => Measured([1.6e-6, 1.7e-6, 3.2e-6, 1.7e-6]),
        (Precision::F32, "burgers_step_2") => Measured([1.6e-4, 3.1e-4, 3.4e-4, 2.1e-4]),
        (Precision::F32, "burgers_trajectory_1") => Measured([4.9e-4, 1.8e-2, 9.0e-4, 5.4e-4]),
        (Precision::F32, "burgers_trajectory_2") => Measured([6.2e-4, 7.3e-4, 2.4e-4, 2.9e-4]),
        (Precision::F32, "darcy_step_2") => Measured([1.3e-3, 8.0e-3, 1.8e-3, 7.5e-4]),
        (Precision::F32, "darcy_trajectory_2") => Measured([2.7e-2, 2.8e-3, 3.5e-3, 1.1e-3]),
        (Precision::F32, "elliptic_step_1") => Measured([1.3e-4, 3.5e-5, 3.7e-5, 7.3e-5]),
        (Precision::F32, "elliptic_step_2") => Measured([1.3e-4, 1.3e-4, 6.5e-5, 3.5e-5]),
        (Precision::F32, "elliptic_trajectory_1") => Measured([3.4e-6, 8.2e-7, 9.0e-6, 8.4e-6]),
        (Precision::F32, "elliptic_trajectory_2") => Measured([3.8e-4, 5.1e-5, 1.7e-3, 1.8e-3]),
        (Precision::F32, "elliptic_additive_step_1") => Measured([3.1e-4, 2.3e-4, 6.7e-4, 4.0e-4]),
        (Precision::F32, "grayscott_step_1") => Measured([2.2e-3, 3.7e-3, 2.9e-4, 3.6e-4]),
        (Precision::F32, "schrodinger_step_1") => Measured([1.3e-3, 6.8e-3, 2.4e-4, 6.5e-5]),
        (Precision::F32, "schrodinger_step_2") => Measured([1.1e-4, 2.5e-4, 2.5e-5, 5.6e-6]),
        (Precision::F32, "schrodinger_trajectory_1") => Measured([1.7e-6, 5.8e-7, 2.0e-6, 1.5e-6]),
        (Precision::F32, "schrodinger_trajectory_2") => Measured([1.2e-3, 1.3e-3, 1.4e-3, 1.0e-3]),
        (Precision::F32, _) => NoDigits,
    }
}

/// The largest of a quantity's deviations; NaN if one is.
fn worst(computed: &Computed, quantity: Quantity, of: impl Fn(&Deviation) -> f64) -> f64 {
    let those = computed.deviations.iter().filter(|d| d.quantity == quantity);
    those.map(of).fold(0.0, |m, v| if m >= v || m.is_nan() { m } else { v })
}

fn is_factorisation(e: &BilevelError) -> bool {
    match e {
        BilevelError::Gp(source) | BilevelError::Step { source, .. } => matches!(source, GpError::Factorisation { .. }),
        _ => false,
    }
}

/// Holds a file to its bar.
fn judge(name: &str, bar: Bar, row: &Row, computed: &Result<Computed, BilevelError>, verdict: &mut Verdict) {
    let computed = match (computed, bar) {
        (Ok(computed), _) => computed,
        (Err(e), Bar::NoDigits) if is_factorisation(e) => return,
        (Err(e), _) => panic!("{name}: {e}"),
    };
    for (k, quantity) in QUANTITIES.into_iter().enumerate() {
        match bar {
            Bar::Stated(factor) => {
                for d in computed.deviations.iter().filter(|d| d.quantity == quantity) {
                    verdict.check(name, &d.what, d.got, factor * d.stated);
                }
            }
            Bar::Measured(errors) => {
                let margin = MARGIN[usize::from(!row.software)];
                verdict.check(name, &format!("{quantity:?}"), worst(computed, quantity, |d| d.got), margin * errors[k]);
            }
            Bar::NoDigits => assert!(worst(computed, quantity, |d| d.got).is_finite(), "{name}: {quantity:?}"),
        }
    }
}

fn check(kind: &str, compute: fn(&Golden, &Experiment, &Way) -> Result<Computed, BilevelError>) {
    let (rows, mut verdict, mut table) = (rows(), Verdict::default(), Vec::new());
    for (golden, e) in files(kind) {
        for row in &rows {
            let (file, name) = (&golden.name, format!("{} {}", golden.name, row.name()));
            let tensors = golden.text("experiment") == "elliptic_additive" && row.precision == Precision::F32;
            if tensors && kind == "trajectory" && row.software && !all_kernels() {
                println!(
                    "skipped: {name}, which a software device takes two minutes to compile; HYPERPDE_ALL_KERNELS=1 has it"
                );
                continue;
            }
            let started = Instant::now();
            let computed = compute(&golden, &e, &row.way);
            judge(&name, bar(file, row.precision), row, &computed, &mut verdict);
            let cells = match &computed {
                Ok(c) => {
                    let errors = QUANTITIES.map(|q| format!("{:.1e}", worst(c, q, |d| d.got))).join(" | ");
                    let over = QUANTITIES.map(|q| worst(c, q, |d| d.got / d.stated)).into_iter().fold(0.0, f64::max);
                    let jitter = if c.jitter > 0.0 { format!("{:.0e}", c.jitter) } else { "none".into() };
                    format!("{errors} | {over:.2} | {jitter}")
                }
                Err(e) => e.to_string(),
            };
            let nugget = golden.number("/nugget");
            table.push(format!("| {file} | {nugget:.0e} | {} | {cells} | {:.1?} |", row.name(), started.elapsed()));
        }
    }
    println!(
        "| file | nugget | precision | loss | gradient | functionals | solution | of the stated | jitter | time |"
    );
    table.iter().for_each(|line| println!("{line}"));
    verdict.finish();
}

#[test]
fn golden_steps() {
    check("step", step);
}

#[test]
fn golden_trajectories() {
    check("trajectory", trajectory);
}
