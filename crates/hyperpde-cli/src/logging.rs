//! Log messages that don't tear the progress bar.

use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use indicatif::MultiProgress;
use log::{Level, Log, Metadata, Record};

/// The one group of bars of this process: the logger must know of every bar to move it out of the way.
pub(crate) fn bars() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(MultiProgress::new)
}

/// Most warnings that are kept; a run that warns at every step says nothing new after that.
const KEPT_WARNINGS: usize = 200;

/// The warnings of this process so far, the first [`KEPT_WARNINGS`].
static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Takes the warnings that were logged since the last call, in order. Only those that [`init_logging`]'s logger saw.
#[must_use]
pub fn take_warnings() -> Vec<String> {
    std::mem::take(&mut *WARNINGS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Sends `log` messages to standard error, above the progress bar if there is one.
///
/// Level: `info` (only `warn` with `quiet`), with the graphics layers held at `warn`; the variable `RUST_LOG`
/// overrides both. If a logger is installed already, that one stays.
pub fn init_logging(quiet: bool) {
    let filter = if quiet { "warn" } else { "info,cubecl=warn,wgpu=warn,naga=warn" };
    let inner = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(filter))
        .format(|out, record| match record.level() {
            Level::Info => writeln!(out, "{}", record.args()),
            level => writeln!(out, "{}: {}", level.as_str().to_lowercase(), record.args()),
        })
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
            if record.level() <= Level::Warn {
                let mut kept = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < KEPT_WARNINGS {
                    kept.push(record.args().to_string());
                }
            }
            bars().suspend(|| self.inner.log(record));
        }
    }

    fn flush(&self) {
        self.inner.flush();
    }
}
