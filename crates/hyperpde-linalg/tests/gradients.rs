//! Gradients of the tensor functions against fourth-order differences of an independent elimination.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use burn::tensor::{Device, Tensor};
use common::{devices, difference, distance, eliminate, host, matrix, numbers, spd, spd_solve_vec, vector};
use hyperpde_linalg::{JitterPolicy, log_det, spd_solve, spd_solve_log_det};

const N: usize = 9;
const STEP: f64 = 2e-3;
const TOLERANCE: f64 = 1e-10;

/// Symmetric gradient of `f` by moving `(i, j)` and `(j, i)` together, then sharing the slope between them.
fn symmetric_differences(a: &[f64], n: usize, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut g = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let slope = difference(
                |h| {
                    let mut moved = a.to_vec();
                    moved[i * n + j] += h;
                    if i != j {
                        moved[j * n + i] += h;
                    }
                    f(&moved)
                },
                STEP,
            );
            let share = if i == j { slope } else { 0.5 * slope };
            (g[i * n + j], g[j * n + i]) = (share, share);
        }
    }
    g
}

fn differences(b: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    (0..b.len())
        .map(|p| {
            difference(
                |h| {
                    let mut moved = b.to_vec();
                    moved[p] += h;
                    f(&moved)
                },
                STEP,
            )
        })
        .collect()
}

/// A nonlinear scalar of solution and log-determinant, so that no upstream gradient is constant.
fn scalar(x: &[f64], weights: &[f64], log_det: f64) -> f64 {
    let s: f64 = x.iter().zip(weights).map(|(x, w)| w * x * (1.0 + x)).sum();
    s + log_det * log_det
}

fn scalar_tensor<const D: usize>(x: Tensor<D>, w: Tensor<D>, log_det: Option<Tensor<1>>) -> Tensor<1> {
    let s = (w * x.clone() * (x + 1.0)).sum();
    match log_det {
        Some(l) => s + l.clone() * l,
        None => s,
    }
}

fn plain_and_checkpointed(device: &Device) -> [Device; 2] {
    let tracked = device.clone().autodiff();
    [tracked.clone(), tracked.gradient_checkpointing()]
}

#[test]
fn solve_and_log_det_share_one_operation() {
    // One column takes the direct fill when no log-determinant is used; 12 columns take the blocked product.
    for k in [1, 3, 12] {
        let (a, b, w) = (spd(4, N), numbers(8, N * k), numbers(2, N * k));
        let value = |a: &[f64], b: &[f64]| {
            let (x, l) = eliminate(a, b, N, k);
            scalar(&x, &w, l)
        };
        let ga = symmetric_differences(&a, N, |a| value(a, &b));
        let gb = differences(&b, |b| value(&a, b));
        for (name, device) in devices() {
            for d in plain_and_checkpointed(&device) {
                let ta = matrix(&a, [N, N], &d).require_grad();
                let tb = matrix(&b, [N, k], &d).require_grad();
                let (x, l, info) = spd_solve_log_det(ta.clone(), tb.clone(), &JitterPolicy::none()).unwrap();
                assert_eq!(info.attempts, 1);
                let loss = scalar_tensor(x, matrix(&w, [N, k], &d), Some(l));
                assert!((loss.clone().into_scalar::<f64>() - value(&a, &b)).abs() < 1e-12);
                let grads = loss.backward();
                let (da, db) = (host(ta.grad(&grads).unwrap()), host(tb.grad(&grads).unwrap()));
                let worst = distance(&da, &ga).max(distance(&db, &gb));
                println!("{name} solve and log-det, {k} columns: {worst:.1e}");
                assert!(worst < TOLERANCE, "{name} {k}: {worst:e}");
                for (p, value) in da.iter().enumerate() {
                    assert_eq!(*value, da[(p % N) * N + p / N], "exactly symmetric");
                }
            }
        }
    }
}

#[test]
fn solve_alone_with_either_operand_untracked() {
    for k in [1, 4, 12] {
        let (a, b, w) = (spd(6, N), numbers(3, N * k), numbers(7, N * k));
        let value = |a: &[f64], b: &[f64]| scalar(&eliminate(a, b, N, k).0, &w, 0.0);
        let ga = symmetric_differences(&a, N, |a| value(a, &b));
        let gb = differences(&b, |b| value(&a, b));
        for (name, device) in devices() {
            let d = device.clone().autodiff();
            // Untracked comes in two kinds: on the same device without gradient, and on the plain device.
            for constant in [&device, &d] {
                let ta = matrix(&a, [N, N], &d).require_grad();
                let tb = matrix(&b, [N, k], constant);
                let (x, _) = spd_solve(ta.clone(), tb, &JitterPolicy::none()).unwrap();
                let grads = scalar_tensor(x, matrix(&w, [N, k], &d), None).backward();
                let worst = distance(&host(ta.grad(&grads).unwrap()), &ga);
                println!("{name} dA, {k} columns: {worst:.1e}");
                assert!(worst < TOLERANCE, "{name} {k}: {worst:e}");

                let ta = matrix(&a, [N, N], constant);
                let tb = matrix(&b, [N, k], &d).require_grad();
                let (x, _) = spd_solve(ta, tb.clone(), &JitterPolicy::none()).unwrap();
                let grads = scalar_tensor(x, matrix(&w, [N, k], &d), None).backward();
                let worst = distance(&host(tb.grad(&grads).unwrap()), &gb);
                assert!(worst < TOLERANCE, "{name} {k}: {worst:e}");
            }
        }
    }
}

#[test]
fn vector_solve_through_other_operations() {
    // The matrix is itself computed on the tape, A = M Mᵀ + 2I, so every entry of M is free.
    let (m, b, w) = (numbers(5, N * N), numbers(6, N), numbers(9, N));
    let gram = |m: &[f64]| {
        let entry = |p: usize| {
            let (i, j) = (p / N, p % N);
            let dot: f64 = (0..N).map(|k| m[i * N + k] * m[j * N + k]).sum();
            dot + if i == j { 2.0 } else { 0.0 }
        };
        (0..N * N).map(entry).collect::<Vec<f64>>()
    };
    let gm = differences(&m, |m| scalar(&eliminate(&gram(m), &b, N, 1).0, &w, 0.0));
    let gb = differences(&b, |b| scalar(&eliminate(&gram(&m), b, N, 1).0, &w, 0.0));
    for (name, device) in devices() {
        let d = device.autodiff();
        let (tm, tb) = (matrix(&m, [N, N], &d).require_grad(), vector(&b, &d).require_grad());
        let a = tm.clone().matmul(tm.clone().transpose()) + Tensor::<2>::eye(N, &d) * 2.0;
        let (x, _) = spd_solve_vec(a, tb.clone(), &JitterPolicy::default()).unwrap();
        let grads = scalar_tensor(x, vector(&w, &d), None).backward();
        let worst = distance(&host(tm.grad(&grads).unwrap()), &gm).max(distance(&host(tb.grad(&grads).unwrap()), &gb));
        println!("{name} vector: {worst:.1e}");
        assert!(worst < TOLERANCE, "{name}: {worst:e}");
    }
}

#[test]
fn log_det_gradient_is_the_inverse() {
    let a = spd(2, N);
    let ga = symmetric_differences(&a, N, |a| eliminate(a, &[0.0; N], N, 1).1);
    for (name, device) in devices() {
        let d = device.autodiff();
        let ta = matrix(&a, [N, N], &d).require_grad();
        let (l, _) = log_det(ta.clone(), &JitterPolicy::none()).unwrap();
        let grads = l.backward();
        let worst = distance(&host(ta.grad(&grads).unwrap()), &ga);
        println!("{name} log-det: {worst:.1e}");
        assert!(worst < TOLERANCE, "{name}: {worst:e}");
    }
}

#[test]
fn large_gradients_match_the_elimination() {
    // Larger than every block size of the inverse, the product and the mirror; Ā in closed form from the solution.
    let (n, k) = (133, 10);
    let (a, b, w) = (spd(4, n), numbers(8, n * k), numbers(2, n * k));
    let eye: Vec<f64> = (0..n * n).map(|p| f64::from(p / n == p % n)).collect();
    let ((x, _), (inverse, _)) = (eliminate(&a, &b, n, k), eliminate(&a, &eye, n, n));
    let (gb, _) = eliminate(&a, &w, n, k);
    let expected: Vec<f64> = (0..n * n)
        .map(|p| {
            let (i, j) = (p / n, p % n);
            let dot: f64 = (0..k).map(|c| gb[i * k + c] * x[j * k + c] + x[i * k + c] * gb[j * k + c]).sum();
            3.0 * inverse[p] - 0.5 * dot
        })
        .collect();
    for (name, device) in devices() {
        let d = device.autodiff();
        let (ta, tb) = (matrix(&a, [n, n], &d).require_grad(), matrix(&b, [n, k], &d).require_grad());
        let (tx, l, _) = spd_solve_log_det(ta.clone(), tb.clone(), &JitterPolicy::none()).unwrap();
        let grads = ((tx * matrix(&w, [n, k], &d)).sum() + l * 3.0).backward();
        assert!(distance(&host(ta.grad(&grads).unwrap()), &expected) < 1e-12, "{name}");
        assert!(distance(&host(tb.grad(&grads).unwrap()), &gb) < 1e-12, "{name}");
    }
}
