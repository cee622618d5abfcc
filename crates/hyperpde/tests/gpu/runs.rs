//! Short runs with pairs on the device against the same on the host.
//!
//! Rounding of the pairs, 1e-16 in float64 and 1e-14 in mixed precision, is amplified by the condition of the inner system, and that is
//! limited by the nugget.

use std::time::Instant;

use hyperpde::gp::SolveSettings;
use hyperpde::kernels::Precision;

use crate::suite::Verdict;
use crate::{all_kernels, host, rows, short};

/// How far losses may be off in float64 and in mixed precision; the nugget of elliptic is smaller.
fn bars(problem: &str) -> [f64; 2] {
    if problem == "elliptic" { [1e-6, 5e-6] } else { [1e-8, 1e-7] }
}

#[test]
fn losses_and_final_errors_are_those_of_the_host() {
    let rows: Vec<_> = rows().into_iter().filter(|row| row.precision != Precision::F32).collect();
    let mut verdict = Verdict::default();
    for case in short::all() {
        let name = case.problem.name();
        let expected = case.run(&host(), SolveSettings::default());
        for row in &rows {
            if row.software && row.precision == Precision::Mixed && name != "elliptic" && !all_kernels() {
                println!(
                    "skipped: {name} {}, which a software device compiles for minutes; HYPERPDE_ALL_KERNELS=1 has it",
                    row.name()
                );
                continue;
            }
            let started = Instant::now();
            let ran = case.run(&row.way.kernels, row.way.solve.clone());
            let what = format!("{name} {}", row.name());
            println!(
                "{what}: {:.1?}, relative L2 error {:.6e}, on the host {:.6e}",
                started.elapsed(),
                ran.error,
                expected.error
            );
            let bar = bars(name)[usize::from(row.precision == Precision::Mixed)];
            verdict.check(&what, "losses of 20 outer steps", short::difference(&ran, &expected), bar);
            verdict.check(&what, "final error", (ran.error / expected.error - 1.0).abs(), 0.1);
        }
    }
    verdict.finish();
}
