//! The seam: default methods of systems and factors, the diagonal of the inverse with its adjoint, and another solver on tensors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::{devices, distance, eliminate, host, matrix, numbers, spd, vector};
use hyperpde_linalg::{
    Cotangent, DenseCholesky, Factor, InnerSolver, MatrixSystem, RowGradient, RowLocation, RowSystem, SolveError,
    SolveStatistics, SpdNeeds, spd_solve_with,
};

/// A matrix behind the required methods only.
struct Bare(MatrixSystem);

impl RowSystem for Bare {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn block(&self, rows: &[usize], columns: &[usize], out: &mut [f64]) -> Result<(), SolveError> {
        self.0.block(rows, columns, out)
    }

    fn adjoint(&self, cotangent: Cotangent<'_>) -> Result<RowGradient, SolveError> {
        self.0.adjoint(cotangent)
    }
}

/// Conjugate gradients without a preconditioner (Golub and Van Loan, algorithm 11.3.2), on products alone.
#[derive(Debug)]
struct ConjugateGradients;

struct Iteration(Arc<dyn RowSystem>);

impl std::fmt::Debug for Iteration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Iteration({})", self.0.len())
    }
}

impl InnerSolver for ConjugateGradients {
    fn name(&self) -> &'static str {
        "conjugate gradients"
    }

    fn factor(&self, system: &Arc<dyn RowSystem>) -> Result<Box<dyn Factor>, SolveError> {
        Ok(Box::new(Iteration(system.clone())))
    }
}

impl Factor for Iteration {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn solver(&self) -> &'static str {
        "conjugate gradients"
    }

    fn solve(&self, b: &mut [f64], _columns: usize) -> Result<(), SolveError> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let n = self.len();
        for b in b.chunks_exact_mut(n) {
            let (mut x, mut r, mut p, mut ap) = (vec![0.0; n], b.to_vec(), b.to_vec(), vec![0.0; n]);
            let mut rr = dot(&r, &r);
            for _ in 0..10 * n {
                if rr <= 1e-30 * dot(b, b) {
                    break;
                }
                self.0.apply(&p, &mut ap)?;
                let step = rr / dot(&p, &ap);
                x.iter_mut().zip(&p).for_each(|(x, p)| *x += step * p);
                r.iter_mut().zip(&ap).for_each(|(r, a)| *r -= step * a);
                let next = dot(&r, &r);
                p.iter_mut().zip(&r).for_each(|(p, r)| *p = r + next / rr * *p);
                rr = next;
            }
            b.copy_from_slice(&x);
        }
        Ok(())
    }

    fn statistics(&self) -> SolveStatistics {
        SolveStatistics::iterative(10, 0.0)
    }
}

fn inverse(a: &[f64], n: usize) -> Vec<f64> {
    let eye: Vec<f64> = (0..n * n).map(|p| f64::from(p / n == p % n)).collect();
    eliminate(a, &eye, n, n).0
}

#[test]
fn default_methods_are_those_of_the_matrix() {
    // More than one strip of columns.
    let n = 150;
    let a = spd(3, n);
    let bare = Bare(MatrixSystem::new(a.clone(), n).unwrap());
    let mut lower = vec![f64::NAN; n * n];
    bare.lower(&mut lower).unwrap();
    for j in 0..n {
        assert_eq!(lower[j * n + j..(j + 1) * n], a[j * n + j..(j + 1) * n]);
    }
    let mut diagonal = vec![0.0; n];
    bare.diagonal(&mut diagonal).unwrap();
    assert!((0..n).all(|i| diagonal[i] == a[i * n + i]));
    let (x, mut y) = (numbers(1, n), vec![f64::NAN; n]);
    bare.apply(&x, &mut y).unwrap();
    let expected: Vec<f64> = (0..n).map(|i| (0..n).map(|j| a[i * n + j] * x[j]).sum()).collect();
    assert!(distance(&y, &expected) < 1e-14);
    for wrong in [bare.block(&[n], &[0], &mut [0.0]), bare.block(&[0], &[0], &mut []), bare.apply(&x, &mut [])] {
        assert!(matches!(wrong, Err(SolveError::Shape { .. })), "{wrong:?}");
    }
    let (u, v) = (numbers(5, 6 * n), numbers(6, 6 * n));
    let sum = |i: usize, j: usize| (0..6).map(|k| u[i + k * n] * v[j + k * n]).sum::<f64>();
    let expected: Vec<f64> = (0..n * n).map(|p| 0.5 * (sum(p / n, p % n) + sum(p % n, p / n))).collect();
    for k in [1, 6] {
        let got = bare.adjoint(Cotangent::Columns { u: &u[..k * n], v: &v[..k * n] }).unwrap().parameters;
        if k == 6 {
            assert!(distance(&got, &expected) < 1e-14);
        }
        assert!((0..n * n).all(|p| got[p] == got[p / n + p % n * n]), "symmetric to the last bit");
    }
    assert!(bare.adjoint(Cotangent::Dense(&u)).is_err());
}

#[test]
fn dense_and_iterative_factors_agree() {
    for n in [1, 5, 64, 133] {
        let a = spd(7, n);
        let system: Arc<dyn RowSystem> = Arc::new(Bare(MatrixSystem::new(a.clone(), n).unwrap()));
        let expected = inverse(&a, n);
        let diagonal: Vec<f64> = (0..n).map(|i| expected[i * n + i]).collect();
        for solver in [&DenseCholesky::new() as &dyn InnerSolver, &ConjugateGradients] {
            let factor = solver.factor(&system).unwrap();
            let mut b = numbers(9, 2 * n);
            let (x, log_det) = eliminate(&a, &b[..n], n, 1);
            factor.solve(&mut b, 2).unwrap();
            assert!(distance(&b[..n], &x) < 1e-12, "{n} {}", solver.name());
            assert!(distance(&factor.inverse().unwrap(), &expected) < 1e-12, "{n} {}", solver.name());
            assert!(distance(&factor.inverse_diagonal().unwrap(), &diagonal) < 1e-12, "{n} {}", solver.name());
            match factor.log_det() {
                Ok(l) => assert!((l - log_det).abs() < 1e-12 * log_det.abs().max(1.0)),
                Err(e) => {
                    assert!(matches!(e, SolveError::Unsupported { .. }) && e.to_string().contains("DenseCholesky"))
                }
            }
        }
    }
}

/// `Σ w_i d_i² + Σ x_i² + log det A` and its gradient by `A`, against differences of an independent elimination.
#[test]
fn diagonal_of_the_inverse_differentiates() {
    let n = 6;
    let (a, b, w) = (spd(2, n), numbers(3, n), numbers(4, n));
    let value = |a: &[f64]| {
        let inverse = inverse(a, n);
        let (x, log_det) = eliminate(a, &b, n, 1);
        let d: f64 = (0..n).map(|i| w[i] * inverse[i * n + i].powi(2)).sum();
        d + x.iter().map(|x| x * x).sum::<f64>() + log_det
    };
    let mut expected = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            let at = |h: f64| {
                let mut a = a.clone();
                a[i * n + j] += 0.5 * h;
                a[j * n + i] += 0.5 * h;
                value(&a)
            };
            let h = 1e-3;
            expected[i * n + j] = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
        }
    }
    let solver: Arc<dyn InnerSolver> = Arc::new(DenseCholesky::new());
    let nowhere: Arc<[RowLocation]> = Arc::new([]);
    for (name, device) in devices() {
        let d = device.autodiff();
        let ta = matrix(&a, [n, n], &d).require_grad();
        let needs = SpdNeeds { log_det: true, inverse_diagonal: true };
        let s = spd_solve_with(ta.clone(), matrix(&b, [n, 1], &d), &solver, &nowhere, needs).unwrap();
        let diagonal = s.inverse_diagonal.unwrap();
        let loss =
            (diagonal.clone() * diagonal * vector(&w, &d)).sum() + s.x.clone().mul(s.x).sum() + s.log_det.unwrap();
        let expected_value = value(&a);
        assert!((host(loss.clone())[0] / expected_value - 1.0).abs() < 1e-12, "{name}");
        let worst = distance(&host(ta.grad(&loss.backward()).unwrap()), &expected);
        println!("{name}: {worst:.1e}");
        assert!(worst < 1e-9, "{name}: {worst:e}");
    }
}

/// A solver from outside solves and differentiates on the tape, and refuses what it does not know.
#[test]
fn another_solver_on_tensors() {
    let n = 20;
    let (a, b) = (spd(2, n), numbers(3, n));
    let nowhere: Arc<[RowLocation]> = Arc::new([]);
    for (name, device) in devices() {
        let d = device.autodiff();
        let run = |solver: Arc<dyn InnerSolver>| {
            let ta = matrix(&a, [n, n], &d).require_grad();
            let s = spd_solve_with(ta.clone(), matrix(&b, [n, 1], &d), &solver, &nowhere, SpdNeeds::default()).unwrap();
            let grads = s.x.clone().mul(s.x.clone()).sum().backward();
            (host(s.x), host(ta.grad(&grads).unwrap()))
        };
        let (dense, iterative) = (run(Arc::new(DenseCholesky::new())), run(Arc::new(ConjugateGradients)));
        assert!(distance(&dense.0, &iterative.0) < 1e-12 && distance(&dense.1, &iterative.1) < 1e-12, "{name}");
        let solver: Arc<dyn InnerSolver> = Arc::new(ConjugateGradients);
        let needs = SpdNeeds { log_det: true, inverse_diagonal: false };
        let e = spd_solve_with(matrix(&a, [n, n], &d), matrix(&b, [n, 1], &d), &solver, &nowhere, needs).unwrap_err();
        assert!(matches!(e, SolveError::Unsupported { what: "log-determinant", .. }), "{e}");
    }
}
