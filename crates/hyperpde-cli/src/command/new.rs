//! `hyperpde new`: a commented configuration of a built-in problem.

use std::path::PathBuf;

use hyperpde_config::{catalogue_names, commented};
use hyperpde_expr::nearest;
use hyperpde_run::write_atomic;

use crate::error::CliError;

/// Arguments of `hyperpde new`.
#[derive(Debug, clap::Args)]
pub struct New {
    /// Built-in problem to start from; `hyperpde list` names them
    pub problem: String,
    /// Write to this file, which must not exist yet, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

impl New {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let Some(text) = commented(&self.problem) else {
            let names: Vec<&str> = catalogue_names().collect();
            let advice = match nearest(&self.problem, names.iter().copied()) {
                Some(close) => format!("did you mean '{close}'?"),
                None => format!("there are {}", names.join(", ")),
            };
            return Err(CliError::Input(format!("no built-in problem '{}'; {advice}", self.problem.escape_debug())));
        };
        match &self.out {
            None => super::print(text),
            Some(file) if file.exists() => {
                Err(CliError::Input(format!("{} exists already; choose another name or remove it", file.display())))
            }
            Some(file) => Ok(write_atomic(file, text.as_bytes())?),
        }
    }
}
