//! `hyperpde solve`, `learn`, `resume` and `report`: runs with a folder.

use std::path::{Path, PathBuf};

use hyperpde_config::Config;
use hyperpde_run::verdict::Outcome;
use hyperpde_run::{RunReport, runs};

use crate::error::CliError;
use crate::flags::parse_seed;
use crate::host::Terminal;
use crate::interrupt;
use crate::target::TargetFlags;

/// Arguments of `hyperpde solve` and `hyperpde learn`.
#[derive(Debug, clap::Args)]
pub struct Start {
    /// Configuration
    pub config: PathBuf,
    /// Folder of the run, new or empty [default: `folder` of the configuration, else runs/NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Seed of the points, the batches and the initial weights [default: the configuration's]
    #[arg(long, value_name = "N", value_parser = parse_seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Where to compute, and in which precision.
    #[command(flatten)]
    pub target: TargetFlags,
    #[command(flatten)]
    shown: Shown,
}

/// What a run shows and where its report goes as well.
#[derive(Debug, clap::Args)]
struct Shown {
    /// Write the report as JSON to this file too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show no progress and no messages below a warning
    #[arg(long)]
    quiet: bool,
}

/// Arguments of `hyperpde resume`.
#[derive(Debug, clap::Args)]
pub struct Resume {
    /// Folder of the run
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    #[command(flatten)]
    shown: Shown,
}

/// Arguments of `hyperpde report`.
#[derive(Debug, clap::Args)]
pub struct Report {
    /// Folder of the run
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

impl Start {
    pub(super) fn solve(&self) -> Result<Outcome, CliError> {
        self.start(self.load()?.without_learning(), "-solve")
    }

    pub(super) fn learn(&self) -> Result<Outcome, CliError> {
        self.start(self.load()?, "")
    }

    pub(super) fn quiet(&self) -> bool {
        self.shown.quiet
    }

    fn load(&self) -> Result<Config, CliError> {
        let mut config = Config::load(&self.config)?;
        if let Some(seed) = self.seed {
            config = config.with_seed(seed)?;
        }
        let target = self.target.over(config.target());
        Ok(config.with_target(target))
    }

    /// Runs in the folder of the flags, of the configuration, or one named after the problem and `suffix`.
    fn start(&self, config: Config, suffix: &str) -> Result<Outcome, CliError> {
        let output = config.output().clone();
        let default = || Path::new("runs").join(format!("{}{suffix}", file_name(config.problem().name())));
        let folder = self.out.clone().or(output.folder).unwrap_or_else(default);
        interrupt::install();
        let json = self.shown.json.clone().or(output.json);
        let report = runs::start(&config, &folder, json.as_deref(), &Terminal::new(self.shown.quiet))?;
        finish(&report, &folder)
    }
}

impl Resume {
    pub(super) fn run(&self) -> Result<Outcome, CliError> {
        interrupt::install();
        let host = Terminal::new(self.shown.quiet);
        finish(&runs::resume(&self.folder, self.shown.json.as_deref(), &host)?, &self.folder)
    }

    pub(super) fn quiet(&self) -> bool {
        self.shown.quiet
    }
}

impl Report {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let drawn = runs::redraw(&self.folder, &Terminal::new(true))?;
        for file in &drawn.missing {
            log::warn!("{} is missing: what is made from it was not drawn", file.display());
        }
        match drawn.report {
            // Drawing is what was asked for, and it is done.
            Some(report) => finish(&report, &self.folder).map(|_| ()),
            None => {
                log::warn!("the run is not finished; `hyperpde resume {}` goes on with it", self.folder.display());
                Ok(())
            }
        }
    }
}

/// The table, and where the rest is; what the run is worth.
fn finish(report: &RunReport, folder: &Path) -> Result<Outcome, CliError> {
    log::info!("figures and numbers are in {}", folder.display());
    super::print(&report.table())?;
    Ok(report.outcome())
}

/// A name as that of a folder.
fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "run".to_owned() } else { name.to_owned() }
}
