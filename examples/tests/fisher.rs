//! The guide docs/add-a-pde.md: its code is that of the example, and the example solves its equation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use serde_json::Value;

#[test]
fn the_guide_shows_the_example_as_it_is() {
    let (guide, source) = (include_str!("../../docs/add-a-pde.md"), include_str!("../src/bin/fisher.rs"));
    let mut blocks = guide.split("```rust,ignore\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    assert_eq!(blocks.clone().count(), 3);
    assert!(blocks.all(|block| source.contains(block)), "a block of the guide is not in the example");
    assert!(guide.contains(&format!("{} lines", source.lines().count())), "{} lines", source.lines().count());
}

#[test]
fn the_example_learns_its_length_scales() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let words = "--interior 200 --boundary 90 --validation 200 --batch 100 --gauss-newton-steps 8 --outer-steps 30 --learning-rate 3e-2 --quiet --json";
    let output = Command::new(env!("CARGO_BIN_EXE_fisher")).args(words.split(' ')).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let error = |key: &str| report[key].as_f64().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(error("linf") < 1e-2 && error("linf") < 0.1 * error("linf_initial"), "{report}");
}
