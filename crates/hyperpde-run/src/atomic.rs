//! Files that are either complete or absent.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What to look at; reasons for which a file can't be read stand for themselves.
fn io_advice(action: &str) -> &'static str {
    if action.starts_with("read") { "" } else { "; check that the folder is writable and has room" }
}

/// A file that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}{}", path.display(), io_advice(action))]
pub struct FileError {
    /// "write", "create the folder", ...
    pub action: &'static str,
    /// The file concerned.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

impl FileError {
    /// From its parts.
    pub fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_path_buf(), source }
    }
}

/// Writes `bytes` to `path` so that a reader finds the old file or the whole new one, never a part.
///
/// The bytes go to a temporary file in the same folder, are flushed to the disk, and the file is renamed over `path`.
/// Missing folders are created. On failure the temporary file is removed and an existing `path` is left as it was.
///
/// # Errors
/// [`FileError`] with the step that failed and the path.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let Some(name) = path.file_name() else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
        return Err(FileError::new("write", path, source));
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(|e| FileError::new("create the folder", folder, e))?;

    let (temporary, file) =
        create_temporary(folder, &name.to_string_lossy()).map_err(|e| FileError::new("write", path, e))?;
    let outcome = fill(file, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = outcome {
        // The first error is the one to report, whether or not the clean-up succeeds.
        let _ = fs::remove_file(&temporary);
        return Err(FileError::new("write", path, source));
    }
    Ok(())
}

/// A new file that no other process or thread writes to.
fn create_temporary(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let serial = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".{name}.{}.{serial}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            // Left by a process that had the same id and was killed: take the next number.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}
