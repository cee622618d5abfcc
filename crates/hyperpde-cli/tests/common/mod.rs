//! What several tests of the command need: flags from words, and what tests of all crates share.
#![allow(dead_code, unused_imports)]

#[path = "../../../../tests/common/folder.rs"]
mod folder;
pub mod process;
#[path = "../../../../tests/common/solved.rs"]
pub mod solved;

use clap::Parser;
use hyperpde_cli::CommonFlags;

pub use folder::Folder;

/// A program with the common flags and no others.
#[derive(Parser, Debug)]
pub struct Program {
    #[command(flatten)]
    pub common: CommonFlags,
}

/// The flags in `words`, as after the program's name.
pub fn parse(words: &[&str]) -> Result<CommonFlags, clap::Error> {
    Program::try_parse_from([&["program"], words].concat()).map(|p| p.common)
}
