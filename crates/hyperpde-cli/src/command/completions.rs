//! `hyperpde completions`: what a shell needs to complete subcommands and flags.

use clap_complete::Shell;

use crate::error::CliError;

/// Arguments of `hyperpde completions`.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, mut program: clap::Command) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "hyperpde", &mut script);
        super::print(&String::from_utf8_lossy(&script))
    }
}
