//! Log messages that don't tear the progress bar.

use std::io::Write;
use std::sync::OnceLock;

use indicatif::MultiProgress;
use log::{Level, Log, Metadata, Record};

/// The one group of bars of this process: the logger must know of every bar to move it out of the way.
pub(crate) fn bars() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(MultiProgress::new)
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
            bars().suspend(|| self.inner.log(record));
        }
    }

    fn flush(&self) {
        self.inner.flush();
    }
}
