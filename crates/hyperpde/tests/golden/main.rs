//! Golden vectors: inputs and outputs of the published method, computed by its own code.
//!
//! Every file of `HYPERPDE_GOLDEN` (or `assets/golden`) is checked to the accuracy that it states for itself, on the backend that
//! `HYPERPDE_BACKEND` names and on both pair stages; experiments that are not built yet are named as skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod experiment;
mod file;

use std::sync::Arc;

use experiment::{Experiment, experiment, unstack};
use file::{Golden, relative};
use hyperpde::bilevel::{Batches, Bilevel, BilevelSettings, Event, OptimizerState};
use hyperpde::burn::tensor::{DType, Device, Tensor, TensorData};
use hyperpde::gp::{Assembly, InnerProblem, SolveSettings};
use hyperpde::kernels::{Backend, Kernel, gradient, tensor_to_vec};
use hyperpde::pde::Collocation;

fn backend() -> Backend {
    std::env::var("HYPERPDE_BACKEND").map_or_else(|_| Backend::default(), |name| name.parse().unwrap())
}

/// Collects what misses its bar, so that one run shows everything.
#[derive(Default)]
struct Verdict {
    misses: Vec<String>,
}

impl Verdict {
    fn check(&mut self, file: &str, what: &str, got: f64, bar: f64) {
        println!("{file:32} {what:36} {got:9.2e}  (bar {bar:.0e})");
        if got.is_nan() || got > bar {
            self.misses.push(format!("{file}: {what} differs by {got:.2e}, the bar is {bar:.0e}"));
        }
    }

    fn finish(self) {
        assert!(self.misses.is_empty(), "{}", self.misses.join("\n"));
    }
}

/// Files of a kind whose experiment is built; the others are named.
fn files(kind: &str) -> Vec<(Golden, Experiment)> {
    let of_kind = Golden::all().into_iter().filter(|g| g.text("kind") == kind);
    of_kind
        .filter_map(|g| match experiment(&g) {
            Some(e) => Some((g, e)),
            None => {
                println!("SKIPPED {}: experiment '{}' is not built yet", g.name, g.text("experiment"));
                None
            }
        })
        .collect()
}

/// The linearised inner problem of a step file.
fn step_problem(golden: &Golden, e: &Experiment, assembly: Assembly) -> Arc<InnerProblem> {
    let equations = e.problem.equations();
    let unknowns = equations.unknowns();
    let (x, v) = (golden.points("in.X_int"), golden.points("in.X_val"));
    let at = |name: &str, order: &[hyperpde::pde::Unknown]| unstack(golden.array(name), order, &unknowns);
    let mut training =
        equations.linearise(&x, &at("in.zk", &e.at_samples)).unwrap().rows("pde", &unknowns, &x).unwrap();
    training.extend(e.conditions.clone());
    let validation =
        equations.linearise(&v, &at("in.zk_val", &e.at_validation)).unwrap().rows("validation", &unknowns, &v).unwrap();
    let validation = validation.into_iter().chain(e.scored.iter().map(|(rows, _)| rows.clone())).collect::<Vec<_>>();
    let settings = SolveSettings { assembly, ..SolveSettings::default() };
    InnerProblem::new(e.problem.fields().len(), training, &validation, golden.number("/nugget"), settings).unwrap()
}

/// The loss, and the residuals of the linearised equations.
fn loss<K: Kernel>(problem: &Arc<InnerProblem>, e: &Experiment, kernels: &[K]) -> (Tensor<1>, Vec<f64>) {
    let p = problem.predict(kernels).unwrap().values;
    let m = problem.validation_rhs().len();
    let scored = e.scored.as_ref().map_or(0, |(rows, _)| rows.len());
    let weights = (0..m).map(|i| if i < m - scored { 1.0 } else { e.scored.as_ref().unwrap().1 }).collect::<Vec<_>>();
    let constant = |v: &[f64]| Tensor::<1>::from_data(TensorData::new(v.to_vec(), [m]), (&p.device(), DType::F64));
    let residual = p.clone() - constant(problem.validation_rhs());
    let host = tensor_to_vec(residual.clone()).unwrap()[..m - scored].to_vec();
    ((residual.clone() * residual * constant(&weights)).sum(), host)
}

fn check_step(golden: &Golden, e: &Experiment, assembly: Assembly, device: &Device, verdict: &mut Verdict) {
    let problem = step_problem(golden, e, assembly);
    let kernels = e.kernel.build(golden, "hp.", &device.clone().autodiff());
    let (loss, residual) = loss(&problem, e, &kernels);
    let name = &format!("{} {assembly:?}", golden.name);
    let value = tensor_to_vec(loss.clone()).unwrap();
    verdict.check(name, "loss", relative(&value, golden.array("out.loss")), golden.rtol("loss"));
    // The residual is a difference of larger numbers: its bar is the loss's.
    verdict.check(
        name,
        "validation residual",
        relative(&residual, golden.array("out.val_residual")),
        golden.rtol("loss").max(golden.rtol("grad")),
    );
    let grads = loss.backward();
    let mut flat = kernels.iter().flat_map(|k| gradient(k, &grads).unwrap()).collect::<Vec<_>>().into_iter();
    for hp in golden.hyperparameters("grad.") {
        let want = golden.array(&format!("grad.{hp}"));
        let got: Vec<f64> = flat.by_ref().take(want.len()).collect();
        verdict.check(name, &format!("gradient of {hp}"), relative(&got, want), golden.rtol("grad"));
    }
    assert!(flat.next().is_none(), "{name}: more parameters than the file has gradients");
    let posterior = problem.solve(&kernels).unwrap();
    let unknowns = e.problem.equations().unknowns();
    let latents = posterior.latents(0).unwrap();
    let z: Vec<f64> =
        e.at_samples.iter().flat_map(|u| latents[unknowns.iter().position(|v| v == u).unwrap()].clone()).collect();
    verdict.check(name, "functionals at the samples", relative(&z, golden.array("out.new_z")), golden.rtol("new_z"));
    let at_test: Vec<Vec<f64>> =
        e.tested.iter().map(|&f| posterior.values(f, &golden.points("in.X_test")).unwrap()).collect();
    verdict.check(
        name,
        "solution at the test points",
        relative(&interleave(&at_test), golden.array("out.u_test")),
        golden.rtol("u_test"),
    );
}

/// `[fields][n]` to `[n, fields]` row-major.
fn interleave(columns: &[Vec<f64>]) -> Vec<f64> {
    (0..columns[0].len()).flat_map(|i| columns.iter().map(move |c| c[i])).collect()
}

#[test]
fn golden_steps() {
    let device = backend().device().unwrap();
    let mut verdict = Verdict::default();
    for (golden, e) in files("step") {
        for assembly in [Assembly::Auto, Assembly::Tensor] {
            check_step(&golden, &e, assembly, &device, &mut verdict);
        }
    }
    verdict.finish();
}

#[test]
fn golden_trajectories() {
    let device = backend().device().unwrap();
    let mut verdict = Verdict::default();
    for (golden, e) in files("trajectory") {
        check_trajectory(&golden, &e, &device, &mut verdict);
    }
    verdict.finish();
}

/// Gauss-Newton and Adam from a zero iterate, single-stepped, on the file's batches.
fn check_trajectory(golden: &Golden, e: &Experiment, device: &Device, verdict: &mut Verdict) {
    let name = &golden.name;
    let kernels = e.kernel.build(golden, "hp0.", &device.clone().autodiff());
    let (pool, batches) = e.batches(golden);
    let settings = BilevelSettings {
        gauss_newton_steps: 2,
        outer_steps: 4,
        batch: batches[0].len(),
        learning_rate: golden.number("/optimizer/learning_rate"),
        loss_tolerance: 0.0,
        nugget: golden.number("/nugget"),
        optimizer_state: OptimizerState::Reset,
        monitor: 0,
        ..BilevelSettings::published(e.problem.defaults(), 0)
    };
    let collocation = Collocation {
        interior: golden.points("in.X_int"),
        boundary: e.conditions.clone(),
        pool,
        observations: Vec::new(),
    };
    let mut run =
        Bilevel::init(&e.problem, collocation, kernels, settings).unwrap().with_batches(Batches::Fixed(batches));
    if let Some((rows, weight)) = &e.scored {
        run = run.with_scored_rows(rows.clone(), *weight);
    }
    let names = golden.hyperparameters("hp0.");
    let start = golden.flat("hp0.");
    let unknowns = e.problem.equations().unknowns();
    let (mut losses, mut step) = (Vec::new(), 0);
    loop {
        match run.step().unwrap() {
            Event::Outer(record) => {
                losses.push(record.loss);
                let want: Vec<f64> =
                    names.iter().flat_map(|n| at(golden, &format!("out.hp_adam.{n}"), &[step / 4, step % 4])).collect();
                let moved = |v: &[f64]| v.iter().zip(&start).map(|(a, b)| a - b).collect::<Vec<_>>();
                let what = format!("hyperparameters after update {}", step + 1);
                verdict.check(name, &what, relative(run.theta(), &want), golden.rtol("final_hp_rel"));
                verdict.check(
                    name,
                    "  relative to displacement",
                    relative(&moved(run.theta()), &moved(&want)),
                    golden.rtol("final_hp_rel_to_displacement"),
                );
                step += 1;
            }
            Event::GaussNewton(record, posterior) => {
                let k = record.gauss_newton - 1;
                let z: Vec<f64> = e
                    .at_samples
                    .iter()
                    .flat_map(|u| run.iterate()[unknowns.iter().position(|v| v == u).unwrap()].clone())
                    .collect();
                verdict.check(
                    name,
                    &format!("iterate {}", k + 1),
                    relative(&z, golden.slice("out.new_z", k)),
                    golden.rtol("new_z"),
                );
                let u: Vec<Vec<f64>> =
                    e.tested.iter().map(|&f| posterior.values(f, &golden.points("in.X_test")).unwrap()).collect();
                let want = golden.slice("out.u_test_linearised", k);
                verdict.check(
                    name,
                    &format!("solution {}", k + 1),
                    relative(&interleave(&u), want),
                    golden.rtol("u_test_linearised"),
                );
            }
            Event::Done(_) => break,
        }
    }
    let worst = losses.iter().zip(golden.array("out.loss")).map(|(a, b)| ((a - b) / b).abs()).fold(0.0, f64::max);
    verdict.check(name, "losses", worst, golden.rtol("loss_max_rel"));
    assert_eq!(step, 8);
}

/// Entry `index` of the leading axes of an array.
fn at(golden: &Golden, name: &str, index: &[usize]) -> Vec<f64> {
    let shape = golden.shape(name);
    let size: usize = shape[index.len()..].iter().product();
    let k = index.iter().zip(shape).fold(0, |k, (i, n)| k * n + i);
    golden.array(name)[k * size..(k + 1) * size].to_vec()
}

/// All backends of the host that are compiled in give the same losses and gradients.
#[test]
fn golden_backends_agree() {
    let backends: Vec<Backend> = Backend::available().into_iter().filter(|b| b.is_host()).collect();
    if backends.len() < 2 {
        println!("SKIPPED: only {} is compiled in; build with --features flex to compare", backends[0]);
        return;
    }
    let mut verdict = Verdict::default();
    for (golden, e) in files("step") {
        for assembly in [Assembly::Auto, Assembly::Tensor] {
            let problem = step_problem(&golden, &e, assembly);
            let losses: Vec<Vec<f64>> = backends
                .iter()
                .map(|b| {
                    tensor_to_vec(loss(&problem, &e, &e.kernel.build(&golden, "hp.", &b.device().unwrap())).0).unwrap()
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
