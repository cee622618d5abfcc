//! Golden vectors: inputs and outputs of the published method, computed by its own code.
//!
//! Every file of `HYPERPDE_GOLDEN` (or `assets/golden`) is checked to the accuracy that it states for itself, on the backend that
//! `HYPERPDE_BACKEND` names and on every assembly, burn operations alone included; experiments that are not built yet are named as skipped. What needs a GPU is in
//! `tests/gpu`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod experiment;
mod file;
mod suite;

use file::relative;
use hyperpde::gp::{Assembly, SolveSettings};
use hyperpde::kernels::{Backend, tensor_to_vec};
use suite::{Verdict, Way, files, loss, step, step_problem, trajectory};

fn backend() -> Backend {
    std::env::var("HYPERPDE_BACKEND").map_or_else(|_| Backend::default(), |name| name.parse().unwrap())
}

fn settings(assembly: Assembly) -> SolveSettings {
    SolveSettings { assembly, ..SolveSettings::default() }
}

#[test]
fn golden_steps() {
    let mut verdict = Verdict::default();
    for (golden, e) in files("step") {
        for assembly in Assembly::ALL {
            let way = Way { kernels: backend().device().unwrap(), solve: settings(assembly) };
            let name = format!("{} {assembly:?}", golden.name);
            for d in step(&golden, &e, &way).unwrap().deviations {
                verdict.check(&name, &d.what, d.got, d.stated);
            }
        }
    }
    verdict.finish();
}

#[test]
fn golden_trajectories() {
    let mut verdict = Verdict::default();
    for (golden, e) in files("trajectory") {
        for assembly in Assembly::ALL {
            let way = Way { kernels: backend().device().unwrap(), solve: settings(assembly) };
            let name = format!("{} {assembly:?}", golden.name);
            for d in trajectory(&golden, &e, &way).unwrap().deviations {
                verdict.check(&name, &d.what, d.got, d.stated);
            }
        }
    }
    verdict.finish();
}

/// All backends of the host that are compiled in give the same losses and gradients.
#[test]
fn golden_backends_agree() {
    let backends: Vec<Backend> = Backend::available().into_iter().filter(|b| b.is_host()).collect();
    if backends.len() < 2 {
        println!("SKIPPED: only {} is compiled in; build with --features ndarray to compare", backends[0]);
        return;
    }
    let mut verdict = Verdict::default();
    for (golden, e) in files("step") {
        for assembly in Assembly::ALL {
            let problem = step_problem(&golden, &e, settings(assembly));
            let losses: Vec<Vec<f64>> = backends
                .iter()
                .map(|b| {
                    let kernels = e.kernel.build(&golden, "hp.", &b.device().unwrap());
                    tensor_to_vec(loss(&problem, &e, &kernels).unwrap().0).unwrap()
                })
                .collect();
            for (b, l) in backends.iter().zip(&losses).skip(1) {
                verdict.check(
                    &format!("{} {assembly:?}", golden.name),
                    &format!("loss, {b} against {}", backends[0]),
                    relative(l, &losses[0]),
                    1e-9,
                );
            }
        }
    }
    verdict.finish();
}
