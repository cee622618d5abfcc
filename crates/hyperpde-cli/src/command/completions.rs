//! `hyperpde completions`: what a shell needs to complete subcommands and flags.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Program;
use crate::error::CliError;

/// Arguments of `hyperpde completions`.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Program::command(), "hyperpde", &mut script);
        super::print(&String::from_utf8_lossy(&script))
    }
}
