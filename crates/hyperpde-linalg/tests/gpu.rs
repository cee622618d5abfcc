//! The factorisation on a GPU device, held to the one on the host.
#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{distance, numbers, spd};
use cubecl::CubeElement;
use cubecl::client::Client;
use cubecl::server::Handle;
use hyperpde_linalg::device::{DeviceCholesky, DiagonalBlocks, Element};
use hyperpde_linalg::{Cholesky, JitterPolicy, SolveError};

const BOTH: [DiagonalBlocks; 2] = [DiagonalBlocks::Device, DiagonalBlocks::Host];

/// The first device there is; without one the test is skipped, or fails if a device is required.
fn client() -> Option<Client> {
    let device = cubecl::Device::enumerate_all().into_iter().next();
    if device.is_none() {
        let required = std::env::var("HYPERPDE_REQUIRE_GPU").is_ok_and(|v| v == "1");
        assert!(!required, "HYPERPDE_REQUIRE_GPU=1, but there is no wgpu device (install mesa-vulkan-drivers)");
        println!("skipped: no wgpu device (install mesa-vulkan-drivers)");
    }
    device.map(|d| d.client())
}

/// The client and the number types in which it computes: a product of two numbers against the host, by a
/// factorisation of size one.
fn cases() -> Vec<(Client, Element)> {
    let Some(client) = client() else { return Vec::new() };
    let mut cases = vec![(client.clone(), Element::F32)];
    let root = factor(&client, Element::F64, &[2.0], 1, &JitterPolicy::none()).map(|c| c.log_det());
    match root {
        Ok(l) if (l - 2.0_f64.ln()).abs() < 1e-15 => cases.push((client, Element::F64)),
        Ok(l) => println!("skipped: float64, {} computes log 2 = {l}", client.name()),
        Err(e) => println!("skipped: float64, {e}"),
    }
    cases
}

fn upload(client: &Client, element: Element, a: &[f64]) -> Handle {
    match element {
        Element::F32 => client.create_from_slice(f32::as_bytes(&a.iter().map(|&v| v as f32).collect::<Vec<_>>())),
        Element::F64 => client.create_from_slice(f64::as_bytes(a)),
    }
}

fn factor_with(
    client: &Client,
    element: Element,
    a: &[f64],
    n: usize,
    policy: &JitterPolicy,
    blocks: DiagonalBlocks,
) -> Result<DeviceCholesky, SolveError> {
    let mut refill = || upload(client, element, a);
    DeviceCholesky::factor_with(client, refill(), n, element, policy, &mut refill, blocks)
}

fn factor(
    client: &Client,
    element: Element,
    a: &[f64],
    n: usize,
    policy: &JitterPolicy,
) -> Result<DeviceCholesky, SolveError> {
    factor_with(client, element, a, n, policy, DiagonalBlocks::default())
}

fn on_host(a: &[f64], n: usize, policy: &JitterPolicy) -> Result<Cholesky, SolveError> {
    Cholesky::factor(a.to_vec(), n, policy, &mut |buffer| buffer.copy_from_slice(a))
}

fn epsilon(element: Element) -> f64 {
    match element {
        Element::F32 => f64::from(f32::EPSILON),
        Element::F64 => f64::EPSILON,
    }
}

/// A Gaussian kernel of length `scale` on `n` points of the unit interval, plus `nugget` on the diagonal: condition
/// about
/// `2.5 n scale / nugget`.
fn gaussian(n: usize, scale: f64, nugget: f64) -> Vec<f64> {
    (0..n * n)
        .map(|p| {
            let (i, j) = (p % n, p / n);
            let t = (i as f64 - j as f64) / n as f64 / scale;
            (-0.5 * t * t).exp() + if i == j { nugget } else { 0.0 }
        })
        .collect()
}

#[test]
fn agrees_with_the_host() {
    for (client, element) in cases() {
        for (n, k) in [(1, 1), (5, 3), (64, 1), (65, 2), (200, 1), (513, 3)] {
            let (a, b) = (spd(n as u64, n), numbers(5, n * k));
            let host = on_host(&a, n, &JitterPolicy::none()).unwrap();
            let mut expected = b.clone();
            host.solve_in_place(&mut expected, k).unwrap();
            for blocks in BOTH {
                let device = factor_with(&client, element, &a, n, &JitterPolicy::none(), blocks).unwrap();
                let mut x = b.clone();
                device.solve_in_place(&mut x, k).unwrap();
                // The matrices have a condition below 6: rounding of A and of the factorisation, a few units each.
                let bar = 20.0 * epsilon(element);
                let error = distance(&x, &expected);
                assert!(error < bar, "n = {n}, {element:?}, {blocks:?}: {error:e}");
                let error = (device.log_det() - host.log_det()).abs() / n as f64;
                assert!(error < bar, "n = {n}, {element:?}, {blocks:?}: log det off by {error:e} per row");
                let (info, wanted) = (device.info(), host.info());
                assert_eq!((info.jitter, info.attempts), (0.0, 1));
                assert!((info.condition / wanted.condition - 1.0).abs() < 100.0 * epsilon(element));
            }
        }
    }
}

/// `|b − A x| <= c ε |A| |x|` with a modest `c` whatever the condition, and no jitter before rounding asks for it. (A
/// panel computed with inverted blocks needs jitter here.)
#[test]
fn is_backward_stable() {
    for (client, element) in cases() {
        let n = 260;
        for relative in [1e2, 1e4] {
            let a = gaussian(n, 0.1, relative * epsilon(element));
            let b = numbers(8, n);
            for blocks in BOTH {
                let device = factor_with(&client, element, &a, n, &element.jitter(), blocks).unwrap();
                assert_eq!(device.info().jitter, 0.0, "{element:?}, {relative}");
                let mut x = b.clone();
                device.solve_in_place(&mut x, 1).unwrap();
                let mut back = vec![0.0; n];
                product(&a, &x, &mut back);
                let largest = |v: &[f64]| v.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
                let row_sum = (0..n).map(|i| (0..n).map(|j| a[i + j * n]).sum::<f64>()).fold(0.0, f64::max);
                let residual = largest(&back.iter().zip(&b).map(|(p, b)| b - p).collect::<Vec<_>>());
                let backward = residual / (row_sum * largest(&x)) / epsilon(element);
                assert!(backward < 10.0, "{element:?}, {blocks:?}, {relative}: {backward} units");
            }
        }
    }
}

#[test]
fn solves_on_the_device_and_gives_the_factor_back() {
    for (client, element) in cases() {
        let n = 130;
        let (a, b) = (spd(3, n), numbers(7, n));
        let device = factor(&client, element, &a, n, &JitterPolicy::none()).unwrap();
        let mut expected = b.clone();
        device.solve_in_place(&mut expected, 1).unwrap();
        let handle = upload(&client, element, &b);
        device.solve_on_device(&handle, 1).unwrap();
        assert_eq!(read(&client, element, handle), expected, "the same kernels in another buffer");
        let l = read(&client, element, device.into_buffer());
        for (i, j) in [(0, 0), (70, 3), (129, 64), (129, 129)] {
            let dot: f64 = (0..=j).map(|k| l[i + k * n] * l[j + k * n]).sum();
            assert!((dot - a[i + j * n]).abs() < 20.0 * epsilon(element), "({i}, {j})");
        }
    }
}

fn read(client: &Client, element: Element, handle: Handle) -> Vec<f64> {
    let bytes = client.read_one(handle).unwrap();
    match element {
        Element::F32 => f32::from_bytes(&bytes).iter().map(|&v| f64::from(v)).collect(),
        Element::F64 => f64::from_bytes(&bytes).to_vec(),
    }
}

#[test]
fn names_the_pivot_that_fails() {
    for (client, element) in cases() {
        for (n, pivot) in [(1, 0), (5, 3), (70, 64), (200, 63), (200, 199)] {
            let mut a = spd(n as u64, n);
            a[pivot * (n + 1)] = -1.0;
            let Err(SolveError::NotPositiveDefinite { condition, .. }) = on_host(&a, n, &JitterPolicy::none()) else {
                panic!("the host takes it");
            };
            for blocks in BOTH {
                let error = factor_with(&client, element, &a, n, &JitterPolicy::none(), blocks).unwrap_err();
                let SolveError::NotPositiveDefinite { size, pivot: found, jitter, condition: estimate } = error else {
                    panic!("{error}");
                };
                assert_eq!((size, found, jitter), (n, pivot, 0.0), "{element:?}, {blocks:?}");
                assert!(estimate == condition || (estimate / condition - 1.0).abs() < 100.0 * epsilon(element));
            }
        }
    }
}

#[test]
fn refuses_numbers_that_are_not_finite() {
    for (client, element) in cases() {
        let n = 150;
        for (bad, row, col) in [(f64::NAN, 149, 0), (f64::INFINITY, 70, 65), (f64::NEG_INFINITY, 149, 149)] {
            let mut a = spd(4, n);
            a[row + col * n] = bad;
            let error = factor(&client, element, &a, n, &JitterPolicy::default()).unwrap_err();
            let SolveError::NonFinite { what: "matrix", row: r, col: c, value } = error else { panic!("{error}") };
            assert_eq!((r, c), (row, col));
            assert!(value == bad || (value.is_nan() && bad.is_nan()));
        }
        // The strict upper triangle is not read.
        let mut a = spd(4, n);
        a[3 + 140 * n] = f64::NAN;
        let device = factor(&client, element, &a, n, &JitterPolicy::none()).unwrap();
        let mut b = vec![1.0; n];
        b[7] = f64::NAN;
        let error = device.solve_in_place(&mut b, 1).unwrap_err();
        assert!(matches!(error, SolveError::NonFinite { what: "right-hand side", row: 7, col: 0, .. }), "{error}");
        let mut b = vec![1e308; n];
        let outcome = device.solve_in_place(&mut b, 1);
        assert_eq!(outcome.is_err(), element == Element::F32, "{outcome:?}");
        assert!(outcome.is_ok() || matches!(outcome, Err(SolveError::Overflow { dtype: "float32", .. })));
    }
}

#[test]
fn escalates_jitter_and_reports_it() {
    for (client, element) in cases() {
        // Rank one: plain attempts fail at the first pivot that rounding leaves at or below zero.
        let n = 100;
        let a = vec![1.0; n * n];
        for blocks in BOTH {
            let policy = element.jitter();
            let device = factor_with(&client, element, &a, n, &policy, blocks).unwrap();
            let info = device.info();
            assert!(info.attempts > 1 && info.jitter >= policy.first() && info.jitter <= 100.0 * policy.first());
            // (1 1ᵀ + j I) x = 1 has x = 1 / (n + j).
            let mut x = vec![1.0; n];
            device.solve_in_place(&mut x, 1).unwrap();
            let wanted = 1.0 / (n as f64 + info.jitter);
            assert!((x.iter().sum::<f64>() / n as f64 / wanted - 1.0).abs() < 1e-3, "{blocks:?}, {info:?}");
        }
        // One negative eigenvalue of size 1: beyond any jitter, and the largest one is named.
        let mut a = spd(9, 80);
        a[40 * 81] = -1.0;
        let error = factor(&client, element, &a, 80, &JitterPolicy::new(1e-4, 10.0, 1e-2).unwrap()).unwrap_err();
        assert!(
            matches!(error, SolveError::NotPositiveDefinite { size: 80, pivot: 40, jitter, .. } if (jitter - 1e-2).abs() < 1e-9)
        );
        // A diagonal without a positive mean is given up at once.
        let error = factor(&client, element, &[-1.0], 1, &JitterPolicy::default()).unwrap_err();
        assert!(matches!(error, SolveError::NotPositiveDefinite { jitter: 0.0, pivot: 0, .. }));
    }
}

#[test]
fn refuses_shapes() {
    let Some(client) = client() else { return };
    let (policy, handle) = (JitterPolicy::none(), upload(&client, Element::F32, &[1.0; 8]));
    for n in [0, 3, 65_536] {
        let error = DeviceCholesky::factor(&client, handle.clone(), n, Element::F32, &policy, &mut || handle.clone());
        assert!(matches!(error, Err(SolveError::Shape { what: "matrix", .. })), "n = {n}: {error:?}");
    }
    let device = factor(&client, Element::F32, &[4.0], 1, &policy).unwrap();
    assert!(matches!(
        device.solve_in_place(&mut [1.0, 2.0], 1),
        Err(SolveError::Shape { what: "right-hand side", .. })
    ));
    assert!(matches!(device.solve_on_device(&handle, 0), Err(SolveError::Shape { .. })));
    device.solve_in_place(&mut [], 0).unwrap();
}

fn product(a: &[f64], v: &[f64], out: &mut [f64]) {
    let n = v.len();
    for (i, out) in out.iter_mut().enumerate() {
        *out = (0..n).map(|j| a[i + j * n] * v[j]).sum();
    }
}
