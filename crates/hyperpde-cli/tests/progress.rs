//! Progress of a run: plain lines where there is no terminal, nothing when quiet.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyperpde_cli::RunProgress;
use hyperpde_run::StepLine;

/// Shared bytes to write to.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

/// Refuses to write, as a closed pipe does.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn step(gauss_newton: usize, outer: usize) -> StepLine {
    StepLine { gauss_newton, outer, loss: Some(1.25e-3), residual: None, error: None }
}

/// The time at the end of `line`, s.
fn seconds_left(line: &str) -> u64 {
    let clock = line.rsplit(", ").next().unwrap().strip_suffix(" left").unwrap();
    clock.split(':').fold(0, |total, part| 60 * total + part.parse::<u64>().unwrap())
}

#[test]
fn a_line_tells_step_loss_residual_error_and_times() {
    let out = Buffer::default();
    let mut progress = RunProgress::plain_to(Box::new(out.clone()), 2, Duration::ZERO).with_outer_steps(3);
    progress.update(&step(1, 1));
    progress.update(&StepLine { residual: Some(0.5), ..step(1, 2) });
    progress.update(&StepLine { residual: Some(0.5), error: Some(0.03), ..step(2, 3) });
    progress.update(&StepLine { loss: None, residual: Some(0.25), ..step(2, 0) });
    progress.finish("learned in 5 outer steps");
    let expected = [
        "Gauss-Newton 1/2, outer 1, loss 1.250e-3, 0:00 elapsed, 0:00 left",
        "Gauss-Newton 1/2, outer 2, loss 1.250e-3, residual 5.000e-1, 0:00 elapsed, 0:00 left",
        "Gauss-Newton 2/2, outer 3, loss 1.250e-3, residual 5.000e-1, error 3.000e-2, 0:00 elapsed, 0:00 left",
        "Gauss-Newton 2/2, residual 2.500e-1, 0:00 elapsed, 0:00 left",
        "learned in 5 outer steps (0:00 elapsed)",
    ];
    assert_eq!(out.lines(), expected);
}

#[test]
fn lines_come_at_most_once_per_interval_and_the_last_word_always() {
    let out = Buffer::default();
    let mut progress = RunProgress::plain_to(Box::new(out.clone()), 50, Duration::from_secs(3600));
    (1..=50).for_each(|k| progress.update(&step(k, 0)));
    progress.finish("done");
    let lines = out.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("Gauss-Newton 1/50,") && lines[1].starts_with("done ("), "{lines:?}");
}

#[test]
fn the_time_left_is_extrapolated_from_the_steps_done() {
    let out = Buffer::default();
    let mut progress = RunProgress::plain_to(Box::new(out.clone()), 10, Duration::ZERO).with_outer_steps(4);
    std::thread::sleep(Duration::from_millis(1050));
    progress.update(&step(1, 1)); // 1 of 40 updates: 39 times 1.05 s or a little more
    progress.update(&step(3, 4)); // 12 of 40: 28/12 of it
    progress.update(&step(10, 0)); // a step without updates counts as a whole one
    let left: Vec<u64> = out.lines().iter().map(|l| seconds_left(l)).collect();
    assert!((40..120).contains(&left[0]) && (2..8).contains(&left[1]) && left[2] == 0, "{left:?}");
}

#[test]
fn steps_out_of_range_and_a_closed_pipe_do_no_harm() {
    let out = Buffer::default();
    let mut progress = RunProgress::plain_to(Box::new(out.clone()), 0, Duration::ZERO).with_outer_steps(0);
    progress.update(&step(usize::MAX, usize::MAX));
    progress.update(&StepLine { loss: Some(f64::NAN), ..step(0, 0) });
    assert_eq!(out.lines().len(), 2);
    assert_eq!(seconds_left(&out.lines()[0]), 0);

    let mut progress = RunProgress::plain_to(Box::new(Closed), 2, Duration::ZERO);
    progress.update(&step(1, 1));
    progress.finish("done");
}

const CHILD: &str = "HYPERPDE_TEST_PROGRESS";

/// Not a test of its own: what the next one runs in a process whose standard error it can read.
#[test]
fn child() {
    let Ok(mode) = std::env::var(CHILD) else { return };
    let mut progress = RunProgress::new(2, mode == "quiet").with_outer_steps(3);
    progress.update(&step(1, 2));
    progress.finish("learned");
}

#[test]
fn standard_error_gets_plain_lines_in_a_pipe_and_nothing_when_quiet() {
    let stderr = |mode: &str| {
        let program = std::env::current_exe().unwrap();
        let arguments = ["--exact", "child", "--nocapture"];
        let output = Command::new(program).args(arguments).env(CHILD, mode).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(stderr("quiet"), "");
    let plain = stderr("plain");
    let lines: Vec<&str> = plain.lines().collect();
    assert_eq!(lines.len(), 2, "{plain}");
    assert!(
        lines[0].starts_with("Gauss-Newton 1/2, outer 2, loss 1.250e-3") && lines[1].starts_with("learned ("),
        "{plain}"
    );
    assert!(!plain.contains('\u{1b}'), "no terminal control characters: {plain:?}");
}
