//! Times of the factorisation on the first GPU device, beside the host's: a table, nothing is asserted about speed.
//!
//! `cargo test --release --test gpu_speed -- --ignored --nocapture`, with the features of the build.
#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Instant;

use common::numbers;
use cubecl::CubeElement;
use cubecl::client::Client;
use cubecl::server::Handle;
use hyperpde_linalg::device::{DeviceCholesky, DiagonalBlocks, Element};
use hyperpde_linalg::{Cholesky, JitterPolicy};

#[test]
#[ignore = "takes minutes on a software device"]
fn table() {
    let Some(device) = cubecl::Device::enumerate_all().into_iter().next() else {
        println!("skipped: no wgpu device (install mesa-vulkan-drivers)");
        return;
    };
    let client = device.client();
    let sizes = std::env::var("HYPERPDE_SIZES").unwrap_or_else(|_| "256 512 1024 2048".into());
    println!("{device:?}, {}; seconds (GFLOP/s of n³/3), best of three", client.name());
    println!("     n  type     blocks on device      blocks on host        solve      host float64");
    for n in sizes.split_whitespace().map(|n| n.parse::<usize>().unwrap()) {
        let a = diagonally_dominant(n);
        let host = best(|| {
            let buffer = a.clone();
            let start = Instant::now();
            Cholesky::factor(buffer, n, &JitterPolicy::none(), &mut |_| {}).unwrap();
            start.elapsed().as_secs_f64()
        });
        for element in [Element::F32, Element::F64] {
            let [on_device, on_host] = [DiagonalBlocks::Device, DiagonalBlocks::Host].map(|blocks| {
                best(|| {
                    let matrix = upload(&client, element, &a);
                    // Waits for the upload.
                    client.read_one(client.create_from_slice(&[0; 4])).unwrap();
                    let start = Instant::now();
                    let policy = JitterPolicy::none();
                    let refill = &mut || matrix.clone();
                    DeviceCholesky::factor_with(&client, matrix.clone(), n, element, &policy, refill, blocks).unwrap();
                    start.elapsed().as_secs_f64()
                })
            });
            let policy = JitterPolicy::none();
            let matrix = upload(&client, element, &a);
            let factor =
                DeviceCholesky::factor(&client, matrix.clone(), n, element, &policy, &mut || matrix.clone()).unwrap();
            let mut b = numbers(1, n);
            let solve = best(|| {
                let start = Instant::now();
                factor.solve_in_place(&mut b, 1).unwrap();
                start.elapsed().as_secs_f64()
            });
            let rate = |t: f64| (n as f64).powi(3) / 3.0 / t * 1e-9;
            println!(
                "{n:6}  {element:?}  {on_device:10.4} ({:8.2})  {on_host:10.4} ({:8.2}) {solve:8.4} {host:8.4} ({:6.1})",
                rate(on_device),
                rate(on_host),
                rate(host)
            );
        }
    }
}

fn best(mut run: impl FnMut() -> f64) -> f64 {
    (0..3).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn diagonally_dominant(n: usize) -> Vec<f64> {
    let mut a = numbers(n as u64, n * n);
    a.iter_mut().step_by(n + 1).for_each(|d| *d = n as f64);
    a
}

fn upload(client: &Client, element: Element, a: &[f64]) -> Handle {
    match element {
        Element::F32 => client.create_from_slice(f32::as_bytes(&a.iter().map(|&v| v as f32).collect::<Vec<_>>())),
        Element::F64 => client.create_from_slice(f64::as_bytes(a)),
    }
}
