//! Bad input of every kind through the program itself: each ends with status 1 or 2 and one message that names the place, and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/bench.rs"]
mod bench;
mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bench::{Case, GOOD, all, case};
use common::Folder;

/// A finished run, made once.
fn finished() -> PathBuf {
    static RUN: OnceLock<(Folder, PathBuf)> = OnceLock::new();
    let (_, run) = RUN.get_or_init(|| {
        let place = Folder::new();
        std::fs::write(place.join("case.toml"), GOOD).unwrap();
        let words = ["learn", "case.toml", "--out", "run", "--quiet"];
        let out = Command::new(env!("CARGO_BIN_EXE_hyperpde")).args(words).current_dir(place.path()).output().unwrap();
        assert!(out.status.success(), "{out:?}");
        let run = place.join("run");
        (place, run)
    });
    run.clone()
}

/// A command on a copy of the finished run.
fn on_run(words: &str) -> Case {
    case(words).run_from(&finished()).file("points.csv", "x\n0.25\n0.5\n")
}

/// The same on a run that has no report yet.
fn unfinished(words: &str) -> Case {
    on_run(words).without("run/report.json")
}

fn npy(shape: &str, descr: &str, numbers: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(numbers.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

/// A symbolic link to a device.
fn device(name: &'static str, target: &'static str) -> impl Fn(&Path) + Send + Sync {
    move |place| std::os::unix::fs::symlink(target, place.join(name)).unwrap()
}

#[test]
fn configurations() {
    let equation = "u^3 - nu*u_xx = sin(pi*x)";
    // What is replaced by what, and what the message says.
    let replaced = [
        ("[domain]", "[domain", "expected"),
        ("interior = 12", "interior = 12\ninterior = 13", "duplicate key"),
        ("interior = 12", "interor = 12", "did you mean 'interior'?"),
        ("interior = 12", "interior = 1e9", "whole number"),
        ("interior = 12", "interior = 10000001", "from 1 to 1000000"),
        ("boundary = 2", "boundary = 1", "2 faces"),
        ("batch = 6", "batch = 60", "validation pool has 12"),
        ("[\"x\", 0, 1]", "[\"x\", 1, 0]", "reversed or empty"),
        ("[\"x\", 0, 1]", "[\"x\", -1.7e308, 1.7e308]", "too wide"),
        ("[\"x\", 0, 1]", "[\"u\", 0, 1]", "coordinate already"),
        ("fields = [\"u\"]", "fields = [\"u\", \"u_x\"]", "the derivative of 'u' by x"),
        ("fields = [\"u\"]", "fields = [\"points\"]", "the field 'points' can't have this name"),
        ("fields = [\"u\"]", "fields = [\"reference\"]", "the field 'reference' can't have this name"),
        ("nu = 1", "nu = \"1/0\"", "a parameter is inf"),
        ("nu = 1", "sin = 1", "'sin' is a function"),
        (equation, "u/0 = 1", "'u/0' is NaN"),
        (equation, "u_xx = 1/(x - x)", "'1/(x - x)' is inf"),
        (equation, "u_xx = mu", "unknown name 'mu'"),
        (equation, "sin(u, x) = 0", "takes 1 argument"),
        (equation, "u_xxxxxxx = 0", "up to order 6"),
        (equation, "u_xx = ((((x", "never closed"),
        ("u = 0*x", "u = 1/(x - x)", "must be finite"),
        ("u = 0*x", "u^2 = 0", "must be linear"),
        ("on = \"boundary\"", "on = \"x = 0\"", "no condition on the face x = 1"),
        ("[0.3]", "[-0.3]", "positive"),
        ("[0.3]", "[0]", "positive"),
        ("kind = \"gaussian\"", "kind = \"matern\"\norder = \"3/2\"", "unknown choice '3/2'"),
        ("[outer]", "[backend]\nname = \"tpu\"\n[outer]", "backend 'tpu'"),
        ("[outer]", "[backend]\nprecision = \"f16\"\n[outer]", "precision 'f16'"),
        ("steps = 2", "steps = 2\nlearning_rate = nan", "learning_rate = NaN"),
        // Codes for the terminal do not get there.
        ("name = \"small\"", "\"\\u001b[31mx\" = 1", "unknown key '?[31mx'"),
        ("name = \"small\"", "name = \"\u{1b}[31m\"", "invalid"),
        ("name = \"small\"", "name = \"a\\nb\"", "control character: 'a\\nb'"),
    ];
    let commands = ["check case.toml", "solve case.toml --out new", "learn case.toml --out new --quiet"];
    let mut cases: Vec<Case> = replaced
        .iter()
        .zip(commands.iter().cycle())
        .map(|((from, to, told), words)| case(words).config(from, to).told(told))
        .collect();
    let deep = format!("u_xx = {}", "(".repeat(900));
    cases.extend([
        case("learn case.toml").config(equation, &deep).told("nested more than 64 deep"),
        case("learn case.toml").config("u^3", &["u"; 6_000].join("+")).told("characters, at most 10000 are read"),
        case("check case.toml").file("case.toml", "").told("case.toml is empty"),
        case("check case.toml").file("case.toml", b"\x7fELF\x02\xff").told("case.toml: it is no text: byte 5"),
        case("check case.toml").file("case.toml", vec![b'#'; (1 << 20) + 1]).told("at most 1048576 bytes"),
        case("solve case.toml --out new").without("case.toml").folder("case.toml").told("Is a directory"),
        case("learn other.toml").told("configuration other.toml: No such file"),
        case("learn case.toml/x.toml").told("Not a directory"),
        case("check endless.toml").with(device("endless.toml", "/dev/zero")).told("endless.toml: it is too long"),
        case("learn case.toml").file("case.toml", "problem = \"burger\"").told("did you mean 'burgers'?"),
        case("check case.toml").file("case.toml", GOOD.replace("u^3", "u^\u{0}3")).told("invalid"),
    ]);
    all(&cases);
}

#[test]
fn observations_and_points() {
    let learn = || case("learn case.toml --out new");
    let evaluate = |content: &[u8]| on_run("evaluate run points.csv").file("points.csv", content).told("points.csv: ");
    let array = |content: Vec<u8>| on_run("evaluate run points.npy").file("points.npy", content).told("points.npy: ");
    all(&[
        learn().data("d.csv", "").told("d.csv: it is empty"),
        learn().data("d.csv", b"\xff\xfe\x00\x01").told("d.csv: line 1 is no text"),
        learn().data("d.csv", "x,u\n0.5,1e999\n").told("line 2 has inf in the column u"),
        learn().data("d.csv", "x,u\n0.5,nan\n").told("line 2 has NaN in the column u"),
        learn().data("d.csv", "x,u\n0.5,1\n0.6\n").told("line 3 has 1 columns, the first has 2"),
        learn().data("d.csv", "x,v\n0.5,1\n").told("its columns are x, v, needed are x, u"),
        learn().data("d.csv", "x,u,u\n0.5,1,1\n").told("names the column 'u' twice"),
        learn().data("d.csv", "x,u\n1.5,1\n").told("outside the domain"),
        learn().data("d.csv", "\u{1b}[31m,u\n1.5,1\n").told("its columns are \\u{1b}[31m, u"),
        learn().data("d.txt", "0.5,1\n").told("d.txt: it must end in .csv or .npy"),
        learn().data("d.csv", "").without("d.csv").told("d.csv: No such file"),
        learn().data("d.csv", "").without("d.csv").folder("d.csv").told("Is a directory"),
        learn().data("d.csv", "").without("d.csv").with(device("d.csv", "/dev/zero")).told("d.csv: it is too long"),
        learn().data("d.npy", "no array").told("d.npy: it is no NPY file"),
        learn().data("d.npy", npy("(2, 3)", "<f8", &[0.5; 6])).told("3 columns, needed are 2"),
        learn()
            .data("d.npy", npy("(2, 2)", "<f8", &[0.5, 1.0, 0.5]))
            .told("it ends before the last of its 2 x 2 numbers"),
        learn().data("d.npy", npy("(99999999999, 99999999999)", "<f8", &[])).told("which does not fit its"),
        learn().data("d.npy", npy("(1, 2)", "<i8", &[0.5; 2])).told("needed is float64"),
        evaluate(b"").told("it is empty"),
        evaluate(&[0; 64]).told("columns"),
        evaluate(b"x\n").told("it has no rows"),
        evaluate(b"x\n0.5\n1e999\n").told("line 3 has inf"),
        evaluate(b"x\nhalf\n").told("line 2 has 'half'"),
        evaluate(b"x,x\n1,1\n").told("names the column 'x' twice"),
        evaluate(b"0.5,0.5\n").told("2 columns, needed are 1 (x)"),
        array(npy("(4,)", "<f8", &[0.5; 4])).told("its shape is [4]"),
        array(npy("(1, 1)", "<f8", &[f64::NAN])).told("row 1 has NaN"),
        array(npy("(0, 1)", "<f8", &[])).told("it has no rows"),
        on_run("evaluate run other.csv").told("other.csv: No such file"),
        on_run("evaluate run points.csv --derivative u_y").told("derivative 'u_y'"),
        on_run("evaluate run points.csv --derivative").word("").told("derivative '': the expression is empty"),
        on_run("evaluate run points.csv --out new.xlsx").told("new.xlsx: it must end in .csv, .npy or .safetensors"),
        // So far away nothing is left of the arithmetic.
        on_run("evaluate run points.csv").file("points.csv", "1e308\n").fails().told("evaluating 'u'"),
    ]);
}

#[test]
fn models() {
    let model = std::fs::read(finished().join("model.safetensors")).unwrap();
    let changed = |change: fn(&mut Vec<u8>)| {
        on_run("evaluate run points.csv").change("run/model.safetensors", change).told("run/model.safetensors: it is")
    };
    let mut cases = vec![
        changed(Vec::clear).told("truncated"),
        changed(|b| *b = b"PK\x03\x04 and something else".to_vec()).told("no model"),
        changed(|b| b.fill(0x5a)).told("no model"),
        changed(|b| b.extend(b"more")).told("corrupted"),
        on_run("evaluate run points.csv")
            .change("run/model.safetensors", |b| newer(b))
            .told("version 2, this program reads up to 1"),
        on_run("evaluate run/solution.safetensors points.csv").told("it is no model of this program"),
        on_run("evaluate run/checkpoints/step-00003.checkpoint points.csv").told("no model"),
        on_run("evaluate run points.csv").without("run/model.safetensors").told("run/model.safetensors: No such file"),
        on_run("evaluate run points.csv")
            .without("run/model.safetensors")
            .folder("run/model.safetensors")
            .told("Is a directory"),
        on_run("evaluate other points.csv").told("cannot use the model other: No such file"),
        case("evaluate endless points.csv").with(device("endless", "/dev/zero")).told("endless: it is too long"),
    ];
    // Cut or damaged anywhere: length of the header, header, arrays.
    for part in 1..=6 {
        let cut = part * model.len() / 7;
        let cut = move |bytes: &mut Vec<u8>| bytes.truncate(cut);
        cases.push(on_run("evaluate run points.csv").change("run/model.safetensors", cut).told("it is truncated"));
        let at = (part * 7919) % model.len();
        let flip = move |bytes: &mut Vec<u8>| bytes[at] ^= 1 << part;
        cases.push(
            on_run("evaluate run points.csv").change("run/model.safetensors", flip).told("run/model.safetensors: it"),
        );
    }
    all(&cases);
}

/// The version of a model's format raised; its text is as long as before.
fn newer(bytes: &mut [u8]) {
    let mark = b"format_version\\\":1";
    let at = bytes.windows(mark.len()).position(|w| w == mark).unwrap();
    bytes[at + mark.len() - 1] = b'2';
}

#[test]
fn checkpoints_and_other_files_of_a_run() {
    let newest = "run/checkpoints/step-00003.checkpoint";
    all(&[
        unfinished("resume run").change(newest, |b| b[8] = 9).told("has format 9").may_make("run/log.txt"),
        unfinished("resume run")
            .change("run/config.toml", |b| {
                *b = String::from_utf8(b.clone()).unwrap().replace("interior = 12", "interior = 13").into()
            })
            .told("made with another configuration")
            .may_make("run/log.txt"),
        unfinished("resume run --quiet")
            .without("run/checkpoints")
            .file("run/checkpoints", "")
            .fails()
            .told("run/checkpoints: Not a directory")
            .may_make("run/log.txt"),
        // It is passed over, and in the way of the new one.
        unfinished("resume run --quiet")
            .without(newest)
            .folder(newest)
            .fails()
            .told("cannot write run/checkpoints/step-00003.checkpoint")
            .may_make("run/log.txt")
            .may_make("run/metrics.jsonl"),
        unfinished("resume run")
            .without("run/metrics.jsonl")
            .folder("run/metrics.jsonl")
            .fails()
            .told("run/metrics.jsonl")
            .may_make("run/log.txt"),
        unfinished("resume run").without("run/log.txt").folder("run/log.txt").fails().told("run/log.txt"),
        unfinished("report run")
            .change("run/metrics.jsonl", |b| b.splice(0..1, *b"{]").for_each(drop))
            .told("line 1 of run/metrics.jsonl"),
        unfinished("report run").change("run/metrics.jsonl", |b| b[3] = 0xff).told("run/metrics.jsonl is damaged"),
        unfinished("report run").without("run/metrics.jsonl").fails().told("run/metrics.jsonl: No such file"),
        on_run("report run")
            .change("run/report.json", Vec::clear)
            .told("run/report.json is no report of a run")
            .told("EOF"),
        on_run("report run").change("run/report.json", |b| b[2] = 0xff).told("run/report.json is damaged"),
        on_run("resume run").change("run/report.json", |b| b.truncate(40)).told("`hyperpde resume` makes it again"),
        on_run("report run").change("run/solution.safetensors", |b| b.truncate(99)).told("run/solution.safetensors"),
        on_run("report run").change("run/solution.safetensors", |b| b.fill(7)).told("run/solution.safetensors"),
        on_run("report run").change("run/config.toml", Vec::clear).told("run/config.toml is empty"),
        on_run("resume run").change("run/config.toml", |b| b.truncate(30)).told("run/config.toml"),
        on_run("resume run").change("run/config.toml", |b| b.insert(0, 0xff)).told("run/config.toml: it is no text"),
    ]);
}

#[test]
fn a_damaged_checkpoint_costs_steps_and_nothing_else() {
    let solution = std::fs::read(finished().join("solution.safetensors")).unwrap();
    let length = std::fs::metadata(finished().join("checkpoints/step-00003.checkpoint")).unwrap().len() as usize;
    for part in 0..8 {
        let place = Folder::new();
        bench::copy(&finished(), &place.join("run"));
        std::fs::remove_file(place.join("run/report.json")).unwrap();
        let file = place.join("run/checkpoints/step-00003.checkpoint");
        let mut bytes = std::fs::read(&file).unwrap();
        match part % 2 {
            0 => bytes.truncate(part * length / 8),
            _ => bytes[part * length / 8] ^= 1 << part,
        }
        std::fs::write(&file, bytes).unwrap();
        let words = ["resume", "run", "--quiet"];
        let out = Command::new(env!("CARGO_BIN_EXE_hyperpde")).args(words).current_dir(place.path()).output().unwrap();
        let told = String::from_utf8(out.stderr).unwrap();
        assert!(out.status.success() && told.contains("step-00003.checkpoint is"), "{part}: {told}");
        assert!(std::fs::read(place.join("run/solution.safetensors")).unwrap() == solution, "{part}");
    }
}

#[test]
fn folders_and_flags() {
    let words = |words: &str, told: &str| on_run(words).told(told);
    all(&[
        words("resume missing", "there is no folder missing"),
        words("report missing", "there is no folder missing"),
        words("resume case.toml", "case.toml is a file"),
        words("resume empty", "empty holds no config.toml").folder("empty"),
        words("report run", "run holds no config.toml").without("run/config.toml"),
        words("learn case.toml --out run", "`hyperpde resume run` goes on"),
        words("solve case.toml --out case.toml", "case.toml is a file"),
        words("learn case.toml --out full", "the folder full is not empty").folder("full/x"),
        words("learn case.toml --out /", "not empty"),
        words("learn case.toml --out .", "not empty"),
        words("learn case.toml --out case.toml/below", "case.toml").fails(),
        words("learn case.toml", "empty.csv is a file")
            .config("[outer]", "[output]\nfolder = \"empty.csv\"\n[outer]")
            .file("empty.csv", ""),
        words("learn case.toml --out new --json run", "run is a folder").may_make("new"),
        words("learn case.toml --out new --json case.toml/x", "case.toml").fails().may_make("new"),
        words("new heat --out case.toml", "case.toml exists already"),
        words("new heat --out case.toml/below", "case.toml").fails(),
        words("new het", "did you mean 'heat'?"),
        words("evaluate run points.csv --out case.toml/o.csv", "case.toml").fails(),
        words("evaluate run points.csv --out o.csv", "o.csv").folder("o.csv").fails(),
        words("learn", "<CONFIG>"),
        words("resume", "<DIR>"),
        words("evaluate run", "<POINTS>"),
        words("lern case.toml", "unrecognized subcommand 'lern'"),
        words("learn case.toml --sed 1", "unexpected argument '--sed'"),
        words("learn case.toml --seed", "a value is required for '--seed"),
        words("learn case.toml --seed -1", "whole number"),
        words("learn case.toml --seed 1.5", "whole number"),
        words("learn case.toml --seed 99999999999999999999", "99999999999999999999"),
        words("learn case.toml --seed 18446744073709551615 --out new", "may be at most"),
        words("learn case.toml --seed 1 --seed 2", "cannot be used multiple times"),
        words("learn case.toml --backend tpu", "tpu"),
        words("learn case.toml --backend rocm", "rebuild with `--features rocm`"),
        words("learn case.toml --backend flex --device 1", "flex has no device 1: there is device 0 only"),
        words("learn case.toml --backend flex --device -1", "must be a whole number from 0 to 65535"),
        words("learn case.toml --backend flex --precision mixed", "computes on the host, in f64 only"),
        words("learn case.toml --backend flex --precision f16", "use f64, f32 or mixed"),
        words("check case.toml --backend flex --precision f32", "computes on the host, in f64 only"),
        words("learn case.toml other.toml", "unexpected argument 'other.toml'"),
        words("learn case.toml --out", "a value is required for '--out").word(""),
        words("check case.toml --json x", "unexpected argument '--json'"),
        words("completions dos", "possible values"),
    ]);
}

#[test]
fn the_system_says_no() {
    // There are values about zero, where Gauss-Newton starts, and none about what the first step gives.
    let wild = GOOD.replace("u^3 - nu*u_xx = sin(pi*x)", "sqrt(0.1 - u) - nu*u_xx = 40*sin(pi*x)");
    let wild = wild.replace("[solver]", "[solver]\nstep_control = \"full\"");
    all(&[
        case("learn case.toml --out new").variable("HYPERPDE_MEMORY_LIMIT_MIB", "1").told("and 1 MiB are available"),
        case("check case.toml --no-gradient").variable("HYPERPDE_MEMORY_LIMIT_MIB", "1").told("of memory").shows(),
        case("learn case.toml --out new").variable("HYPERPDE_MEMORY_LIMIT_MIB", "lots").told("MIB is lots"),
        // Files of 4 KiB at most: as on a disk that is full. A signal that is ignored makes an error of it.
        case("learn case.toml --out new --quiet")
            .shell("trap '' XFSZ; ulimit -f 8; exec")
            .fails()
            .told("cannot write new/")
            .told("has room")
            .may_make("new"),
        case("new burgers --out new.toml")
            .shell("trap '' XFSZ; ulimit -f 0; exec")
            .fails()
            .told("cannot write new.toml"),
        on_run("evaluate run points.csv --out o.npy")
            .shell("trap '' XFSZ; ulimit -f 0; exec")
            .fails()
            .told("cannot write o.npy"),
        case("solve case.toml --out /proc/new").fails().told("cannot create the folder /proc"),
        case("new heat --out /proc/new.toml").fails().told("cannot").told("/proc"),
        case("learn case.toml --out new --quiet")
            .file("case.toml", wild)
            .fails()
            .told("the run failed while")
            .may_make("new"),
        case("list").shell("exec >/dev/full;").fails().told("standard output"),
    ]);
    // If nobody can be told, the status still tells it.
    let words = ["-c", "\"$0\" check missing.toml 2>/dev/full", env!("CARGO_BIN_EXE_hyperpde")];
    assert_eq!(Command::new("sh").args(words).status().unwrap().code(), Some(2));
}

#[test]
fn messages_as_a_user_sees_them() {
    let messages = [
        ("key", case("check case.toml").config("interior", "interor")),
        ("division", case("learn case.toml").config("u^3", "u^3/(x - x)")),
        ("no_section", case("check case.toml").file("case.toml", "name = \"a\"\n")),
        ("ragged_data", case("learn case.toml").data("d.csv", "x,u\n0.5,1\n0.6\n")),
        ("no_configuration", case("solve other.toml")),
        ("cut_model", on_run("evaluate run points.csv").change("run/model.safetensors", |b| b.truncate(700))),
        ("taken_folder", on_run("learn case.toml --out run")),
        ("no_run", on_run("resume other")),
        ("damaged_report", on_run("report run").change("run/report.json", |b| b.truncate(9))),
        ("memory", case("learn case.toml --out new").variable("HYPERPDE_MEMORY_LIMIT_MIB", "1")),
        ("full_disk", case("new heat --out new.toml").shell("trap '' XFSZ; ulimit -f 0; exec")),
        ("flag", case("learn case.toml --sed 1")),
    ];
    for (name, case) in messages {
        insta::assert_snapshot!(name, case.message());
    }
}
