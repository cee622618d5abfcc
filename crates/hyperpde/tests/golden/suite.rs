//! One golden file computed in one way: how far each quantity is from the file's.
// Each of the two test targets that share this uses its part.
#![allow(dead_code)]

use std::sync::Arc;

use hyperpde::bilevel::{Batches, Bilevel, BilevelError, BilevelSettings, Event, OptimizerState};
use hyperpde::burn::tensor::{Device, Tensor, TensorData};
use hyperpde::gp::{GpError, InnerProblem, SolveSettings};
use hyperpde::kernels::{Kernel, gradient, tensor_to_vec};
use hyperpde::pde::{Collocation, Unknown};

use crate::experiment::{Experiment, experiment, unstack};
use crate::file::{Golden, relative};

/// Where and how a file is computed.
pub struct Way {
    /// The device of the kernels.
    pub kernels: Device,
    pub solve: SolveSettings,
}

/// Kinds of quantities, each with a bar of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    Loss,
    /// Of a step; of a trajectory the hyperparameters that its gradients lead to.
    Gradient,
    /// Functionals at the samples.
    Functionals,
    /// The solution at the test points.
    Solution,
}

/// How far a quantity is from the file's, relative, and the accuracy that the file states for it.
pub struct Deviation {
    pub what: String,
    pub quantity: Quantity,
    pub got: f64,
    pub stated: f64,
}

/// All quantities of a file, and the largest jitter that a factorisation needed.
pub struct Computed {
    pub deviations: Vec<Deviation>,
    pub jitter: f64,
}

#[derive(Default)]
struct Deviations(Vec<Deviation>);

impl Deviations {
    fn add(&mut self, quantity: Quantity, what: impl Into<String>, got: f64, stated: f64) {
        self.0.push(Deviation { what: what.into(), quantity, got, stated });
    }
}

/// Collects what misses its bar, so that one run shows everything.
#[derive(Default)]
pub struct Verdict {
    misses: Vec<String>,
}

impl Verdict {
    pub fn check(&mut self, file: &str, what: &str, got: f64, bar: f64) {
        println!("{file:32} {what:36} {got:9.2e}  (bar {bar:.0e})");
        if got.is_nan() || got > bar {
            self.misses.push(format!("{file}: {what} differs by {got:.2e}, the bar is {bar:.0e}"));
        }
    }

    pub fn finish(self) {
        assert!(self.misses.is_empty(), "{}", self.misses.join("\n"));
    }
}

/// Files of a kind whose experiment is built; the others are named.
pub fn files(kind: &str) -> Vec<(Golden, Experiment)> {
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
pub fn step_problem(golden: &Golden, e: &Experiment, settings: SolveSettings) -> Arc<InnerProblem> {
    let equations = e.problem.equations();
    let unknowns = equations.unknowns();
    let (x, v) = (golden.points("in.X_int"), golden.points("in.X_val"));
    let at = |name: &str, order: &[Unknown]| unstack(golden.array(name), order, &unknowns);
    let mut training =
        equations.linearise(&x, &at("in.zk", &e.at_samples)).unwrap().rows("pde", &unknowns, &x).unwrap();
    training.extend(e.conditions.clone());
    let validation =
        equations.linearise(&v, &at("in.zk_val", &e.at_validation)).unwrap().rows("validation", &unknowns, &v).unwrap();
    let validation = validation.into_iter().chain(e.scored.iter().map(|(rows, _)| rows.clone())).collect::<Vec<_>>();
    InnerProblem::new(e.problem.fields().len(), training, &validation, golden.number("/nugget"), settings).unwrap()
}

/// The loss, and the residuals of the linearised equations.
pub fn loss<K: Kernel>(
    problem: &Arc<InnerProblem>,
    e: &Experiment,
    kernels: &[K],
) -> Result<(Tensor<1>, Vec<f64>), GpError> {
    let p = problem.predict(kernels)?.values;
    let m = problem.validation_rhs().len();
    let scored = e.scored.as_ref().map_or(0, |(rows, _)| rows.len());
    let weights = (0..m).map(|i| if i < m - scored { 1.0 } else { e.scored.as_ref().unwrap().1 }).collect::<Vec<_>>();
    let constant = |v: &[f64]| Tensor::<1>::from_data(TensorData::new(v.to_vec(), [m]), (&p.device(), p.dtype()));
    let residual = p.clone() - constant(problem.validation_rhs());
    let host = tensor_to_vec(residual.clone()).unwrap()[..m - scored].to_vec();
    Ok(((residual.clone() * residual * constant(&weights)).sum(), host))
}

/// A file of kind step: outer loss, its gradient and the inner solve.
pub fn step(golden: &Golden, e: &Experiment, way: &Way) -> Result<Computed, BilevelError> {
    let mut out = Deviations::default();
    let problem = step_problem(golden, e, way.solve.clone());
    let kernels = e.kernel.build(golden, "hp.", &way.kernels.clone().autodiff());
    let (loss, residual) = loss(&problem, e, &kernels)?;
    let value = tensor_to_vec(loss.clone())?;
    out.add(Quantity::Loss, "loss", relative(&value, golden.array("out.loss")), golden.rtol("loss"));
    // The residual is a difference of larger numbers: its bar is the loss's.
    let stated = golden.rtol("loss").max(golden.rtol("grad"));
    out.add(Quantity::Loss, "validation residual", relative(&residual, golden.array("out.val_residual")), stated);
    let grads = loss.backward();
    let mut flat = kernels.iter().flat_map(|k| gradient(k, &grads).unwrap()).collect::<Vec<_>>().into_iter();
    for hp in golden.hyperparameters("grad.") {
        let want = golden.array(&format!("grad.{hp}"));
        let got: Vec<f64> = flat.by_ref().take(want.len()).collect();
        out.add(Quantity::Gradient, format!("gradient of {hp}"), relative(&got, want), golden.rtol("grad"));
    }
    assert!(flat.next().is_none(), "{}: more parameters than the file has gradients", golden.name);
    let posterior = problem.solve(&kernels)?;
    let unknowns = e.problem.equations().unknowns();
    let latents = posterior.latents(0)?;
    let z: Vec<f64> =
        e.at_samples.iter().flat_map(|u| latents[unknowns.iter().position(|v| v == u).unwrap()].clone()).collect();
    let got = relative(&z, golden.array("out.new_z"));
    out.add(Quantity::Functionals, "functionals at the samples", got, golden.rtol("new_z"));
    let at_test: Vec<Vec<f64>> =
        e.tested.iter().map(|&f| posterior.values(f, &golden.points("in.X_test"))).collect::<Result<_, _>>()?;
    let got = relative(&interleave(&at_test), golden.array("out.u_test"));
    out.add(Quantity::Solution, "solution at the test points", got, golden.rtol("u_test"));
    Ok(Computed { deviations: out.0, jitter: posterior.info().jitter })
}

/// `[fields][n]` to `[n, fields]` row-major.
fn interleave(columns: &[Vec<f64>]) -> Vec<f64> {
    (0..columns[0].len()).flat_map(|i| columns.iter().map(move |c| c[i])).collect()
}

/// Gauss-Newton and Adam from a zero iterate, single-stepped, on the file's batches.
pub fn trajectory(golden: &Golden, e: &Experiment, way: &Way) -> Result<Computed, BilevelError> {
    let (mut out, mut jitter) = (Deviations::default(), 0.0_f64);
    let kernels = e.kernel.build(golden, "hp0.", &way.kernels.clone().autodiff());
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
        solve: way.solve.clone(),
        ..BilevelSettings::published(e.problem.defaults(), 0)
    };
    let collocation = Collocation {
        interior: golden.points("in.X_int"),
        boundary: e.conditions.clone(),
        pool,
        observations: Vec::new(),
        boundary_pool: Vec::new(),
    };
    let mut run = Bilevel::init(&e.problem, collocation, kernels, settings)?.with_batches(Batches::Fixed(batches));
    if let Some((rows, weight)) = &e.scored {
        run = run.with_scored_rows(rows.clone(), *weight);
    }
    let names = golden.hyperparameters("hp0.");
    let start = golden.flat("hp0.");
    let unknowns = e.problem.equations().unknowns();
    let (mut losses, mut step) = (Vec::new(), 0);
    loop {
        match run.step()? {
            Event::Outer(record) => {
                losses.push(record.loss);
                jitter = jitter.max(record.jitter);
                let want: Vec<f64> =
                    names.iter().flat_map(|n| at(golden, &format!("out.hp_adam.{n}"), &[step / 4, step % 4])).collect();
                let moved = |v: &[f64]| v.iter().zip(&start).map(|(a, b)| a - b).collect::<Vec<_>>();
                let what = format!("hyperparameters after update {}", step + 1);
                out.add(Quantity::Gradient, what, relative(run.theta(), &want), golden.rtol("final_hp_rel"));
                let got = relative(&moved(run.theta()), &moved(&want));
                let stated = golden.rtol("final_hp_rel_to_displacement");
                out.add(Quantity::Gradient, "  relative to displacement", got, stated);
                step += 1;
            }
            Event::GaussNewton(record, posterior) => {
                let k = record.gauss_newton - 1;
                let z: Vec<f64> = e
                    .at_samples
                    .iter()
                    .flat_map(|u| run.iterate()[unknowns.iter().position(|v| v == u).unwrap()].clone())
                    .collect();
                let got = relative(&z, golden.slice("out.new_z", k));
                out.add(Quantity::Functionals, format!("iterate {}", k + 1), got, golden.rtol("new_z"));
                let u: Vec<Vec<f64>> = e
                    .tested
                    .iter()
                    .map(|&f| posterior.values(f, &golden.points("in.X_test")))
                    .collect::<Result<_, _>>()?;
                let got = relative(&interleave(&u), golden.slice("out.u_test_linearised", k));
                out.add(Quantity::Solution, format!("solution {}", k + 1), got, golden.rtol("u_test_linearised"));
                jitter = jitter.max(posterior.info().jitter);
            }
            Event::Done(_) => break,
        }
    }
    let worst = losses.iter().zip(golden.array("out.loss")).map(|(a, b)| ((a - b) / b).abs()).fold(0.0, f64::max);
    out.add(Quantity::Loss, "losses", worst, golden.rtol("loss_max_rel"));
    assert_eq!(step, 8);
    Ok(Computed { deviations: out.0, jitter })
}

/// Entry `index` of the leading axes of an array.
fn at(golden: &Golden, name: &str, index: &[usize]) -> Vec<f64> {
    let shape = golden.shape(name);
    let size: usize = shape[index.len()..].iter().product();
    let k = index.iter().zip(shape).fold(0, |k, (i, n)| k * n + i);
    golden.array(name)[k * size..(k + 1) * size].to_vec()
}
