//! The subcommands of `hyperpde`, one module each.

mod check;
mod completions;
mod evaluate;
mod list;
mod new;
mod run;

use clap::{CommandFactory, Parser, Subcommand};

pub use check::Check;
pub use completions::Completions;
pub use evaluate::Evaluate;
pub use list::List;
pub use new::New;
pub use run::{Report, Resume, Start};

use std::path::Path;

use hyperpde_run::FileError;
use hyperpde_run::verdict::Outcome;

use crate::error::CliError;

/// Solve nonlinear partial differential equations with Gaussian processes, and learn the kernel while solving
#[derive(Debug, Parser)]
#[command(name = "hyperpde", version, arg_required_else_help = true)]
pub struct Program {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A subcommand with its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Solve the problem of a configuration with its kernels as they are
    Solve(Start),
    /// Solve the problem of a configuration and learn its kernels
    Learn(Start),
    /// Go on with a run that was interrupted, from its newest checkpoint
    Resume(Resume),
    /// Draw figures and page of a run again, without solving
    Report(Report),
    /// Read a configuration and say what it describes and what a run costs; check its gradient on a few points
    Check(Check),
    /// Evaluate a saved model at points of a file: fields, derivatives, standard deviations
    Evaluate(Evaluate),
    /// Write a commented configuration to start from
    New(New),
    /// List problems, kernels, samplers, objectives, optimizers, backends and devices
    List(List),
    /// Write the completion script of a shell to standard output
    Completions(Completions),
}

impl Command {
    /// Does it, and says what came out: [`Outcome::Solved`] too where nothing was solved and nothing went wrong.
    ///
    /// # Errors
    /// [`CliError::Config`] and [`CliError::Input`] for what the user can correct, [`CliError::Run`] for a solve that fails or that Ctrl-C ended,
    /// [`CliError::File`] and [`CliError::Figure`] for output that can't be written.
    pub fn run(&self) -> Result<Outcome, CliError> {
        match self {
            Self::Solve(start) => return start.solve(),
            Self::Learn(start) => return start.learn(),
            Self::Resume(resume) => return resume.run(),
            Self::Report(report) => report.run(),
            Self::Check(check) => check.run(),
            Self::Evaluate(evaluate) => evaluate.run(),
            Self::New(new) => new.run(),
            Self::List(list) => list.run(),
            Self::Completions(completions) => completions.run(Program::command()),
        }
        .map(Outcome::from)
    }

    /// Whether messages below a warning are not wanted.
    #[must_use]
    pub fn quiet(&self) -> bool {
        match self {
            Self::Solve(start) | Self::Learn(start) => start.quiet(),
            Self::Resume(resume) => resume.quiet(),
            _ => false,
        }
    }
}

/// Writes to standard output. A reader that went away, as `head` does, is no failure.
fn print(text: &str) -> Result<(), CliError> {
    use std::io::{ErrorKind, Write as _};
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(FileError::new("write", Path::new("standard output"), e).into())
        }
        _ => Ok(()),
    }
}
