//! What runs say of themselves, held against exact solutions that they don't know: right runs, runs that ignore their conditions, runs that
//! have not come to rest.
#![allow(clippy::unwrap_used, clippy::panic)]

use hyperpde_config::Config;
use hyperpde_run::verdict::{self, Bar, Finding, Outcome, Verdict, conditions, error, noise, observations, solver};
use hyperpde_run::{Experiment, PerField, Plan, RunReport};

/// One solve with the kernel as it is.
fn solved(text: &str) -> RunReport {
    let config =
        Config::parse("text.toml", text, ".").unwrap_or_else(|e| panic!("{}", e.render(false))).without_learning();
    Experiment::from_config(&config).run(&Plan::of(config.spec()), &()).unwrap()
}

fn value(verdict: &Verdict, name: &str) -> f64 {
    verdict.findings.iter().find(|f| f.name == name).unwrap_or_else(|| panic!("{name} in {verdict}")).value
}

/// A nonlinear problem, well resolved or not by the length scale.
fn cubic(length_scale: f64) -> String {
    format!(
        r#"
        fields = ["u"]
        [domain]
        space = [["x", 0, 1], ["y", 0, 1]]
        [equations]
        text = "-lap(u) + u^3 = 2*pi^2*sin(pi*x)*sin(pi*y) + (sin(pi*x)*sin(pi*y))^3"
        [[conditions]]
        on = "boundary"
        text = "u = 0"
        [exact]
        u = "sin(pi*x)*sin(pi*y)"
        [sampling]
        interior = 150
        boundary = 60
        [kernel.u]
        kind = "gaussian"
        length_scales = [{length_scale}]
        "#
    )
}

/// A pulse carried through the domain (findings on the published outer objective): with a long length scale the equation is met to a
/// percent and the initial pulse is not there.
fn pulse(length_scale: f64) -> String {
    format!(
        r#"
        fields = ["u"]
        [domain]
        time = ["t", 0, 1]
        space = [["x", 0, 1]]
        free = ["x = 1"]
        [equations]
        text = "u_t + u_x = 0"
        [[conditions]]
        on = "t = 0"
        text = "u = exp(-200*(x-0.3)^2)"
        [[conditions]]
        on = "x = 0"
        text = "u = exp(-200*(t+0.3)^2)"
        [exact]
        u = "exp(-200*(x-t-0.3)^2)"
        [sampling]
        interior = 300
        boundary = 100
        [kernel.u]
        kind = "gaussian"
        length_scales = [{length_scale}]
        "#
    )
}

/// A front of a stiff reaction, `u = tanh(15 (x - 0.4 - 0.2 t)) `, made a solution by its source; a long length scale can't follow it.
fn stiff() -> String {
    r#"
    fields = ["u"]
    [domain]
    time = ["t", 0, 1]
    space = [["x", 0, 1]]
    [equations]
    text = "u_t = 0.01*u_xx + 50*(u - u^3) - 3*(1 - tanh(15*(x-0.4-0.2*t))^2) + 4.5*tanh(15*(x-0.4-0.2*t))*(1 - tanh(15*(x-0.4-0.2*t))^2) - 50*(tanh(15*(x-0.4-0.2*t)) - tanh(15*(x-0.4-0.2*t))^3)"
    [[conditions]]
    on = "t = 0"
    text = "u = tanh(15*(x-0.4))"
    [[conditions]]
    on = ["x = 0", "x = 1"]
    text = "u = tanh(15*(x-0.4-0.2*t))"
    [exact]
    u = "tanh(15*(x-0.4-0.2*t))"
    [sampling]
    interior = 200
    boundary = 60
    [kernel.u]
    kind = "gaussian"
    length_scales = [0.3]
    "#
    .to_owned()
}

#[test]
fn a_right_run_is_solved_and_its_estimate_holds() {
    let report = solved(&cubic(0.3));
    let (verdict, truth) = (report.verdict.as_ref().unwrap(), report.rel_l2.0[0].1);
    assert_eq!(verdict.outcome, Outcome::Solved, "{truth:e} {verdict}");
    let estimate = verdict.worst_estimate();
    assert!(truth < 1e-3 && truth < 10.0 * estimate && estimate < 1e-2, "{truth:e} {verdict}");
    assert!(verdict.complaints().next().is_none() && verdict.findings.iter().all(|f| f.advice.is_empty()));
    assert_eq!(report.outcome().status(), 0);
    // It is told, and read back.
    assert!(report.table().contains("verdict: solved"), "{}", report.table());
    let read = RunReport::from_json(&report.to_json().unwrap(), "u").unwrap();
    assert_eq!(read.outcome(), Outcome::Solved);
    assert_eq!(read.verdict.unwrap().estimate.0[0].0, "u");
}

#[test]
fn a_solution_without_its_initial_data_is_not_solved() {
    let report = solved(&pulse(1.0));
    let (verdict, truth) = (report.verdict.as_ref().unwrap(), report.rel_l2.0[0].1);
    assert!(truth > 0.5, "{truth}");
    // The equation alone is content, which is the point.
    assert!(value(verdict, "equation") < 0.5, "{verdict}");
    assert_eq!(verdict.outcome, Outcome::Failed, "{verdict}");
    assert!(value(verdict, "conditions") > conditions::CONDITIONS.failed, "{verdict}");
    assert!(value(verdict, "implied noise") > noise::NOISE.solved, "{verdict}");
    assert!(10.0 * verdict.worst_estimate() > truth, "{truth} {verdict}");
    assert_eq!(report.outcome().status(), 1);
}

#[test]
fn a_pulse_that_the_points_do_not_resolve_is_not_solved() {
    let report = solved(&pulse(0.06));
    let (verdict, truth) = (report.verdict.as_ref().unwrap(), report.rel_l2.0[0].1);
    assert!(truth > 1e-1, "{truth}");
    assert!(verdict.outcome > Outcome::Solved && 10.0 * verdict.worst_estimate() > truth, "{truth} {verdict}");
    assert!(verdict.complaints().all(|f| !f.advice.is_empty()));
}

#[test]
fn a_run_that_has_not_come_to_rest_is_not_solved() {
    // Allen-Cahn with a stiff reaction from zero fields: Gauss-Newton wanders between spurious states.
    let report = solved(&stiff());
    let (verdict, truth) = (report.verdict.as_ref().unwrap(), report.rel_l2.0[0].1);
    assert!(truth > 0.1, "{truth}");
    assert!(
        value(verdict, "convergence") > solver::CONVERGENCE.solved && verdict.outcome > Outcome::Solved,
        "{verdict}"
    );

    let before = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
    let after = vec![vec![1.0, 2.0], vec![3.0, 4.1]];
    let whole = solver::change(&before, &after, 1.0);
    assert!((whole - 0.1 / (1.0f64 + 4.0 + 9.0 + 16.81).sqrt()).abs() < 1e-12);
    // A short step that moves little says nothing: it is what the whole one would move that counts.
    let short = solver::change(&before, &after, 1.0 / 1024.0);
    assert!((short / whole - 1024.0).abs() < 1e-9);
    assert_eq!(solver::convergence(short).outcome, Outcome::Doubtful);
    assert_eq!(solver::change(&before, &before, 1.0), 0.0);
    assert_eq!(solver::convergence(f64::NAN).outcome, Outcome::Failed);
}

#[test]
fn statistics_have_their_closed_forms() {
    assert_eq!(verdict::rms([3.0, -4.0]), 12.5f64.sqrt());
    assert_eq!(verdict::rms([]), 0.0);
    // Findings: an amplitude of 6e7 turns a nugget of 1e-10 into noise of 8e-2.
    assert!((noise::implied(1e-10, 6e7 * 600.0, 600, 1.0) - 7.75e-2).abs() < 1e-4);
    let bar = Bar { solved: 1.0, failed: 2.0 };
    let outcomes = [1.0, 1.5, 3.0, f64::NAN].map(|v| bar.judge(v));
    assert_eq!(outcomes, [Outcome::Solved, Outcome::Doubtful, Outcome::Failed, Outcome::Failed]);
    assert_eq!([0, 3, 1], [Outcome::Solved, Outcome::Doubtful, Outcome::Failed].map(Outcome::status));
    // Jitter counts beside the nugget; without a nugget any is too much.
    assert_eq!(solver::jitter(1e-12, 1e-10).outcome, Outcome::Solved);
    assert_eq!(solver::jitter(1e-8, 1e-10).outcome, Outcome::Doubtful);
    assert_eq!(solver::jitter(1e-14, 0.0).outcome, Outcome::Doubtful);
    assert_eq!(solver::jitter(0.0, 0.0).outcome, Outcome::Solved);
    // Few observations may be off by chance.
    assert_eq!(observations::finding(2.5, 1000).outcome, Outcome::Doubtful);
    assert_eq!(observations::finding(2.5, 10).outcome, Outcome::Solved);
    // The estimate is the worst of its parts.
    let estimate = error::estimate(vec![("u".into(), 1e-3), ("a".into(), 1e-3)], 1e-2, &[("a".into(), 0.1)]);
    assert_eq!(estimate, PerField(vec![("u".into(), 1e-2), ("a".into(), 0.1)]));
    assert!(error::estimate(vec![("u".into(), f64::NAN)], 1e-2, &[]).0[0].1.is_nan());
}

#[test]
fn the_worst_finding_decides_and_what_is_not_finite_survives_json() {
    let finding =
        |value| Finding::new("x", value, Bar { solved: 1.0, failed: f64::INFINITY }, "a sentence".into(), "advice");
    let verdict = Verdict::new(PerField::single("u", 0.5), vec![finding(0.5), finding(f64::INFINITY)]);
    assert_eq!((verdict.outcome, verdict.complaints().count()), (Outcome::Doubtful, 1));
    let read: Verdict = serde_json::from_str(&serde_json::to_string(&verdict).unwrap()).unwrap();
    assert!(read.findings[1].value.is_nan() && read.outcome == Outcome::Doubtful);
    assert_eq!(Verdict::new(PerField::default(), Vec::new()).outcome, Outcome::Doubtful);
    let text = verdict.to_string();
    assert!(
        text.starts_with("verdict: doubtful, estimated relative error 5.0e-1\n") && text.contains("x: advice"),
        "{text}"
    );
}
