//! Jitter is logged once per factorisation, and a backward pass makes none of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Mutex;

use common::{devices, distance, eliminate, host, matrix};
use hyperpde_linalg::{JitterPolicy, spd_solve_log_det};
use log::{Level, LevelFilter, Log, Metadata, Record};

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Recorder;

impl Log for Recorder {
    fn enabled(&self, _: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        if record.level() == Level::Warn {
            WARNINGS.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[test]
fn one_warning_for_forward_and_backward_together() {
    log::set_logger(&Recorder).unwrap();
    log::set_max_level(LevelFilter::Trace);
    // Singular to a relative 1e-4, so that the jittered system is still well enough conditioned to compare.
    let a = [1.0, 1.0, 1.0, 1.0 - 1e-4];
    let policy = JitterPolicy::new(1e-6, 10.0, 1e-1).unwrap();
    for (name, device) in devices() {
        WARNINGS.lock().unwrap().clear();
        let d = device.autodiff();
        let (ta, tb) = (matrix(&a, [2, 2], &d).require_grad(), matrix(&[1.0, 3.0], [2, 1], &d).require_grad());
        let (x, l, info) = spd_solve_log_det(ta.clone(), tb.clone(), &policy).unwrap();
        let grads = (x.sum() + l).backward();

        let warnings = WARNINGS.lock().unwrap().clone();
        assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
        let jitter = format!("{:.1e}", info.jitter);
        assert!(warnings[0].contains(&jitter), "{name}: {warnings:?}");

        // The adjoint is that of the jittered system: B̄ = (A + jI)⁻¹ 1.
        let shift = info.jitter * (1.0 - 0.5e-4);
        let jittered = [a[0] + shift, a[1], a[2], a[3] + shift];
        let (expected, _) = eliminate(&jittered, &[1.0, 1.0], 2, 1);
        let db = host(tb.grad(&grads).unwrap());
        assert!(distance(&db, &expected) < 1e-9, "{name}: {db:?}");
        assert!(ta.grad(&grads).is_some());
    }
}
