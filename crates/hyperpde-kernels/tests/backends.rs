//! Backends by name, devices by number, the probe of the host, and every refusal that needs no GPU.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::FloatDType;
use hyperpde_kernels::{Backend, BackendError, Check, Precision, probe};

fn hosts() -> Vec<Backend> {
    Backend::available().into_iter().filter(|b| b.is_host()).collect()
}

#[test]
fn every_backend_goes_by_its_feature_and_what_is_not_compiled_in_says_how_to_build_it() {
    for backend in Backend::ALL {
        assert_eq!(backend.to_string(), backend.name());
        match backend.name().parse::<Backend>() {
            Ok(found) => assert!(found == backend && backend.is_available()),
            Err(e) => {
                assert!(!backend.is_available());
                assert!(e.to_string().contains(&format!("rebuild with `--features {}`", backend.name())), "{e}");
                assert_eq!(backend.devices().unwrap_err(), e);
                assert_eq!(backend.device().unwrap_err(), e);
                assert_eq!(backend.open(0, Precision::Mixed).unwrap_err(), e);
            }
        }
    }
    let unknown = "abacus".parse::<Backend>().unwrap_err();
    assert!(matches!(&unknown, BackendError::Unknown { compiled } if compiled.contains(Backend::default().name())));
}

#[test]
fn the_host_has_one_device_and_computes_in_float64() {
    for backend in hosts() {
        assert_eq!(backend.default_precision(0).unwrap(), Precision::F64);
        assert_eq!(backend.devices().unwrap(), [backend.open(0, Precision::F64).unwrap()]);
        let far = backend.open(3, Precision::F64).unwrap_err();
        assert_eq!(far, BackendError::Index { name: backend.name(), index: 3, last: 0 });
        assert!(far.to_string().contains("there is device 0 only"), "{far}");
        for precision in [Precision::F32, Precision::Mixed] {
            let refused = backend.open(0, precision).unwrap_err();
            assert_eq!(refused, BackendError::Host { name: backend.name(), precision });
            assert!(refused.to_string().contains(&format!("{precision} would lose digits")), "{refused}");
        }
    }
    assert!(Backend::host().unwrap().is_host());
}

#[test]
fn the_host_is_right_in_both_types_and_can_be_configured_after_the_probe() {
    for backend in hosts() {
        let mut device = backend.device().unwrap();
        let found = probe(&device).unwrap();
        println!("{backend}: {found:?}");
        let (Check::Right { error: single }, Check::Right { error: double }) = (&found.f32, &found.f64) else {
            panic!("{found:?}");
        };
        // A half of a unit in the last place is as good as it gets.
        assert!((1e-8..1e-6).contains(single), "{single}");
        assert!((1e-17..1e-15).contains(double), "{double}");
        assert!(!found.software && !found.name.is_empty());
        device.configure(FloatDType::F64).expect("the probe made no tensor that counts");
        assert_eq!(probe(&device).unwrap(), found);
    }
}

#[test]
fn precisions_go_by_their_names() {
    for precision in Precision::ALL {
        assert_eq!(precision.name().parse(), Ok(precision));
    }
    assert!("F64".parse::<Precision>().unwrap_err().contains("use f64, f32 or mixed"));
}

#[test]
fn checks_say_what_is_wrong() {
    assert_eq!(Check::Right { error: 3.2e-16 }.to_string(), "right to 3e-16");
    assert_eq!(Check::Wrong { operation: "exp".into(), error: f64::NAN }.to_string(), "exp is wrong by NaN");
}
