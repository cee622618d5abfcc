//! One golden vector: arrays and scalars.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hyperpde::kernels::Points;
use serde_json::Value;

pub struct Golden {
    pub name: String,
    pub json: Value,
    arrays: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Golden {
    /// All files of the folder that `HYPERPDE_GOLDEN` names, of `assets/golden` otherwise.
    pub fn all() -> Vec<Self> {
        let folder = std::env::var_os("HYPERPDE_GOLDEN")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/golden"), PathBuf::from);
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("golden folder {}: {e}", folder.display()));
        let mut paths: Vec<PathBuf> =
            entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
        paths.sort();
        assert!(!paths.is_empty(), "no golden files in {}", folder.display());
        paths.iter().map(|p| Self::read(p)).collect()
    }

    fn read(path: &Path) -> Self {
        let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let bytes = std::fs::read(path.with_extension("safetensors")).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let arrays = tensors
            .tensors()
            .into_iter()
            .map(|(name, view)| {
                assert_eq!(view.dtype(), safetensors::Dtype::F64, "{name}");
                let data = view.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
                (name, (view.shape().to_vec(), data))
            })
            .collect();
        Self { name: path.file_stem().unwrap().to_string_lossy().into_owned(), json, arrays }
    }

    pub fn text(&self, key: &str) -> &str {
        self.json[key].as_str().unwrap_or_else(|| panic!("{}: no text '{key}'", self.name))
    }

    pub fn number(&self, path: &str) -> f64 {
        self.json.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{}: no number at {path}", self.name))
    }

    /// The accuracy the file gives for a quantity, looked up under either of the two keys in use.
    pub fn rtol(&self, key: &str) -> f64 {
        let table = &self.json["conditioning"];
        let of = |group: &str| table[group][key].as_f64();
        of("suggested_rtol_normwise")
            .or_else(|| of("suggested_rtol"))
            .unwrap_or_else(|| panic!("{}: no accuracy for {key}", self.name))
    }

    pub fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    pub fn array(&self, name: &str) -> &[f64] {
        &self.arrays.get(name).unwrap_or_else(|| panic!("{}: no array '{name}'", self.name)).1
    }

    pub fn shape(&self, name: &str) -> &[usize] {
        &self.arrays.get(name).unwrap_or_else(|| panic!("{}: no array '{name}'", self.name)).0
    }

    pub fn points(&self, name: &str) -> Points {
        Points::new(2, self.array(name).to_vec()).unwrap()
    }

    /// Slice `k` along the first axis.
    pub fn slice(&self, name: &str, k: usize) -> &[f64] {
        let size: usize = self.shape(name)[1..].iter().product();
        &self.array(name)[k * size..(k + 1) * size]
    }

    /// Names of the hyperparameter arrays under a prefix such as `hp.`, in the order in which the kernel holds them.
    pub fn hyperparameters(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.arrays.keys().filter_map(|k| k.strip_prefix(prefix)).map(String::from).collect();
        // A layer holds its kernel before its bias.
        names.sort_by_key(|n| n.replace(".kernel", ".0").replace(".bias", ".1"));
        names
    }

    /// All hyperparameters under a prefix as one vector.
    pub fn flat(&self, prefix: &str) -> Vec<f64> {
        self.hyperparameters(prefix).iter().flat_map(|n| self.array(&format!("{prefix}{n}")).to_vec()).collect()
    }
}

/// `‖a − b‖/‖b‖`.
pub fn relative(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let diff: f64 = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum();
    let norm: f64 = b.iter().map(|y| y * y).sum();
    (diff / norm.max(f64::MIN_POSITIVE)).sqrt()
}
