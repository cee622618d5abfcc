//! The report of a run: keys and values of its JSON, its table, and files that are complete or absent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/common/folder.rs"]
mod folder;

use std::fs;

use folder::Folder;
use hyperpde_bilevel::{ObjectiveKind, OptimizerKind, StepControl};
use hyperpde_config::RunSettings;
use hyperpde_kernels::{Backend, Precision};
use hyperpde_pde::FieldErrors;
use hyperpde_run::{
    CloudErrors, ConstantKernel, FileError, KernelState, LargerCloud, PerField, RunReport, StepLine, StepRecord,
    full_message, peak_rss_mb, table, write_atomic,
};
use serde_json::{Value, json};

/// Keys that scripts which read reports rely on.
const KEYS: [&str; 28] = [
    "problem",
    "backend",
    "precision",
    "seed",
    "rows",
    "hyperparameters",
    "termination",
    "outer_steps",
    "linf",
    "rmse",
    "rel_l2",
    "linf_initial",
    "rmse_initial",
    "rel_l2_initial",
    "larger_cloud",
    "linear",
    "kept_initial",
    "clouds",
    "coverage_1sd",
    "coverage_2sd",
    "constant",
    "seconds_learn",
    "seconds_total",
    "seconds_baselines",
    "peak_rss_mb",
    "settings",
    "history",
    "version",
];

fn settings() -> RunSettings {
    RunSettings {
        seed: 11,
        interior: 60,
        boundary: 24,
        validation: 40,
        batch: 20,
        gauss_newton_steps: 2,
        outer_steps: 3,
        warm_up: 0,
        nugget: 1e-10,
        learning_rate: 1e-2,
        loss_tolerance: 1e-5,
        objective: ObjectiveKind::Published,
        optimizer: OptimizerKind::Adam,
        step_control: StepControl::Backtracking,
        increment_tolerance: 0.0,
        gain_tolerance: 0.0,
        gain_steps: 3,
        regularisation: 0.0,
    }
}

fn errors(field: &str, linf: f64) -> (String, FieldErrors) {
    (field.into(), FieldErrors { linf, rmse: linf / 10.0, rel_l2: linf / 5.0 })
}

fn report(fields: &[(String, FieldErrors)]) -> RunReport {
    let mut report = RunReport::new("burgers", Backend::NdArray, Precision::F64, &settings());
    report.set_errors(fields);
    report
}

fn json_of(report: &RunReport) -> Value {
    serde_json::from_str(&report.to_json().unwrap()).unwrap()
}

#[test]
fn the_keys_are_exactly_those_promised() {
    let json = json_of(&report(&[errors("u", 0.5)]));
    let mut got: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected: Vec<&str> = KEYS.to_vec();
    got.sort_unstable();
    expected.sort_unstable();
    assert_eq!(got, expected);
    assert_eq!(
        (&json["problem"], &json["backend"], &json["precision"]),
        (&json!("burgers"), &json!("ndarray"), &json!("f64"))
    );
    assert_eq!((&json["seed"], &json["version"]), (&json!(11), &json!(env!("CARGO_PKG_VERSION"))));
    let settings = json!({
        "seed": 11, "interior": 60, "boundary": 24, "validation": 40, "batch": 20, "gauss_newton_steps": 2,
        "outer_steps": 3, "warm_up": 0, "nugget": 1e-10, "learning_rate": 1e-2, "loss_tolerance": 1e-5, "objective": "published",
        "optimizer": "adam",
        "step_control": "backtracking", "increment_tolerance": 0.0, "gain_tolerance": 0.0, "gain_steps": 3,
        "regularisation": 0.0,
    });
    assert_eq!(json["settings"], settings);
}

#[test]
fn errors_are_a_number_for_one_field_and_an_object_for_several() {
    let mut one = report(&[errors("u", 0.5)]);
    one.set_initial_errors(&[errors("u", 2.0)]);
    let json = json_of(&one);
    assert_eq!([&json["linf"], &json["rmse"], &json["rel_l2"]], [&json!(0.5), &json!(0.05), &json!(0.1)]);
    assert_eq!(
        [&json["linf_initial"], &json["rmse_initial"], &json["rel_l2_initial"]],
        [&json!(2.0), &json!(0.2), &json!(0.4)]
    );

    let json = json_of(&report(&[errors("v", 0.5), errors("u", 1.0)]));
    assert_eq!(json["linf"], json!({"v": 0.5, "u": 1.0}));
    assert_eq!(json["rel_l2"], json!({"v": 0.1, "u": 0.2}));
    let text = report(&[errors("v", 0.5), errors("u", 1.0)]).to_json().unwrap();
    assert!(text.find("\"v\"").unwrap() < text.find("\"u\"").unwrap(), "in the fields' order");
    assert_eq!(json["linf_initial"], Value::Null);

    assert_eq!(json_of(&report(&[]))["linf"], Value::Null, "without a reference");
    assert_eq!(serde_json::to_value(PerField::single("u", 3.0)).unwrap(), json!(3.0));
}

#[test]
fn what_is_not_finite_becomes_null() {
    let mut report = report(&[errors("u", f64::NAN), errors("v", f64::INFINITY)]);
    report.set_initial_errors(&[errors("u", f64::NEG_INFINITY)]);
    report.seconds_learn = f64::NAN;
    report.peak_rss_mb = Some(f64::INFINITY);
    report.hyperparameters.insert("length_scale".into(), json!(f64::NAN));
    let step = StepLine { gauss_newton: 1, outer: 2, loss: Some(f64::NAN), residual: Some(f64::INFINITY), error: None };
    report.history.push(StepRecord { step, seconds: 0.25 });
    let text = report.to_json().unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf,"), "{text}");
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["linf"], json!({"u": null, "v": null}));
    for key in ["linf_initial", "seconds_learn", "peak_rss_mb"] {
        assert_eq!(json[key], Value::Null, "{key}");
    }
    assert_eq!(json["hyperparameters"], json!({"length_scale": null}));
    let line = json!({"gauss_newton": 1, "outer": 2, "loss": null, "residual": null, "error": null, "seconds": 0.25});
    assert_eq!(json["history"], json!([line]));
}

#[test]
fn the_table_shows_before_and_after_in_aligned_columns() {
    let mut report = report(&[errors("u", 0.5)]);
    report.set_initial_errors(&[errors("u", 2.0)]);
    (report.outer_steps, report.seconds_learn, report.peak_rss_mb) = (150, 12.34, Some(512.4));
    report.coverage_2sd = PerField::single("u", 0.9554);
    let cloud = |name: &str, kernel, problem: &str, linf| {
        CloudErrors::new(name, kernel, problem, (100, 24), &[errors("u", linf)])
    };
    report.clouds = vec![
        cloud("training", KernelState::Initial, "burgers", 2.0),
        cloud("training", KernelState::Learned, "burgers", 0.5),
        cloud("larger", KernelState::Learned, "burgers", 0.25),
        cloud("fresh", KernelState::Learned, "other", 0.75),
        cloud("fresh", KernelState::Initial, "other", 3.0),
        cloud("larger", KernelState::Constant, "burgers", 0.3),
    ];
    report.larger_cloud = Some(LargerCloud::from(&report.clouds[2]));
    let expected = [
        "                                            L-infinity      RMSE  relative L2  within 2 sd  steps  seconds  memory (MiB)",
        "------------------------------------------------------------------------------------------------------------------------",
        "before learning                                2.000e0  2.000e-1     4.000e-1            -      0        -             -",
        "after learning                                5.000e-1  5.000e-2     1.000e-1        95.5%    150     12.3           512",
        "frozen kernel, 100+24 points                  2.500e-1  2.500e-2     5.000e-2            -      -        -             -",
        "other: frozen kernel, fresh 100+24 points     7.500e-1  7.500e-2     1.500e-1            -      -        -             -",
        "other: initial kernel, fresh 100+24 points     3.000e0  3.000e-1     6.000e-1            -      -        -             -",
        "best constant length scales, 100+24 points    3.000e-1  3.000e-2     6.000e-2            -      -        -             -",
    ];
    assert_eq!(report.table().lines().collect::<Vec<_>>(), expected, "\n{}", report.table());
    let length_scales = [("length scale".to_owned(), json!(0.1))].into_iter().collect();
    report.constant = Some(ConstantKernel { length_scales, solves: 25, seconds: 1.5 });
    let json = json_of(&report);
    assert_eq!(
        json["larger_cloud"],
        json!({"interior": 100, "boundary": 24, "linf": 0.25, "rmse": 0.025, "rel_l2": 0.05})
    );
    let row = json!({
        "name": "fresh", "kernel": "learned", "problem": "other", "interior": 100, "boundary": 24, "linf": 0.75, "rmse": 0.075,
        "rel_l2": 0.15,
    });
    assert_eq!((&json["clouds"][3], &json["coverage_2sd"]), (&row, &json!(0.9554)));
    assert_eq!(json["constant"], json!({"length_scales": {"length scale": 0.1}, "solves": 25, "seconds": 1.5}));
}

#[test]
fn the_table_names_the_fields_when_there_are_several() {
    let mut report = report(&[errors("u", 0.5), errors("velocité", 1.0)]);
    report.set_initial_errors(&[errors("u", 2.0)]);
    let text = report.table();
    let labels: Vec<&str> = text.lines().skip(2).map(|l| l.split("  ").next().unwrap()).collect();
    assert_eq!(
        labels,
        ["u before learning", "u after learning", "velocité before learning", "velocité after learning"]
    );
    let widths: Vec<usize> = text.lines().map(|l| l.chars().count()).collect();
    assert!(widths.iter().all(|w| *w == widths[0]), "{text}");
    assert!(text.lines().nth(4).unwrap().contains("  -  "), "an initial error that is missing: {text}");
    assert_eq!(table(&[]).lines().count(), 2);
}

#[test]
fn the_file_is_what_the_report_says_and_nothing_else_is_left() {
    let folder = Folder::new();
    let file = folder.join("report.json");
    let report = report(&[errors("u", 0.5)]);
    report.write_json(&file).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), report.to_json().unwrap());
    assert_eq!(folder.names(), ["report.json"]);
    write_atomic(&file, b"shorter").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"shorter");
    assert_eq!(folder.names(), ["report.json"]);
}

#[test]
fn missing_folders_are_made() {
    let folder = Folder::new();
    let file = folder.join("a/b/report.json");
    report(&[]).write_json(&file).unwrap();
    assert!(file.is_file());
    assert_eq!(folder.names(), ["a"]);
}

/// The path in an I/O error, which tells the system's reason.
fn refused(outcome: Result<(), FileError>) -> String {
    let error = outcome.unwrap_err();
    let message = full_message(&error);
    let FileError { path, source, .. } = error;
    assert!(message.contains(&source.to_string()) && message.contains(&path.display().to_string()), "{message}");
    path.display().to_string()
}

#[test]
fn a_failed_write_leaves_no_file_behind() {
    let folder = Folder::new();
    fs::write(folder.join("file"), "not a folder").unwrap();
    refused(write_atomic(&folder.join("file/report.json"), b"{}"));
    // The temporary file is complete when this rename fails.
    fs::create_dir(folder.join("taken")).unwrap();
    fs::write(folder.join("taken/inside"), "kept").unwrap();
    assert!(refused(write_atomic(&folder.join("taken"), b"{}")).ends_with("taken"));
    assert_eq!(folder.names(), ["file", "taken"]);
    assert_eq!(fs::read(folder.join("taken/inside")).unwrap(), b"kept");
    assert_eq!(fs::read(folder.join("file")).unwrap(), b"not a folder");
    refused(write_atomic(std::path::Path::new("/"), b"{}"));
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_an_io_error_and_stays_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    write_atomic(&folder.join("report.json"), b"old").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser may write all the same; then there is nothing to see here.
    let enforced = fs::write(folder.join("probe"), "").is_err();
    let outcome = write_atomic(&folder.join("report.json"), b"new");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if enforced {
        refused(outcome);
        assert_eq!(fs::read(folder.join("report.json")).unwrap(), b"old");
        assert_eq!(folder.names(), ["report.json"]);
    }
}

#[test]
fn memory_is_measured_where_the_system_tells() {
    let used = std::hint::black_box(vec![1u8; 64 << 20]);
    let peak = peak_rss_mb();
    assert_eq!(peak.is_some(), cfg!(target_os = "linux"));
    assert!(peak.is_none_or(|mib| mib > 64.0 && mib < 1e6), "{peak:?} for {} bytes", used.len());
}
