//! The `hyperpde` program from outside: help, exit status, and the subcommands that run nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::{Command, Output};

use clap::CommandFactory;
use common::Folder;
use hyperpde_cli::command::{List, Program};
use hyperpde_config::{Config, catalogue_names};

fn hyperpde(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hyperpde")).args(words).env_remove("RUST_LOG").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_help_texts() {
    Program::command().debug_assert();
    insta::assert_snapshot!("help", Program::command().render_long_help().to_string());
    for name in ["solve", "learn", "resume", "report", "check", "evaluate", "new", "list", "completions"] {
        let mut program = Program::command();
        program.build();
        let help = program.find_subcommand_mut(name).unwrap().render_long_help().to_string();
        insta::assert_snapshot!(format!("help_{name}"), help);
    }
}

#[test]
fn new_writes_what_check_accepts() {
    let folder = Folder::new();
    for name in catalogue_names().filter(|name| *name != "darcy") {
        let file = folder.join(&format!("{name}.toml"));
        let path = file.to_str().unwrap();
        let out = hyperpde(&["new", name, "--out", path]);
        assert!(out.status.success(), "{name}: {}", text(&out.stderr));
        assert_eq!(text(&hyperpde(&["new", name]).stdout), std::fs::read_to_string(&file).unwrap());
        let out = hyperpde(&["check", "--no-gradient", path]);
        assert!(out.status.success(), "{name}: {}", text(&out.stderr));
        assert!(text(&out.stdout).contains(&format!("problem     {name}\n")), "{}", text(&out.stdout));
        // A file that is there is not overwritten.
        let again = hyperpde(&["new", name, "--out", path]);
        assert_eq!(again.status.code(), Some(2));
        assert!(text(&again.stderr).contains("exists already"));
    }
}

#[test]
fn check_prints_a_summary_or_the_resolved_configuration() {
    let folder = Folder::new();
    let file = folder.join("burgers.toml");
    std::fs::write(&file, "problem = \"burgers\"\n[sampling]\ninterior = 50\n").unwrap();
    let path = file.to_str().unwrap();
    let out = hyperpde(&["check", path]);
    let expected = "rows        350 (50 equations, 300 conditions, 0 observations)\nkernel      u: Gibbs";
    assert!(text(&out.stdout).contains(expected), "{}{}", text(&out.stdout), text(&out.stderr));
    let out = hyperpde(&["check", "--resolved", path]);
    let config = Config::parse("resolved.toml", &text(&out.stdout), ".").unwrap();
    assert_eq!(config, Config::load(&file).unwrap());
    assert_eq!(config.run_settings().interior, 50);
}

#[test]
fn faults_have_status_two_and_one_message() {
    let folder = Folder::new();
    let file = folder.join("bad.toml");
    std::fs::write(&file, "problem = \"burger\"\n").unwrap();
    let path = file.to_str().unwrap();
    let cases: [(&[&str], &str); 10] = [
        (&["learn", path], "did you mean 'burgers'?"),
        (&["solve", "missing.toml"], "missing.toml"),
        (&["resume"], "<DIR>"),
        (&["check", path], "did you mean 'burgers'?"),
        (&["check", "missing.toml"], "missing.toml"),
        (&["check"], "<CONFIG>"),
        (&["new", "burger"], "did you mean 'burgers'?"),
        (&["completions", "dos"], "possible values"),
        (&["sol"], "unrecognized subcommand"),
        (&["list", "--all"], "unexpected argument"),
    ];
    for (words, expected) in cases {
        let out = hyperpde(words);
        let shown = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{words:?}: {shown}");
        assert!(
            shown.contains(expected) && !shown.contains("panicked") && !shown.contains('\u{1b}'),
            "{words:?}: {shown}"
        );
        assert!(out.stdout.is_empty(), "{words:?}");
    }
    // A file where the folder of the output should be is a failure of the system.
    let below = format!("{path}/new.toml");
    assert_eq!(hyperpde(&["new", "heat", "--out", &below]).status.code(), Some(1));
}

#[test]
fn list_names_everything_and_completions_are_scripts() {
    let out = hyperpde(&["list"]);
    assert_eq!(text(&out.stdout), List::text());
    for word in catalogue_names().chain(["gibbs", "halton", "adam", "lbfgs", "flex", "tanh", "lap"]) {
        assert!(text(&out.stdout).contains(word), "{word}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = hyperpde(&["completions", shell]);
        assert!(out.status.success() && text(&out.stdout).contains("completions"), "{shell}");
    }
}
