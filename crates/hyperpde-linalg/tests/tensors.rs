//! The tensor functions on every backend: values, number types, refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use burn::tensor::{DType, Tensor, TensorData};
use common::{devices, distance, eliminate, host, matrix, numbers, spd, spd_solve_vec, vector};
use hyperpde_linalg::{Cholesky, JitterPolicy, SolveError, log_det, spd_solve, spd_solve_log_det};

#[test]
fn backends_agree_with_elimination_and_with_each_other() {
    let (n, k) = (80, 5);
    let (a, b) = (spd(11, n), numbers(12, n * k));
    let (expected, expected_l) = eliminate(&a, &b, n, k);
    let mut results = Vec::new();
    for (name, device) in devices() {
        for d in [device.clone(), device.autodiff()] {
            let (ta, tb) = (matrix(&a, [n, n], &d), matrix(&b, [n, k], &d));
            let policy = JitterPolicy::default();
            let (x, info) = spd_solve(ta.clone(), tb.clone(), &policy).unwrap();
            let (l, l_info) = log_det(ta.clone(), &policy).unwrap();
            let (x2, l2, _) = spd_solve_log_det(ta, tb, &policy).unwrap();
            assert_eq!((x.dims(), l.dims()), ([n, k], [1]));
            assert_eq!(info, l_info);
            let (x, l) = (host(x), host(l));
            assert!(distance(&x, &expected) < 1e-12, "{name}");
            assert!((l[0] - expected_l).abs() < 1e-11, "{name}");
            assert_eq!((&x, &l), (&host(x2), &host(l2)));
            results.push(x);
        }
    }
    assert!(results.windows(2).all(|w| w[0] == w[1]), "bit-equal across backends");
}

#[test]
fn transposed_views_and_shared_handles_are_read_correctly() {
    // A view that is not contiguous, and a matrix that someone else still holds and must stay intact.
    let n = 40;
    let (a, b) = (spd(11, n), numbers(12, n));
    let (expected, _) = eliminate(&a, &b, n, 1);
    for (name, device) in devices() {
        let ta = matrix(&a, [n, n], &device);
        let view = ta.clone().transpose();
        let (x, _) = spd_solve_vec(view, vector(&b, &device), &JitterPolicy::none()).unwrap();
        assert!(distance(&host(x), &expected) < 1e-12, "{name}");
        assert_eq!(host(ta), a, "{name}: the caller's matrix was overwritten");
    }
}

#[test]
fn jitter_is_applied_and_reported() {
    // Rank one: [1 1; 1 1] with the last pivot pushed below zero.
    let a = [1.0, 1.0, 1.0, 1.0 - 1e-10];
    for (name, device) in devices() {
        for d in [device.clone(), device.clone().autodiff()] {
            let b = vector(&[1.0, 1.0], &d);
            let (x, info) = spd_solve_vec(matrix(&a, [2, 2], &d), b, &JitterPolicy::default()).unwrap();
            assert!(info.jitter > 1e-12 && info.attempts > 1, "{name} {info:?}");
            let mean = 1.0 - 0.5e-10;
            let mut jittered = a;
            jittered[0] += info.jitter * mean;
            jittered[3] += info.jitter * mean;
            let (expected, _) = eliminate(&jittered, &[1.0, 1.0], 2, 1);
            // Condition 1e10 leaves about six digits.
            assert!(distance(&host(x), &expected) < 1e-5, "{name}");
        }
    }
}

#[test]
fn failures_are_typed_on_tracked_and_plain_tensors() {
    let n = 6;
    for (name, device) in devices() {
        for d in [device.clone(), device.clone().autodiff()] {
            let b = || vector(&numbers(1, n), &d);
            let mut bad = spd(1, n);
            bad[3 * n + 3] = -2.0;
            let mut ta = matrix(&bad, [n, n], &d);
            if d.is_autodiff() {
                ta = ta.require_grad();
            }
            let e = spd_solve_vec(ta, b(), &JitterPolicy::default()).unwrap_err();
            assert!(
                matches!(e, SolveError::NotPositiveDefinite { size: 6, pivot: 3, jitter, condition }
                    if (jitter / 1e-6 - 1.0).abs() < 1e-9 && condition >= 1.0),
                "{name}: {e}"
            );
            // In the triangle that is read: row 1, column 4.
            let mut bad = spd(1, n);
            bad[n + 4] = f64::NAN;
            let e = log_det(matrix(&bad, [n, n], &d), &JitterPolicy::default()).unwrap_err();
            let named = matches!(e, SolveError::NonFinite { what: "matrix", row: 1, col: 4, .. });
            assert!(named, "{name}: {e}");
            // In the right-hand side: row 2, column 1.
            let mut rhs = numbers(1, n * 2);
            rhs[5] = f64::INFINITY;
            let e = spd_solve(matrix(&spd(1, n), [n, n], &d), matrix(&rhs, [n, 2], &d), &JitterPolicy::default())
                .unwrap_err();
            let named = matches!(e, SolveError::NonFinite { what: "right-hand side", row: 2, col: 1, .. });
            assert!(named, "{name}: {e}");
            let e = spd_solve_vec(matrix(&[1e-300], [1, 1], &d), vector(&[1e200], &d), &JitterPolicy::none());
            assert!(matches!(e, Err(SolveError::Overflow { .. })), "{name}: {e:?}");
        }
    }
}

#[test]
fn shapes_types_and_devices_are_checked() {
    let all = devices();
    for (_, d) in &all {
        let policy = JitterPolicy::default();
        let (a, b) = (matrix(&spd(1, 4), [4, 4], d), matrix(&numbers(1, 8), [4, 2], d));
        let e = spd_solve(matrix(&numbers(1, 8), [4, 2], d), b.clone(), &policy);
        assert!(matches!(e, Err(SolveError::Shape { what: "matrix", .. })), "{e:?}");
        let e = spd_solve(a.clone(), matrix(&numbers(1, 6), [3, 2], d), &policy);
        assert!(matches!(e, Err(SolveError::Shape { what: "right-hand side", .. })), "{e:?}");
        let e = spd_solve_vec(a.clone(), vector(&numbers(1, 3), d), &policy);
        assert!(matches!(e, Err(SolveError::Shape { .. })), "{e:?}");
        let e = spd_solve(a.clone(), b.cast(DType::F32), &policy);
        assert!(matches!(e, Err(SolveError::Tensor(_))), "{e:?}");
    }
    if let [(_, one), (_, other)] = all.as_slice() {
        let e = spd_solve_vec(matrix(&spd(1, 4), [4, 4], one), vector(&numbers(1, 4), other), &JitterPolicy::default());
        assert!(matches!(e, Err(SolveError::Tensor(_))), "{e:?}");
    }
}

#[test]
fn float32_is_computed_in_float64() {
    let (n, k) = (30, 3);
    let narrow = |v: Vec<f64>| v.into_iter().map(|x| x as f32).collect::<Vec<_>>();
    let (a, b) = (narrow(spd(3, n)), narrow(numbers(4, n * k)));
    let wide = |v: &[f32]| v.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let (expected, expected_l) = eliminate(&wide(&a), &wide(&b), n, k);
    let (gb, _) = eliminate(&wide(&a), &vec![1.0; n * k], n, k);
    for (name, device) in devices() {
        let d = device.autodiff();
        let tensor = |v: &[f32], shape: [usize; 2]| {
            Tensor::<2>::from_data(TensorData::new(v.to_vec(), shape), (&d, DType::F32)).require_grad()
        };
        let (ta, tb) = (tensor(&a, [n, n]), tensor(&b, [n, k]));
        let (x, l, _) = spd_solve_log_det(ta.clone(), tb.clone(), &JitterPolicy::none()).unwrap();
        assert_eq!((x.dtype(), l.dtype()), (DType::F32, DType::F32));
        let grads = (x.clone().sum() + l.clone()).backward();
        let f32s = |t: Tensor<2>| wide(&t.into_data().try_into_vec::<f32>().unwrap());
        // Only the rounding of the results to float32 is left: 2⁻²⁴, and a little more for sums on the tape.
        assert!(distance(&f32s(x), &expected) < 6e-8, "{name}");
        let l = l.into_data().try_into_vec::<f32>().unwrap()[0];
        assert!((f64::from(l) / expected_l - 1.0).abs() < 1e-7, "{name}");
        assert!(distance(&f32s(tb.grad(&grads).unwrap()), &gb) < 6e-8, "{name}");
        let ga = ta.grad(&grads).unwrap();
        assert_eq!(ga.dtype(), DType::F32);
        assert!(f32s(ga).iter().all(|v| v.is_finite()));

        // 1e30 / 1e-20 fits float64 but not float32.
        let e = spd_solve(tensor(&[1e-20], [1, 1]), tensor(&[1e30], [1, 1]), &JitterPolicy::none());
        assert!(matches!(e, Err(SolveError::Overflow { dtype: "float32", .. })), "{name}: {e:?}");
    }
}

#[test]
fn tensor_and_host_paths_are_the_same_factorisation() {
    let n = 50;
    let (a, b) = (spd(21, n), numbers(22, n));
    let c = Cholesky::factor_symmetric(a.clone(), n, &JitterPolicy::none()).unwrap();
    let mut x = b.clone();
    c.solve_in_place(&mut x, 1).unwrap();
    for (name, d) in devices() {
        let (t, info) = spd_solve_vec(matrix(&a, [n, n], &d), vector(&b, &d), &JitterPolicy::none()).unwrap();
        assert_eq!((host(t), info), (x.clone(), c.info()), "{name}");
    }
}
