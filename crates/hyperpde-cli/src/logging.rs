//! Log messages that don't tear the progress bar.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use hyperpde_run::{MOST_WARNINGS, WARNING};
use indicatif::MultiProgress;
use log::{Level, Log, Metadata, Record};

/// The one group of bars of this process: the logger must know of every bar to move it out of the way.
pub(crate) fn bars() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(MultiProgress::new)
}

/// The warnings of this process so far, the first [`MOST_WARNINGS`].
static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Takes the warnings that were logged since the last call, in order. Only those that [`init_logging`]'s logger saw.
#[must_use]
pub fn take_warnings() -> Vec<String> {
    std::mem::take(&mut *WARNINGS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Warnings of one kind that are shown.
const SHOWN_ALIKE: usize = 3;

/// How many warnings there were of the kind of this one: those that differ in numbers alone are of one kind.
fn alike(warning: &str) -> usize {
    static KINDS: OnceLock<Mutex<HashMap<String, usize>>> = OnceLock::new();
    let kind = warning.chars().filter(|c| !c.is_ascii_digit()).collect();
    let mut kinds = KINDS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let count = kinds.entry(kind).or_insert(0);
    *count += 1;
    *count
}

/// Where lines are copied to, the log of a run.
static COPY: Mutex<Option<File>> = Mutex::new(None);

/// Copies messages and progress into a file from now on, one file at a time; with `None` no longer.
pub(crate) fn copy_to(file: Option<File>) {
    *COPY.lock().unwrap_or_else(PoisonError::into_inner) = file;
}

/// Adds a line to the log of the run, if there is one.
pub(crate) fn copy_line(line: &str) {
    if let Some(file) = COPY.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        // One call per line, so that a process that is killed leaves whole lines; a full disk must not end a run over its log.
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

/// A message as it is shown: its level unless it is information.
fn line(record: &Record<'_>) -> String {
    match record.level() {
        Level::Info => record.args().to_string(),
        Level::Warn => format!("{WARNING}{}", record.args()),
        level => format!("{}: {}", level.as_str().to_lowercase(), record.args()),
    }
}

/// Sends `log` messages to standard error, above the progress bar if there is one.
///
/// Level: `info` (only `warn` with `quiet`), with the graphics layers held at `warn`; the variable `RUST_LOG`
/// overrides both. If a logger is installed already, that one stays.
pub fn init_logging(quiet: bool) {
    let filter = if quiet { "warn" } else { "info,cubecl=warn,wgpu=warn,naga=warn" };
    let inner = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(filter))
        .format(|out, record| writeln!(out, "{}", line(record)))
        .build();
    let level = inner.filter();
    if log::set_boxed_logger(Box::new(BarLogger { inner })).is_ok() {
        log::set_max_level(level);
    }
}

/// Hides the bars while the inner logger writes.
struct BarLogger {
    inner: env_logger::Logger,
}

impl Log for BarLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.inner.matches(record) {
            let alike = if record.level() == Level::Warn { alike(&record.args().to_string()) } else { 0 };
            if alike > SHOWN_ALIKE {
                return;
            }
            if record.level() <= Level::Warn {
                let mut kept = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < MOST_WARNINGS {
                    kept.push(record.args().to_string());
                }
            }
            copy_line(&line(record));
            bars().suspend(|| self.inner.log(record));
            if alike == SHOWN_ALIKE {
                let note = format_args!("further warnings like this one are not shown");
                self.log(&Record::builder().level(Level::Info).target(record.target()).args(note).build());
            }
        }
    }

    fn flush(&self) {
        self.inner.flush();
    }
}
