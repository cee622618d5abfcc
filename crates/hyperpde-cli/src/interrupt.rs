//! Ctrl-C: the first one asks a run to end at the next good moment, the second one ends the process.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::logging::bars;

/// Times that Ctrl-C was pressed.
static PRESSED: AtomicUsize = AtomicUsize::new(0);

/// Exit status of a run that Ctrl-C ended: 128 and the number of the signal, as shells have it.
pub(crate) const STATUS: u8 = 130;

/// Catches Ctrl-C from now on. Without it nothing here ever asks for an end.
pub(crate) fn install() {
    let caught = ctrlc::set_handler(|| {
        if PRESSED.fetch_add(1, Ordering::SeqCst) > 0 {
            std::process::exit(i32::from(STATUS));
        }
        // Nobody may be there to read it.
        let _ = bars().suspend(|| writeln!(io::stderr(), "ending after the present step; Ctrl-C again ends at once"));
    });
    if let Err(e) = caught {
        log::warn!("Ctrl-C will end the run at once, which loses the Gauss-Newton step in progress: {e}");
    }
}

/// Whether an end was asked for.
pub(crate) fn requested() -> bool {
    PRESSED.load(Ordering::SeqCst) > 0
}
