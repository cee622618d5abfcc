//! Folders of runs: what is in them, what is refused, figures drawn again, and folders that were moved.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::Folder;
use common::process::{SMALL, hyperpde, json, numbers, refused, succeed, text};
use hyperpde_cli::Terminal;
use hyperpde_config::{Config, Target, commented};
use hyperpde_kernels::{Backend, Points, Precision};
use hyperpde_run::{Experiment, Model, RunReport, read_arrays, runs};

/// A run of a second.
fn short() -> String {
    SMALL.replace("gauss_newton_steps = 40", "gauss_newton_steps = 3")
}

/// A folder with a configuration in `case.toml`.
fn with(text: &str) -> (Folder, String) {
    let folder = Folder::new();
    fs::write(folder.join("case.toml"), text).unwrap();
    let file = folder.join("case.toml").to_str().unwrap().to_owned();
    (folder, file)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const FILES: [&str; 16] = [
    "checkpoints",
    "config.toml",
    "deviation_u.png",
    "deviation_u.svg",
    "history.png",
    "history.svg",
    "length_scales.png",
    "length_scales.svg",
    "log.txt",
    "metrics.jsonl",
    "model.safetensors",
    "report.html",
    "report.json",
    "solution.safetensors",
    "solution_u.png",
    "solution_u.svg",
];

#[test]
fn learn_fills_a_folder_and_report_draws_it_again() {
    let (folder, file) = with(&short());
    let (out, copy) = (folder.join("deep/run"), folder.join("copy.json"));
    let path = out.to_str().unwrap();
    let words = ["learn", &file, "--out", path, "--json", copy.to_str().unwrap(), "--seed", "3", "--backend", "flex"];
    let (table, told) = succeed(&words);
    assert!(told.contains("learned in 24 outer steps") && told.contains(path), "{told}");
    assert_eq!(names(&out), FILES);
    assert_eq!(fs::read(&copy).unwrap(), fs::read(out.join("report.json")).unwrap());

    let config = Config::load(out.join("config.toml")).unwrap();
    let flex = Target { backend: Backend::Flex, device: 0, precision: Some(Precision::F64) };
    let asked = Config::load(&file).unwrap().with_seed(3).unwrap().with_target(flex);
    assert_eq!((config.run_settings(), config.target()), (asked.run_settings(), asked.target()));
    let report = json(&copy);
    assert_eq!((&report["seed"], &report["backend"]), (&3.into(), &"flex".into()));
    assert_eq!(report["settings"]["sampler"], "halton");
    let metrics = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let steps: Vec<serde_json::Value> = metrics.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(&steps, report["history"].as_array().unwrap());
    assert_eq!(steps.len(), 3 * (8 + 1));
    let read = RunReport::from_json(&fs::read_to_string(&copy).unwrap(), "u").unwrap();
    assert_eq!(read.table(), table);
    assert!(table.contains("before learning") && table.contains("after learning"), "{table}");

    // The saved model has the bits of the solution.
    let read = |name: &str| {
        let arrays = read_arrays(&out.join("solution.safetensors")).unwrap();
        arrays.into_iter().find(|a| a.name == name).unwrap().values
    };
    let model = Model::load(&out).unwrap();
    let points = Points::new(2, read("points")).unwrap();
    assert_eq!(model.posterior().unwrap().values(0, &points).unwrap(), read("u"));

    // Everything that can be drawn is drawn again, byte for byte.
    let drawn = |name: &&str| name.ends_with(".png") || name.ends_with(".svg") || name.ends_with(".html");
    let bytes = || -> BTreeMap<&str, Vec<u8>> {
        FILES.into_iter().filter(drawn).map(|name| (name, fs::read(out.join(name)).unwrap())).collect()
    };
    let before = bytes();
    before.keys().for_each(|name| fs::remove_file(out.join(name)).unwrap());
    let (again, _) = succeed(&["report", path]);
    assert_eq!(again, table);
    let after = bytes();
    for (name, bytes) in &before {
        assert!(after[name] == *bytes, "{name} differs");
    }
    assert!(text(&before["report.html"]).contains("Fields of the learned kernel: its length scales"));

    fs::remove_file(out.join("solution.safetensors")).unwrap();
    let (_, told) = succeed(&["report", path]);
    assert!(told.contains("solution.safetensors is missing"), "{told}");
    fs::remove_file(out.join("report.json")).unwrap();
    fs::remove_file(out.join("history.png")).unwrap();
    let (table, told) = succeed(&["report", path]);
    assert!(table.is_empty() && told.contains("report.json is missing"), "{told}");
    assert!(told.contains(&format!("the run is not finished; `hyperpde resume {path}` goes on with it")), "{told}");
    assert!(out.join("history.png").exists());
}

#[test]
fn solve_keeps_the_kernel() {
    let (folder, file) = with(&short().replace(
        "kind = \"gibbs\"\ndim = 2\nlength_scales = \"per-dimension\"\nhidden = [8]\ndivisor = 2.0",
        "kind = \"gaussian\"\nlength_scales = [0.25]",
    ));
    let out = folder.join("solved");
    let path = out.to_str().unwrap();
    let (table, told) = succeed(&["solve", &file, "--out", path]);
    assert!(table.contains("\nsolution ") && !table.contains("learning"), "{table}");
    assert!(told.contains("solved in "), "{told}");
    let report = json(&out.join("report.json"));
    assert_eq!((&report["outer_steps"], &report["linf_initial"]), (&0.into(), &serde_json::Value::Null));
    let scale = report["hyperparameters"]["length_scale"].as_f64().unwrap();
    assert!((scale - 0.25).abs() < 1e-12, "{scale}");
    // The errors are those that learning starts from.
    let learned = folder.join("learned");
    succeed(&["learn", &file, "--out", learned.to_str().unwrap(), "--quiet"]);
    let initial = json(&learned.join("report.json"));
    for key in ["linf", "rmse", "rel_l2"] {
        assert_eq!(report[key], initial[format!("{key}_initial")], "{key}");
        assert_ne!(report[key], initial[key], "{key}");
    }
    assert!(fs::read_to_string(out.join("report.html")).unwrap().contains("a given kernel"));
    // Resumed from its last checkpoint it is the same run.
    let before = fs::read(out.join("solution.safetensors")).unwrap();
    fs::remove_file(out.join("report.json")).unwrap();
    let (again, _) = succeed(&["resume", path]);
    assert_eq!(again.lines().take_while(|line| !line.is_empty()).count(), 3, "{again}");
    assert!(again.contains("\nverdict: "), "{again}");
    assert!(fs::read(out.join("solution.safetensors")).unwrap() == before);
    assert_eq!(numbers(json(&out.join("report.json"))), numbers(report));
}

#[test]
fn without_a_folder_there_is_a_default_and_none_is_overwritten() {
    let (folder, file) = with(&short().replace("name = \"small\"", "name = \"a b/c\""));
    let learn = || {
        let out = hyperpde(&["learn", &file, "--quiet"]).current_dir(folder.path()).output().unwrap();
        (out.status.code(), text(&out.stderr))
    };
    assert_eq!(learn(), (Some(0), String::new()));
    assert_eq!(names(&folder.join("runs/a_b_c")), FILES);
    assert_eq!(names(&folder.join("runs")), ["a_b_c"], "nothing is left beside it");
    let (status, told) = learn();
    assert_eq!(status, Some(2));
    let advice = "the folder runs/a_b_c is not empty; `hyperpde resume runs/a_b_c` goes on with the run in it, --out names another folder";
    assert!(told.contains(advice), "{told}");

    // The configuration may name it.
    fs::write(&file, short() + "[output]\nfolder = \"named\"\njson = \"named.json\"\n").unwrap();
    assert_eq!(learn(), (Some(0), String::new()));
    assert!(folder.join("named.json").exists() && !folder.join("runs/small").exists());
    assert!(!fs::read_to_string(folder.join("named/config.toml")).unwrap().contains("named"), "it can be moved");
    // An empty folder is as good as none.
    fs::create_dir(folder.join("empty")).unwrap();
    fs::write(&file, short()).unwrap();
    succeed(&["solve", &file, "--out", folder.join("empty").to_str().unwrap(), "--quiet"]);
}

#[test]
fn what_is_no_folder_of_a_run_is_refused() {
    let (folder, file) = with(&short());
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    fs::create_dir(folder.join("other")).unwrap();
    fs::write(folder.join("other/notes.txt"), "mine").unwrap();
    for command in ["resume", "report"] {
        for (name, told) in
            [("missing", "there is no folder"), ("other", "holds no config.toml"), ("case.toml", "is a file")]
        {
            let shown = refused(&[command, &path(name)], 2);
            assert!(shown.contains(told) && shown.contains(name), "{shown}");
        }
    }
    for (name, status, told) in [
        ("other", 2, "is not empty; name another one with --out"),
        ("case.toml", 2, "is a file; name another folder with --out"),
        ("case.toml/below", 1, "case.toml"),
        ("", 2, "is no folder for a run"),
        (".", 2, "not empty"),
    ] {
        let out = if name.is_empty() { "/".to_owned() } else { path(name) };
        let shown = refused(&["learn", &file, "--out", &out], if name.is_empty() { 2 } else { status });
        assert!(name.is_empty() || shown.contains(told), "{name}: {shown}");
    }
    assert_eq!(folder.names(), ["case.toml", "other"], "nothing is left");
    // Equations without values are found before there is a folder.
    fs::write(&file, short().replace("u^3 - lap", "u^3 + 1/(x - x) - lap")).unwrap();
    let shown = refused(&["learn", &file, "--out", &path("new")], 2);
    assert!(shown.contains("equation 1") && shown.contains("case.toml"), "{shown}");
    assert!(!folder.join("new").exists());
    // So is a run that is too large.
    fs::write(&file, short()).unwrap();
    let large =
        hyperpde(&["learn", &file, "--out", &path("new")]).env("HYPERPDE_MEMORY_LIMIT_MIB", "1").output().unwrap();
    assert_eq!(large.status.code(), Some(2));
    assert!(text(&large.stderr).contains("of memory") && !folder.join("new").exists(), "{}", text(&large.stderr));
    let shown = refused(&["learn", &file, "--seed", "-1"], 2);
    assert!(shown.contains("whole number"), "{shown}");
    let shown = refused(&["learn", &file, "--seed", "18446744073709551615"], 2);
    assert!(shown.contains("may be at most"), "{shown}");
}

#[test]
fn data_files_go_along_and_the_folder_can_be_moved() {
    let inverse = short().replace("[sampling]", "[[observations]]\nof = \"u\"\nfile = \"a/data.csv\"\nnoise = 1e-2\n[[observations]]\nof = \"u_x\"\nfile = \"b/data.csv\"\nnoise = 1e-2\n[sampling]");
    let (folder, file) = with(&inverse);
    for (sub, text) in [
        ("a", "x,y,u\n0.5,0.5,1\n0.25,0.5,0.7\n0.7,0.2,0.5\n0.1,0.1,0.1\n"),
        ("b", "0.5,0.5,0\n0.25,0.5,2.2\n0.6,0.5,-1\n0.1,0.1,0.9\n"),
    ] {
        fs::create_dir(folder.join(sub)).unwrap();
        fs::write(folder.join(sub).join("data.csv"), text).unwrap();
    }
    let out = folder.join("run");
    succeed(&["learn", &file, "--out", out.to_str().unwrap(), "--quiet"]);
    let moved = folder.join("moved");
    fs::rename(&out, &moved).unwrap();
    for gone in ["a", "b"] {
        fs::remove_dir_all(folder.join(gone)).unwrap();
    }
    assert!(names(&moved).contains(&"1-data.csv".to_owned()) && names(&moved).contains(&"data.csv".to_owned()));
    let path = moved.to_str().unwrap();
    let (before, solution) = (json(&moved.join("report.json")), fs::read(moved.join("solution.safetensors")).unwrap());
    fs::remove_file(moved.join("report.json")).unwrap();
    succeed(&["resume", path, "--quiet"]);
    assert_eq!(numbers(json(&moved.join("report.json"))), numbers(before));
    assert!(fs::read(moved.join("solution.safetensors")).unwrap() == solution);
    succeed(&["report", path]);
    // Other data make another run.
    fs::remove_file(moved.join("report.json")).unwrap();
    fs::write(moved.join("data.csv"), "0.5,0.5,1\n0.25,0.5,0.7\n0.7,0.2,0.5\n0.1,0.1,0.2\n").unwrap();
    assert!(refused(&["resume", path], 2).contains("was made with another configuration"));
}

#[test]
fn a_run_that_fails_says_so_in_its_log_too() {
    // The equation has values about zero, where Gauss-Newton starts, and none about what the first step gives.
    let wild = short()
        .replace("u^3 - lap(u)", "sqrt(0.1 - u) - lap(u)")
        .replace("[solver]", "[solver]\nstep_control = \"full\"");
    let (folder, file) = with(&wild);
    let out = folder.join("run");
    let shown = refused(&["solve", &file, "--out", out.to_str().unwrap(), "--quiet"], 1);
    let log = fs::read_to_string(out.join("log.txt")).unwrap();
    let told = shown.lines().last().unwrap().strip_prefix("error: ").unwrap();
    assert!(log.contains(told), "{shown}\n{log}");
    assert!(!out.join("report.json").exists());
}

#[test]
fn clouds_of_a_configuration_are_solved_on() {
    let folder = Folder::new();
    let reduced = |name: &str| {
        let text = format!(
            "problem = \"{name}\"\n[sampling]\ninterior = 60\nboundary = 30\nvalidation = 40\n[solver]\ngauss_newton_steps = 2\n[outer]\nsteps = 1\nbatch = 20\n"
        );
        Config::parse("c.toml", &text, ".").unwrap()
    };
    let run = |name: &str| runs::start(&reduced(name), &folder.join(name), None, &Terminal::new(true)).unwrap();
    let clouds = |report: &RunReport| -> Vec<String> {
        let all = report.clouds.iter().filter(|c| c.name != "training");
        all.map(|c| format!("{} {} {}+{}", c.name, c.problem, c.interior, c.boundary)).collect()
    };
    assert_eq!(clouds(&run("burgers")), ["larger burgers 100+30"]);
    // Two rows per boundary point.
    let expected = [
        "fresh gray-scott 600+800",
        "fresh gray-scott-a 600+800",
        "fresh gray-scott-b 600+800",
        "fresh gray-scott-c 600+800",
    ];
    assert_eq!(clouds(&run("gray-scott")), expected);
    assert!(commented("schrodinger").unwrap().contains("fresh = [2000, 500]"));
    let own = Config::parse("c.toml", "problem = \"burgers\"\n[clouds]\nfresh = [40, 12]\n", ".").unwrap();
    assert!(!own.clouds().larger, "a section of one's own takes the place of the built-in one");
    assert_eq!(own.clouds().fresh, Some((40, 12)));
    let _: Experiment<_> = Experiment::from_config(&own);
}
