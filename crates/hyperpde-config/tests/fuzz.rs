//! Random damage to configurations and expressions: whatever is read is refused or accepted, without a panic and in a few seconds.
//!
//! `HYPERPDE_FUZZ_SECONDS` sets how long each test looks, and to start anywhere; `HYPERPDE_FUZZ_SEED` where it starts. A failure tells the seed of its input: started
//! there, a test meets that input first.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write as _;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use hyperpde_config::{Config, catalogue_names, commented};
use hyperpde_expr::{Names, System, constant, linear, scalar, unknown};
use hyperpde_kernels::Points;
use random::Random;

#[path = "../../../tests/common/random.rs"]
mod random;

/// Longest that one input may take, on a machine that has other work.
const LIMIT: Duration = Duration::from_secs(5);
/// Where a run of the usual length starts: it should not fail one day in a hundred.
const USUAL_SEED: u64 = 1;
/// Points up to which a configuration is tried out.
const FEW: usize = 2_000;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

/// Tries one input after another, each made from a seed of its own; `try_one` tells whether the input was accepted.
fn fuzz(what: &str, input: impl Fn(&mut Random) -> String, try_one: fn(&str) -> bool) {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let asked = variable("HYPERPDE_FUZZ_SECONDS");
    let first = variable("HYPERPDE_FUZZ_SEED").unwrap_or(if asked.is_some() { clock } else { USUAL_SEED });
    let time = Duration::from_secs(asked.unwrap_or(5));
    // The input being tried, for an end without a message.
    let present = std::env::temp_dir().join(format!("hyperpde-fuzz-{what}-{}.txt", std::process::id()));
    // Not by `println`, which an abort would lose.
    let _ = writeln!(std::io::stderr(), "{what}: HYPERPDE_FUZZ_SEED={first}, input in {}", present.display());
    let (give, take) = channel::<String>();
    let (answer, answers) = channel();
    let worker = std::thread::spawn(move || {
        for text in take {
            let outcome = std::panic::catch_unwind(|| try_one(&text)).ok();
            if answer.send(outcome).is_err() {
                return;
            }
        }
    });
    let (started, mut tried, mut accepted, mut longest) = (Instant::now(), 0_u64, 0_u64, Duration::ZERO);
    while started.elapsed() < time {
        let seed = first.wrapping_add(tried);
        let text = input(&mut Random(seed));
        std::fs::write(&present, &text).unwrap();
        let begun = Instant::now();
        give.send(text.clone()).unwrap();
        match answers.recv_timeout(LIMIT) {
            Ok(Some(fine)) => accepted += u64::from(fine),
            Ok(None) => panic!("HYPERPDE_FUZZ_SEED={seed}: a panic on\n{text}"),
            Err(RecvTimeoutError::Timeout) => panic!("HYPERPDE_FUZZ_SEED={seed}: more than {LIMIT:?} for\n{text}"),
            Err(RecvTimeoutError::Disconnected) => panic!("HYPERPDE_FUZZ_SEED={seed}: the worker ended"),
        }
        longest = longest.max(begun.elapsed());
        tried += 1;
    }
    drop(give);
    worker.join().unwrap();
    std::fs::remove_file(&present).unwrap();
    println!("{what}: {tried} inputs, {accepted} accepted, the slowest took {longest:?}");
    assert!(tried > accepted && accepted > 0, "{tried} inputs, {accepted} accepted");
}

fn pick<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    from[random.below(from.len() as u64) as usize]
}

fn place(random: &mut Random, length: usize) -> usize {
    random.below(length.max(1) as u64) as usize
}

const NUMBERS: &[&str] = &[
    "0",
    "-0.0",
    "1",
    "-1",
    "2",
    "3",
    "64",
    "65",
    "0.1",
    "1e308",
    "-1e308",
    "1e-308",
    "5e-324",
    "1e300",
    "nan",
    "inf",
    "-inf",
    "255",
    "256",
    "4096",
    "4097",
    "999999",
    "1000001",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999",
    "1e999",
    "0x1F",
    "1_000",
    ".5",
    "5.",
    "true",
    "\"1/0\"",
    "[]",
];
const NAMES: &[&str] = &[
    "u",
    "v",
    "x",
    "y",
    "t",
    "u_x",
    "u_xx",
    "u_t",
    "u_xt",
    "v_xx",
    "u_y",
    "lap(u)",
    "lap(v)",
    "pi",
    "nu",
    "q",
    "u_xxxxxxx",
    "sin",
    "lap",
    "ü",
    "_",
];
const FUNCTIONS: &[&str] = &[
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "ln", "log",
    "log10", "sqrt", "abs", "lap", "foo",
];

/// An expression, most of them correct.
fn expression(random: &mut Random, depth: u64) -> String {
    if depth == 0 || random.below(8) == 0 {
        return match random.below(10) {
            0 => pick(random, NUMBERS).to_owned(),
            1 | 2 => format!("{:.3}", 4.0 * random.number().abs()),
            3 => pick(random, NAMES).to_owned(),
            _ => pick(random, &NAMES[..9]).to_owned(),
        };
    }
    let inner = |random: &mut Random| expression(random, depth - 1);
    match random.below(12) {
        0 => format!("-{}", inner(random)),
        1 => format!("({})", inner(random)),
        2..=4 => format!("{}({})", pick(random, FUNCTIONS), inner(random)),
        5 => format!("({})^{}", inner(random), pick(random, &["2", "3", "-1", "0.5", "64", "1e9", "u", "x"])),
        // A long row, which is cheap to write and may be dear to differentiate.
        6 if random.below(4) == 0 => {
            let (part, sign) = (inner(random), pick(random, &["+", "*", "-", "/", "^"]));
            vec![part; 1 + place(random, 60)].join(sign)
        }
        _ => format!("{}{}{}", inner(random), pick(random, &[" + ", " - ", "*", "/", "^"]), inner(random)),
    }
}

fn equation(random: &mut Random) -> String {
    let depth = 1 + random.below(6);
    let mut text = format!("{} = {}", expression(random, depth), expression(random, 2));
    if random.below(3) == 0 {
        text = bytes(random, &text);
    }
    if random.below(200) == 0 {
        let repeated = pick(
            random,
            &["(", "-", "sin(", "u^", "u*", "u*x*", "u/", "u+", "exp(u)*", "(u+1)*(", "u_x*u*", "=", "1e", "ü"],
        );
        text = repeated.repeat(place(random, 10_000 / repeated.len())) + &text;
    }
    text
}

const SIGNS: &[u8] = b"\"'[]{}()=+-*/^_.,#\n\\ 09eu";

/// Bytes changed, added and removed.
fn bytes(random: &mut Random, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = place(random, bytes.len());
        match random.below(4) {
            0 if at < bytes.len() => drop(bytes.remove(at)),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 => bytes.insert(at, SIGNS[place(random, SIGNS.len())]),
            _ => bytes.insert(at, random.bits() as u8),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where words, numbers and signs begin and end.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || "_.-".contains(c);
        let length = if word(c) { rest.find(|c| !word(c)).unwrap_or(rest.len()) } else { c.len_utf8() };
        let (token, after) = rest.split_at(length);
        out.push(token);
        rest = after;
    }
    out
}

/// Swaps, repeats, removes or takes over pieces.
fn shuffle<'a>(random: &mut Random, pieces: &mut Vec<&'a str>, others: &[&'a str]) {
    let (a, b) = (place(random, pieces.len()), place(random, pieces.len()));
    match random.below(4) {
        _ if pieces.is_empty() => {}
        0 => pieces.swap(a, b),
        1 => pieces.insert(a, pieces[b]),
        2 => drop(pieces.remove(a)),
        _ => pieces[a] = others[place(random, others.len())],
    }
}

fn configuration(random: &mut Random, sources: &[String]) -> String {
    let mut text = sources[place(random, sources.len())].clone();
    let other = &sources[place(random, sources.len())];
    for _ in 0..=random.below(3) {
        text = match random.below(6) {
            0 => bytes(random, &text),
            1 => {
                let mut pieces = tokens(&text);
                shuffle(random, &mut pieces, &tokens(other));
                pieces.concat()
            }
            2 => {
                let mut lines: Vec<&str> = text.lines().collect();
                shuffle(random, &mut lines, &other.lines().collect::<Vec<_>>());
                lines.join("\n")
            }
            3 | 4 => {
                let mut pieces = tokens(&text);
                let number = |piece: &str| piece.starts_with(|c: char| c.is_ascii_digit());
                let numbers: Vec<usize> = (0..pieces.len()).filter(|&i| number(pieces[i])).collect();
                if !numbers.is_empty() {
                    pieces[numbers[place(random, numbers.len())]] = pick(random, NUMBERS);
                }
                pieces.concat()
            }
            _ => {
                // What is between two quotes.
                let mut parts: Vec<String> = text.split('"').map(str::to_owned).collect();
                let quoted = parts.len() / 2;
                if quoted > 0 {
                    parts[2 * place(random, quoted) + 1] =
                        if random.below(2) == 0 { equation(random) } else { expression(random, 3) };
                }
                parts.join("\"")
            }
        };
    }
    text
}

/// Reads a configuration; if it describes a small problem, draws its points and evaluates its equations.
fn read(text: &str) -> bool {
    match Config::parse("fuzz.toml", text, ".") {
        Ok(config) => {
            let run = config.run_settings();
            if run.interior + run.boundary + run.validation <= FEW
                && let Ok(collocation) = config.sample()
            {
                let _ = config.try_equations(&collocation).map_err(|e| e.render(false));
            }
            let resolved = config.to_toml().unwrap();
            assert!(Config::parse("resolved.toml", &resolved, ".").unwrap() == config, "not read back:\n{resolved}");
            true
        }
        Err(error) => {
            assert!(!error.render(false).is_empty() && !error.to_string().is_empty());
            let _ = error.place();
            false
        }
    }
}

/// Reads an expression in every way there is; what is accepted as an equation is evaluated.
fn express(text: &str) -> bool {
    let names = Names {
        coordinates: vec!["t".into(), "x".into()],
        time: true,
        fields: vec!["u".into(), "v".into()],
        parameters: vec![("nu".into(), -0.7)],
    };
    let within = |span: &std::ops::Range<usize>| assert!(text.get(span.clone()).is_some(), "{span:?} of {text}");
    let left = text.split('=').next().unwrap_or_default();
    let _ = (constant(left, &names, "a number"), unknown(left, &names), linear(text, &names, false));
    if let Ok(formula) = scalar(left, &names, "a formula") {
        let _ = formula.at(&[0.5, -0.25]);
    }
    match System::parse(&[text], &names, Vec::new()) {
        Ok(system) => {
            let points = Points::new(2, vec![0.0, 0.0, 0.5, -0.25, 1.0, 2.0]).unwrap();
            for value in [0.0, 1.5] {
                let fields = vec![vec![value; 3]; hyperpde_pde::Equations::unknowns(&system).len()];
                if let Err(fault) = system.try_out(&points, &fields) {
                    within(&fault.span);
                }
            }
            true
        }
        Err((_, fault)) => {
            within(&fault.span);
            false
        }
    }
}

#[test]
fn configurations() {
    let mut sources: Vec<String> = catalogue_names()
        .filter_map(commented)
        .map(|text| {
            // Small, so that reading takes no time and the points may be drawn.
            let small = |line: &str| match line.split_once('=') {
                Some((key, _)) if ["interior", "boundary", "validation"].contains(&key.trim()) => format!("{key}= 40"),
                Some((key, _)) if key.trim() == "batch" => "batch = 10".to_owned(),
                _ => line.to_owned(),
            };
            text.lines().filter(|line| !line.trim_start().starts_with('#')).map(small).collect::<Vec<_>>().join("\n")
        })
        .collect();
    sources.push("problem = \"burgers\"\n[sampling]\ninterior = 50\nboundary = 9\nvalidation = 30\n[outer]\nbatch = 5\nfolds = 2\n[clouds]\nlarger = true\nfresh = [20, 9]\n".into());
    fuzz("configurations", move |random| configuration(random, &sources), read);
}

#[test]
fn expressions() {
    fuzz("expressions", equation, express);
}
