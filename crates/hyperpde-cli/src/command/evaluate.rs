//! `hyperpde evaluate`: a saved model at points from a file.

use std::path::PathBuf;

use hyperpde_kernels::Points;

use hyperpde_config::tables::{self, Wanted};
use hyperpde_run::{Evaluation, Model, evaluate, quantities};

use crate::error::CliError;
use crate::target::TargetFlags;

/// Arguments of `hyperpde evaluate`.
#[derive(Debug, clap::Args)]
pub struct Evaluate {
    /// Run folder, or its model.safetensors
    pub model: PathBuf,
    /// Points, .csv or .npy: one row each, coordinates in the order of the domain or as the header names them
    pub points: PathBuf,
    /// Also evaluate this derivative, written as in equations (u_x, u_xt, lap(u)); may be given several times
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub derivative: Vec<String>,
    /// Also give the posterior standard deviation of everything evaluated
    #[arg(long)]
    pub deviation: bool,
    /// Where to compute, and in which precision; the model's own unless given.
    #[command(flatten)]
    pub target: TargetFlags,
    /// Write to this file (.csv, .npy or .safetensors) instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

impl Evaluate {
    pub(super) fn run(&self) -> Result<(), CliError> {
        // All input first: the solve may take a while.
        if let Some(file) = &self.out {
            Evaluation::check_format(file)?;
        }
        let model = Model::load(&self.model)?;
        let problem = model.config().problem();
        quantities(problem, &self.derivative)?;
        let names = problem.domain().names();
        let columns: Vec<&str> = names.iter().map(String::as_str).collect();
        let wanted = Wanted { columns: &columns, others: false, most: usize::MAX };
        let unusable = |why: String| CliError::Input(format!("cannot use the points {}: {why}", self.points.display()));
        let rows = tables::contents(&self.points).and_then(|bytes| tables::read(&self.points, &bytes, &wanted));
        let points = Points::new(names.len(), rows.map_err(unusable)?).map_err(|e| unusable(e.to_string()))?;

        let found = evaluate(
            problem,
            &model.posterior_on(self.target.over(model.target()))?,
            &points,
            &self.derivative,
            self.deviation,
        )?;
        if found.outside() > 0 {
            log::warn!(
                "{} of {} points are outside the domain; values there are extrapolated",
                found.outside(),
                points.len()
            );
        }
        match &self.out {
            Some(file) => Ok(found.write(file)?),
            None => super::print(&found.to_csv()),
        }
    }
}
