//! The study of verdicts: what counts as a silent failure and as a false alarm, and the binary on a small folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use hyperpde_examples::zoo::{Ended, Row, Summary, markdown};
use hyperpde_run::PerField;
use hyperpde_run::verdict::{Outcome, Verdict};

fn row(name: &str, outcome: Outcome, error: f64, estimate: f64) -> Row {
    let verdict = Verdict { outcome, estimate: PerField::single("u", estimate), findings: Vec::new() };
    let ended = Ended::Answer {
        verdict,
        error: Some(error),
        before: Some(1e-3),
        within_2sd: Some(0.9),
        seconds: 1.0,
        memory_mb: None,
    };
    Row::new(name, Some(1e-5), ended)
}

#[test]
fn both_kinds_of_error_are_counted() {
    let rows = [
        row("good", Outcome::Solved, 1e-6, 2e-7),
        row("silent", Outcome::Solved, 1e-2, 9e-4),
        row("nan", Outcome::Solved, f64::NAN, 9e-4),
        row("unknown", Outcome::Solved, 1e-2, f64::NAN),
        row("alarm", Outcome::Doubtful, 9e-4, 1e-1),
        row("honest", Outcome::Doubtful, 1e-1, 1e-3),
        row("wrong", Outcome::Failed, 10.0, 1.0),
        Row::new("slow", None, Ended::NoAnswer { limit: 60.0 }),
        Row::new("refused", None, Ended::Refused { why: "a | b".into(), seconds: 0.1 }),
    ];
    let summary = Summary::of(&rows);
    assert_eq!(summary.silent_failures, ["silent", "nan", "unknown"]);
    assert_eq!(summary.false_alarms, ["alarm"]);
    assert_eq!(summary.worse_by_learning, ["silent", "unknown", "honest", "wrong"]);
    assert_eq!(
        (summary.problems, summary.solved, summary.doubtful, summary.failed, summary.no_answer),
        (9, 4, 2, 1, 2)
    );
    assert_eq!(summary.reached, 1);
    let text = markdown(&rows, &summary);
    assert!(
        text.contains("no answer in 60 s") && text.contains("a \\| b") && text.contains("silent, nan, unknown"),
        "{text}"
    );
}

/// A small problem that is right and one with a fault, through the program; then no time at all.
#[test]
fn the_program_runs_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let problem = "fields = [\"u\"]\n[domain]\nspace = [[\"x\", 0, 1], [\"y\", 0, 1]]\n[equations]\n\
                   text = \"-lap(u) = 2*pi^2*sin(pi*x)*sin(pi*y)\"\n[[conditions]]\non = \"boundary\"\ntext = \"u = 0\"\n\
                   [exact]\nu = \"sin(pi*x)*sin(pi*y)\"\n[sampling]\ninterior = 120\nboundary = 48\nvalidation = 20\n\
                   test_grid = [12, 12]\n[outer]\nbatch = 10\nsteps = 2\n[solver]\ngauss_newton_steps = 2\n";
    std::fs::write(folder.path().join("right.toml"), problem).unwrap();
    std::fs::write(folder.path().join("fault.toml"), problem.replace("sin(pi*y)\"", "sine(pi*y)\"")).unwrap();
    std::fs::write(folder.path().join("targets.json"), "{\"right\": 1e-3}").unwrap();
    let zoo = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zoo"));
        let out = command.arg(folder.path()).args(words).output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let file = folder.path().join("out/zoo.json");
    let (status, shown) = zoo(&["--json", file.to_str().unwrap()]);
    assert_eq!(status, Some(0), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let (fault, right) = (&json["problems"][0], &json["problems"][1]);
    assert!(fault["ended"] == "refused" && right["ended"] == "answer", "{json}");
    assert!(right["verdict"]["outcome"] == "solved" && right["error"].as_f64().unwrap() < 1e-3, "{json}");
    assert_eq!((&json["summary"]["reached"], &json["summary"]["no_answer"]), (&1.into(), &1.into()));
    let (status, shown) = zoo(&["--limit", "0", "--only", "right"]);
    assert!(status == Some(0) && shown.contains("no answer in 0 s") && !shown.contains("fault"), "{shown}");
}
