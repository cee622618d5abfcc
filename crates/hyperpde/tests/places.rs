//! What it takes to add a thing: its own file and one line of one list. The numbers of the table in CONTRIBUTING.md, counted in the sources.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Rust files below `folder`, but for tests.
fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The code of a file: no comments, no unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Whether a word stands in a text on its own.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part) && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// Files of the library, apart from `own`, whose code names one of the words.
fn places(words: &[&str], own: &str) -> Vec<String> {
    let root = root();
    let mut files = Vec::new();
    sources(&root.join("crates"), &mut files);
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    let mut found: Vec<String> = files
        .iter()
        .filter(|path| words.iter().any(|word| has_word(&code(path), word)))
        .map(name)
        .filter(|name| name != own)
        .collect();
    found.sort();
    found
}

#[test]
fn a_thing_is_its_own_file_and_one_line_of_one_list() {
    let kernels = "crates/hyperpde-kernels/src/kernels";
    let bilevel = "crates/hyperpde-bilevel/src";
    let sampler = "crates/hyperpde-geometry/src/sampler";
    let problems = "crates/hyperpde-problems/src";
    for (words, own, list) in [
        (&["Constant", "ConstantConfig"][1..], format!("{kernels}/constant.rs"), format!("{kernels}/mod.rs")),
        (&["Polynomial", "PolynomialConfig"], format!("{kernels}/polynomial.rs"), format!("{kernels}/mod.rs")),
        (&["ScaledConfig"], format!("{kernels}/scaled.rs"), format!("{kernels}/mod.rs")),
        (
            &["MarginalLikelihood"],
            format!("{bilevel}/objective/marginal_likelihood.rs"),
            format!("{bilevel}/objective/mod.rs"),
        ),
        (&["AdamSettings"], format!("{bilevel}/optimizer/adam.rs"), format!("{bilevel}/optimizer/mod.rs")),
        (&["sobol", "Sobol"], format!("{sampler}/sobol.rs"), format!("{sampler}/mod.rs")),
        (&["Elliptic3d"], format!("{problems}/elliptic3d.rs"), format!("{problems}/lib.rs")),
    ] {
        assert!(root().join(&own).is_file(), "{own}");
        assert_eq!(places(words, &own), [list], "{words:?}: CONTRIBUTING.md promises one place");
    }
}

#[test]
fn a_setting_of_the_loop_is_in_as_many_files_as_promised() {
    // Where it acts (the loop) is not counted: that is what the setting is for.
    let found = places(&["regularisation"], "");
    let config: Vec<&String> = found.iter().filter(|f| f.contains("hyperpde-config/")).collect();
    assert_eq!(
        config,
        [
            "crates/hyperpde-config/src/document.rs",
            "crates/hyperpde-config/src/numbers.rs",
            "crates/hyperpde-config/src/settings.rs"
        ]
    );
    let others: Vec<&String> =
        found.iter().filter(|f| !f.contains("hyperpde-config/") && !f.contains("hyperpde-bilevel/")).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn what_counts_is_code() {
    assert!(
        has_word("use a::{Gibbs, Sum};", "Gibbs") && !has_word("GibbsConfig", "Gibbs") && !has_word("a_Gibbs", "Gibbs")
    );
}
