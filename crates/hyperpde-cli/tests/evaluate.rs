//! Evaluation of saved models: against the posterior, finite differences, and everything that a file of points can get wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::Folder;
use common::solved::{config, saved};
use hyperpde_kernels::{Operator, Points};
use hyperpde_run::{Evaluation, RunError, evaluate};
use npyz::WriterBuilder;

fn points() -> Points {
    Points::new(2, vec![0.15, 0.2, 0.5, 1.5, 0.95, 0.4, 0.77, 1.9]).unwrap()
}

#[test]
fn columns_against_the_posterior_and_finite_differences() {
    let folder = Folder::new();
    let posterior = saved(folder.path());
    let config = config(folder.path());
    let asked = ["u_x", "v_xt", "lap(u)", "u", "u_tt", "u_xxx", " u_x "];
    let found = evaluate(config.problem(), &posterior, &points(), &asked, true).unwrap();
    let names = ["t", "x", "u", "v", "u_x", "v_xt", "lap(u)", "u_tt", "u_xxx"];
    let deviations = names[2..].iter().map(|n| format!("{n}.deviation"));
    assert_eq!(found.names(), names.iter().map(|n| (*n).to_owned()).chain(deviations).collect::<Vec<_>>());
    assert_eq!(found.outside(), 0);
    let column = |name: &str| found.column(name).unwrap();
    assert_eq!(column("x"), [0.2, 1.5, 0.4, 1.9]);
    assert_eq!(column("u"), posterior.values(0, &points()).unwrap());
    assert_eq!(column("v"), posterior.values(1, &points()).unwrap());

    // Central differences of values, error h² times a derivative two orders higher.
    let h = 1e-3;
    let values = |field: usize, dt: f64, dx: f64| {
        let moved = points().rows().flat_map(|p| [p[0] + dt, p[1] + dx]).collect();
        posterior.values(field, &Points::new(2, moved).unwrap()).unwrap()
    };
    let near = |name: &str, difference: Vec<f64>, tolerance: f64| {
        for (a, b) in column(name).iter().zip(&difference) {
            assert!((a - b).abs() < tolerance * (1.0 + b.abs()), "{name}: {a} and {b}");
        }
    };
    let combine = |parts: &[(f64, Vec<f64>)]| {
        (0..points().len()).map(|i| parts.iter().map(|(c, v)| c * v[i]).sum()).collect::<Vec<f64>>()
    };
    let (p, m) = (1.0 / (2.0 * h), -1.0 / (2.0 * h));
    near("u_x", combine(&[(p, values(0, 0.0, h)), (m, values(0, 0.0, -h))]), 1e-4);
    let second = |dt: f64, dx: f64| {
        let (up, here, down) = (values(0, dt, dx), values(0, 0.0, 0.0), values(0, -dt, -dx));
        combine(&[(1.0 / (h * h), up), (-2.0 / (h * h), here), (1.0 / (h * h), down)])
    };
    near("lap(u)", second(0.0, h), 1e-3);
    near("u_tt", second(h, 0.0), 1e-3);
    let q = 1.0 / (4.0 * h * h);
    let corners = [(q, values(1, h, h)), (-q, values(1, h, -h)), (-q, values(1, -h, h)), (q, values(1, -h, -h))];
    near("v_xt", combine(&corners), 1e-3);
    // The third derivative from differences of the second one.
    let laplacian = |dx: f64| {
        let moved = points().rows().flat_map(|p| [p[0], p[1] + dx]).collect();
        let at = Points::new(2, moved).unwrap();
        posterior.evaluate(0, &[Operator::second(2, 1)], &at).unwrap().concat()
    };
    near("u_xxx", combine(&[(p, laplacian(h)), (m, laplacian(-h))]), 1e-3);

    let amplitudes = posterior.amplitudes().unwrap();
    let deviation = |field: usize, operator: Operator| {
        let variance = posterior.variance(field, &operator, &points()).unwrap();
        variance.iter().map(|v| (amplitudes[field] * v).sqrt()).collect::<Vec<_>>()
    };
    assert_eq!(column("v.deviation"), deviation(1, Operator::identity(2)));
    assert_eq!(column("u_x.deviation"), deviation(0, Operator::partial(2, 1)));
    assert_eq!(column("lap(u).deviation"), deviation(0, Operator::second(2, 1)));
    assert!(column("u.deviation").iter().all(|s| *s > 0.0));
}

#[test]
fn what_can_not_be_evaluated_is_bad_input() {
    let folder = Folder::new();
    let posterior = saved(folder.path());
    let config = config(folder.path());
    let refused = |derivative: &str, expected: &str| {
        let error = evaluate(config.problem(), &posterior, &points(), &[derivative], false).unwrap_err();
        assert!(
            matches!(error, RunError::Input(_)) && error.full_message().contains(expected),
            "{derivative}: {error}"
        );
    };
    refused("w", "unknown name 'w'");
    refused("u_y", "no derivative of 'u'");
    refused("u + v", "no field and no derivative");
    refused("u_xxxxxxx", "order 7");
    refused("", "empty");
    // A Matérn kernel of order 7/2 has three derivatives.
    refused("v_xxxx", "3 derivatives");
    let flat = Points::new(1, vec![0.5]).unwrap();
    let error = evaluate(config.problem(), &posterior, &flat, &["u_x"; 0], false).unwrap_err();
    assert!(matches!(error, RunError::Input(_)), "{error:?}");
}

fn run(model: &Path, points: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hyperpde"));
    command.arg("evaluate").arg(model).arg(points).args(words).env_remove("RUST_LOG").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn npy(path: &Path, shape: &[u64], values: &[f64]) {
    let file = std::fs::File::create(path).unwrap();
    let options = npyz::WriteOptions::new().default_dtype().shape(shape).writer(file);
    let mut out = options.begin_nd().unwrap();
    out.extend(values.iter().copied()).unwrap();
    out.finish().unwrap();
}

fn numbers(csv: &str) -> Vec<f64> {
    csv.lines().skip(1).flat_map(|line| line.split(',').map(|cell| cell.parse().unwrap())).collect()
}

#[test]
fn the_command_reads_and_writes_every_format() {
    let folder = Folder::new();
    let posterior = saved(folder.path());
    let expected = evaluate(config(folder.path()).problem(), &posterior, &points(), &["u_x", "lap(v)"], true).unwrap();
    let flat = points().as_slice().to_vec();
    std::fs::write(folder.join("plain.csv"), "0.15,0.2\n0.5,1.5\n0.95,0.4\n0.77,1.9\n").unwrap();
    std::fs::write(folder.join("named.csv"), "\u{feff}x, t\r\n0.2,0.15\r\n1.5,0.5\r\n\r\n0.4,0.95\r\n1.9,7.7e-1")
        .unwrap();
    npy(&folder.join("p.npy"), &[4, 2], &flat);
    let words = ["--derivative", "u_x", "--derivative", "lap(v)", "--deviation"];
    for file in ["plain.csv", "named.csv", "p.npy"] {
        let out = run(folder.path(), &folder.join(file), &words);
        assert!(out.status.success() && out.stderr.is_empty(), "{file}: {}", text(&out.stderr));
        assert_eq!(text(&out.stdout), expected.to_csv(), "{file}");
    }
    let width = expected.names().len();
    let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    for (file, words) in [("o.csv", "u_x,lap(v)"), ("o.npy", "u_x,lap(v)"), ("o.safetensors", "u_x,lap(v)")] {
        let path = folder.join(file);
        let out = run(
            &folder.join("model.safetensors"),
            &folder.join("p.npy"),
            &["--deviation", "--derivative", words, "--out", path.to_str().unwrap()],
        );
        assert!(out.status.success() && out.stdout.is_empty(), "{}", text(&out.stderr));
    }
    let row_major: Vec<f64> = (0..4).flat_map(|i| expected.columns().iter().map(move |c| c[i])).collect();
    let csv = std::fs::read_to_string(folder.join("o.csv")).unwrap();
    assert_eq!(csv.lines().next().unwrap(), expected.names().join(","));
    assert_eq!(bits(&numbers(&csv)), bits(&row_major));
    let array = npyz::NpyFile::new(std::fs::File::open(folder.join("o.npy")).unwrap()).unwrap();
    assert_eq!(array.shape(), [4, width as u64]);
    assert_eq!(bits(&array.into_vec::<f64>().unwrap()), bits(&row_major));
    let bytes = std::fs::read(folder.join("o.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), width);
    for (name, column) in expected.names().iter().zip(expected.columns()) {
        let stored: Vec<u8> = column.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(file.tensor(name).unwrap().data(), stored, "{name}");
    }
}

#[test]
fn points_outside_are_computed_with_a_warning() {
    let folder = Folder::new();
    let posterior = saved(folder.path());
    std::fs::write(folder.join("p.csv"), "t,x\n0.5,1\n1.5,1\n0.5,-0.1\n").unwrap();
    let out = run(folder.path(), &folder.join("p.csv"), &[]);
    assert!(out.status.success());
    assert!(text(&out.stderr).contains("2 of 3 points are outside the domain"), "{}", text(&out.stderr));
    let at = Points::new(2, vec![0.5, 1.0, 1.5, 1.0, 0.5, -0.1]).unwrap();
    let u = posterior.values(0, &at).unwrap();
    assert_eq!(numbers(&text(&out.stdout)).chunks(4).map(|row| row[2]).collect::<Vec<_>>(), u);
}

#[test]
fn many_points_take_no_memory_that_grows_with_their_square() {
    let folder = Folder::new();
    let posterior = saved(folder.path());
    let n = 60_000;
    let flat: Vec<f64> = (0..n).flat_map(|i| [i as f64 / n as f64, 2.0 * (i as f64 * 0.618).fract()]).collect();
    let many = Points::new(2, flat).unwrap();
    let problem = config(folder.path());
    let found = evaluate(problem.problem(), &posterior, &many, &["v_t"], false).unwrap();
    // The last points, alone: blocks do not change the numbers.
    let last = many.select(&(n - 3..n).collect::<Vec<_>>()).unwrap();
    let alone = evaluate(problem.problem(), &posterior, &last, &["v_t"], false).unwrap();
    for name in ["u", "v", "v_t"] {
        for (a, b) in found.column(name).unwrap()[n - 3..].iter().zip(alone.column(name).unwrap()) {
            assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{name}: {a} {b}");
        }
    }
}

#[test]
fn bad_points_and_flags_have_one_message_and_status_two() {
    let folder = Folder::new();
    saved(folder.path());
    let file = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).unwrap();
        name.to_owned()
    };
    npy(&folder.join("wide.npy"), &[2, 3], &[0.0; 6]);
    npy(&folder.join("flat.npy"), &[4], &[0.0; 4]);
    npy(&folder.join("nan.npy"), &[2, 2], &[0.1, 0.2, 0.3, f64::NAN]);
    npy(&folder.join("none.npy"), &[0, 2], &[]);
    let good = file("good.csv", b"0.5,1\n");
    let cases: Vec<(String, &[&str], &str)> = vec![
        (file("empty.csv", b""), &[], "empty"),
        (file("blank.csv", b"\n\n"), &[], "empty"),
        (file("head.csv", b"t,x\n"), &[], "no rows"),
        (file("one.csv", b"0.1\n"), &[], "1 columns, needed are 2 (t, x)"),
        (file("three.csv", b"0.1,0.2,0.3\n"), &[], "3 columns, needed are 2"),
        (file("ragged.csv", b"0.1,0.2\n\n0.3\n"), &[], "line 3 has 1 columns, the first has 2"),
        (file("word.csv", b"x,t\n0.1,0.2\n0.1,half\n"), &[], "line 3 has 'half' in the column t"),
        (file("hole.csv", b"t,x\n0.1,\n"), &[], "line 2 has '' in the column x"),
        (file("nan.csv", b"t,x\n0.1,0.2\nnan,0.2\n"), &[], "line 3 has NaN in the column t"),
        (file("huge.csv", b"0.1,1e999\n"), &[], "line 1 has inf in the column x"),
        (file("other.csv", b"t,x,u\n0.1,0.2,0.3\n"), &[], "unknown column 'u'"),
        (file("missing.csv", b"t,y\n0.1,0.2\n"), &[], "columns are t, y, needed are t, x"),
        (file("twice.csv", b"t,x,x\n0.1,0.2,0.3\n"), &[], "'x' twice"),
        (file("rubbish.csv", &[0x66, 0x0a, 0xff, 0xfe, 0x00]), &[], "line 2 is no text"),
        (file("zeros.csv", &[0; 64]), &[], "columns"),
        (file("rubbish.npy", &[0x93, 0x4e, 0x55, 0x4d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), &[], "no NPY file"),
        (file("short.npy", b"\x93NUMPY"), &[], "no NPY file"),
        (file("points.txt", b"0.1,0.2\n"), &[], ".csv or .npy"),
        ("wide.npy".into(), &[], "3 columns, needed are 2"),
        ("flat.npy".into(), &[], "two dimensions"),
        ("nan.npy".into(), &[], "row 2 has NaN in the column x"),
        ("none.npy".into(), &[], "no rows"),
        ("absent.csv".into(), &[], "No such file"),
        (good.clone(), &["--derivative", "u_y"], "derivative 'u_y'"),
        (good.clone(), &["--derivative", "v_xxxx"], "3 derivatives"),
        (good.clone(), &["--out", "solution.xlsx"], ".csv, .npy or .safetensors"),
        (good, &["--derivation"], "unexpected argument"),
    ];
    for (name, words, expected) in cases {
        let out = run(folder.path(), &folder.join(&name), words);
        let shown = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{name} {words:?}: {shown}");
        assert!(shown.contains(expected) && !shown.contains("panicked"), "{name} {words:?}: {shown}");
        assert!(out.stdout.is_empty(), "{name}");
        if words.is_empty() {
            assert_eq!(shown.lines().count(), 1, "{name}: {shown}");
        }
    }
    let out = run(&folder.join("absent"), &folder.join("good.csv"), &[]);
    assert!(out.status.code() == Some(2) && text(&out.stderr).contains("cannot use the model"));
    // A folder where the output should go is the system's failure; nothing is left behind.
    let blocked = folder.join("good.csv").join("out.csv");
    let out = run(folder.path(), &folder.join("good.csv"), &["--out", blocked.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(1));
    assert!(Evaluation::check_format(Path::new("a.npy")).is_ok());
}
