//! Whole runs on few points: files, report and errors, scored again here with formulas of the tests' own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "../../../tests/common/image.rs"]
mod image;

use std::f64::consts::PI;
use std::fs;
use std::path::Path;

use common::{Folder, parse};
use hyperpde_cli::CliError;
use hyperpde_kernels::{Gaussian, GaussianConfig, Gibbs, GibbsConfig, LengthScales};
use hyperpde_plot::{LINES_SIZE, PANEL_SIZE, panels_size};
use hyperpde_problems::{Burgers, Darcy, Elliptic3d, GrayScott, GrayScottCase, Heat, Poisson};
use hyperpde_run::{CloudErrors, Experiment, KernelState, RunError, RunReport};
use image::Image;
use serde_json::{Value, json};

/// A quiet run of a second or less, unless `words` say otherwise.
fn run<K: hyperpde_kernels::Kernel>(experiment: &Experiment<K>, words: &[&str]) -> Result<RunReport, CliError> {
    let mut flags = parse(words).unwrap();
    flags.interior.get_or_insert(60);
    flags.boundary.get_or_insert(24);
    flags.validation.get_or_insert(40);
    flags.batch.get_or_insert(20);
    flags.gauss_newton_steps.get_or_insert(2);
    flags.outer_steps.get_or_insert(3);
    flags.quiet = true;
    hyperpde_cli::run(experiment, &flags)
}

/// The file `name` of a run's `--out` folder, an array of float64.
fn array(folder: &Path, name: &str) -> (Vec<usize>, Vec<f64>) {
    let bytes = fs::read(folder.join("solution.safetensors")).unwrap();
    let arrays = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let view = arrays.tensor(name).unwrap();
    let values = view.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    (view.shape().to_vec(), values)
}

/// `truth` at the points that a run wrote, where its reference must have the same values.
fn exact(folder: &Path, truth: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let (_, points) = array(folder, "points");
    let exact: Vec<f64> = points.chunks_exact(2).map(|p| truth(p[0], p[1])).collect();
    let (_, reference) = array(folder, "u.reference");
    assert!(exact.iter().zip(&reference).all(|(a, b)| (a - b).abs() < 1e-12), "the reference in the file");
    exact
}

fn report_in(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("report.json")).unwrap()).unwrap()
}

/// The report's final errors, L-infinity, RMSE and relative L2, are those that the written solution has.
fn check_errors(folder: &Path, exact: &[f64]) -> [f64; 3] {
    let report = report_in(folder);
    let (_, u) = array(folder, "u");
    let error: Vec<f64> = u.iter().zip(exact).map(|(a, b)| a - b).collect();
    let squares = |v: &[f64]| v.iter().map(|e| e * e).sum::<f64>();
    let largest = error.iter().fold(0.0, |m: f64, e| m.max(e.abs()));
    let errors = [largest, (squares(&error) / error.len() as f64).sqrt(), (squares(&error) / squares(exact)).sqrt()];
    for (key, error) in ["linf", "rmse", "rel_l2"].into_iter().zip(errors) {
        let told = report[key].as_f64().unwrap();
        assert!((told - error).abs() < 1e-9 * error + 1e-12, "{key}: {told}, from the file {error}");
    }
    errors
}

fn gibbs() -> Experiment<Gibbs> {
    let problem = Burgers::default().problem().unwrap();
    Experiment::new(problem, |seed, device| {
        Ok(vec![GibbsConfig::new(2, LengthScales::PerDimension, 4.0).with_hidden([8]).init(seed, device)?])
    })
}

fn gaussian(problem: hyperpde_pde::Problem, scale: f64) -> Experiment<Gaussian> {
    Experiment::new(problem, move |_, device| Ok(vec![GaussianConfig::isotropic(scale).init(device)?]))
}

#[test]
fn burgers_from_flags_to_files() {
    let folder = Folder::new();
    let (out, file) = (folder.join("out"), folder.join("copy/report.json"));
    let experiment = gibbs()
        .with_larger_cloud()
        .with_kernel_fields(|_, points| Ok(vec![("first".into(), points.rows().map(|p| p[0]).collect())]));
    let words = ["--seed", "3", "--out", out.to_str().unwrap(), "--json", file.to_str().unwrap()];
    let report = run(&experiment, &words).unwrap();

    let mut files: Vec<String> =
        fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let expected = [
        "deviation_u.png",
        "deviation_u.svg",
        "history.png",
        "history.svg",
        "length_scales.png",
        "length_scales.svg",
        "report.html",
        "report.json",
        "solution.safetensors",
        "solution_u.png",
        "solution_u.svg",
    ];
    assert_eq!(files, expected);
    let sizes = [PANEL_SIZE, LINES_SIZE, panels_size(1), panels_size(3)];
    for (name, size) in ["deviation_u.png", "history.png", "length_scales.png", "solution_u.png"].into_iter().zip(sizes)
    {
        assert_eq!(Image::read(&out.join(name)).size, size, "{name}");
    }

    let json = report_in(&out);
    assert_eq!(fs::read(&file).unwrap(), fs::read(out.join("report.json")).unwrap());
    assert_eq!(json, serde_json::from_str::<Value>(&report.to_json().unwrap()).unwrap());
    assert_eq!((&json["problem"], &json["seed"], &json["rows"]), (&json!("burgers"), &json!(3), &json!(84)));
    assert_eq!((&json["outer_steps"], &json["settings"]["sampler"]), (&json!(6), &json!("uniform")));
    // A network 2-8-2 has 2*8 + 8 + 8*2 + 2 parameters.
    assert_eq!(json["hyperparameters"]["parameters"], json!(42));
    assert_eq!(json["larger_cloud"]["interior"], json!(100));
    assert_eq!(json["larger_cloud"]["boundary"], json!(24));
    for key in ["linf", "rmse", "rel_l2", "linf_initial", "rmse_initial", "rel_l2_initial"] {
        let error = json[key].as_f64().unwrap();
        assert!(error > 0.0 && error < 10.0, "{key} {error}");
    }
    let times = [&json["seconds_learn"], &json["seconds_total"]].map(|v| v.as_f64().unwrap());
    assert!(times[0] > 0.0 && times[1] >= times[0], "{times:?}");

    let history = json["history"].as_array().unwrap();
    let steps: Vec<(u64, u64)> =
        history.iter().map(|s| (s["gauss_newton"].as_u64().unwrap(), s["outer"].as_u64().unwrap())).collect();
    assert_eq!(steps, [(1, 1), (1, 2), (1, 3), (1, 3), (2, 1), (2, 2), (2, 3), (2, 3)]);
    assert!(history.iter().all(|s| s["loss"].as_f64().unwrap() > 0.0));
    assert!(history.last().unwrap()["residual"].as_f64().unwrap() > 0.0);

    let (shape, reference) = array(&out, "u.reference");
    assert_eq!(shape, [60, 60]);
    let (_, points) = array(&out, "points");
    for (j, u) in reference[..60].iter().enumerate() {
        let x = points[2 * j + 1];
        assert!(points[2 * j] == 0.0 && (u + (PI * x).sin()).abs() < 1e-12, "the first grid line is t = 0: {u} at {x}");
    }
    let [_, _, rel_l2] = check_errors(&out, &reference);
    assert!(rel_l2 < 0.7, "a solution at all: {rel_l2}");
    let (_, deviation) = array(&out, "u.deviation");
    assert!(deviation.iter().all(|d| (0.0..=1.0).contains(d)), "at most that of the prior");
}

#[test]
fn heat_is_solved_to_its_closed_form() {
    let out = Folder::new();
    let experiment = gaussian(Heat::default().problem().unwrap(), 0.25);
    let report = run(&experiment, &["--out", out.path().to_str().unwrap(), "--sampler", "halton"]).unwrap();
    let truth = |t: f64, x: f64| {
        let mode = |k: f64| (-0.05 * (k * PI).powi(2) * t).exp() * (k * PI * x).sin();
        mode(1.0) + 0.5 * mode(3.0)
    };
    let [linf, rmse, _] = check_errors(out.path(), &exact(out.path(), truth));
    println!("heat: {linf:.1e} {rmse:.1e}\n{}", report.table());
    assert!(linf < 0.1 && rmse < 0.02, "{linf} {rmse}");
    let json = report_in(out.path());
    assert_eq!(json["settings"]["sampler"], json!("halton"));
    assert!(json["hyperparameters"]["length_scale"].as_f64().unwrap() > 0.0);
    assert_eq!(json["larger_cloud"], Value::Null);
    assert!(!out.names().contains(&"length_scales.png".to_owned()));
}

#[test]
fn poisson_is_solved_and_the_same_seed_gives_the_same_numbers() {
    let out = Folder::new();
    let experiment = gaussian(Poisson.problem().unwrap(), 0.5);
    let first = run(&experiment, &["--out", out.path().to_str().unwrap()]).unwrap();
    let [linf, rmse, _] =
        check_errors(out.path(), &exact(out.path(), |x, y| (PI * x).sin() * (PI * y).sin() + x * x - y * y));
    println!("poisson: {linf:.1e} {rmse:.1e}\n{}", first.table());
    assert!(linf < 1e-2 && rmse < 2e-3, "{linf} {rmse}");
    let again = run(&experiment, &[]).unwrap();
    assert_eq!(
        (&first.linf, &first.rmse_initial, &first.hyperparameters),
        (&again.linf, &again.rmse_initial, &again.hyperparameters)
    );
    let unlearned = run(&experiment, &["--outer-steps", "0"]).unwrap();
    assert_eq!(first.linf_initial, Some(unlearned.linf), "the initial errors are those without learning");
    assert_ne!(first.linf_initial.as_ref(), Some(&first.linf));
    let other = run(&experiment, &["--seed", "1"]).unwrap();
    assert_ne!(first.linf, other.linf);
}

#[test]
fn a_problem_over_three_coordinates_is_drawn_on_planes() {
    let out = Folder::new();
    let experiment = gaussian(Elliptic3d::default().problem().unwrap(), 0.5);
    run(&experiment, &["--outer-steps", "1", "--out", out.path().to_str().unwrap()]).unwrap();
    assert_eq!(Image::read(&out.join("solution_u.png")).size, panels_size(9));
    assert_eq!(Image::read(&out.join("deviation_u.png")).size, panels_size(3));
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 9 + 3 + 2, "nine panels, three panels, the history for two widths");
}

#[test]
fn without_outer_steps_the_initial_kernel_stays() {
    let out = Folder::new();
    let experiment = gaussian(Poisson.problem().unwrap(), 0.5);
    let report = run(&experiment, &["--outer-steps", "0", "--out", out.path().to_str().unwrap()]).unwrap();
    assert_eq!(report.outer_steps, 0);
    assert_eq!(Some(&report.linf), report.linf_initial.as_ref());
    let scale = report.hyperparameters["length_scale"].as_f64().unwrap();
    assert!((scale - 0.5).abs() < 1e-12, "{scale}");
    assert_eq!(report.history.len(), 1, "one record per Gauss-Newton step, and one is exact");
    assert_eq!((report.termination.as_deref(), report.linear), (Some("linear"), true));
    assert!(report.history.iter().all(|s| s.step.outer == 0 && s.step.loss.is_none() && s.step.residual.is_some()));
    assert_eq!(Image::read(&out.join("history.png")).size, LINES_SIZE);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_io_error() {
    let folder = Folder::new();
    fs::write(folder.join("file"), "").unwrap();
    for (flag, path) in [("--out", "file"), ("--out", "file/out"), ("--json", "file/report.json")] {
        let path = folder.join(path);
        let error = run(&gaussian(Poisson.problem().unwrap(), 0.5), &[flag, path.to_str().unwrap()]).unwrap_err();
        assert!(matches!(error, CliError::File(_)), "{flag}: {error:?}");
        assert_eq!(error.status(), 1);
        assert!(error.full_message().contains("file"), "{}", error.full_message());
    }
    assert_eq!(folder.names(), ["file"]);
}

#[test]
fn flags_that_do_not_fit_the_problem_are_input_errors() {
    let experiment = gaussian(Heat::default().problem().unwrap(), 0.3);
    for (words, told) in
        [(["--batch", "41"], "validation pool of 40"), (["--boundary", "2"], "3 parts of the boundary")]
    {
        let error = run(&experiment, &words).unwrap_err();
        assert!(matches!(error, CliError::Input(_)), "{words:?}: {error:?}");
        assert_eq!(error.status(), 2);
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn a_kernel_that_does_not_fit_is_told_with_its_reason() {
    let problem = Poisson.problem().unwrap();
    let experiment = Experiment::new(problem, |_, device| Ok(vec![GaussianConfig::isotropic(-1.0).init(device)?]));
    let error = run(&experiment, &[]).unwrap_err();
    assert!(matches!(error, CliError::Run(RunError::Numerical { .. })), "{error:?}");
    assert_eq!(error.status(), 1);
    assert!(
        error.full_message().contains("building the kernels: ") && error.full_message().contains("-1"),
        "{}",
        error.full_message()
    );
}

/// The row of a report's clouds with this name, kernel and problem.
fn cloud<'a>(report: &'a RunReport, name: &str, kernel: KernelState, problem: &str) -> &'a CloudErrors {
    let mut found = report.clouds.iter().filter(|c| c.name == name && c.kernel == kernel && c.problem == problem);
    let row = found.next().unwrap_or_else(|| panic!("no {name} {kernel:?} {problem} in {:?}", report.clouds));
    assert!(found.next().is_none(), "two rows {name} {kernel:?} {problem}");
    row
}

#[test]
fn the_learned_kernel_is_tried_on_new_points_and_other_problems() {
    let kernel = GaussianConfig::ard([0.8, 0.2]);
    let case = |c| GrayScott::new(c).problem().unwrap();
    let experiment = Experiment::new(case(GrayScottCase::Base), move |_, device| {
        Ok(vec![kernel.init(device)?, kernel.init(device)?])
    })
    .with_fresh_cloud(300, 400)
    .with_transfers([case(GrayScottCase::A), case(GrayScottCase::B)]);
    let report = run(&experiment, &["--interior", "120", "--boundary", "60"]).unwrap();
    // The defaults are 600 + 400 points: a fifth of the interior, 15% of the boundary, both fields on each boundary point.
    let fresh = cloud(&report, "fresh", KernelState::Learned, "gray-scott");
    assert_eq!((fresh.interior, fresh.boundary), (60, 120));
    let a = cloud(&report, "fresh", KernelState::Learned, "gray-scott-a");
    assert_eq!((a.interior, a.boundary), (120, 120));
    let b = cloud(&report, "fresh", KernelState::Learned, "gray-scott-b");
    assert!(a.linf != b.linf && fresh.linf != report.linf, "{:?}", report.clouds);
    assert_eq!(report.clouds.len(), 5, "training twice and three fresh ones, no baselines unless asked for");
    assert_eq!((report.seconds_baselines, &report.larger_cloud), (None, &None));
    assert!(report.table().contains("\nu gray-scott-a: frozen kernel, fresh 120+120 points "), "{}", report.table());
    let again = run(&experiment, &["--interior", "120", "--boundary", "60", "--baselines"]).unwrap();
    assert_eq!(cloud(&again, "fresh", KernelState::Learned, "gray-scott-a"), a, "the same seed gives the same points");
    assert_ne!(cloud(&again, "fresh", KernelState::Initial, "gray-scott-a").linf, a.linf);
    assert!(again.seconds_baselines.unwrap() > 0.0 && again.constant.is_none());
}

#[test]
fn the_best_constant_length_scale_is_searched_where_the_errors_are() {
    let experiment = gaussian(Poisson.problem().unwrap(), 0.05).with_larger_cloud().with_constant_scales(
        ["length scale"],
        0.02..=1.0,
        |scales, device| Ok(vec![GaussianConfig::ard(scales).init(device)?.into()]),
    );
    let report = run(&experiment, &["--baselines", "--outer-steps", "0"]).unwrap();
    let [initial, constant] =
        [KernelState::Initial, KernelState::Constant].map(|k| cloud(&report, "larger", k, "poisson"));
    let found = report.constant.as_ref().unwrap();
    let scale = found.length_scales["length scale"].as_f64().unwrap();
    // The solution is a product of sines of half a period: long length scales are best, and 0.05 is hopeless.
    assert!(scale > 0.2 && scale <= 1.0 && found.solves > 20, "{found:?}");
    assert!(constant.rel_l2.0[0].1 < 1e-2 * initial.rel_l2.0[0].1, "{constant:?} {initial:?}");
    assert_eq!((constant.interior, constant.boundary), (100, 24));
    // What the search reports is what a run with that length scale has.
    let check = run(&gaussian(Poisson.problem().unwrap(), scale).with_larger_cloud(), &["--outer-steps", "0"]).unwrap();
    let (a, b) = (constant.rel_l2.0[0].1, cloud(&check, "larger", KernelState::Learned, "poisson").rel_l2.0[0].1);
    assert!((a - b).abs() < 1e-6 * a, "{a} {b}");
}

/// Darcy with 30 observations on few points.
fn darcy(published: bool) -> Experiment<Gaussian> {
    let experiment = Experiment::new(Darcy::new(30, 1e-3).problem().unwrap(), |_, device| {
        let kernel = GaussianConfig::isotropic(0.4);
        Ok(vec![kernel.init(device)?, kernel.init(device)?])
    });
    if published { experiment.with_scored_fit() } else { experiment.with_held_out(0.25) }
}

#[test]
fn the_spread_of_an_inverse_problem_is_written_and_its_coverage_told() {
    let out = Folder::new();
    let report = run(&darcy(false), &["--out", out.path().to_str().unwrap()]).unwrap();
    for file in ["deviation_a.png", "deviation_score_A.png", "deviation_u.png", "solution_score_A.png"] {
        assert!(out.names().contains(&file.to_owned()), "{file} in {:?}", out.names());
    }
    let of = |name: &str| array(out.path(), name).1;
    let (a, deviation, truth) = (of("a"), of("a.deviation"), of("a.reference"));
    let inside = a.iter().zip(&deviation).zip(&truth).filter(|((a, s), t)| (*a - *t).abs() <= 2.0 * *s).count();
    let told = |score: &str| report.coverage_2sd.0.iter().find(|(name, _)| name == score).unwrap().1;
    assert!((told("a") - inside as f64 / a.len() as f64).abs() < 1e-12);
    for ((estimate, spread), (a, s)) in of("A").iter().zip(of("A.deviation")).zip(a.iter().zip(&deviation)) {
        assert!((estimate / a.exp() - 1.0).abs() < 1e-12 && (spread / (a.exp() * s.sinh()) - 1.0).abs() < 1e-9);
    }
    let json = report_in(out.path());
    assert_eq!(json["coverage_2sd"]["A"].as_f64(), Some(told("A")));
    assert!(report.table().contains('%'));
}

#[test]
fn the_published_loss_of_an_inverse_problem_scores_what_is_fitted() {
    let (held_out, published) = (run(&darcy(false), &[]).unwrap(), run(&darcy(true), &[]).unwrap());
    // 60 equations, 24 conditions and the observations that are fitted: 22 of 30, or all.
    assert_eq!((held_out.rows, published.rows), (106, 114));
    assert_ne!(held_out.hyperparameters, published.hyperparameters);
    assert_eq!(held_out.linf_initial, published.linf_initial);
}

#[test]
fn the_fingerprint_changes_with_all_that_changes_the_result() {
    let of = |experiment: &Experiment<Gaussian>, words: &[&str]| {
        let plan = parse(words).unwrap().plan(experiment.plan()).unwrap();
        experiment.fingerprint(&plan).unwrap()
    };
    let plain = of(&darcy(false), &["--seed", "1"]);
    assert_eq!(plain, of(&darcy(false), &["--seed", "1", "--quiet", "--out", "elsewhere"]));
    let seed = of(&darcy(false), &["--seed", "2"]);
    let points = of(&darcy(false), &["--seed", "1", "--interior", "300"]);
    let sampler = of(&darcy(false), &["--seed", "1", "--sampler", "sobol"]);
    let baselines = of(&darcy(false), &["--seed", "1", "--baselines"]);
    let scored = of(&darcy(true), &["--seed", "1"]);
    let cloud = of(&darcy(false).with_larger_cloud(), &["--seed", "1"]);
    let all = [plain, seed, points, sampler, baselines, scored, cloud];
    for (i, a) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|b| b != a), "{a}");
    }
    let kernel = |scale: f64| of(&gaussian(Poisson.problem().unwrap(), scale), &[]);
    assert_ne!(kernel(0.5), kernel(0.25));
}

#[test]
fn a_run_does_not_change_the_fingerprint() {
    let experiment = gaussian(Poisson.problem().unwrap(), 0.5);
    let plan = parse(&[]).unwrap().plan(experiment.plan()).unwrap();
    let before = experiment.fingerprint(&plan).unwrap();
    run(&experiment, &[]).unwrap();
    assert_eq!(experiment.fingerprint(&plan).unwrap(), before);
}
