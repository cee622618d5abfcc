//! The list of kernels: names in configurations, what is built from them, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

use hyperpde_kernels::{Backend, KERNELS, Kernel, KernelConfig, KernelError, Points, parameters};
use serde_json::json;

/// A configuration of each kind, as files hold it, with the hyperparameters that it has.
fn every_kind() -> Vec<(serde_json::Value, usize)> {
    let gaussian = json!({ "kind": "gaussian", "length_scales": [0.3] });
    let network = json!({ "inputs": 2, "hidden": [3], "outputs": 2 });
    vec![
        (gaussian.clone(), 1),
        (json!({ "kind": "periodic", "periods": ["none", 2.0], "length_scales": [0.3, 0.4] }), 2),
        (json!({ "kind": "matern", "order": "5/2", "length_scales": [0.3] }), 1),
        (json!({ "kind": "rational-quadratic", "shape": 1.5, "length_scales": [0.3] }), 2),
        (json!({ "kind": "polynomial", "scale": 1.0, "offset": 0.5, "degree": 2 }), 2),
        (json!({ "kind": "constant", "amplitude": 2.0 }), 1),
        (json!({ "kind": "gibbs", "dim": 2, "length_scales": "per-dimension", "hidden": [3], "divisor": 1.0 }), 9 + 8),
        (json!({ "kind": "deep", "network": network, "base": gaussian }), 9 + 8 + 1),
        (json!({ "kind": "scaled", "amplitude": 2.0, "kernel": gaussian }), 2),
        (json!({ "kind": "sum", "terms": [gaussian, { "kind": "constant", "amplitude": 1.0 }] }), 2),
        (json!({ "kind": "product", "factors": [gaussian, gaussian, gaussian] }), 3),
    ]
}

#[test]
fn every_name_of_the_list_is_read_built_and_written_back() {
    let device = Backend::default().device().unwrap();
    let kinds = every_kind();
    let names: Vec<&str> = kinds.iter().map(|(config, _)| config["kind"].as_str().unwrap()).collect();
    let listed: Vec<&str> = KERNELS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed);
    for (text, count) in kinds {
        let config: KernelConfig = serde_json::from_value(text.clone()).unwrap_or_else(|e| panic!("{text}: {e}"));
        let kernel = config.init(3, &device).unwrap();
        assert_eq!(parameters(&kernel).unwrap().len(), count, "{text}");
        kernel.check_dim(2).unwrap();
        let again: KernelConfig = serde_json::from_value(serde_json::to_value(&config).unwrap()).unwrap();
        assert_eq!(again, config);
        // A key that the kind does not have.
        let mut odd = text.clone();
        odd["odd"] = json!(1);
        assert!(serde_json::from_value::<KernelConfig>(odd).is_err(), "{text}");
    }
}

#[test]
fn compositions_and_networks_are_seen_without_building() {
    let of = |text: serde_json::Value| serde_json::from_value::<KernelConfig>(text).unwrap();
    let kinds: Vec<KernelConfig> = every_kind().into_iter().map(|(text, _)| of(text)).collect();
    let parts: Vec<usize> = kinds.iter().map(|k| k.parts().len()).collect();
    assert_eq!(parts, [0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3]);
    let networks: Vec<bool> = kinds.iter().map(|k| k.network().is_some()).collect();
    assert_eq!(networks.iter().filter(|n| **n).count(), 2);
    assert!(networks[6] && networks[7] && kinds[6].dim() == Some(2) && kinds[0].dim().is_none());
    // A network of its own each: weights from one seed after the other.
    let device = Backend::default().device().unwrap();
    let gibbs = json!({ "kind": "gibbs", "dim": 2, "length_scales": "isotropic", "hidden": [3], "divisor": 1.0 });
    let two = of(json!({ "kind": "sum", "terms": [gibbs, gibbs] })).init(5, &device).unwrap();
    let weights = parameters(&two).unwrap();
    let (first, second) = weights.split_at(weights.len() / 2);
    assert_eq!(first, parameters(&of(gibbs.clone()).init(5, &device).unwrap()).unwrap());
    assert_eq!(second, parameters(&of(gibbs).init(6, &device).unwrap()).unwrap());
    let nothing = of(json!({ "kind": "sum", "terms": [] })).init(5, &device);
    assert!(matches!(nothing, Err(KernelError::Setting { .. })));
}

#[test]
fn length_scales_are_fields_where_they_vary() {
    let device = Backend::default().device().unwrap();
    let points = Points::new(2, vec![0.1, 0.2, 0.5, 0.9, 0.7, 0.3]).unwrap();
    for (text, _) in every_kind() {
        let kernel = serde_json::from_value::<KernelConfig>(text.clone()).unwrap().init(3, &device).unwrap();
        let fields = kernel.fields(&points).unwrap();
        let expected = if text["kind"] == "gibbs" { 2 } else { 0 };
        assert_eq!(fields.len(), expected, "{text}");
        assert!(fields.iter().all(|f| f.len() == 3 && f.iter().all(|l| *l > 0.0)));
    }
}
