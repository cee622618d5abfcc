//! GPU backends from the user's side: what is listed, what is refused, and short runs. Mesa's software device is enough for all but what
//! says otherwise; a test that finds no device says so, and fails if `HYPERPDE_REQUIRE_GPU=1`.
#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Output;

use common::Folder;
use common::process::{SMALL, hyperpde, json, succeed, text};
use hyperpde_kernels::{Backend, BackendError, Check, Precision, float_dtype, on_host, probe};

/// Whether there is a wgpu device.
fn found() -> bool {
    let found = Backend::Wgpu.is_available() && !Backend::Wgpu.devices().unwrap().is_empty();
    if !found {
        println!("skipped: no wgpu device (install mesa-vulkan-drivers)");
        assert_ne!(std::env::var("HYPERPDE_REQUIRE_GPU").as_deref(), Ok("1"), "a device is required");
    }
    found
}

/// A run of a few steps.
fn short() -> String {
    SMALL.replace("gauss_newton_steps = 40", "gauss_newton_steps = 4")
}

/// The same with a kernel that a software device compiles in seconds, not minutes, in mixed precision.
fn plain() -> String {
    let (before, network) = SMALL.split_once("kind = \"gibbs\"").unwrap();
    let (_, after) = network.split_once("[solver]").unwrap();
    let text = format!("{before}kind = \"gaussian\"\nlength_scales = [0.4, 0.4]\n[solver]{after}");
    text.replace("gauss_newton_steps = 40", "gauss_newton_steps = 4")
}

/// The program where neither Vulkan nor OpenGL has a driver.
fn without_drivers(words: &[&str]) -> Output {
    let mut command = hyperpde(words);
    command.env("VK_DRIVER_FILES", "/nonexistent").env("__EGL_VENDOR_LIBRARY_DIRS", "/nonexistent");
    command.output().unwrap()
}

#[test]
fn the_probe_computes_and_the_device_opens_in_one_type() {
    if !found() {
        return;
    }
    let device = Backend::Wgpu.devices().unwrap().remove(0);
    let seen = probe(&device).unwrap();
    println!("{seen:?}");
    assert!(matches!(seen.f32, Check::Right { error } if error > 0.0), "{seen:?}");
    // Opening twice is opening once.
    for _ in 0..2 {
        let opened = Backend::Wgpu.open(0, Precision::Mixed).unwrap();
        assert!(!on_host(&opened));
        assert_eq!(float_dtype(&opened), burn::tensor::DType::F32);
        assert_eq!(float_dtype(&opened.autodiff()), burn::tensor::DType::F32);
    }
    let double = Backend::Wgpu.open(0, Precision::F64);
    match (seen.pairs_f64.is_right(), seen.f64.is_right()) {
        // Pairs in float64 are right, tensors are not: those stay in float32.
        (true, false) => assert_eq!(float_dtype(&double.unwrap()), burn::tensor::DType::F32),
        (true, true) => assert!(matches!(double, Err(BackendError::Configured { .. })), "{double:?}"),
        (false, _) => {
            let refused = double.unwrap_err();
            assert!(matches!(refused, BackendError::Precision { .. }), "{refused}");
            assert!(refused.to_string().contains("can't compute in f64"), "{refused}");
        }
    }
    let default = if seen.pairs_f64.is_right() { Precision::F64 } else { Precision::Mixed };
    assert_eq!(Backend::Wgpu.default_precision(0).unwrap(), default);
    let far = Backend::Wgpu.open(100, Precision::Mixed).unwrap_err();
    assert!(matches!(far, BackendError::Index { index: 100, .. }), "{far}");
}

#[test]
fn devices_are_listed_with_what_they_can_do() {
    if !found() {
        return;
    }
    let (shown, _) = succeed(&["list"]);
    let name = probe(&Backend::Wgpu.devices().unwrap()[0]).unwrap().name;
    let line = shown.lines().find(|line| line.trim_start().starts_with("wgpu     0")).expect(&shown);
    assert!(line.contains(&name) && line.contains("e-14"), "{shown}");
    let host = shown.lines().find(|line| line.trim_start().starts_with("flex     0")).expect(&shown);
    assert!(host.contains("e-16") && host.contains(" - "), "{shown}");
}

#[test]
fn a_machine_without_drivers_is_told_what_to_install() {
    let folder = Folder::new();
    let (file, run) = (folder.join("case.toml"), folder.join("run"));
    std::fs::write(&file, short()).unwrap();
    let words = ["learn", file.to_str().unwrap(), "--backend", "wgpu", "--out", run.to_str().unwrap()];
    let out = without_drivers(&words);
    let told = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{told}");
    assert!(told.contains("the backend wgpu finds no device") && told.contains("mesa-vulkan-drivers"), "{told}");
    assert!(!told.contains("panicked") && !run.exists(), "{told}");
    let out = without_drivers(&["list"]);
    assert!(out.status.success() && text(&out.stdout).contains("no device on this machine"), "{}", text(&out.stdout));
}

#[test]
fn a_run_in_mixed_precision_delivers_what_a_run_in_float64_does() {
    if !found() {
        return;
    }
    let folder = Folder::new();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(folder.join("case.toml"), plain()).unwrap();
    succeed(&["learn", &path("case.toml"), "--backend", "flex", "--out", &path("host")]);
    let words = ["learn", &path("case.toml"), "--backend", "wgpu", "--precision", "mixed", "--out", &path("run")];
    let (_, told) = succeed(&words);
    assert!(told.contains("wgpu device 0") && told.contains("where the delivered solution is solved too"), "{told}");

    let (host, gpu) = (json(&folder.join("host/report.json")), json(&folder.join("run/report.json")));
    assert_eq!((&gpu["backend"], &gpu["precision"]), (&"wgpu".into(), &"mixed".into()));
    assert_eq!(gpu["settings"]["device"], 0);
    // Where both begin is solved on the host in both.
    assert_eq!(host["linf_initial"], gpu["linf_initial"]);
    let (expected, mixed) = (host["rel_l2"].as_f64().unwrap(), gpu["rel_l2"].as_f64().unwrap());
    println!("relative L2 error: {expected:.3e} in float64, {mixed:.3e} in mixed precision");
    assert!((mixed / expected - 1.0).abs() < 0.1, "{expected:e} {mixed:e}");

    // The run says what it computed on and resumes there; its model needs no GPU.
    let kept = std::fs::read_to_string(folder.join("run/config.toml")).unwrap();
    for line in ["name = \"wgpu\"", "device = 0", "precision = \"mixed\""] {
        assert!(kept.contains(line), "{line}: {kept}");
    }
    let checkpoints = folder.join("run/checkpoints");
    let newest = std::fs::read_dir(&checkpoints).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    std::fs::remove_file(newest).unwrap();
    std::fs::remove_file(folder.join("run/report.json")).unwrap();
    let (_, told) = succeed(&["resume", &path("run")]);
    assert!(told.contains("wgpu device 0") && told.contains("going on after Gauss-Newton step 3"), "{told}");
    let resumed = json(&folder.join("run/report.json"));
    for key in ["backend", "precision", "outer_steps", "rel_l2", "linf"] {
        assert_eq!(resumed[key], gpu[key], "{key}");
    }

    std::fs::write(folder.join("points.csv"), "x,y\n0.5,0.5\n0.25,0.75\n").unwrap();
    let out = without_drivers(&["evaluate", &path("run"), &path("points.csv")]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let shown = text(&out.stdout);
    let value: f64 = shown.lines().nth(1).unwrap().split(',').nth(2).unwrap().parse().unwrap();
    assert!((value - 1.0).abs() < 1e-3, "{shown}");
}

#[test]
fn a_run_in_float32_says_how_accurate_it_is() {
    if !found() {
        return;
    }
    let folder = Folder::new();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(folder.join("case.toml"), short()).unwrap();
    let words = ["learn", &path("case.toml"), "--backend", "wgpu", "--precision", "f32", "--out", &path("run")];
    let (_, told) = succeed(&words);
    assert!(told.contains("in float32") && told.contains("the nugget is raised from 1e-10 to 1e-5"), "{told}");
    let report = json(&folder.join("run/report.json"));
    assert_eq!((&report["precision"], &report["settings"]["nugget"]), (&"f32".into(), &1e-5.into()));
    let error = report["rel_l2"].as_f64().unwrap();
    println!("relative L2 error: {error:.3e} in float32");
    assert!(error < 5e-3, "{error:e}");
}

/// On every card, whatever it is: needs a real GPU.
#[test]
fn a_card_computes_in_its_default_precision() {
    let mut cards = 0;
    for backend in Backend::available().into_iter().filter(|b| !b.is_host()) {
        for (index, device) in backend.devices().unwrap().iter().enumerate() {
            let seen = probe(device).unwrap_or_else(|why| panic!("{backend} device {index}: {why}"));
            if seen.software {
                continue;
            }
            cards += 1;
            println!("{backend} device {index}: {seen:?}");
            assert!(seen.f32.is_right(), "{seen:?}");
            let folder = Folder::new();
            let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
            std::fs::write(folder.join("case.toml"), short()).unwrap();
            let index = index.to_string();
            let words = ["--backend", backend.name(), "--device", &index, "--out", &path("run")];
            succeed(&[&["learn", &path("case.toml")][..], &words].concat());
            let report = json(&folder.join("run/report.json"));
            println!("{}: relative L2 error {}", report["precision"], report["rel_l2"]);
            assert!(report["rel_l2"].as_f64().unwrap() < 1e-3);
        }
    }
    if cards == 0 {
        println!("skipped: no GPU on this machine, at most software devices");
    }
}
