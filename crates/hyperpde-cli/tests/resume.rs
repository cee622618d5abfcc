//! Runs that are killed or interrupted and resumed end with the numbers of a run that was left alone; checkpoints that are damaged or
//! belong elsewhere are refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::Folder;
use common::process::{SMALL, hyperpde, json, numbers, refused, succeed, text};
use hyperpde_bilevel::{OptimizerSnapshot, PointsSnapshot, Snapshot, SolveSnapshot, Termination};
use hyperpde_cli::CliError;
use hyperpde_kernels::Backend;
use hyperpde_run::checkpoint::{Checkpoint, CheckpointError, CheckpointFolder, Origin};
use hyperpde_run::{RunError, StepLine, StepRecord};
use random::Random;

#[path = "../../../tests/common/random.rs"]
mod random;

const PATIENCE: Duration = Duration::from_secs(60);

/// The numbers that a finished run left: its solution byte for byte, its report and its metrics without times.
#[derive(Debug, PartialEq)]
struct Numbers {
    solution: Vec<u8>,
    report: serde_json::Value,
    metrics: Vec<serde_json::Value>,
}

impl Numbers {
    fn of(folder: &Path) -> Self {
        let metrics = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
        let line = |line: &str| {
            let mut step: serde_json::Value = serde_json::from_str(line).unwrap();
            step["seconds"].take();
            step
        };
        Self {
            solution: fs::read(folder.join("solution.safetensors")).unwrap(),
            report: numbers(json(&folder.join("report.json"))),
            metrics: metrics.lines().map(line).collect(),
        }
    }
}

/// Writes a configuration and gives its path.
fn configuration(folder: &Folder, text: &str) -> String {
    let file = folder.join("small.toml");
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn spawn(words: &[&str]) -> Child {
    hyperpde(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until something is so or the process ends.
fn wait_for(child: &mut Child, mut so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !so() && child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < PATIENCE);
    }
}

fn half_written(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|e| e.file_name()).any(|name| name.to_string_lossy().ends_with(".tmp"))
}

fn lines(file: &Path) -> usize {
    fs::read_to_string(file).map_or(0, |text| text.lines().count())
}

/// Twenty kills in five chains: after a kill the run is resumed, and killed again.
#[test]
fn killed_runs_end_with_the_numbers_of_a_run_that_was_left_alone() {
    let folder = Folder::new();
    let config = configuration(&folder, &SMALL.replace("gauss_newton_steps = 40", "gauss_newton_steps = 80"));
    let whole = folder.join("whole");
    let started = Instant::now();
    succeed(&["learn", &config, "--out", whole.to_str().unwrap(), "--quiet"]);
    let time = started.elapsed();
    let expected = Numbers::of(&whole);
    let (mut random, mut kills, mut torn, mut after) = (Random(11), 0, 0, Vec::new());
    for chain in 0..5 {
        let out = folder.join(&format!("killed-{chain}"));
        let path = out.to_str().unwrap();
        for kill in 0..4 {
            // A run that was killed before its folder was there begins again.
            let words: &[&str] =
                if out.exists() { &["resume", path, "--quiet"] } else { &["learn", &config, "--out", path, "--quiet"] };
            let mut child = spawn(words);
            if kill == 1 {
                // While a checkpoint is being written.
                wait_for(&mut child, || half_written(&out.join("checkpoints")));
            } else {
                let moment = time.mul_f64(0.35 * (0.5 + 0.5 * random.number()));
                let begun = Instant::now();
                wait_for(&mut child, || begun.elapsed() >= moment);
            }
            kills += usize::from(child.try_wait().unwrap().is_none());
            // SIGKILL.
            child.kill().unwrap();
            child.wait().unwrap();
            torn += usize::from(half_written(&out) || half_written(&out.join("checkpoints")));
            after.push(lines(&out.join("metrics.jsonl")));
        }
        let words: &[&str] = &["resume", path, "--quiet"];
        succeed(words);
        assert_eq!(Numbers::of(&out), expected, "chain {chain}");
        assert!(!half_written(&out.join("checkpoints")), "what a kill left is removed");
    }
    println!("{time:?} alone, {kills} kills, {torn} while a file was being written, after {after:?} lines");
    assert!(kills >= 18 && torn >= 1, "{kills} kills, {torn} while a file was being written");
}

#[test]
fn ctrl_c_ends_with_a_checkpoint_and_tells_how_to_go_on() {
    let folder = Folder::new();
    let config = configuration(&folder, SMALL);
    let (whole, out) = (folder.join("whole"), folder.join("interrupted"));
    succeed(&["learn", &config, "--out", whole.to_str().unwrap(), "--quiet"]);
    // No checkpoint would be due before the last step.
    let rare = configuration(&folder, &format!("{SMALL}[output]\ncheckpoint_every = 1000\n"));
    let path = out.to_str().unwrap();
    let mut child = spawn(&["learn", &rare, "--out", path]);
    wait_for(&mut child, || lines(&out.join("metrics.jsonl")) > 50);
    assert!(!out.join("checkpoints").exists());
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let told = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{told}");
    assert!(told.contains(&format!("interrupted; `hyperpde resume {path}` goes on with the run")), "{told}");
    let saved = CheckpointFolder::new(out.join("checkpoints")).files().unwrap();
    assert_eq!(saved.len(), 1, "{saved:?}");
    let log = fs::read_to_string(out.join("log.txt")).unwrap();
    assert!(log.contains("Gauss-Newton 2/40, outer 1, loss") && log.contains("interrupted"), "{log}");

    let (table, told) = succeed(&["resume", path]);
    assert!(told.contains("going on after Gauss-Newton step"), "{told}");
    assert_eq!(Numbers::of(&out), Numbers::of(&whole));
    // Again: there is nothing to do but to print.
    let report = fs::read(out.join("report.json")).unwrap();
    let copy = folder.join("copy.json");
    let (again, told) = succeed(&["resume", path, "--json", copy.to_str().unwrap()]);
    assert!(told.contains("is finished") && again == table, "{told}{again}");
    assert_eq!(fs::read(&copy).unwrap(), report);
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let folder = Folder::new();
    // One step takes long, so that the first Ctrl-C seldom ends the run before the second comes.
    let config = configuration(&folder, "problem = \"burgers\"\n[sampling]\ninterior = 3500\n[outer]\nsteps = 0\n");
    let at_once = |attempt: usize| {
        let out = folder.join(&format!("out-{attempt}"));
        let mut child = spawn(&["learn", &config, "--out", out.to_str().unwrap()]);
        wait_for(&mut child, || out.join("metrics.jsonl").exists());
        let id = child.id();
        let twice = format!("sleep 0.3; kill -INT {id}; sleep 0.02; kill -INT {id}");
        // The second signal finds nobody where the first was enough.
        let _ = std::process::Command::new("sh").args(["-c", &twice]).status().unwrap();
        let ended = child.wait_with_output().unwrap();
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(130), "{told}");
        told.contains("Ctrl-C again ends at once") && !told.contains("hyperpde resume")
    };
    assert!((0..5).any(at_once), "the second Ctrl-C was never what ended the run");
}

#[test]
fn only_one_process_works_in_a_folder() {
    let folder = Folder::new();
    let config = configuration(&folder, SMALL);
    let out = folder.join("out");
    let path = out.to_str().unwrap();
    let mut child = spawn(&["learn", &config, "--out", path, "--quiet"]);
    wait_for(&mut child, || lines(&out.join("metrics.jsonl")) > 5);
    assert!(refused(&["resume", path], 2).contains("another process is running in"));
    child.kill().unwrap();
    child.wait().unwrap();
    succeed(&["resume", path, "--quiet"]);
}

/// A run with three checkpoints, ended before its report.
fn with_checkpoints(folder: &Folder) -> (PathBuf, Vec<PathBuf>) {
    let short = SMALL.replace("gauss_newton_steps = 40", "gauss_newton_steps = 4");
    let config = configuration(folder, &short);
    let out = folder.join("out");
    succeed(&["learn", &config, "--out", out.to_str().unwrap(), "--quiet"]);
    let files = CheckpointFolder::new(out.join("checkpoints")).files().unwrap();
    let names: Vec<_> = files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["step-00002.checkpoint", "step-00003.checkpoint", "step-00004.checkpoint"]);
    (out, files)
}

#[test]
fn a_damaged_checkpoint_is_passed_over_with_a_warning() {
    let folder = Folder::new();
    let (out, files) = with_checkpoints(&folder);
    let (path, expected) = (out.to_str().unwrap(), Numbers::of(&out));
    let whole = fs::read(&files[2]).unwrap();
    let mut corrupted = fs::read(&files[1]).unwrap();
    corrupted[2000] ^= 4;
    for (newest, before, told, from) in [
        (&whole[..], None, vec![], Some(4)),
        (&whole[..whole.len() / 2], None, vec!["step-00004.checkpoint is truncated"], Some(3)),
        (b"PK\x03\x04", None, vec!["step-00004.checkpoint is not a checkpoint"], Some(3)),
        (b"", Some(&corrupted), vec!["00004.checkpoint is not a checkpoint", "00003.checkpoint is corrupted"], Some(2)),
    ] {
        fs::remove_file(out.join("report.json")).unwrap();
        fs::write(&files[2], newest).unwrap();
        if let Some(bytes) = before {
            fs::write(&files[1], bytes).unwrap();
        }
        let (_, shown) = succeed(&["resume", path]);
        assert!(told.iter().all(|words| shown.contains(words)), "{shown}");
        let going_on = from.map(|step| format!("going on after Gauss-Newton step {step}\n"));
        assert!(going_on.is_none_or(|words| shown.contains(&words)), "{shown}");
        assert_eq!(Numbers::of(&out), expected);
    }
    // None is whole: from the beginning.
    files.iter().for_each(|file| fs::write(file, b"no").unwrap());
    fs::remove_file(out.join("report.json")).unwrap();
    let (_, shown) = succeed(&["resume", path]);
    assert!(shown.contains("the run starts from its beginning"), "{shown}");
    assert_eq!(Numbers::of(&out), expected);
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let folder = Folder::new();
    let (out, _) = with_checkpoints(&folder);
    let path = out.to_str().unwrap();
    fs::remove_file(out.join("report.json")).unwrap();
    let config = fs::read_to_string(out.join("config.toml")).unwrap();
    let words = ["interior = 80", "interior = 81", "was made with another configuration"].map(str::to_owned);
    // Another backend, where one is compiled in; the file's own refusal is tested below without one.
    let own = Backend::default();
    let other = Backend::available().into_iter().find(|b| b.is_host() && *b != own);
    let backend = other.map(|other| {
        let told = format!("was made with another backend: {own}, not {other}");
        [format!("name = \"{own}\""), format!("name = \"{other}\""), told]
    });
    for [from, to, told] in std::iter::once(words).chain(backend) {
        assert!(config.contains(&from), "{config}");
        fs::write(out.join("config.toml"), config.replacen(&from, &to, 1)).unwrap();
        let shown = refused(&["resume", path], 2);
        assert!(shown.contains(&told), "{shown}");
    }
    // Where the checkpoints go is none of the numbers' business.
    fs::write(out.join("config.toml"), config.replace("checkpoint_every = 1", "checkpoint_every = 2")).unwrap();
    succeed(&["resume", path, "--quiet"]);
}

/// Numbers of every kind, among them those that text would spoil.
fn example() -> Checkpoint {
    let odd = vec![f64::MIN_POSITIVE / 8.0, -0.0, 0.1 + 0.2, f64::MAX];
    let solve =
        |fraction| SolveSnapshot { about: vec![odd.clone(), vec![1.0; 4]], theta: odd.clone(), fraction, points: None };
    let step = |outer, loss, residual, error| StepRecord {
        step: StepLine { gauss_newton: 3, outer, loss, residual, error },
        seconds: 0.7,
    };
    Checkpoint {
        origin: Origin::new("configuration", Backend::NdArray),
        snapshot: Snapshot {
            gauss_newton: 7,
            theta: odd.clone(),
            safe: Some(odd.clone()),
            retries: 2,
            optimizer: OptimizerSnapshot {
                optimizer: "adam".into(),
                scalars: vec![1e-3, 5.0],
                vectors: vec![odd.clone(), Vec::new()],
            },
            batch_position: u64::MAX - 1,
            iterate: solve(0.5),
            best: Some((f64::INFINITY, solve(1.0))),
            idle: 2,
            seconds: 1.0 / 3.0,
            termination: None,
        },
        history: vec![step(0, None, Some(1.0 / 7.0), None), step(1, Some(f64::MAX), None, Some(-0.0))],
    }
}

#[test]
fn checkpoints_keep_every_bit() {
    let folder = Folder::new();
    let file = folder.join("a.checkpoint");
    for change in [
        |_: &mut Checkpoint| {},
        |c: &mut Checkpoint| (c.snapshot.safe, c.snapshot.best) = (None, None),
        |c: &mut Checkpoint| c.history.clear(),
        |c: &mut Checkpoint| {
            let points = PointsSnapshot { dim: 2, interior: vec![0.1; 8], pool: Vec::new() };
            c.snapshot.iterate.points = Some(points);
        },
        |c: &mut Checkpoint| c.snapshot.optimizer = OptimizerSnapshot::default(),
        |c: &mut Checkpoint| (c.snapshot.theta, c.snapshot.termination) = (Vec::new(), Some(Termination::Stopped)),
    ] {
        let mut checkpoint = example();
        change(&mut checkpoint);
        checkpoint.write(&file).unwrap();
        let read = Checkpoint::read(&file, &checkpoint.origin).unwrap();
        // The text of Debug tells -0 from 0, and is exact.
        assert_eq!(format!("{read:?}"), format!("{checkpoint:?}"));
    }
}

#[test]
fn files_that_are_no_checkpoint_of_the_run_are_refused_in_one_sentence() {
    let folder = Folder::new();
    let file = folder.join("a.checkpoint");
    let checkpoint = example();
    checkpoint.write(&file).unwrap();
    let whole = fs::read(&file).unwrap();
    let read = |bytes: &[u8], origin: &Origin| {
        fs::write(&file, bytes).unwrap();
        let error = Checkpoint::read(&file, origin).unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.contains("a.checkpoint") && !sentence.contains('\n'), "{sentence}");
        (error.is_damage(), sentence, CliError::from(RunError::from(error)).status())
    };
    let own = checkpoint.origin.clone();
    let mut newer = whole.clone();
    newer[8] = 9;
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let shown = folder.path().display();
    for (bytes, damage, told) in [
        (&b"\x89PNG\r\n\x1a\n"[..], true, "is not a checkpoint".to_owned()),
        (&whole[..whole.len() - 1], true, format!("is truncated: it has {} bytes of {}", whole.len() - 1, whole.len())),
        (&flipped, true, "is corrupted: its checksum does not fit".to_owned()),
        (&newer, false, "has format 9, this program reads up to 2: use a newer version".to_owned()),
    ] {
        let (is_damage, sentence, status) = read(bytes, &own);
        assert!(sentence.contains(&told) && sentence.contains(&shown.to_string()), "{sentence}");
        assert_eq!((is_damage, status), (damage, 2), "{sentence}");
    }
    let version = Origin { version: "0.0.1".into(), ..own.clone() };
    for (origin, told) in [
        (Origin::new("another", Backend::NdArray), "made with another configuration".to_owned()),
        (Origin::new("configuration", Backend::Flex), "made with another backend: ndarray, not flex".to_owned()),
        (version, format!("another version of the program: {}, not 0.0.1", own.version)),
    ] {
        let (is_damage, sentence, status) = read(&whole, &origin);
        assert!(sentence.contains(&told) && !is_damage && status == 2, "{sentence}");
    }
    fs::remove_file(&file).unwrap();
    let missing = Checkpoint::read(&file, &own).unwrap_err();
    assert!(matches!(missing, CheckpointError::Unreadable { .. }));
    assert_eq!(CliError::from(RunError::from(missing)).status(), 1);
}
