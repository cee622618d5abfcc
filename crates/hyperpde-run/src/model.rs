//! Saved models: what a final solution is solved from, so that it can be evaluated later.
//!
//! A model is a safetensors file with the recipe of the solution ([`SolveSnapshot`]): the iterate that the equations were linearised about,
//! the hyperparameters and the fraction of the Gauss-Newton step. Its header carries the resolved configuration, and the data files that this
//! names are inside. Nothing of size n x n is stored: [`Model::posterior`] solves the linear system again, which gives the same bits on the same
//! backend and machine.
//!
//! ```
//! use hyperpde_bilevel::Bilevel;
//! use hyperpde_config::Config;
//! use hyperpde_run::{Model, evaluate};
//! use hyperpde_kernels::Points;
//!
//! let text = r#"
//!     fields = ["u"]
//!     [domain]
//!     space = [["x", 0, 1]]
//!     [equations]
//!     text = "-u_xx + u^3 = sin(pi*x)"
//!     [[conditions]]
//!     on = "boundary"
//!     text = "u = 0"
//!     [sampling]
//!     interior = 30
//!     boundary = 2
//! "#;
//! let config = Config::parse("example.toml", text, ".")?;
//! let kernels = config.kernels(0, &config.backend().device()?)?;
//! let settings = config.bilevel_settings().frozen(20, 1e-8);
//! let outcome = Bilevel::init(config.problem(), config.sample()?, kernels, settings)?.run(&mut ())?;
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("model.safetensors");
//! Model::save(&file, &config, &outcome.recipe)?;
//!
//! let model = Model::load(&file)?;
//! let posterior = model.posterior()?;
//! let points = Points::new(1, vec![0.25, 0.5])?;
//! assert_eq!(posterior.values(0, &points)?, outcome.last.values(0, &points)?);
//! let found = evaluate(model.config().problem(), &posterior, &points, &["u_xx"], true)?;
//! assert_eq!(found.names(), ["x", "u", "u_xx", "u.deviation", "u_xx.deviation"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::HashMap;
use std::path::Path;

use hyperpde_bilevel::SolveSnapshot;
use hyperpde_gp::Posterior;
use hyperpde_kernels::AnyKernel;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, SafeTensorError, TensorView, serialize};
use serde::{Deserialize, Serialize};

use hyperpde_config::{Config, DataFiles};
use hyperpde_config::{Target, input};

use crate::atomic::write_atomic;
use crate::error::RunError;

/// Name of the model in a run folder.
pub const MODEL_FILE: &str = "model.safetensors";
/// What the header says of every model, and the present version of the format.
const FORMAT: &str = "hyperpde-model";
const FORMAT_VERSION: u32 = 1;
/// Key of the header in the metadata.
const KEY: &str = "hyperpde";
/// Start of the names of data files among the arrays; their numbers follow.
const DATA: &str = "data/";
const CHECKSUM: &str = "checksum";
/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 4 << 30;

/// Present in every version of the format.
#[derive(Deserialize)]
struct Mark {
    format: String,
    format_version: u32,
}

/// All that is no number, as JSON text in the metadata.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    format_version: u32,
    program_version: String,
    /// Where the solution was solved.
    #[serde(flatten)]
    target: Target,
    /// The resolved configuration in TOML.
    config: String,
}

/// A saved solution (see the module documentation).
#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    recipe: SolveSnapshot,
    /// Collocation points, against a program that draws others.
    interior: Vec<f64>,
}

impl Model {
    /// Writes the model, atomically.
    ///
    /// # Arguments
    /// * `config` - the configuration of the run, with whatever its flags changed; its target is where the solution was solved.
    /// * `recipe` - of the solution: [`hyperpde_bilevel::Outcome::recipe`].
    ///
    /// # Errors
    /// [`RunError::Input`] if the recipe belongs to another configuration, [`RunError::Io`] if the file can't be written.
    pub fn save(path: &Path, config: &Config, recipe: &SolveSnapshot) -> Result<(), RunError> {
        let interior = config.sample()?.interior;
        let (n, unknowns) = (interior.len(), config.problem().equations().unknowns().len());
        if recipe.about.len() != unknowns || recipe.about.iter().any(|v| v.len() != n) {
            let what = "the solution to save belongs to another configuration";
            return Err(RunError::Input(format!("{what}: this one has {unknowns} unknowns at {n} points")));
        }
        let header = Header {
            format: FORMAT.into(),
            format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").into(),
            target: config.target(),
            config: config.to_toml_anywhere()?,
        };
        let floats = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let mut arrays = vec![
            Array::new("about", Dtype::F64, vec![unknowns, n], floats(&recipe.about.concat())),
            Array::new("theta", Dtype::F64, vec![recipe.theta.len()], floats(&recipe.theta)),
            Array::new("fraction", Dtype::F64, vec![1], floats(&[recipe.fraction])),
            Array::new("interior", Dtype::F64, vec![n, interior.dim()], floats(interior.as_slice())),
        ];
        for (i, bytes) in config.data().iter().enumerate() {
            arrays.push(Array::new(&format!("{DATA}{i}"), Dtype::U8, vec![bytes.len()], bytes.to_vec()));
        }
        let text = serde_json::to_string(&header)?;
        let sum = checksum(&text, arrays.iter().map(|a| (a.name.as_str(), a.shape.as_slice(), a.bytes.as_slice())));
        arrays.push(Array::new(CHECKSUM, Dtype::U32, vec![1], sum.to_le_bytes().to_vec()));
        let failed = |e: SafeTensorError| RunError::Input(format!("the model can't be written: {e}"));
        let mut views = Vec::new();
        for a in &arrays {
            views.push((a.name.as_str(), TensorView::new(a.dtype, a.shape.clone(), &a.bytes).map_err(failed)?));
        }
        let metadata = HashMap::from([(KEY.to_owned(), text)]);
        Ok(write_atomic(path, &serialize(views, Some(metadata)).map_err(failed)?)?)
    }

    /// Reads a model: a file, or a run folder with one in it.
    ///
    /// # Errors
    /// [`RunError::Input`] in one sentence for a file that can't be read, is no model, has a newer format, is truncated or corrupted, or whose
    /// configuration this program doesn't understand.
    pub fn load(path: &Path) -> Result<Self, RunError> {
        let path = if path.is_dir() { path.join(MODEL_FILE) } else { path.to_path_buf() };
        read(&path).map_err(|why| RunError::Input(format!("cannot use the model {}: {why}", path.display())))
    }

    /// The configuration of the run, resolved.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What the solution is solved from.
    pub fn recipe(&self) -> &SolveSnapshot {
        &self.recipe
    }

    /// Where it was solved: of a run in mixed precision the host.
    pub fn target(&self) -> Target {
        self.config.target()
    }

    /// Solves again where it was solved: the posterior of the final solution.
    ///
    /// # Errors
    /// [`RunError::Input`] if the backend is not compiled in, its device is not there or this program draws other points from the
    /// configuration, [`RunError::Numerical`] if the solve fails.
    pub fn posterior(&self) -> Result<Posterior<AnyKernel>, RunError> {
        self.posterior_on(self.target())
    }

    /// As [`Model::posterior`], elsewhere; in mixed precision on the host.
    ///
    /// # Errors
    /// As there.
    pub fn posterior_on(&self, target: Target) -> Result<Posterior<AnyKernel>, RunError> {
        let opened = target.open()?.for_final_solves()?;
        let collocation = self.config.sample()?;
        if !collocation.interior.as_slice().iter().map(|v| v.to_bits()).eq(self.interior.iter().map(|v| v.to_bits())) {
            let what = "the model's configuration gives other points here than where the model was saved";
            return Err(RunError::Input(format!("{what}; evaluate it with the program that saved it")));
        }
        let solving = "solving the model again";
        let kernels = self.config.kernels(self.config.run_settings().seed, &opened.device);
        let kernels = kernels.map_err(|e| RunError::numerical(solving, e))?;
        let settings = opened.settings(&self.config.bilevel_settings());
        let solved = self.recipe.solve(self.config.problem(), collocation, kernels, &settings);
        solved.map_err(|e| RunError::numerical(solving, e))
    }
}

struct Array {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    fn new(name: &str, dtype: Dtype, shape: Vec<usize>, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), dtype, shape, bytes }
    }
}

/// CRC-32 of the header and of names, shapes and bytes of all arrays but its own, by name.
fn checksum<'a>(header: &str, arrays: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8])>) -> u32 {
    let mut arrays: Vec<_> = arrays.filter(|(name, ..)| *name != CHECKSUM).collect();
    arrays.sort_unstable_by_key(|(name, ..)| *name);
    let mut sum = crc32fast::Hasher::new();
    sum.update(header.as_bytes());
    for (name, shape, bytes) in arrays {
        sum.update(format!("{name} {shape:?} {}", bytes.len()).as_bytes());
        sum.update(bytes);
    }
    sum.finalize()
}

fn read(path: &Path) -> Result<Model, String> {
    let bytes = input::bytes(path, MAX_BYTES)?;
    let file = match SafeTensors::deserialize(&bytes) {
        Ok(file) => file,
        Err(_) if is_cut(&bytes) => return Err("it is truncated; copy or save it again".into()),
        Err(e) => return Err(format!("it is no model, or corrupted ({e})")),
    };
    let corrupted = || "it is corrupted: its checksum does not match; copy or save it again".to_owned();
    // Deserialising read the same metadata.
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|_| corrupted())?;
    let header = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
    let mark = header.and_then(|text| serde_json::from_str::<Mark>(text).ok()).filter(|m| m.format == FORMAT);
    let (Some(text), Some(mark)) = (header, mark) else {
        return Err("it is no model of this program".into());
    };
    if mark.format_version > FORMAT_VERSION {
        return Err(format!(
            "its format has version {}, this program reads up to {FORMAT_VERSION}; use a newer hyperpde",
            mark.format_version
        ));
    }
    let arrays = file.tensors();
    let sum = checksum(text, arrays.iter().map(|(name, view)| (name.as_str(), view.shape(), view.data())));
    if file.tensor(CHECKSUM).ok().map(|view| view.data().to_vec()) != Some(sum.to_le_bytes().to_vec()) {
        return Err(corrupted());
    }
    let header: Header =
        serde_json::from_str(text).map_err(|e| format!("its header can't be read ({e}); use a newer hyperpde"))?;
    let named = (0..).map(|i| file.tensor(&format!("{DATA}{i}")));
    let data: DataFiles = named.map_while(Result::ok).map(|view| view.data().into()).collect();
    let config = Config::parse_with_data("its configuration", &header.config, data)
        .map_err(|e| format!("its configuration can't be read: {e}"))?;
    let floats = |name: &str| -> Result<(Vec<usize>, Vec<f64>), String> {
        let view = file.tensor(name).map_err(|_| format!("it has no array '{name}'"))?;
        let (values, rest) = view.data().as_chunks();
        if view.dtype() != Dtype::F64 || !rest.is_empty() {
            return Err(format!("its array '{name}' is not of float64"));
        }
        Ok((view.shape().to_vec(), values.iter().map(|v| f64::from_le_bytes(*v)).collect()))
    };
    let (shape, about) = floats("about")?;
    let points = shape.last().copied().unwrap_or(0).max(1);
    let about = about.chunks(points).map(<[f64]>::to_vec).collect();
    let fraction = floats("fraction")?.1.first().copied().unwrap_or(1.0);
    let recipe = SolveSnapshot { about, theta: floats("theta")?.1, fraction, points: None };
    Ok(Model { config: config.with_target(header.target), recipe, interior: floats("interior")?.1 })
}

/// Whether the file ends before what its header announces.
fn is_cut(bytes: &[u8]) -> bool {
    let Some(length) = bytes.first_chunk::<8>() else { return true };
    let Ok(length) = usize::try_from(u64::from_le_bytes(*length)) else { return false };
    match bytes.get(8..).map(|rest| rest.split_at_checked(length)) {
        // A header of more than this is no header but whatever stands there.
        Some(None) => length < 1 << 27 && bytes.get(8).is_none_or(|b| *b == b'{'),
        Some(Some((header, data))) => {
            let ends = |header: &serde_json::Value| {
                let ends = header.as_object()?.values().filter_map(|a| a.get("data_offsets")?.get(1)?.as_u64());
                ends.max()
            };
            let header = serde_json::from_slice::<serde_json::Value>(header).ok();
            header.as_ref().and_then(ends).is_some_and(|end| end > data.len() as u64)
        }
        None => true,
    }
}
