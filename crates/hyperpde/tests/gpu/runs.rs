//! Short runs with pairs on the device against the same on the host.

use hyperpde::gp::SolveSettings;
use hyperpde::kernels::Precision;

use crate::{host, rows, short};

#[test]
fn losses_and_final_errors_are_those_of_the_host() {
    let rows: Vec<_> = rows().into_iter().filter(|row| row.precision != Precision::F32).collect();
    for case in short::all() {
        let (name, expected) = (case.problem.name(), case.run(&host(), SolveSettings::default()));
        for row in &rows {
            let started = std::time::Instant::now();
            let ran = case.run(&row.way.kernels, row.way.solve.clone());
            let losses = short::difference(&ran, &expected);
            let (error, of) = (ran.error, expected.error);
            println!(
                "{name} {}: losses {losses:.1e}, error {error:.6e}, on the host {of:.6e}; {:.1?}",
                row.name(),
                started.elapsed()
            );
            assert!(losses <= 1e-7, "{name} {}: {losses:e}", row.name());
            assert!((error / of - 1.0).abs() <= 0.1, "{name} {}: {error:e}, on the host {of:e}", row.name());
        }
    }
}
