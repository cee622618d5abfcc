//! The `hyperpde` program as a process, on a problem of seconds.
#![allow(dead_code)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A nonlinear equation with a kernel of a few dozen parameters: many short steps.
pub const SMALL: &str = r#"
name = "small"
fields = ["u"]
[domain]
space = [["x", 0, 1], ["y", 0, 1]]
[equations]
text = "u^3 - lap(u) = 2*pi^2*sin(pi*x)*sin(pi*y) + (sin(pi*x)*sin(pi*y))^3"
[[conditions]]
on = "boundary"
text = "u = 0"
[exact]
u = "sin(pi*x)*sin(pi*y)"
[sampling]
interior = 80
boundary = 32
validation = 60
test_grid = [12, 12]
[kernel.u]
kind = "gibbs"
dim = 2
length_scales = "per-dimension"
hidden = [8]
divisor = 2.0
[solver]
gauss_newton_steps = 40
[outer]
steps = 8
batch = 20
tolerance = 0.0
optimizer_state = "keep"
"#;

pub fn hyperpde(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hyperpde"));
    command.args(words).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

pub fn run(words: &[&str]) -> Output {
    hyperpde(words).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The output of a command that must succeed: standard output and standard error.
pub fn succeed(words: &[&str]) -> (String, String) {
    let out = run(words);
    let (shown, told) = (text(&out.stdout), text(&out.stderr));
    assert!(out.status.success(), "{words:?}: {told}");
    (shown, told)
}

/// The standard error of a command that must end with this status and say nothing else.
pub fn refused(words: &[&str], status: i32) -> String {
    let out = run(words);
    let told = text(&out.stderr);
    assert_eq!(out.status.code(), Some(status), "{words:?}: {told}");
    assert!(out.stdout.is_empty() && !told.contains("panicked"), "{words:?}: {told}");
    told
}

pub fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A report without times and memory.
pub fn numbers(mut report: Value) -> Value {
    for key in ["seconds_learn", "seconds_total", "peak_rss_mb"] {
        assert!(report[key].is_number(), "{key}");
        report[key].take();
    }
    for step in report["history"].as_array_mut().unwrap() {
        step["seconds"].take();
    }
    report
}
