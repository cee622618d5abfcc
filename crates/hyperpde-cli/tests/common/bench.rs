//! One case of bad input: a folder of its own with what the command finds there, the command run in it, and what must be so afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::Folder;

/// Longest that a case may take, on a machine that has other work.
const PATIENCE: Duration = Duration::from_secs(60);

/// A small problem whose run takes a fraction of a second. Cases replace parts of it.
pub const GOOD: &str = r#"name = "small"
fields = ["u"]
[domain]
space = [["x", 0, 1]]
[parameters]
nu = 1
[equations]
text = "u^3 - nu*u_xx = sin(pi*x)"
[[conditions]]
on = "boundary"
text = "u = 0*x"
[sampling]
interior = 12
boundary = 2
validation = 12
test_grid = [11]
[kernel.u]
kind = "gaussian"
length_scales = [0.3]
[solver]
gauss_newton_steps = 3
[outer]
steps = 2
batch = 6
"#;

type Preparation = Box<dyn Fn(&Path) + Send + Sync>;

/// A command that must fail.
pub struct Case {
    words: Vec<String>,
    preparations: Vec<Preparation>,
    variables: Vec<(&'static str, &'static str)>,
    /// Run by a shell after these words of it.
    shell: Option<&'static str>,
    status: i32,
    told: Vec<String>,
    /// What the command may have made or changed: paths that begin so.
    made: Vec<&'static str>,
    /// Whether something may stand on standard output before the failure.
    shows: bool,
}

/// `hyperpde WORDS`, with `case.toml` in place, must end with status 2.
pub fn case(words: &str) -> Case {
    Case {
        words: words.split_whitespace().map(str::to_owned).collect(),
        preparations: Vec::new(),
        variables: Vec::new(),
        shell: None,
        status: 2,
        told: Vec::new(),
        made: Vec::new(),
        shows: false,
    }
    .file("case.toml", GOOD)
}

impl Case {
    /// One more argument, as it is.
    pub fn word(mut self, word: &str) -> Self {
        self.words.push(word.to_owned());
        self
    }

    pub fn with(mut self, prepare: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        self.preparations.push(Box::new(prepare));
        self
    }

    pub fn file(self, name: &'static str, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref().to_vec();
        self.with(move |place| fs::write(place.join(name), &content).unwrap())
    }

    pub fn folder(self, name: &'static str) -> Self {
        self.with(move |place| fs::create_dir_all(place.join(name)).unwrap())
    }

    /// `case.toml` with a part replaced.
    pub fn config(self, from: &str, to: &str) -> Self {
        assert!(GOOD.contains(from), "{from}");
        self.file("case.toml", GOOD.replacen(from, to, 1))
    }

    /// Observations from a file in `case.toml`.
    pub fn data(self, name: &'static str, content: impl AsRef<[u8]>) -> Self {
        let section = format!("[[observations]]\nof = \"u\"\nfile = \"{name}\"\nnoise = 0.1\n[sampling]");
        self.config("[sampling]", &section).file(name, content)
    }

    /// A copy of a finished run in `run`.
    pub fn run_from(self, finished: &Path) -> Self {
        let finished = finished.to_path_buf();
        self.with(move |place| copy(&finished, &place.join("run")))
    }

    pub fn change(self, file: &'static str, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Self {
        self.with(move |place| {
            let mut bytes = fs::read(place.join(file)).unwrap();
            change(&mut bytes);
            fs::write(place.join(file), bytes).unwrap();
        })
    }

    pub fn without(self, name: &'static str) -> Self {
        self.with(move |place| {
            let path = place.join(name);
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        })
    }

    pub fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    pub fn shell(mut self, before: &'static str) -> Self {
        self.shell = Some(before);
        self
    }

    pub fn fails(mut self) -> Self {
        self.status = 1;
        self
    }

    pub fn told(mut self, words: &str) -> Self {
        self.told.push(words.to_owned());
        self
    }

    pub fn may_make(mut self, start: &'static str) -> Self {
        self.made.push(start);
        self
    }

    pub fn shows(mut self) -> Self {
        self.shows = true;
        self
    }

    /// The program's words, as a user sees them.
    pub fn message(&self) -> String {
        let place = self.place();
        String::from_utf8(self.run(place.path()).stderr).unwrap()
    }

    fn place(&self) -> Folder {
        let place = Folder::new();
        self.preparations.iter().for_each(|prepare| prepare(place.path()));
        place
    }

    fn run(&self, place: &Path) -> Output {
        let program = env!("CARGO_BIN_EXE_hyperpde");
        let mut command = match self.shell {
            Some(line) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("{line} \"$0\" \"$@\""), program]);
                shell
            }
            None => Command::new(program),
        };
        command.args(&self.words).current_dir(place).env_remove("RUST_LOG").env("RUST_BACKTRACE", "1");
        command.envs(self.variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if started.elapsed() > PATIENCE {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.wait_with_output().unwrap()
    }

    /// Runs it; gives what is wrong with the outcome.
    pub fn faults(&self) -> Vec<String> {
        let place = self.place();
        let before = files(place.path());
        let out = self.run(place.path());
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        let mut faults = Vec::new();
        let mut must = |so: bool, what: &str| {
            if !so {
                faults.push(format!("{:?}: {what}\n{told}", self.words));
            }
        };
        must(out.status.code() == Some(self.status), &format!("{}, not {}", out.status, self.status));
        must(self.shows || out.stdout.is_empty(), "it wrote to standard output");
        let is_message = |line: &&str| line.starts_with("error:") || line.trim_start().starts_with('×');
        let messages = told.lines().filter(is_message).count();
        must(messages == 1, &format!("{messages} messages"));
        // miette breaks long lines.
        let flat: Vec<&str> = told.split_whitespace().filter(|word| *word != "│").collect();
        let flat = flat.join(" ");
        for words in &self.told {
            must(flat.contains(words), &format!("'{words}' is missing"));
        }
        must(!told.contains("panicked") && !told.contains("backtrace"), "a panic");
        must(!told.contains('\u{1b}'), "codes for a terminal");
        let after = files(place.path());
        let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
        for name in names {
            must(self.made.iter().any(|start| name.starts_with(start)), &format!("{name} was made or changed"));
            must(!name.ends_with(".tmp"), &format!("{name} is left over"));
        }
        faults
    }
}

/// Runs all cases, a few at a time, and fails with all that is wrong.
pub fn all(cases: &[Case]) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let faults = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    faults.lock().unwrap().extend(case.faults());
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} faults in {} cases\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// Every file below a folder with its content, every folder with none.
fn files(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    fn add(root: &Path, folder: &Path, all: &mut BTreeMap<String, Option<Vec<u8>>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                all.insert(name, None);
                add(root, &path, all);
            } else {
                // A link may lead to a device without an end.
                let content = if path.is_file() { fs::read(&path).ok() } else { None };
                all.insert(name, content);
            }
        }
    }
    let mut all = BTreeMap::new();
    add(folder, folder, &mut all);
    all
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target)
        } else {
            let _: u64 = fs::copy(&path, &target).unwrap();
        }
    }
}
