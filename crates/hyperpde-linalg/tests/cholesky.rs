//! The host factorisation: answers, jitter, failures, reuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{distance, eliminate, numbers, spd};
use hyperpde_linalg::{Cholesky, JitterPolicy, SolveError};

fn factor(a: &[f64], n: usize, policy: &JitterPolicy) -> Result<Cholesky, SolveError> {
    Cholesky::factor(a.to_vec(), n, policy, &mut |buffer| buffer.copy_from_slice(a))
}

/// `A = L Lᵀ` from the lower triangle of the factor, row-major.
fn product(c: &Cholesky) -> Vec<f64> {
    let (l, n) = (c.factor_matrix(), c.n());
    let mut a = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            a[i * n + j] = (0..=i.min(j)).map(|k| l[(i, k)] * l[(j, k)]).sum();
        }
    }
    a
}

fn column_major(b: &[f64], n: usize, k: usize) -> Vec<f64> {
    (0..n * k).map(|p| b[(p % n) * k + p / n]).collect()
}

#[test]
fn known_answer() {
    // A = [[4, 2], [2, 3]] has L = [[2, 0], [1, sqrt 2]] and determinant 8.
    let c = factor(&[4.0, 2.0, f64::NAN, 3.0], 2, &JitterPolicy::none()).unwrap();
    let l = c.factor_matrix();
    assert!((l[(0, 0)] - 2.0).abs() < 1e-15 && (l[(1, 0)] - 1.0).abs() < 1e-15);
    assert!((l[(1, 1)] - 2.0_f64.sqrt()).abs() < 1e-15);
    assert!((c.log_det() - 8.0_f64.ln()).abs() < 1e-14);
    let info = c.info();
    assert_eq!((info.jitter, info.attempts), (0.0, 1));
    assert!((info.condition - 2.0).abs() < 1e-14);
    let mut x = [2.0, 5.0];
    c.solve_in_place(&mut x, 1).unwrap();
    assert!((x[0] + 0.5).abs() < 1e-15 && (x[1] - 2.0).abs() < 1e-15);
    let mut h = [2.0, 5.0];
    c.half_solve_in_place(&mut h, 1).unwrap();
    assert!((h[0] - 1.0).abs() < 1e-15 && (h[1] - 4.0 / 2.0_f64.sqrt()).abs() < 1e-14);
}

#[test]
fn agrees_with_elimination_at_many_sizes() {
    for (n, k) in [(1, 1), (2, 3), (7, 1), (33, 2), (64, 1), (97, 20), (150, 9), (321, 2), (418, 40)] {
        let (a, b) = (spd(n as u64, n), numbers(5, n * k));
        let (expected, log_det) = eliminate(&a, &b, n, k);
        let c = factor(&a, n, &JitterPolicy::default()).unwrap();
        let mut x = column_major(&b, n, k);
        c.solve_in_place(&mut x, k).unwrap();
        assert!(distance(&x, &column_major(&expected, n, k)) < 1e-12, "{n}");
        assert!((c.log_det() - log_det).abs() < 1e-11, "{n}");
        assert!(distance(&product(&c), &a) < 1e-13, "{n}");
        // |L⁻¹ b|² = bᵀ A⁻¹ b
        let mut half = column_major(&b, n, k);
        c.half_solve_in_place(&mut half, k).unwrap();
        let square: f64 = half.iter().map(|v| v * v).sum();
        let form: f64 = b.iter().zip(&expected).map(|(u, v)| u * v).sum();
        assert!((square - form).abs() < 1e-11 * form, "{n}");
        assert_eq!(c.into_buffer().len(), n * n);
    }
}

/// `[x x; x x]`-like Gram matrix: the last row repeats the first.
fn with_duplicate(n: usize) -> Vec<f64> {
    let mut a = spd(3, n);
    for i in 0..n {
        a[(n - 1) * n + i] = a[i];
    }
    for i in 0..n {
        a[i * n + n - 1] = a[i * n];
    }
    a[n * n - 1] = a[0];
    // Rounding may leave a tiny positive last pivot; push it below zero by less than the first useful jitter.
    a[n * n - 1] -= 1e-11;
    a
}

#[test]
fn jitter_escalates_on_a_singular_matrix_and_is_reported() {
    // Sizes on both sides of every block size of the factorisation: the restored matrix must be the original one.
    for n in [2, 20, 65, 200, 301, 330, 433] {
        let a = with_duplicate(n);
        let mean: f64 = (0..n).map(|i| a[i * n + i]).sum::<f64>() / n as f64;
        let mut refills = 0;
        let c = Cholesky::factor(a.clone(), n, &JitterPolicy::default(), &mut |buffer| {
            refills += 1;
            buffer.copy_from_slice(&a);
        })
        .unwrap();
        let info = c.info();
        assert!(info.jitter > 1e-12 && info.jitter < 1e-9, "{info:?}");
        assert_eq!(info.attempts, refills + 1);
        let escalations = (info.jitter / 1e-14).log10().round() as usize;
        assert_eq!(info.attempts, escalations + 2);
        assert!(info.condition > 1e9, "{info:?}");
        let mut jittered = a.clone();
        for d in jittered.iter_mut().step_by(n + 1) {
            *d += info.jitter * mean;
        }
        assert!(distance(&product(&c), &jittered) < 1e-13, "{n}");

        let s = Cholesky::factor_symmetric(a.clone(), n, &JitterPolicy::default()).unwrap();
        assert_eq!(s.info(), info, "{n}");
        assert_eq!(s.log_det(), c.log_det(), "restored by symmetry, {n}");
        assert!(distance(&product(&s), &jittered) < 1e-13, "{n}");
    }
}

#[test]
fn gives_up_with_pivot_size_jitter_and_condition() {
    let n = 100;
    let mut a = spd(9, n);
    a[70 * n + 70] = -1.0;
    for result in
        [factor(&a, n, &JitterPolicy::default()), Cholesky::factor_symmetric(a.clone(), n, &JitterPolicy::default())]
    {
        let Err(SolveError::NotPositiveDefinite { size, pivot, jitter, condition }) = result else {
            panic!("expected a failure");
        };
        assert_eq!((size, pivot), (n, 70));
        assert!((jitter / 1e-6 - 1.0).abs() < 1e-9);
        // The leading block of 70 is the whole of what was factored.
        let leading: Vec<f64> = (0..70 * 70).map(|p| a[(p / 70) * n + p % 70]).collect();
        let expected = factor(&leading, 70, &JitterPolicy::none()).unwrap().info();
        assert!((condition / expected.condition - 1.0).abs() < 1e-4);
    }
    let message = factor(&a, n, &JitterPolicy::none()).unwrap_err().to_string();
    assert!(message.contains("pivot 70") && message.contains("size 100"), "{message}");
    assert!(message.contains("larger nugget"), "{message}");
}

#[test]
fn hopeless_diagonal_is_not_retried() {
    let a = [0.0, 0.0, 0.0, 0.0];
    let mut refills = 0;
    let result = Cholesky::factor(a.to_vec(), 2, &JitterPolicy::default(), &mut |_| refills += 1);
    let Err(SolveError::NotPositiveDefinite { pivot, jitter, condition, .. }) = result else {
        panic!("expected a failure");
    };
    assert_eq!((refills, pivot, jitter), (0, 0, 0.0));
    assert_eq!(condition, f64::INFINITY);
}

#[test]
fn non_finite_entries_are_named() {
    for (bad, row, col) in [(f64::NAN, 7, 3), (f64::INFINITY, 9, 9), (f64::NEG_INFINITY, 9, 0)] {
        let n = 10;
        let mut a = spd(1, n);
        a[row + col * n] = bad;
        let e = factor(&a, n, &JitterPolicy::default()).unwrap_err();
        let SolveError::NonFinite { what, row: r, col: c, value } = e else {
            panic!("{e}");
        };
        assert_eq!((what, r, c), ("matrix", row, col));
        assert_eq!(value.to_bits(), bad.to_bits());
    }
    let c = factor(&spd(1, 4), 4, &JitterPolicy::none()).unwrap();
    let e = c.solve_in_place(&mut [1.0, 1.0, 1.0, 1.0, 1.0, f64::NAN, 1.0, 1.0], 2);
    assert!(matches!(e, Err(SolveError::NonFinite { what: "right-hand side", row: 1, col: 1, .. })), "{e:?}");
}

#[test]
fn overflow_is_typed() {
    let c = factor(&[1e-300], 1, &JitterPolicy::none()).unwrap();
    let e = c.solve_in_place(&mut [1e200], 1);
    assert!(matches!(e, Err(SolveError::Overflow { .. })), "{e:?}");
    // Entries whose squares overflow are no reason to fail.
    let c = factor(&[1e300, 1e299, 1e299, 1e300], 2, &JitterPolicy::none()).unwrap();
    assert!(c.log_det().is_finite());
}

#[test]
fn shapes_are_checked() {
    let is_shape = |e: Result<Cholesky, SolveError>| matches!(e, Err(SolveError::Shape { .. }));
    assert!(is_shape(factor(&[], 0, &JitterPolicy::default())));
    assert!(is_shape(factor(&[1.0; 6], 2, &JitterPolicy::default())));
    assert!(is_shape(factor(&[1.0; 4], usize::MAX, &JitterPolicy::default())));
    let c = factor(&spd(1, 4), 4, &JitterPolicy::default()).unwrap();
    let e = c.solve_in_place(&mut [1.0; 6], 2).unwrap_err();
    assert!(e.to_string().contains("4 x 2 = 8"), "{e}");
    assert!(c.solve_in_place(&mut [], 0).is_ok());
}

#[test]
fn policies_are_validated() {
    assert!(JitterPolicy::new(1e-12, 10.0, 1e-8).is_ok());
    for (first, factor, max) in [
        (0.0, 10.0, 1e-6),
        (-1e-9, 10.0, 1e-6),
        (f64::NAN, 10.0, 1e-6),
        (1e-12, 1.0, 1e-6),
        (1e-12, f64::INFINITY, 1e-6),
        (1e-5, 10.0, 1e-6),
        (1e-12, 10.0, 1.0),
        (1e-12, 10.0, f64::NAN),
    ] {
        let e = JitterPolicy::new(first, factor, max);
        assert!(matches!(e, Err(SolveError::Policy { .. })), "{e:?}");
    }
    let default = JitterPolicy::default();
    let rebuilt = JitterPolicy::new(default.first(), default.factor(), default.max());
    assert_eq!(rebuilt, Ok(default));
    assert_eq!(JitterPolicy::none().max(), 0.0);
}

/// Exponential covariance of points on a line: positive definite, far from singular.
fn chain(n: usize) -> Vec<f64> {
    (0..n * n).map(|p| (-((p / n).abs_diff(p % n) as f64) / 20.0).exp()).collect()
}

#[test]
fn large_matrices_in_blocks_and_pieces() {
    for n in [700, 2100] {
        let a = chain(n);
        let c = factor(&a, n, &JitterPolicy::none()).unwrap();
        let l = c.factor_matrix();
        for k in 0..3000 {
            let (i, j) = (k * 7919 % n, k * 104_729 % n);
            let entry: f64 = (0..=i.min(j)).map(|m| l[(i, m)] * l[(j, m)]).sum();
            assert!((entry - a[i * n + j]).abs() < 1e-13, "{n}: entry {i}, {j} is {entry}");
        }
    }
}

#[test]
fn factor_does_not_depend_on_the_number_of_threads() {
    let n = 900;
    let a = chain(n);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let c = pool.install(|| factor(&a, n, &JitterPolicy::none()).unwrap());
        (0..n).flat_map(|j| (j..n).map(move |i| (i, j))).map(|(i, j)| c.factor_matrix()[(i, j)]).collect::<Vec<_>>()
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_bad_pivot_is_named_in_any_block() {
    let n = 800;
    for bad in [0, 95, 96, 431, 799] {
        let mut a = chain(n);
        a[bad * n + bad] = -1.0;
        match factor(&a, n, &JitterPolicy::none()).map(|c| c.info()) {
            Err(SolveError::NotPositiveDefinite { pivot, size, .. }) => assert_eq!((pivot, size), (bad, n)),
            other => panic!("{other:?}"),
        }
    }
}
