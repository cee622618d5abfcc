//! The host's backends compute the same runs: burn's tensor libraries differ in rounding only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/short.rs"]
mod short;

use hyperpde::gp::SolveSettings;
use hyperpde::kernels::Backend;

#[test]
fn losses_and_errors_agree() {
    let hosts: Vec<Backend> = Backend::available().into_iter().filter(|b| b.is_host()).collect();
    let [first, others @ ..] = &hosts[..] else { panic!("no backend of the host") };
    if others.is_empty() {
        println!("SKIPPED: only {first} is compiled in; build with --features ndarray to compare");
        return;
    }
    for case in short::all() {
        let run = |b: &Backend| case.run(&b.device().unwrap(), SolveSettings::default());
        let expected = run(first);
        for b in others {
            let ran = run(b);
            let (losses, error) = (short::difference(&ran, &expected), (ran.error / expected.error - 1.0).abs());
            println!("{}, {b} against {first}: losses {losses:.1e}, error {:.4e}", case.problem.name(), ran.error);
            assert!(losses <= 1e-9 && error <= 1e-9, "{}: {losses:e} {error:e}", case.problem.name());
        }
    }
}
