//! The whole solver on a GPU against the host and against published numbers: golden files, runs and the tensor path, in every
//! precision that the device computes rightly. Mesa's software device is enough.
#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../golden/experiment.rs"]
mod experiment;
#[path = "../golden/file.rs"]
mod file;
mod golden;
mod runs;
#[path = "../common/short.rs"]
mod short;
#[path = "../golden/suite.rs"]
mod suite;
mod tensors;

use hyperpde::burn::tensor::Device;
use hyperpde::gp::SolveSettings;
use hyperpde::kernels::{Backend, Precision, probe};
use suite::Way;

/// One precision on one GPU.
struct Row {
    backend: Backend,
    precision: Precision,
    /// Whether a program on the CPU plays the GPU.
    software: bool,
    way: Way,
}

impl Row {
    fn name(&self) -> String {
        format!("{} {}", self.backend, self.precision)
    }
}

/// The first device of every GPU backend that is compiled in.
fn devices() -> Vec<(Backend, Device)> {
    let gpus = Backend::available().into_iter().filter(|b| !b.is_host());
    let found: Vec<_> = gpus.filter_map(|b| Some((b, b.devices().unwrap().into_iter().next()?))).collect();
    if found.is_empty() {
        println!("skipped: no wgpu device (install mesa-vulkan-drivers)");
        assert_ne!(std::env::var("HYPERPDE_REQUIRE_GPU").as_deref(), Ok("1"), "a device is required");
    }
    found
}

/// What every device offers, as the command line sets it up: kernels on the host and pairs on the device in float64 and in mixed
/// precision, everything on the device in float32. Which precision a device lacks, and why, is printed.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (backend, device) in devices() {
        let seen = probe(&device).unwrap();
        println!("{backend}: {}", seen.name);
        for precision in Precision::ALL {
            if !seen.precision(precision).is_right() {
                println!("skipped: {backend} {precision}: {}", seen.precision(precision));
                continue;
            }
            let (kernels, pairs) = match precision {
                Precision::F32 => (backend.open(0, precision).unwrap(), None),
                _ => (host(), Some(device.clone())),
            };
            let solve = SolveSettings { pairs, precision, ..SolveSettings::default() };
            rows.push(Row { backend, precision, software: seen.software, way: Way { kernels, solve } });
        }
    }
    rows
}

fn host() -> Device {
    Backend::host().unwrap().device().unwrap()
}

/// Whether to run what a software device compiles for minutes: kernels by tensors, each of whose operations is compiled by itself.
fn all_kernels() -> bool {
    std::env::var_os("HYPERPDE_ALL_KERNELS").is_some()
}
