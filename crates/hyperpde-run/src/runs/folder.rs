//! The folder of a run: what is where, and how it comes to be.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::atomic::write_atomic;
use crate::checkpoint::{CheckpointFolder, Origin};
use crate::digest::digest;
use crate::error::RunError;
use hyperpde_config::Config;

/// The folder of a run.
#[derive(Debug, Clone)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// A new folder with the configuration, all defaults filled in, and copies of the data files that it names: it can be moved.
    ///
    /// The folder is filled beside its final place and renamed, so that it is there with all of this or not at all.
    pub fn create(path: &Path, config: &Config) -> Result<Self, RunError> {
        refuse_if_taken(path)?;
        let absolute = std::path::absolute(path).map_err(|e| RunError::io("find the folder", path, e))?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(RunError::Input(format!("{} is no folder for a run; name another", path.display())));
        };
        fs::create_dir_all(parent).map_err(|e| RunError::io("create the folder", parent, e))?;
        let draft = parent.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
        // Left by a process that had the same id and was killed.
        let _ = fs::remove_dir_all(&draft);
        let filled = fill(&draft, config).and_then(|()| {
            let moved = match fs::remove_dir(&absolute) {
                Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
                _ => fs::rename(&draft, &absolute),
            };
            moved.map_err(|e| RunError::io("create the folder", path, e))
        });
        if let Err(error) = filled {
            let _ = fs::remove_dir_all(&draft);
            return Err(error);
        }
        Ok(Self { path: path.to_path_buf() })
    }

    /// The folder of an earlier run.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let folder = Self { path: path.to_path_buf() };
        if folder.config_file().is_file() {
            return Ok(folder);
        }
        let shown = path.display();
        Err(RunError::Input(match path.metadata() {
            Ok(data) if data.is_dir() => {
                format!(
                    "{shown} holds no config.toml: it is not the folder of a run that `hyperpde learn` or `solve` began"
                )
            }
            Ok(_) => format!("{shown} is a file; name the folder of a run"),
            Err(e) => format!("there is no folder {shown}: {e}"),
        }))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn config_file(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    pub fn metrics_file(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    pub fn log_file(&self) -> PathBuf {
        self.path.join("log.txt")
    }

    pub fn report_file(&self) -> PathBuf {
        self.path.join("report.json")
    }

    pub fn page_file(&self) -> PathBuf {
        self.path.join("report.html")
    }

    pub fn solution_file(&self) -> PathBuf {
        self.path.join("solution.safetensors")
    }

    pub fn checkpoints(&self) -> CheckpointFolder {
        CheckpointFolder::new(self.path.join("checkpoints"))
    }

    /// What the run's numbers depend on: the configuration but for its output, the content of data files, backend, version.
    pub fn origin(config: &Config) -> Result<Origin, RunError> {
        let mut text = config.fingerprint()?;
        config.data().iter().for_each(|bytes| text.push_str(&digest(bytes)));
        Ok(Origin::new(&text, config.target()))
    }

    /// Opens the log to add to it. It also is the lock: two processes in one folder would spoil each other's files. The system frees
    /// it however a process ends.
    pub fn lock(&self) -> Result<File, RunError> {
        let path = self.log_file();
        let failed = |e| RunError::io("write", &path, e);
        let log = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        match log.try_lock() {
            Err(TryLockError::WouldBlock) => Err(RunError::Input(format!(
                "another process is running in {}; wait for it or end it",
                self.path.display()
            ))),
            // A file system without locks is no reason not to run.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(log),
        }
    }

    /// Removes what a killed process left of files that it was writing.
    pub fn tidy(&self) {
        for folder in [self.path.clone(), self.path.join("checkpoints")] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if name.starts_with('.') && name.ends_with(".tmp") {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }
}

/// Refuses a folder that holds anything.
fn refuse_if_taken(path: &Path) -> Result<(), RunError> {
    let shown = path.display();
    let advice = match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(_) if path.is_file() => {
            return Err(RunError::Input(format!("{shown} is a file; name another folder with --out")));
        }
        Err(e) => return Err(RunError::io("read the folder", path, e)),
        Ok(true) => return Ok(()),
        Ok(false) if path.join("config.toml").is_file() => {
            format!("`hyperpde resume {shown}` goes on with the run in it, --out names another folder")
        }
        Ok(false) => "name another one with --out".to_owned(),
    };
    Err(RunError::Input(format!("the folder {shown} is not empty; {advice}")))
}

fn fill(draft: &Path, config: &Config) -> Result<(), RunError> {
    fs::create_dir(draft).map_err(|e| RunError::io("create the folder", draft, e))?;
    let mut names: Vec<String> = Vec::new();
    for (file, bytes) in config.data_files().into_iter().zip(config.data()) {
        let own = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let taken = |name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
        let numbered = (1..).map(|i| format!("{i}-{own}"));
        let name = std::iter::once(own.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(own);
        write_atomic(&draft.join(&name), bytes)?;
        names.push(name);
    }
    let config = config.clone().without_output().with_data_files(&names)?;
    Ok(write_atomic(&draft.join("config.toml"), config.to_toml()?.as_bytes())?)
}
