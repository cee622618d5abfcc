//! The flags of `reproduce`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::study::{Entry, Study};
use hyperpde_cli::{CliError, CommonFlags, TargetFlags};

/// Points and steps of `--quick`, for every experiment.
const QUICK: [&str; 12] = [
    "--interior",
    "80",
    "--boundary",
    "40",
    "--validation",
    "60",
    "--batch",
    "20",
    "--gauss-newton-steps",
    "2",
    "--outer-steps",
    "3",
];

/// Runs every published experiment with several seeds and writes the table that compares them with what was published.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub child: Option<Child>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Subcommand)]
pub(super) enum Child {
    /// One run, in the process that the command starts for it
    #[command(hide = true)]
    Run {
        name: String,
        #[command(flatten)]
        flags: CommonFlags,
    },
}

#[derive(Args)]
pub(super) struct Options {
    /// How many seeds (1, 2, ...), or a list of seeds such as 4,7; a list of one ends with a comma
    #[arg(long, value_name = "N|LIST", value_parser = parse_seeds, default_value = "3")]
    pub seeds: Seeds,
    /// Few points, few steps, one seed: whether everything works, in less than a minute
    #[arg(long)]
    pub quick: bool,
    /// Only these experiments, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Folder for tables, runs and figures
    #[arg(long, value_name = "DIR", default_value = "out/reproduce")]
    pub out: PathBuf,
    #[command(flatten)]
    pub target: TargetFlags,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seeds(pub Vec<u64>);

/// Seeds of one command; more would hardly ever be meant.
const MAX_SEEDS: usize = 1000;

fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let expected = || {
        format!(
            "must be a count from 1 to {MAX_SEEDS}, or whole numbers separated by commas, each once (a list of one: '7,')"
        )
    };
    let number = |word: &str| word.trim().parse::<u64>().map_err(|_| expected());
    let seeds = match text.strip_suffix(',').or(text.contains(',').then_some(text)) {
        Some(list) => list.split(',').map(number).collect::<Result<Vec<u64>, _>>()?,
        None => (1..=number(text)?.min(MAX_SEEDS as u64 + 1)).collect(),
    };
    let mut distinct = seeds.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if seeds.is_empty() || seeds.len() > MAX_SEEDS || distinct.len() < seeds.len() {
        return Err(expected());
    }
    Ok(Seeds(seeds))
}

impl Arguments {
    pub fn quiet(&self) -> bool {
        match &self.child {
            Some(Child::Run { flags, .. }) => flags.quiet,
            None => self.options.quiet,
        }
    }
}

impl Options {
    /// The experiments to run, in the study's order.
    pub fn selection<'a>(&self, study: &'a Study) -> Result<Vec<&'a Entry>, CliError> {
        for name in &self.only {
            study.entry(name)?;
        }
        let chosen = |e: &&Entry| self.only.is_empty() || self.only.iter().any(|name| name == e.name);
        Ok(study.entries.iter().filter(chosen).collect())
    }

    /// The seeds to run.
    pub fn seeds(&self) -> &[u64] {
        if self.quick { &self.seeds.0[..1] } else { &self.seeds.0 }
    }

    /// The words behind the child's name that the result of a run depends on.
    pub fn child_words(&self, entry: &Entry, seed: u64) -> Vec<String> {
        let mut words = vec!["--seed".to_owned(), seed.to_string()];
        words.extend(self.target.words());
        words.push("--quiet".to_owned());
        if entry.baselines {
            words.push("--baselines".to_owned());
        }
        if self.quick {
            words.extend(QUICK.map(str::to_owned));
        }
        words
    }

    /// The same as the child will parse them.
    pub fn child_flags(&self, entry: &Entry, seed: u64) -> Result<CommonFlags, CliError> {
        let words = ["reproduce", "run", entry.name].map(str::to_owned).into_iter();
        let parsed = Arguments::try_parse_from(words.chain(self.child_words(entry, seed)));
        match parsed.map_err(|e| CliError::Input(e.to_string()))?.child {
            Some(Child::Run { flags, .. }) => Ok(flags),
            None => Err(CliError::Input(format!("the experiment '{}' can't be started", entry.name))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn seeds_are_a_count_or_a_list() {
        let seeds = |text: &str| parse_seeds(text).map(|s| s.0);
        assert_eq!(seeds("3").unwrap(), [1, 2, 3]);
        assert_eq!(seeds("7,").unwrap(), [7]);
        assert_eq!(seeds("4, 7,0").unwrap(), [4, 7, 0]);
        for bad in ["0", "-1", "", ",", "1,,2", "1.5", "a", "4,4", "1001", "18446744073709551615", "1,2,,"] {
            assert!(seeds(bad).unwrap_err().contains("1000"), "{bad}");
        }
    }
}
