//! The solves in operations of burn alone: values and gradients against elimination, finite differences and the operation with an adjoint of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use common::{devices, difference, distance, eliminate, host, matrix, numbers, spd, vector};
use hyperpde_linalg::{
    DenseCholesky, Factor, InnerSolver, JitterPolicy, RowLocation, RowSystem, SolveError, SpdNeeds, SpdSolution,
    spd_solve_in_tensors, spd_solve_with,
};

const ALL: SpdNeeds = SpdNeeds { log_det: true, inverse_diagonal: true };

fn solve(a: Tensor<2>, b: Tensor<2>) -> SpdSolution {
    spd_solve_in_tensors(a, b, &JitterPolicy::none(), ALL).unwrap()
}

fn by_own_adjoint(a: Tensor<2>, b: Tensor<2>) -> SpdSolution {
    let solver: Arc<dyn InnerSolver> = Arc::new(DenseCholesky::new().with_jitter(JitterPolicy::none()));
    let nowhere: Arc<[RowLocation]> = Arc::new([]);
    spd_solve_with(a, b, &solver, &nowhere, ALL).unwrap()
}

/// A nonlinear scalar of everything that a solve gives, so that no cotangent is constant.
fn scalar(s: SpdSolution, w: &[f64], device: &Device) -> Tensor<1> {
    let ([n, k], l, d) = (s.x.dims(), s.log_det.unwrap(), s.inverse_diagonal.unwrap());
    let of_x = (matrix(&w[..n * k], [n, k], device) * s.x.clone() * (s.x + 1.0)).sum();
    of_x + l.clone() * l + (vector(&w[..n], device) * d.clone() * d).sum()
}

/// `exp(−|i − j|² s) + nugget` on an interval: ill conditioned, its diagonal blocks too.
fn gaussian(n: usize, scale: f64, nugget: f64) -> Vec<f64> {
    let at = |p: usize| {
        let r = (p / n) as f64 - (p % n) as f64;
        (-r * r * scale).exp() + if r == 0.0 { nugget } else { 0.0 }
    };
    (0..n * n).map(at).collect()
}

#[test]
fn values_are_those_of_elimination() {
    // One block, blocks that fill up, one column too many, three levels.
    for (n, k) in [(1, 1), (7, 3), (32, 1), (64, 2), (65, 5), (130, 4)] {
        let (a, b) = (spd(11, n), numbers(12, n * k));
        let (expected, expected_l) = eliminate(&a, &b, n, k);
        let eye: Vec<f64> = (0..n * n).map(|p| f64::from(p / n == p % n)).collect();
        let inverse: Vec<f64> = eliminate(&a, &eye, n, n).0.into_iter().step_by(n + 1).collect();
        for (name, device) in devices() {
            for d in [device.clone(), device.autodiff()] {
                let s = solve(matrix(&a, [n, n], &d), matrix(&b, [n, k], &d));
                let worst = distance(&host(s.x), &expected)
                    .max(distance(&host(s.log_det.unwrap()), &[expected_l]))
                    .max(distance(&host(s.inverse_diagonal.unwrap()), &inverse));
                println!("{name} n = {n}: {worst:.1e}");
                assert!(worst < 1e-12, "{name} n = {n}: {worst:e}");
                assert_eq!((s.statistics.attempts, s.statistics.jitter), (1, 0.0));
            }
        }
    }
}

#[test]
fn gradients_are_those_of_differences() {
    for (n, k) in [(6, 2), (37, 1)] {
        let (a, b, w) = (spd(4, n), numbers(8, n * k), numbers(2, n * n));
        for (name, device) in devices() {
            let tracked = device.clone().autodiff();
            let (ta, tb) = (matrix(&a, [n, n], &tracked).require_grad(), matrix(&b, [n, k], &tracked).require_grad());
            let grads = scalar(solve(ta.clone(), tb.clone()), &w, &tracked).backward();
            let (da, db) = (host(ta.grad(&grads).unwrap()), host(tb.grad(&grads).unwrap()));
            let value = |a: &[f64], b: &[f64]| {
                host(scalar(solve(matrix(a, [n, n], &device), matrix(b, [n, k], &device)), &w, &device))[0]
            };
            // All of B and every seventh entry of A, moved with its mirror image.
            let by_b = |p: usize| {
                let moved = |h: f64| (0..n * k).map(|q| b[q] + if p == q { h } else { 0.0 }).collect::<Vec<f64>>();
                difference(|h| value(&a, &moved(h)), 2e-3)
            };
            let by_a = |p: usize| {
                let mirror = (p % n) * n + p / n;
                let moved = |h: f64| {
                    let at =
                        |q: usize| a[q] + if p == q { 0.5 * h } else { 0.0 } + if mirror == q { 0.5 * h } else { 0.0 };
                    (0..n * n).map(at).collect::<Vec<f64>>()
                };
                difference(|h| value(&moved(h), &b), 2e-3)
            };
            let expected_b: Vec<f64> = (0..n * k).map(by_b).collect();
            let chosen: Vec<usize> = (0..n * n).step_by(if n < 10 { 1 } else { 7 }).collect();
            let expected_a: Vec<f64> = chosen.iter().map(|&p| by_a(p)).collect();
            let got_a: Vec<f64> = chosen.iter().map(|&p| da[p]).collect();
            let worst = distance(&db, &expected_b).max(distance(&got_a, &expected_a));
            println!("{name} n = {n}: differences {worst:.1e}");
            assert!(worst < 1e-9, "{name} n = {n}: {worst:e}");
            for (p, value) in da.iter().enumerate() {
                assert!((value - da[(p % n) * n + p / n]).abs() < 1e-12 * (1.0 + value.abs()), "symmetric");
            }
        }
    }
}

#[test]
fn gradients_are_those_of_the_own_adjoint() {
    let (n, k) = (150, 3);
    let (a, b, w) = (spd(5, n), numbers(6, n * k), numbers(7, n * n));
    for (name, device) in devices() {
        let d = device.autodiff();
        let of = |by: fn(Tensor<2>, Tensor<2>) -> SpdSolution| {
            let (ta, tb) = (matrix(&a, [n, n], &d).require_grad(), matrix(&b, [n, k], &d).require_grad());
            let grads = scalar(by(ta.clone(), tb.clone()), &w, &d).backward();
            (host(ta.grad(&grads).unwrap()), host(tb.grad(&grads).unwrap()))
        };
        let ((a1, b1), (a2, b2)) = (of(solve), of(by_own_adjoint));
        let worst = distance(&a1, &a2).max(distance(&b1, &b2));
        println!("{name}: {worst:.1e}");
        assert!(worst < 1e-11, "{name}: {worst:e}");
    }
}

/// Residuals stay at the rounding error of a stable factorisation where the condition number is 1e12 and a block's own is hardly smaller.
#[test]
fn ill_conditioned_systems_are_solved_stably() {
    let n = 200;
    let a = gaussian(n, 2e-3, 1e-10);
    let b = numbers(3, n);
    let residual = |x: &[f64]| {
        let row = |i: usize| a[i * n..(i + 1) * n].iter().zip(x).map(|(a, x)| a * x).sum::<f64>() - b[i];
        let largest = x.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        (0..n).map(row).fold(0.0_f64, |m, r| m.max(r.abs())) / largest
    };
    for (name, device) in devices() {
        let (ta, tb) = (matrix(&a, [n, n], &device), matrix(&b, [n, 1], &device));
        let pure = solve(ta.clone(), tb.clone());
        let own = by_own_adjoint(ta, tb);
        let (l, m) = (host(pure.log_det.unwrap())[0], host(own.log_det.unwrap())[0]);
        let (pure, own) = (residual(&host(pure.x)), residual(&host(own.x)));
        println!("{name}: residual {pure:.1e}, with an own adjoint {own:.1e}; log det {l} {m}");
        // 2⁻⁵³ times the norm of A, about 40 here, and a small factor.
        assert!(pure < 1e-13 && (l / m - 1.0).abs() < 1e-7, "{name}: {pure:e} {l} {m}");
    }
}

#[test]
fn jitter_is_that_of_the_host() {
    let n = 70;
    // Rank two plus rounding: only jitter makes it positive definite.
    let (u, v) = (numbers(1, n), numbers(2, n));
    let a: Vec<f64> = (0..n * n).map(|p| u[p / n] * u[p % n] + v[p / n] * v[p % n]).collect();
    let b: Vec<f64> = (0..n).map(|i| u[i] - v[i]).collect();
    for (name, device) in devices() {
        for d in [device.clone(), device.clone().autodiff()] {
            let mut ta = matrix(&a, [n, n], &d);
            if d.is_autodiff() {
                ta = ta.require_grad();
            }
            let s = spd_solve_in_tensors(ta.clone(), matrix(&b, [n, 1], &d), &JitterPolicy::default(), ALL).unwrap();
            assert!(s.statistics.jitter >= 1e-14 && s.statistics.attempts > 1, "{name} {:?}", s.statistics);
            let mean = (0..n).map(|i| a[i * n + i]).sum::<f64>() / n as f64;
            let mut jittered = a.clone();
            jittered.iter_mut().step_by(n + 1).for_each(|d| *d += s.statistics.jitter * mean);
            let x = host(s.x.clone());
            let row = |i: usize| jittered[i * n..(i + 1) * n].iter().zip(&x).map(|(a, x)| a * x).sum::<f64>() - b[i];
            assert!((0..n).all(|i| row(i).abs() < 1e-11), "{name}: what was reported is what was solved");
            if d.is_autodiff() {
                let grads = s.x.sum().backward();
                assert!(host(ta.grad(&grads).unwrap()).iter().all(|g| g.is_finite()));
            }
            let e = spd_solve_in_tensors(ta, matrix(&b, [n, 1], &d), &JitterPolicy::none(), ALL).unwrap_err();
            assert!(matches!(e, SolveError::NotPositiveDefinite { size: 70, jitter: 0.0, .. }), "{name}: {e}");
        }
    }
}

#[test]
fn failures_are_typed() {
    let n = 40;
    let policy = JitterPolicy::default();
    for (name, device) in devices() {
        for d in [device.clone(), device.autodiff()] {
            let of = |a: &[f64], b: &[f64]| {
                spd_solve_in_tensors(matrix(a, [n, n], &d), matrix(b, [n, b.len() / n], &d), &policy, ALL).unwrap_err()
            };
            let (good, rhs) = (spd(1, n), numbers(1, n * 2));
            let mut bad = good.clone();
            bad[35 * n + 35] = -2.0;
            let e = of(&bad, &rhs);
            let named = matches!(e, SolveError::NotPositiveDefinite { size: 40, pivot: 35, jitter, condition }
                if (jitter / 1e-6 - 1.0).abs() < 1e-9 && condition >= 1.0);
            assert!(named, "{name}: {e}");
            let mut bad = good.clone();
            bad[n + 4] = f64::NAN;
            let e = of(&bad, &rhs);
            assert!(matches!(e, SolveError::NonFinite { what: "matrix", row: 1, col: 4, .. }), "{name}: {e}");
            let mut bad = rhs.clone();
            bad[5] = f64::INFINITY;
            let e = of(&good, &bad);
            assert!(matches!(e, SolveError::NonFinite { what: "right-hand side", row: 2, col: 1, .. }), "{name}: {e}");
            let (a, b) = (matrix(&[1e-300], [1, 1], &d), matrix(&[1e200], [1, 1], &d));
            let e = spd_solve_in_tensors(a, b, &policy, SpdNeeds::default()).unwrap_err();
            assert!(matches!(e, SolveError::Overflow { row: 0, col: 0, .. }), "{name}: {e}");
            let (a, b) = (matrix(&good, [n, n], &d), matrix(&rhs[..8], [4, 2], &d));
            let e = spd_solve_in_tensors(a, b, &policy, ALL).unwrap_err();
            assert!(matches!(e, SolveError::Shape { what: "right-hand side", .. }), "{name}: {e}");
        }
    }
}

#[test]
fn float32_stays_float32() {
    let (n, k) = (90, 2);
    let (a, b) = (gaussian(n, 2e-3, 1e-3), numbers(4, n * k));
    let (expected, _) = eliminate(&a, &b, n, k);
    for (name, device) in devices() {
        let d = device.autodiff();
        let single = |v: &[f64], shape: [usize; 2]| {
            let v: Vec<f32> = v.iter().map(|&x| x as f32).collect();
            Tensor::<2>::from_data(TensorData::new(v, shape), (&d, DType::F32)).require_grad()
        };
        let (ta, tb) = (single(&a, [n, n]), single(&b, [n, k]));
        let s = spd_solve_in_tensors(ta.clone(), tb, &JitterPolicy::default(), ALL).unwrap();
        assert_eq!((s.x.dtype(), s.statistics.jitter), (DType::F32, 0.0));
        let x: Vec<f64> = s.x.clone().cast(DType::F64).into_data().try_into_vec().unwrap();
        let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let off: Vec<f64> = x.iter().zip(&expected).map(|(x, e)| x - e).collect();
        println!("{name}: {:.1e}", norm(&off) / norm(&expected));
        // The rounding error of float32 times a condition number of 4e4.
        assert!(norm(&off) < 3e-3 * norm(&expected), "{name}");
        let grads = (s.x.sum() + s.log_det.unwrap() + s.inverse_diagonal.unwrap().sum()).backward();
        assert_eq!(ta.grad(&grads).unwrap().dtype(), DType::F32);

        // Singular: the jitter of float32, not one that it can't see.
        let a = single(&vec![1.0; n * n], [n, n]);
        let s = spd_solve_in_tensors(a, single(&vec![1.0; n], [n, 1]), &JitterPolicy::default(), ALL).unwrap();
        assert!(s.statistics.jitter >= 1e-8, "{name} {:?}", s.statistics);
    }
}

#[derive(Debug)]
struct Other;

impl InnerSolver for Other {
    fn name(&self) -> &'static str {
        "other"
    }

    fn factor(&self, _: &Arc<dyn RowSystem>) -> Result<Box<dyn Factor>, SolveError> {
        unreachable!("nobody factors here")
    }
}

#[test]
fn a_solver_without_the_form_says_so() {
    for (_, d) in devices() {
        let (a, b) = (matrix(&spd(1, 4), [4, 4], &d), matrix(&numbers(1, 4), [4, 1], &d));
        let e = Other.solve_in_tensors(a.clone(), b.clone(), ALL).unwrap_err();
        assert!(matches!(e, SolveError::Unsupported { solver: "other", .. }), "{e}");
        assert!(e.to_string().contains("operations of burn"), "{e}");
        assert!(DenseCholesky::new().solve_in_tensors(a, b, ALL).unwrap().log_det.is_some());
    }
}
