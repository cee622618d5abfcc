//! Malformed configurations: each is refused with one message that says what and where, and nothing panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/common/folder.rs"]
mod folder;

use folder::Folder;
use hyperpde_config::{Config, ConfigError};
use random::Random;

#[path = "../../../tests/common/random.rs"]
mod random;

/// A correct configuration; the cases replace parts of it.
const GOOD: &str = r#"fields = ["u"]
[domain]
time = ["t", 0, 1]
space = [["x", -1, 1]]
[parameters]
nu = 0.02
[equations]
text = "u_t + u*u_x - nu*u_xx = 0"
[[conditions]]
on = "t = 0"
text = "u = -sin(pi*x)"
[[conditions]]
on = ["x = -1", "x = 1"]
text = "u = 0"
[exact]
u = "x*exp(-t)"
[sampling]
interior = 20
boundary = 9
validation = 20
test_grid = [10, 10]
[kernel.u]
kind = "gaussian"
length_scales = [0.3]
[solver]
gauss_newton_steps = 2
nugget = 1e-8
[outer]
steps = 2
batch = 10
"#;

/// Reads, draws and evaluates, as `hyperpde check` does.
fn check(text: &str) -> Result<(), ConfigError> {
    let config = Config::parse("case.toml", text, ".")?;
    config.try_equations(&config.sample()?)
}

fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

/// What is replaced by what, words of the message and its help, and the text that the place starts with ("" for none).
const CASES: &[(&str, &str, &[&str], &str)] = &[
    // TOML
    ("fields = [\"u\"]", "fields = [\"u\"", &["expected"], "[domain]"),
    ("nu = 0.02", "nu = 0.02\nnu = 0.03", &["duplicate key"], "nu = 0.03"),
    ("[solver]", "[solver]\n[solver]", &["duplicate key"], "solver]\ngauss"),
    ("interior = 20", "interior = twenty", &["this is no value", "in quotes"], "twenty"),
    ("interior = 20", "interior = \"twenty\"", &["invalid type", "whole number"], "\"twenty\""),
    ("interior = 20", "interior = -20", &["-20", "whole number"], "-20"),
    ("interior = 20", "interior = 2.5", &["2.5", "whole number"], "2.5"),
    ("interior = 20", "interior = 99999999999", &["99999999999", "from 1 to 1000000"], "99999999999"),
    ("interior = 20", "interior = 0", &["interior = 0", "from 1"], "0\nboundary"),
    // Keys
    ("interior = 20", "interor = 20", &["unknown key 'interor'", "did you mean 'interior'?"], "interor"),
    ("[sampling]", "[smapling]", &["unknown key 'smapling'", "did you mean 'sampling'?"], "smapling"),
    (
        "length_scales = [0.3]",
        "lenght_scales = [0.3]",
        &["unknown key 'lenght_scales'", "did you mean 'length_scales'?"],
        "lenght_scales",
    ),
    ("length_scales = [0.3]", "", &["missing key 'length_scales'"], "["),
    ("kind = \"gaussian\"", "kind = \"gausian\"", &["unknown choice 'gausian'", "did you mean 'gaussian'?"], ""),
    ("text = \"u = -sin(pi*x)\"", "", &["missing key 'text'"], "["),
    ("[equations]", "[equation]", &["unknown key 'equation'", "did you mean 'equations'?"], "equation"),
    // Domain
    ("[\"x\", -1, 1]", "[\"x\", 1, -1]", &["interval of 'x' is [1, -1]", "lower end comes first"], "1, -1"),
    ("[\"x\", -1, 1]", "[\"x\", 1, 1]", &["[1, 1]"], "1, 1"),
    ("[\"x\", -1, 1]", "[\"x\", nan, 1]", &["NaN", "finite"], "nan"),
    ("[\"x\", -1, 1]", "[\"x\", -inf, 1]", &["-inf", "finite"], "-inf"),
    ("[\"x\", -1, 1]", "[\"x\", -1]", &["invalid length 2"], "[\"x\", -1]"),
    ("[\"x\", -1, 1]", "[\"x\", -1, \"2*q\"]", &["unknown name 'q'"], "q\""),
    ("[\"x\", -1, 1]", "[\"t\", -1, 1]", &["coordinate 't' can't have this name", "coordinate already"], "\"t\", -1"),
    ("[\"x\", -1, 1]]", "[\"x\", -1, 1], [\"xx\", 0, 1]]", &["'xx'", "spelled by other coordinates"], "\"xx\""),
    ("space = [[\"x\", -1, 1]]", "space = []", &["0 coordinates of space"], "[]"),
    // Names
    ("fields = [\"u\"]", "fields = [\"x\"]", &["field 'x' can't have this name", "coordinate already"], "\"x\"]\n"),
    ("fields = [\"u\"]", "fields = [\"u\", \"u_x\"]", &["field 'u_x'", "derivative of 'u' by x"], "\"u_x\""),
    ("fields = [\"u\"]", "fields = [\"u\", \"u\"]", &["field already"], "\"u\"]\n"),
    ("fields = [\"u\"]", "fields = [\"sin\"]", &["'sin' is a function"], "\"sin\""),
    ("fields = [\"u\"]", "fields = [\"2u\"]", &["'2u' is no name"], "\"2u\""),
    ("fields = [\"u\"]", "fields = []", &["0 fields"], "[]"),
    ("nu = 0.02", "pi = 3", &["parameter 'pi'", "3.14159"], "pi = 3"),
    ("nu = 0.02", "nu = 0.02\nu = 1", &["parameter 'u'", "field already"], "u = 1"),
    ("nu = 0.02", "nu = \"1/0\"", &["a parameter is inf", "finite"], "1/0"),
    // Equations
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u*u_x - mu*u_xx = 0", &["unknown name 'mu'", "did you mean 'nu'?"], "mu*u_xx"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u*u_y = 0", &["'u_y' is no derivative of 'u'", "coordinates are t, x"], "u_y"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + sin(u, u_x) = 0", &["'sin' takes 1 argument, here it has 2"], "sin(u"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + sin() = 0", &["'sin' takes 1 argument, here it has 0"], "sin("),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + snh(u) = 0", &["unknown function 'snh'", "did you mean 'sinh'?"], "snh"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u(x) = 0", &["'u' is no function", "u*(...)"], "u(x)"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + sin*u = 0", &["'sin' is a function and needs an argument"], "sin*u"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + (u*u_x = 0", &["'(' is never closed"], "(u*u_x"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u*u_x) = 0", &["')' closes nothing"], ") = 0"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u u_x = 0", &["operator is missing", "'*'"], "u_x = 0"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u*u_x -", &["ends too early"], "-\""),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u**2 = 0", &["'**'", "'^'"], "**2"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t = u = 0", &["one '='"], "= 0\""),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u*u_x", &["no '='"], "u_t + u"),
    ("u_t + u*u_x - nu*u_xx = 0", "x = t", &["no field"], "x = t"),
    ("u_t + u*u_x - nu*u_xx = 0", "", &["expression is empty"], "\"\n[[cond"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u_xxxxxxx = 0", &["order 7", "up to order 6"], "u_xxxxxxx"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + 1e999*u = 0", &["'1e999' is no finite number"], "1e999"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + u/0 = 0", &["'u/0' is NaN"], "u/0"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + ln(x)*u_xx = 0", &["'ln(x)' is NaN at t = "], "ln(x)"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + sqrt(u)*u_xx = 0", &["the derivative of 'sqrt(u)*u_xx'"], "sqrt(u)"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + lap(x) = 0", &["'lap' takes 1 argument, the name of a field"], "x) = 0"),
    ("u_t + u*u_x - nu*u_xx = 0", "u_t + $ = 0", &["'$' has no meaning"], "$"),
    // Conditions
    ("on = [\"x = -1\", \"x = 1\"]", "on = \"x = -1\"", &["no condition on the face x = 1", "free = [...]"], "["),
    ("on = \"t = 0\"", "on = \"t = 0.5\"", &["'t = 0.5' is no face", "'t' ends at 0 and 1"], "\"t = 0.5\""),
    ("on = \"t = 0\"", "on = \"left\"", &["unknown name 'left'"], "left"),
    ("on = \"t = 0\"", "", &["either `on` or `periodic`"], "["),
    ("on = \"t = 0\"", "periodic = \"y\"", &["'y' is no coordinate"], "\"y\""),
    ("u = -sin(pi*x)", "u^2 = x", &["must be linear"], "u^2"),
    ("u = -sin(pi*x)", "u = 1/x^0.5", &["must be finite"], "\"u = 1/x"),
    ("u = -sin(pi*x)", "x = 0", &["no field"], "x = 0\""),
    ("u = -sin(pi*x)", "u", &["no '='"], "u\""),
    ("on = [\"x = -1\", \"x = 1\"]", "on = [\"x = -1\", \"x = 1\", \"x = 1\"]", &["is there twice"], "\"u = 0\""),
    // Exact solution, sampling, kernel, solver, outer, backend
    ("u = \"x*exp(-t)\"", "w = \"x*exp(-t)\"", &["'w' is no field"], "w = "),
    ("u = \"x*exp(-t)\"", "u = \"x*u\"", &["'u' is a field"], "u\""),
    ("u = \"x*exp(-t)\"", "reference = \"heat\"", &["another domain", "x in [0, 1]"], "\"heat\""),
    ("u = \"x*exp(-t)\"", "reference = \"heet\"", &["no built-in problem 'heet'", "did you mean 'heat'?"], "\"heet\""),
    ("test_grid = [10, 10]", "test_grid = [10]", &["[10]", "2 counts"], "[10]"),
    ("test_grid = [10, 10]", "test_grid = [100000, 100000]", &["at most 1000000"], "[100000"),
    ("test_grid = [10, 10]", "test_grid = { x = [0, 5, 4], t = [0, 1, 4] }", &["x = 5", "outside"], "{ x"),
    (
        "test_grid = [10, 10]",
        "sampler = \"holton\"",
        &["unknown choice 'holton'", "did you mean 'halton'?"],
        "\"holton\"",
    ),
    ("test_grid = [10, 10]", "seed = -1", &["-1", "whole number"], "-1\n[kernel"),
    ("boundary = 9", "boundary = 2", &["boundary = 2", "3 faces"], "2\nvalidation"),
    ("[kernel.u]", "[kernel.w]", &["a kernel for 'w', which is no field"], "w]"),
    ("length_scales = [0.3]", "length_scales = [-0.3]", &["length scale", "positive"], "["),
    ("length_scales = [0.3]", "length_scales = [0.3, 0.3, 0.3]", &["kernel of 'u'", "3 coordinates"], "["),
    ("kind = \"gaussian\"", "kind = \"gibbs\"\ndim = 3\ndivisor = 1.0\nhidden = [5]", &["invalid type"], ""),
    ("nugget = 1e-8", "nugget = -1e-8", &["nugget = -0.00000001", "from 0 to 1"], "-1e-8"),
    ("nugget = 1e-8", "assembly = \"fast\"", &["unknown choice 'fast'"], "\"fast\""),
    ("[outer]\n", "[outer]\nobjective = \"misfit\"\n", &["unknown choice 'misfit'", "validation"], "\"misfit\""),
    ("[outer]\n", "[outer]\noptimizer = \"sgd\"\n", &["unknown choice 'sgd'", "adam"], "\"sgd\""),
    ("[outer]\n", "[outer]\nlearning_rate = 0\n", &["learning_rate = 0", "above 0"], "0\nsteps"),
    ("[outer]\n", "[outer]\nheld_out = 1\n", &["held_out = 1", "below 1"], "1\nsteps"),
    ("[outer]\n", "[outer]\nfolds = 3\n", &["folds = 3", "smallest has 0"], "3\nsteps"),
    ("batch = 10", "batch = 30", &["batch is 30", "pool has 20"], "30"),
    ("[outer]", "[backend]\nname = \"tpu\"\n[outer]", &["backend 'tpu'", "compiled in"], "\"tpu\""),
    ("[outer]", "[backend]\nprecision = \"f16\"\n[outer]", &["precision 'f16'", "use f64"], "\"f16\""),
    (
        "[outer]",
        "[backend]\nname = \"flex\"\nprecision = \"mixed\"\n[outer]",
        &["precision 'mixed'", "flex computes on the host, in f64 only"],
        "\"mixed\"",
    ),
    ("[outer]", "[backend]\ndevice = -1\n[outer]", &["-1", "whole number"], "-1\n[outer"),
    ("[outer]", "[output]\ncheckpoint_every = 0\n[outer]", &["checkpoint_every = 0", "from 1"], "0\n[outer"),
    ("[outer]", "[clouds]\nlarger = 1\n[outer]", &["invalid type", "boolean"], "1\n[outer"),
    ("[outer]", "[clouds]\nfresh = [0, 9]\n[outer]", &["fresh = [0, 9]", "1 to 1000000"], "[0, 9]"),
    ("[outer]", "[clouds]\nfresh = [20, 2]\n[outer]", &["3 parts of the boundary"], "[20, 2]"),
    ("[outer]", "[clouds]\nfresh = [20]\n[outer]", &["invalid length"], "[20]"),
    ("[outer]", "[clouds]\ntransfer = [\"burger\"]\n[outer]", &["did you mean 'burgers'?"], "\"burger\""),
    ("[outer]", "[clouds]\ntransfer = [\"gray-scott\"]\n[outer]", &["do not fit 'gray-scott'", "u, v"], "\"gray"),
    ("fields = [\"u\"]", "problem = \"burgers\"\nfields = [\"u\"]", &["'burgers' has its own fields"], "[\"u\"]"),
    ("fields = [\"u\"]", "", &["there are no fields"], ""),
];

#[test]
fn the_base_of_the_cases_is_accepted() {
    check(GOOD).unwrap();
}

#[test]
fn each_case_is_refused_with_what_and_where() {
    assert!(CASES.len() >= 60);
    let mut failures = Vec::new();
    for (from, to, words, place) in CASES {
        let text = with(from, to);
        let Err(error) = check(&text) else {
            failures.push(format!("{to}: accepted"));
            continue;
        };
        let shown = error.render(false).split_whitespace().filter(|w| *w != "│").collect::<Vec<_>>().join(" ");
        if let Some(missing) = words.iter().find(|w| !shown.contains(**w)) {
            failures.push(format!("{to}: '{missing}' is missing in\n{error:?}"));
        }
        if !place.is_empty() {
            let at = error.place().map(|(line, column)| {
                let line = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
                text[line + column - 1..].to_owned()
            });
            if !at.as_deref().is_some_and(|at| at.starts_with(place)) {
                failures.push(format!("{to}: it points at {at:.40?}, not at {place:?}\n{error:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {}\n{}", failures.len(), CASES.len(), failures.join("\n"));
}

#[test]
fn a_field_that_nothing_uses() {
    let text = with("fields = [\"u\"]", "fields = [\"u\", \"w\"]").replace("u = \"x*exp(-t)\"", "u = \"x\"\nw = \"0\"");
    let error = check(&text).unwrap_err();
    assert!(
        error.to_string().contains("the field 'w' is in no equation and no observation (case.toml:1:16)"),
        "{error:?}"
    );
}

#[test]
fn files_that_are_no_configurations() {
    let folder = Folder::new();
    let cases: [(&str, &[u8], &str); 4] = [
        ("empty.toml", b"", "is empty"),
        ("blank.toml", b"\n  \n", "is empty"),
        ("binary.toml", b"\x7fELF\x02\xff\x00", "not UTF-8"),
        ("noise.toml", b"\x00\x01\x02", "case"),
    ];
    for (name, bytes, word) in cases {
        std::fs::write(folder.join(name), bytes).unwrap();
        let message = Config::load(folder.join(name)).unwrap_err().to_string();
        assert!(message.contains(word) || word == "case", "{name}: {message}");
    }
    std::fs::write(folder.join("huge.toml"), vec![b' '; 2 << 20]).unwrap();
    assert!(Config::load(folder.join("huge.toml")).unwrap_err().to_string().contains("at most 1048576"));
    assert!(Config::load(folder.join("none.toml")).unwrap_err().to_string().contains("none.toml"));
    assert!(Config::load(folder.path()).is_err());
    // Deep nesting and long chains must not exhaust the stack.
    for inner in ["(".repeat(100_000), "-".repeat(9_000), "(".repeat(4_000), "sin(".repeat(2_000), "u^".repeat(4_000)] {
        assert!(check(&with("u_t + u*u_x", &inner)).is_err());
    }
    assert!(check(&with("fields = [\"u\"]", &format!("fields = {}", "[".repeat(50_000)))).is_err());
    let kernel = format!("terms = [{}{}]", "{kind = \"sum\", terms = [".repeat(500), "]}".repeat(500));
    assert!(check(&with("kind = \"gaussian\"\nlength_scales = [0.3]", &format!("kind = \"sum\"\n{kernel}"))).is_err());
}

#[test]
fn data_files() {
    let folder = Folder::new();
    let npy = |name: &str, shape: &[u64], values: &[f64]| {
        use npyz::WriterBuilder;
        let mut bytes = Vec::new();
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    let read = |file: &str, noise: &str| {
        let data = format!("[[observations]]\nof = \"u\"\nfile = \"{file}\"\nnoise = {noise}\n[exact]");
        Config::parse("case.toml", &with("[exact]", &data), folder.path())
    };
    let csv = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    csv("plain.csv", "0.1, 0.2, 3\n0.4, -0.5, 6\n");
    csv("named.csv", "u,t,x,weight\n3,0.1,0.2,7\n6,0.4,-0.5,7\n");
    npy("good.npy", &[2, 3], &[0.1, 0.2, 3.0, 0.4, -0.5, 6.0]);
    for file in ["plain.csv", "named.csv", "good.npy"] {
        let config = read(file, "1e-3").unwrap_or_else(|e| panic!("{e:?}"));
        let data = &config.problem().observations()[0];
        assert_eq!(data.points().unwrap().as_slice(), [0.1, 0.2, 0.4, -0.5], "{file}");
        assert_eq!((data.values().unwrap(), data.noise_std()), ([3.0, 6.0].as_slice(), 1e-3), "{file}");
        assert_eq!(config.held_out(), 0.25);
    }
    csv("empty.csv", "");
    csv("head.csv", "t,x,u\n");
    csv("short.csv", "0.1,0.2\n");
    csv("ragged.csv", "0.1,0.2,3\n0.1,0.2\n");
    csv("words.csv", "0.1,0.2,3\n0.1,0.2,three\n");
    csv("nan.csv", "0.1,0.2,nan\n");
    csv("outside.csv", "0.1,5,3\n");
    csv("other.csv", "t,y,u\n0.1,0.2,3\n");
    csv("data.txt", "0.1,0.2,3\n");
    std::fs::write(folder.join("binary.csv"), [0xff, 0xfe, 0x00, 0x01]).unwrap();
    std::fs::write(folder.join("fake.npy"), "not an array").unwrap();
    npy("flat.npy", &[6], &[0.0; 6]);
    npy("wide.npy", &[2, 4], &[0.0; 8]);
    npy("inf.npy", &[1, 3], &[0.1, 0.2, f64::INFINITY]);
    let header = b"\x93NUMPY\x01\x00\x56\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }";
    std::fs::write(folder.join("giant.npy"), [header.as_slice(), &[b' '; 20]].concat()).unwrap();
    let cases = [
        ("none.csv", "1", "none.csv"),
        ("empty.csv", "1", "columns"),
        ("head.csv", "1", "no rows"),
        ("short.csv", "1", "2 columns, needed are 3"),
        ("ragged.csv", "1", "line 2 has 2 columns"),
        ("words.csv", "1", "line 2 has 'three'"),
        ("nan.csv", "1", "NaN"),
        ("outside.csv", "1", "outside the domain"),
        ("other.csv", "1", "its columns are t, y, u"),
        ("data.txt", "1", ".csv or .npy"),
        ("binary.csv", "1", "binary.csv"),
        ("fake.npy", "1", "fake.npy"),
        ("flat.npy", "1", "[6]"),
        ("wide.npy", "1", "4 columns, needed are 3"),
        ("inf.npy", "1", "inf"),
        ("giant.npy", "1", "giant.npy"),
        ("plain.csv", "-1", "noise = -1"),
        ("plain.csv", "nan", "noise = NaN"),
    ];
    for (file, noise, word) in cases {
        let error = read(file, noise).expect_err(file);
        let shown = error.render(false).split_whitespace().filter(|w| *w != "│").collect::<Vec<_>>().join(" ");
        assert!(shown.contains(word) && error.place().is_some(), "{file}: {error:?}");
    }
    let simulated = with("[exact]\nu = \"x*exp(-t)\"", "[[observations]]\nof = \"u\"\nsimulate = 5\nnoise = 0.1");
    assert!(check(&simulated).unwrap_err().to_string().contains("need an [exact] solution"));
}

#[test]
fn representative_messages() {
    let shown = |from: &str, to: &str| check(&with(from, to)).unwrap_err().render(false);
    let equation = "u_t + u*u_x - nu*u_xx = 0";
    insta::assert_snapshot!("unknown_name", shown(equation, "u_t + u*u_x - mu*u_xx = 0"));
    insta::assert_snapshot!("wrong_arity", shown(equation, "u_t + sin(u, u_x) = 0"));
    insta::assert_snapshot!("no_finite_value", shown(equation, "u_t + ln(x)*u_xx = 0"));
    insta::assert_snapshot!("order_too_high", shown(equation, "u_t + u_xxxxxxx = 0"));
    insta::assert_snapshot!("unknown_key", shown("interior = 20", "interor = 20"));
    insta::assert_snapshot!("unknown_key_in_kernel", shown("length_scales = [0.3]", "lenght_scales = [0.3]"));
    insta::assert_snapshot!("missing_face", shown("on = [\"x = -1\", \"x = 1\"]", "on = \"x = -1\""));
    insta::assert_snapshot!("reversed_interval", shown("[\"x\", -1, 1]", "[\"x\", 1, -1]"));
    insta::assert_snapshot!("colliding_name", shown("fields = [\"u\"]", "fields = [\"u\", \"u_x\"]"));
    insta::assert_snapshot!("duplicate_key", shown("nu = 0.02", "nu = 0.02\nnu = 0.03"));
    let rough = with("kind = \"gaussian\"", "kind = \"matern\"\norder = \"5/2\"").replace(equation, "u_t + u_xxx = 0");
    insta::assert_snapshot!("rough_kernel", check(&rough).unwrap_err().render(false));
    // Colour adds codes and changes no character.
    let error = check(&with("interior = 20", "interor = 20")).unwrap_err();
    let plain: String =
        error.render(true).split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect();
    assert_eq!(plain, error.render(false));
}

#[test]
fn damaged_configurations_are_read_or_refused() {
    let mut rng = Random(5);
    let mut refused = 0;
    for name in ["burgers", "gray-scott", "schrodinger", "allen-cahn"] {
        let text: Vec<char> = hyperpde_config::commented(name).unwrap().chars().collect();
        for _ in 0..250 {
            let mut damaged = text.clone();
            for _ in 0..1 + rng.below(3) {
                let at = rng.below(damaged.len() as u64) as usize;
                match rng.below(3) {
                    0 => drop(damaged.remove(at)),
                    1 => damaged.insert(at, ['"', '[', '=', '9', '(', '\n', 'ß', '-'][rng.below(8) as usize]),
                    _ => damaged.swap(at, text.len() / 2),
                }
            }
            let damaged: String = damaged.into_iter().collect();
            if let Err(error) = Config::parse("damaged.toml", &damaged, ".") {
                assert!(!error.render(false).is_empty());
                refused += 1;
            }
        }
    }
    assert!(refused > 300, "{refused}");
}
