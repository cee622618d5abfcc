//! A solver from outside: conjugate gradients on products alone run everything the dense solver runs; and the systems that solvers see
//! are consistent in all their methods.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::{Lcg, device, loss_and_gradient, problems, relative};
use hyperpde_gp::{Assembly, GpError, Needs, RowBlock, SolveSettings};
use hyperpde_kernels::{GaussianConfig, GibbsConfig, Kernel, LengthScales, Operator};
use hyperpde_linalg::{
    Cotangent, DenseCholesky, Factor, InnerSolver, JitterPolicy, RowSystem, SolveError, SolveStatistics,
};

const NAME: &str = "conjugate gradients";

/// Conjugate gradients with the diagonal as preconditioner (Golub and Van Loan, *Matrix Computations*, 4th edition, section 11.5.2).
#[derive(Debug)]
struct ConjugateGradients {
    tolerance: f64,
    most: usize,
}

struct Iteration {
    system: Arc<dyn RowSystem>,
    diagonal: Vec<f64>,
    tolerance: f64,
    most: usize,
    iterations: AtomicUsize,
}

impl std::fmt::Debug for Iteration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Iteration").field("rows", &self.system.len()).finish_non_exhaustive()
    }
}

impl InnerSolver for ConjugateGradients {
    fn name(&self) -> &'static str {
        NAME
    }

    fn factor(&self, system: &Arc<dyn RowSystem>) -> Result<Box<dyn Factor>, SolveError> {
        let mut diagonal = vec![0.0; system.len()];
        system.diagonal(&mut diagonal)?;
        let (tolerance, most, iterations) = (self.tolerance, self.most, AtomicUsize::new(0));
        Ok(Box::new(Iteration { system: system.clone(), diagonal, tolerance, most, iterations }))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

impl Iteration {
    fn solve_one(&self, b: &mut [f64]) -> Result<(), SolveError> {
        let n = b.len();
        let precondition = |r: &[f64]| r.iter().zip(&self.diagonal).map(|(r, d)| r / d).collect::<Vec<f64>>();
        let (mut x, mut r, mut ap) = (vec![0.0; n], b.to_vec(), vec![0.0; n]);
        let mut z = precondition(&r);
        let mut p = z.clone();
        let (mut rz, norm) = (dot(&r, &z), dot(b, b).sqrt());
        for iteration in 0..=self.most {
            self.iterations.fetch_max(iteration, Ordering::Relaxed);
            let residual = dot(&r, &r).sqrt() / norm.max(f64::MIN_POSITIVE);
            if residual <= self.tolerance {
                b.copy_from_slice(&x);
                return Ok(());
            }
            if iteration == self.most {
                let (solver, iterations, tolerance) = (NAME, self.most, self.tolerance);
                return Err(SolveError::NotConverged { solver, iterations, residual, tolerance });
            }
            self.system.apply(&p, &mut ap)?;
            let step = rz / dot(&p, &ap);
            x.iter_mut().zip(&p).for_each(|(x, p)| *x += step * p);
            r.iter_mut().zip(&ap).for_each(|(r, a)| *r -= step * a);
            z = precondition(&r);
            let next = dot(&r, &z);
            p.iter_mut().zip(&z).for_each(|(p, z)| *p = z + next / rz * *p);
            rz = next;
        }
        Ok(())
    }
}

impl Factor for Iteration {
    fn len(&self) -> usize {
        self.system.len()
    }

    fn solver(&self) -> &'static str {
        NAME
    }

    fn solve(&self, b: &mut [f64], _: usize) -> Result<(), SolveError> {
        b.chunks_exact_mut(self.len()).try_for_each(|b| self.solve_one(b))
    }

    fn statistics(&self) -> SolveStatistics {
        SolveStatistics::iterative(self.iterations.load(Ordering::Relaxed), self.tolerance)
    }
}

fn settings(assembly: Assembly, solver: impl InnerSolver + 'static) -> SolveSettings {
    SolveSettings { assembly, solver: Arc::new(solver), ..SolveSettings::default() }
}

fn compare<K: Kernel>(kernel: &K) {
    let iterative = || ConjugateGradients { tolerance: 1e-13, most: 5000 };
    for assembly in [Assembly::Auto, Assembly::Tensor] {
        let (dense, other) = (
            problems(2, 1e-4, &settings(assembly, DenseCholesky::new())),
            problems(2, 1e-4, &settings(assembly, iterative())),
        );
        for ((name, dense), (_, other)) in dense.into_iter().zip(other) {
            let kernels = std::slice::from_ref(kernel);
            let (p, g) = loss_and_gradient(&dense, kernels);
            let (q, h) = loss_and_gradient(&other, kernels);
            let (a, b) = (dense.solve(kernels).unwrap(), other.solve(kernels).unwrap());
            let points = Lcg(5).points(9, 2);
            let operators = [Operator::identity(2), Operator::partial(2, 1)];
            let (u, v) = (a.evaluate(0, &operators, &points).unwrap(), b.evaluate(0, &operators, &points).unwrap());
            let (s, t) =
                (a.variance(0, &operators[1], &points).unwrap(), b.variance(0, &operators[1], &points).unwrap());
            let found = [relative(&q, &p), relative(&h, &g), relative(&v.concat(), &u.concat()), relative(&t, &s)];
            println!("{name} {assembly:?}: {found:?}, {} iterations", b.info().iterations);
            assert!(found.iter().all(|e| *e < 1e-6), "{name} {assembly:?}: {found:?}");
            assert!(b.info().iterations > 10 && b.info().residual.is_some_and(|r| r <= 1e-13));
            assert!(s.iter().all(|v| *v > 0.0));
            // Other right-hand sides by the same factor.
            let rhs: Vec<f64> = a.rhs().iter().map(|b| 2.0 * b).collect();
            let (a, b) = (a.with_rhs(rhs.clone()).unwrap(), b.with_rhs(rhs).unwrap());
            assert!(relative(b.weights(), a.weights()) < 1e-6);
            let error = other.evaluate(kernels, Needs { log_det: true, ..Needs::default() }).unwrap_err();
            assert!(matches!(error, GpError::Factorisation { source: SolveError::Unsupported { .. }, .. }), "{error}");
            assert!(error.to_string().contains("log-determinant"), "{error}");
            // What it does not know by itself it gets from solves.
            let needs = Needs { inverse_diagonal: true, ..Needs::default() };
            let diagonal = |problem: &Arc<hyperpde_gp::InnerProblem>| {
                hyperpde_kernels::tensor_to_vec(problem.evaluate(kernels, needs).unwrap().inverse_diagonal.unwrap())
                    .unwrap()
            };
            assert!(relative(&diagonal(&other), &diagonal(&dense)) < 1e-8);
        }
    }
}

#[test]
fn conjugate_gradients_run_everything() {
    let dev = device().autodiff();
    compare(&GaussianConfig::ard([0.4, 0.5]).init(&dev).unwrap());
    compare(&GibbsConfig::new(2, LengthScales::PerDimension, 1.5).with_hidden([4]).init(3, &dev).unwrap());
}

/// Burn operations alone need a solver that is made of them; one that is not says so before anything is solved otherwise.
#[test]
fn a_solver_without_a_form_in_tensors_is_refused() {
    let kernel = [GaussianConfig::isotropic(0.4).init(&device()).unwrap()];
    let iterative = ConjugateGradients { tolerance: 1e-13, most: 5000 };
    for (name, problem) in problems(2, 1e-4, &settings(Assembly::PureTensor, iterative)) {
        let error = problem.predict(&kernel).map(|_| ()).unwrap_err();
        let typed =
            matches!(error, GpError::Factorisation { source: SolveError::Unsupported { solver: NAME, .. }, .. });
        assert!(typed, "{name}: {error}");
        assert!(error.to_string().contains("pure-tensor"), "{error}");
    }
}

/// Rows that contradict each other: no path makes up a solution.
#[test]
fn a_singular_system_is_the_same_failure_on_all_paths() {
    let kernel = [GaussianConfig::isotropic(0.4).init(&device().autodiff()).unwrap()];
    let points = Lcg(4).points(5, 2);
    let block =
        |name: &str| RowBlock::simple(name, 0, Operator::identity(2), points.clone(), vec![1.0; 5], 0.0).unwrap();
    for assembly in Assembly::ALL {
        let solver = DenseCholesky::new().with_jitter(JitterPolicy::none());
        let settings = settings(assembly, solver);
        let problem = hyperpde_gp::InnerProblem::new(1, vec![block("a"), block("b")], &[], 0.0, settings).unwrap();
        let error = problem.predict(&kernel).map(|_| ()).unwrap_err();
        let GpError::Factorisation { rows: 10, source: SolveError::NotPositiveDefinite { size: 10, pivot, .. } } =
            error
        else {
            panic!("{assembly:?}: {error}");
        };
        assert!((5..10).contains(&pivot), "{assembly:?}: {pivot}");
    }
}

#[test]
fn an_iteration_that_stops_early_is_a_typed_failure() {
    let kernel = [GaussianConfig::isotropic(0.4).init(&device()).unwrap()];
    for (name, problem) in
        problems(2, 1e-4, &settings(Assembly::Auto, ConjugateGradients { tolerance: 1e-13, most: 3 }))
    {
        let error = problem.solve(&kernel).map(|_| ()).unwrap_err();
        let typed =
            matches!(error, GpError::Factorisation { source: SolveError::NotConverged { iterations: 3, .. }, .. });
        assert!(typed, "{name}: {error}");
    }
}

/// Keeps the system that it is given.
#[derive(Debug, Default)]
struct Probe(Mutex<Option<Seen>>);

struct Seen(Arc<dyn RowSystem>);

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seen({})", self.0.len())
    }
}

impl InnerSolver for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn factor(&self, system: &Arc<dyn RowSystem>) -> Result<Box<dyn Factor>, SolveError> {
        *self.0.lock().unwrap() = Some(Seen(system.clone()));
        DenseCholesky::new().factor(system)
    }
}

#[test]
fn methods_of_a_system_agree() {
    let kernel = [GibbsConfig::new(2, LengthScales::PerDimension, 1.5).with_hidden([4]).init(3, &device()).unwrap()];
    for assembly in [Assembly::Auto, Assembly::Tensor] {
        let probe = Arc::new(Probe::default());
        let settings = SolveSettings { assembly, solver: probe.clone(), ..SolveSettings::default() };
        for (name, problem) in
            problems(2, 1e-3, &settings).into_iter().chain([("periodic", common::periodic(&settings))])
        {
            problem.solve(&kernel).unwrap();
            let Seen(system) = probe.0.lock().unwrap().take().unwrap();
            let n = system.len();
            let mut lower = vec![f64::NAN; n * n];
            system.lower(&mut lower).unwrap();
            let at = |i: usize, j: usize| lower[i.max(j) + i.min(j) * n];
            let (mut diagonal, mut y) = (vec![0.0; n], vec![0.0; n]);
            system.diagonal(&mut diagonal).unwrap();
            assert!(relative(&diagonal, &(0..n).map(|i| at(i, i)).collect::<Vec<f64>>()) < 1e-14, "{name}");
            let mut rng = Lcg(3);
            let x = rng.vec(n);
            system.apply(&x, &mut y).unwrap();
            let product: Vec<f64> = (0..n).map(|i| (0..n).map(|j| at(i, j) * x[j]).sum()).collect();
            assert!(relative(&y, &product) < 1e-13, "{name}");
            // Scattered rows, out of order and repeated.
            let rows = [n - 1, 0, 7, 7, n / 2];
            let columns = [3, n - 1, 3];
            let mut out = vec![f64::NAN; rows.len() * columns.len()];
            system.block(&rows, &columns, &mut out).unwrap();
            let expected: Vec<f64> =
                columns.iter().flat_map(|&j| rows.iter().map(move |&i| (i, j))).map(|(i, j)| at(i, j)).collect();
            assert!(relative(&out, &expected) < 1e-13, "{name}");
            assert!(matches!(system.block(&[n], &[0], &mut [0.0]), Err(SolveError::Shape { .. })));
            assert!(matches!(system.lower(&mut [0.0]), Err(SolveError::Shape { .. })));

            let locations = system.locations();
            let rows_seen: Vec<usize> = locations.iter().map(|l| l.row).collect();
            assert!(rows_seen.is_sorted() && (0..n).all(|row| rows_seen.contains(&row)), "{name}");
            assert!(locations.iter().all(|l| l.field == 0 && l.point.len() == 2 && l.order <= 2), "{name}");

            // Three column pairs, and the same cotangent entry by entry.
            let (u, v) = (rng.vec(3 * n), rng.vec(3 * n));
            let sum = |i: usize, j: usize| (0..3).map(|k| u[i + k * n] * v[j + k * n]).sum::<f64>();
            let dense: Vec<f64> = (0..n * n).map(|p| 0.5 * (sum(p % n, p / n) + sum(p / n, p % n))).collect();
            let columns = system.adjoint(Cotangent::Columns { u: &u, v: &v }).unwrap().parameters;
            let whole = system.adjoint(Cotangent::Dense(&dense)).unwrap().parameters;
            println!("{name} {assembly:?}: {:.1e}", relative(&columns, &whole));
            assert!(relative(&columns, &whole) < 1e-11, "{name}");
        }
    }
}
