//! The runs, one child process after the other.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::options::Options;
use super::record::{Outcome, Record, Stored};
use super::study::{Entry, Study};
use hyperpde_cli::{CliError, clock};
use hyperpde_run::FileError;

/// Runs every experiment with every seed, but what is there already; `each` is called after every run that was made.
///
/// All experiments come first with the first seed, then with the second: a table of the first is soon there.
pub(super) fn run_all<T>(
    study: &Study,
    entries: &[&Entry],
    options: &Options,
    each: impl Fn(&[Record]) -> Result<T, CliError>,
) -> Result<Vec<Record>, CliError> {
    let folder = options.out.join("runs");
    std::fs::create_dir_all(&folder).map_err(|e| FileError::new("create the folder", &folder, e))?;
    let mut records = Vec::new();
    let mut waiting = Vec::new();
    for &seed in options.seeds() {
        for &entry in entries {
            let run = Run::new(entry, seed, &folder, options)?;
            match Record::read(&run.file("json"), &run.digest) {
                Stored::Finished(record) => records.push(record),
                Stored::Missing(why) => {
                    if let Some(why) = why {
                        log::warn!("{} is run again: {why}", run.file("json").display());
                    }
                    waiting.push(run);
                }
            }
        }
    }
    let total = records.len() + waiting.len();
    let mut clock = TimeLeft::new(study, &records, options.quick);
    if !options.quiet && !records.is_empty() {
        eprintln!("{} of {total} runs are there already", records.len());
    }
    for (index, run) in waiting.iter().enumerate() {
        if !options.quiet {
            let left = clock.left(waiting[index..].iter().map(|r| r.entry.name));
            eprintln!("[{}/{total}] {}, seed {}; {left} left", records.len() + 1, run.entry.name, run.seed);
        }
        let record = run.execute(options)?;
        if let Outcome::Failed(why) = &record.outcome {
            log::warn!("{}, seed {}: {why}", run.entry.name, run.seed);
        }
        record.write(&run.file("json"))?;
        clock.took(run.entry.name, record.seconds);
        records.push(record);
        each(&records)?;
    }
    Ok(records)
}

/// A run to be made.
struct Run<'a> {
    entry: &'a Entry,
    seed: u64,
    digest: String,
    folder: &'a Path,
}

impl<'a> Run<'a> {
    fn new(entry: &'a Entry, seed: u64, folder: &'a Path, options: &Options) -> Result<Self, CliError> {
        let flags = options.child_flags(entry, seed)?;
        let digest = {
            let experiment = (entry.build)()?;
            experiment.fingerprint(&flags.plan(experiment.plan())?)?
        };
        Ok(Self { entry, seed, digest, folder })
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}-{}.{extension}", self.entry.name, self.seed))
    }

    /// Starts the process and waits for it. An error is one of this process; one of the run is in the record.
    fn execute(&self, options: &Options) -> Result<Record, CliError> {
        let started = Instant::now();
        let (log, report) = (self.file("log"), self.file("report"));
        let program =
            std::env::current_exe().map_err(|e| FileError::new("find the program", Path::new("reproduce"), e))?;
        let errors = File::create(&log).map_err(|e| FileError::new("write", &log, e))?;
        let mut command = Command::new(&program);
        command.args(["run", self.entry.name]).args(options.child_words(self.entry, self.seed));
        command.arg("--json").arg(&report);
        if !options.quick && options.seeds().first() == Some(&self.seed) {
            command.arg("--out").arg(options.out.join("figures").join(self.entry.name));
        }
        // The pipe is never written to: it closes when this process ends, however it ends, and the child ends then too.
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(|e| FileError::new("start", &program, e))?;
        let pipe = child.stdin.take();
        let status = child.wait().map_err(|e| FileError::new("wait for", &program, e))?;
        drop(pipe);
        let outcome = match std::fs::read_to_string(&report) {
            _ if !status.success() => Outcome::Failed(format!("{status}; {}", last_line(&log))),
            Ok(text) => match serde_json::from_str(&text) {
                Ok(report) => Outcome::Report(report),
                Err(e) => Outcome::Failed(format!("its report is damaged: {e}")),
            },
            Err(e) => Outcome::Failed(format!("its report can't be read: {e}")),
        };
        // The report is in the record from now on, and most logs are empty; a file that stays would do no harm.
        let _ = std::fs::remove_file(&report);
        if log.metadata().is_ok_and(|m| m.len() == 0) {
            let _ = std::fs::remove_file(&log);
        }
        Ok(Record {
            experiment: self.entry.name.to_owned(),
            seed: self.seed,
            digest: self.digest.clone(),
            seconds: started.elapsed().as_secs_f64(),
            outcome,
        })
    }
}

/// The last line of a log, where the error stands.
fn last_line(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let line = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Ends this process when standard input closes, which the parent holds open as long as it lives.
pub(crate) fn end_with_parent() {
    std::thread::spawn(|| {
        let mut input = std::io::stdin().lock();
        let mut byte = [0];
        while matches!(input.read(&mut byte), Ok(1..)) {}
        std::process::exit(1);
    });
}

/// Roughly, the time of a run with `--quick` over that of a whole one.
const QUICK_SHARE: f64 = 0.02;

/// How long the runs that wait will take.
struct TimeLeft {
    expected: HashMap<&'static str, f64>,
    /// Per experiment: total time of runs that were made, and their number.
    taken: HashMap<String, (f64, f64)>,
}

impl TimeLeft {
    fn new(study: &Study, done: &[Record], quick: bool) -> Self {
        let scale = if quick { QUICK_SHARE } else { 1.0 };
        let expected = study.entries.iter().map(|e| (e.name, scale * e.expected_seconds)).collect();
        let mut clock = Self { expected, taken: HashMap::new() };
        done.iter().for_each(|record| clock.took(&record.experiment, record.seconds));
        clock
    }

    fn took(&mut self, name: &str, seconds: f64) {
        let (sum, count) = self.taken.entry(name.to_owned()).or_default();
        (*sum, *count) = (*sum + seconds, *count + 1.0);
    }

    /// The mean of the experiment's own runs; without any, what is expected, corrected by how wrong that was for the others.
    fn left(&self, names: impl Iterator<Item = &'static str>) -> String {
        let expected = |name: &str| self.expected.get(name).copied().unwrap_or(0.0);
        let (taken, foreseen) =
            self.taken.iter().fold((0.0, 0.0), |(t, f), (name, (sum, count))| (t + sum, f + expected(name) * count));
        let correction = if foreseen > 0.0 { taken / foreseen } else { 1.0 };
        let seconds = names.map(|name| match self.taken.get(name) {
            Some((sum, count)) => sum / count,
            None => expected(name) * correction,
        });
        clock(Duration::try_from_secs_f64(seconds.sum()).unwrap_or(Duration::MAX))
    }
}
