//! One problem in a process of its own, so that its memory is its own and it can be ended.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hyperpde_cli::{CliError, Terminal};
use hyperpde_config::{Config, RunSpec};
use hyperpde_run::verdict::Outcome;
use hyperpde_run::{Experiment, FileError, Plan, RunReport, memory};

use super::row::Ended;
use crate::reproduce::end_with_parent;

/// How often a child is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The child's part: runs a configuration and writes its report, no folder and no figures.
pub(super) fn run(config: &Path, report: &Path, solve: bool) -> Result<Outcome, CliError> {
    end_with_parent();
    let config = Config::load(config)?;
    let config = if solve { config.without_learning() } else { config };
    config.try_equations(&config.sample()?)?;
    memory::ensure_fits(&config)?;
    let spec: &RunSpec = config.spec();
    let plan = Plan { json: Some(report.to_path_buf()), ..Plan::of(spec) };
    Ok(Experiment::from_config(&config).run(&plan, &Terminal::new(true))?.outcome())
}

/// Starts the child and waits for it, at most as long as the limit says. An error is one of this process; what the run came to is in the answer.
pub(super) fn execute(config: &Path, limit: Duration, solve: bool) -> Result<Ended, CliError> {
    let program = std::env::current_exe().map_err(|e| FileError::new("find the program", Path::new("zoo"), e))?;
    let scratch = std::env::temp_dir().join(format!("hyperpde-zoo-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).map_err(|e| FileError::new("create the folder", &scratch, e))?;
    let (report, log) = (scratch.join("report.json"), scratch.join("log.txt"));
    let errors = File::create(&log).map_err(|e| FileError::new("write", &log, e))?;
    let started = Instant::now();
    let mut child = Command::new(&program)
        .arg(config)
        .arg("--report")
        .arg(&report)
        .args(solve.then_some("--solve"))
        // Never written to: it closes when this process ends, however it ends, and the child ends then too.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .map_err(|e| FileError::new("start", &program, e))?;
    let waiting = |e| FileError::new("wait for", &program, e);
    let status = loop {
        match child.try_wait().map_err(waiting)? {
            Some(status) => break Some(status),
            None if started.elapsed() > limit => {
                // It may have ended by itself just now, which is as good.
                let _ = child.kill();
                child.wait().map_err(waiting)?;
                break None;
            }
            None => sleep(LOOK),
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    let ended = match status {
        None => Ended::NoAnswer { limit: limit.as_secs_f64() },
        Some(status) => {
            match std::fs::read_to_string(&report).ok().and_then(|text| RunReport::from_json(&text, "u").ok()) {
                Some(report) => Ended::of(&report, seconds),
                None => Ended::Refused { why: format!("{status}: {}", last_line(&log)), seconds },
            }
        }
    };
    // The folder is a scratch folder of the system: one that stays does no harm.
    let _ = std::fs::remove_dir_all(&scratch);
    Ok(ended)
}

/// The last line of a file that says something.
fn last_line(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message").trim().to_owned()
}
