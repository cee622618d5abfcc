//! Counts, exponents and tables of the measurements, on records with known answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde::gp::{Assembly, Stage};
use hyperpde_benches::case::Case;
use hyperpde_benches::count::{feature_backward_gflop, floor_seconds, gflop};
use hyperpde_benches::machine::{Machine, median};
use hyperpde_benches::present::{figure, fill, line, markdown, same};
use hyperpde_benches::record::{Record, Records, StageRecord, fill_exponents, measure};

fn record(problem: &str, rows: usize, step_seconds: f64) -> Record {
    let stage = |name: &str, seconds| StageRecord {
        stage: name.to_owned(),
        seconds,
        gflop: None,
        gflops: None,
        peak_share: Some(0.5),
    };
    Record {
        problem: problem.to_owned(),
        rows,
        step_seconds,
        cholesky_seconds: 0.5 * step_seconds,
        ratio: 2.0,
        peak_rss_mb: Some(40.0),
        floor_seconds: 0.25 * step_seconds,
        floor_ratio: 4.0,
        exponent: None,
        stages: ["point_jets", "training_block", "factorisation", "solve", "adjoint_training"]
            .map(|s| stage(s, 0.2 * step_seconds))
            .to_vec(),
    }
}

fn machine() -> Machine {
    Machine { threads: 2, product_gflops: 100.0, exponentials_per_ns: 1.0 }
}

#[test]
fn exponents_are_of_neighbouring_sizes_of_one_case() {
    let mut records = vec![
        record("elliptic", 300, 1e-3),
        record("elliptic", 600, 4e-3),
        record("elliptic", 1200, 32e-3),
        record("burgers", 300, 1e-3),
    ];
    fill_exponents(&mut records);
    let exponents: Vec<Option<f64>> = records.iter().map(|r| r.exponent).collect();
    assert!(exponents[0].is_none() && exponents[3].is_none());
    assert!((exponents[1].unwrap() - 2.0).abs() < 1e-12 && (exponents[2].unwrap() - 3.0).abs() < 1e-12);
}

#[test]
fn counts_grow_as_they_should() {
    for case in Case::ALL {
        assert!((gflop(case, 1200, Stage::Factorisation).unwrap() - 0.576).abs() < 1e-12);
        let growth = |stage| gflop(case, 4800, stage).unwrap() / gflop(case, 1200, stage).unwrap();
        assert!((growth(Stage::TrainingBlock) - 16.0).abs() < 1e-9);
        assert!((growth(Stage::AdjointTraining) - 16.0).abs() < 1e-9);
        assert!((growth(Stage::AdjointValidation) - 4.0).abs() < 1e-9);
        // The adjoint of a pair takes more than the pair and less than five times as much.
        let of = |stage| gflop(case, 1200, stage).unwrap();
        let ratio = of(Stage::AdjointTraining) / of(Stage::TrainingBlock);
        assert!((1.0..5.0).contains(&ratio), "{ratio}");
        assert!(floor_seconds(case, 1200, 100.0) > 0.00576);
    }
    assert!(feature_backward_gflop(Case::Elliptic, 1200).is_none());
    // 2-50-50-2, four coefficients, 1400 points, three products of two operations each.
    let expected = 1e-9 * 3.0 * 1400.0 * 4.0 * 2.0 * (100.0 + 2500.0 + 100.0);
    assert!((feature_backward_gflop(Case::Burgers, 1200).unwrap() - expected).abs() < 1e-12);
}

#[test]
fn tables_set_records_beside_earlier_ones() {
    let records =
        Records { machine: machine(), steps: vec![record("burgers", 300, 2e-3), record("burgers", 600, 9e-3)] };
    let before = [record("burgers", 600, 18e-3)];
    assert!(same(&before, &records.steps[0]).is_none());
    assert!(line(&records.steps[1], same(&before, &records.steps[1])).ends_with("18.0"));
    let text = markdown(&records, &before);
    assert!(text.contains("| burgers | 600 | 9.0 | 4.5 | 2.0 | 2.2 | 4.0 |  | 40 | 18.0 |"), "{text}");
    assert!(text.contains("| training block | 0.40 (50 %) | 1.80 (50 %) |"), "{text}");
    let page = "# Page\n<!-- stages: begin -->\nold\n<!-- stages: end -->\nrest\n";
    let filled = fill(page, "new");
    assert_eq!(filled, "# Page\n<!-- stages: begin -->\n\nnew\n<!-- stages: end -->\nrest\n");
    assert_eq!((fill(&filled, "new"), fill("", "new")), (filled, "new".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stages.png");
    figure(&records, "burgers", &path).unwrap();
    assert!(std::fs::metadata(path).unwrap().len() > 1000);
}

#[test]
fn a_small_step_is_measured_stage_by_stage() {
    let record =
        measure(Case::Burgers, 120, 3, Assembly::Auto, &machine(), &hyperpde_config::Target::default().open().unwrap())
            .unwrap();
    assert_eq!((record.problem.as_str(), record.rows), ("burgers", 120));
    assert!(record.step_seconds > 0.0 && record.cholesky_seconds > 0.0);
    let names: Vec<&str> = record.stages.iter().map(|s| s.stage.as_str()).collect();
    assert_eq!(names.len(), Stage::ALL.len() + 2);
    // Stages follow one another: none was forgotten, none overlaps.
    for stage in &record.stages[..names.len() - 1] {
        assert!(stage.seconds > 0.0, "{stage:?}");
    }
    let sum: f64 = record.stages.iter().map(|s| s.seconds).sum();
    assert!((0.3..3.0).contains(&(sum / record.step_seconds)), "medians of {sum} in {}", record.step_seconds);
}

#[test]
fn medians() {
    assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
    assert!(median(&mut []).is_nan());
}
