//! `reproduce --quick` from start to end, interrupted, repeated and with damaged files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant, SystemTime};

use hyperpde_examples::published;
use serde_json::Value;

fn command(out: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reproduce"));
    command.args(["--quick", "--out"]).arg(out).args(words);
    command
}

fn reproduce(out: &Path, words: &[&str]) -> Output {
    command(out, words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn table(out: &Path) -> (String, Value) {
    let json = std::fs::read_to_string(out.join("table.json")).unwrap();
    (std::fs::read_to_string(out.join("table.md")).unwrap(), serde_json::from_str(&json).unwrap())
}

fn modified(file: &Path) -> SystemTime {
    file.metadata().unwrap().modified().unwrap()
}

#[test]
fn every_row_is_there_and_a_second_run_has_nothing_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let output = reproduce(folder.path(), &[]);
    println!("{}\n{}, {:?}", text(&output.stdout), text(&output.stderr), started.elapsed());
    assert!(output.status.success());
    let (markdown, json) = table(folder.path());
    let study = published::study();
    assert_eq!(json["errors"].as_array().unwrap().len(), study.published.len());
    for (row, published) in json["errors"].as_array().unwrap().iter().zip(&study.published) {
        assert_eq!((&row["experiment"], &row["label"]), (&published.experiment.into(), &published.label.into()));
        assert!(row["median"].as_f64().is_some_and(|e| e > 0.0), "{row}");
        assert!(row["initial"].as_f64().is_some() || published.experiment.starts_with("elliptic"), "{row}");
        assert!(markdown.contains(&published.label.replace('|', "\\|")), "{}", published.label);
    }
    for (row, entry) in json["costs"].as_array().unwrap().iter().zip(&study.entries) {
        assert_eq!((&row["experiment"], &row["seeds"]), (&entry.name.into(), &serde_json::json!([1])));
        for key in ["seconds_learn", "seconds_total", "peak_rss_mb", "outer_steps"] {
            assert!(row[key].as_f64().unwrap() > 0.0, "{} {key}", entry.name);
        }
        assert!(markdown.contains(&format!("\n| {} | 1 |", entry.name)), "{}", entry.name);
    }
    let known = |experiment: &str, key: &str| {
        json["errors"].as_array().unwrap().iter().any(|r| r["experiment"] == experiment && r[key].is_number())
    };
    for experiment in ["elliptic-1", "elliptic-additive", "burgers", "eikonal", "darcy"] {
        assert!(known(experiment, "constant"), "{experiment}");
    }
    assert!(known("darcy", "coverage_2sd"));
    assert!(folder.path().join("table.png").metadata().unwrap().len() > 1000);
    assert!(!folder.path().join("figures").exists());

    let stamps = |out: &Path| {
        let files = std::fs::read_dir(out.join("runs")).unwrap().map(|e| e.unwrap().path());
        files.map(|f| (f.clone(), modified(&f))).collect::<std::collections::BTreeMap<_, _>>()
    };
    let (before, started) = (stamps(folder.path()), Instant::now());
    let again = reproduce(folder.path(), &[]);
    assert!(again.status.success() && again.stdout == output.stdout);
    assert_eq!(stamps(folder.path()), before);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_killed_command_goes_on_where_it_stopped_and_damaged_runs_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["--only", "elliptic-0.5,elliptic-0.1,elliptic-2"];
    let run = |name: &str| folder.path().join(format!("runs/{name}-1.json"));
    let mut child = command(folder.path(), &words).spawn().unwrap();
    let started = Instant::now();
    while !run("elliptic-0.1").exists() {
        assert!(started.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let first = modified(&run("elliptic-0.1"));
    assert!(!run("elliptic-2").exists(), "the command was killed too late");

    let output = reproduce(folder.path(), &words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("1 of 3 runs are there already"), "{}", text(&output.stderr));
    assert_eq!(modified(&run("elliptic-0.1")), first);
    let (markdown, json) = table(folder.path());
    assert_eq!(json["totals"]["runs"], 3);
    assert_eq!(markdown.matches("\n| elliptic from").count(), 3);

    let whole = std::fs::read_to_string(run("elliptic-2")).unwrap();
    std::fs::write(run("elliptic-2"), &whole[..whole.len() / 2]).unwrap();
    let output = reproduce(folder.path(), &words);
    let told = text(&output.stderr);
    assert!(output.status.success() && told.contains("elliptic-2-1.json") && told.contains("damaged"), "{told}");
    let [old, new] = [whole, std::fs::read_to_string(run("elliptic-2")).unwrap()]
        .map(|t| serde_json::from_str::<Value>(&t).unwrap()["outcome"]["report"]["linf"].clone());
    assert!(old.is_number() && old == new);

    let output = reproduce(folder.path(), &["--only", "elliptic-2", "--seeds", "5,"]);
    assert!(output.status.success() && folder.path().join("runs/elliptic-2-5.json").exists());
}

#[test]
fn flags_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (words, told) in [
        (vec!["--only", "burger"], "no experiment is called 'burger'; there are elliptic-0.01"),
        (vec!["--seeds", "0"], "must be a count from 1"),
        (vec!["--seeds", "3,3"], "each once"),
        (vec!["--backend", "abacus"], "abacus"),
    ] {
        let output = reproduce(folder.path(), &words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(text(&output.stderr).contains(told), "{words:?}: {}", text(&output.stderr));
    }
    std::fs::write(folder.path().join("taken"), "").unwrap();
    let output = reproduce(&folder.path().join("taken"), &["--only", "elliptic-1"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
}
