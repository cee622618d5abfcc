//! Arrays in the safetensors format, float64: `safetensors.numpy.load_file("solution.safetensors")` reads them in Python.

use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::{CliError, write_atomic};

/// A named float64 array, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedArray {
    /// Name in the file.
    pub name: String,
    /// Shape; the product is the number of values.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub values: Vec<f64>,
}

impl NamedArray {
    /// An array from its parts.
    pub fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>, values: Vec<f64>) -> Self {
        Self { name: name.into(), shape: shape.into(), values }
    }
}

/// Writes arrays to `path`, atomically.
///
/// # Errors
/// [`CliError::Input`] if a shape does not fit its values, [`CliError::Io`] if the file can't be written.
pub fn write_arrays(path: &Path, arrays: &[NamedArray]) -> Result<(), CliError> {
    let bytes: Vec<Vec<u8>> = arrays.iter().map(|a| a.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let refused = |e: safetensors::SafeTensorError| CliError::Input(format!("arrays for {}: {e}", path.display()));
    let mut views = Vec::with_capacity(arrays.len());
    for (array, bytes) in arrays.iter().zip(&bytes) {
        views.push((array.name.as_str(), TensorView::new(Dtype::F64, array.shape.clone(), bytes).map_err(refused)?));
    }
    write_atomic(path, &serialize(views, None).map_err(refused)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_wrong_shapes_are_refused() {
        let file = std::env::temp_dir().join(format!("hyperpde-arrays-{}.safetensors", std::process::id()));
        write_arrays(&file, &[NamedArray::new("u", [2, 3], (0..6).map(f64::from).collect())]).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let view = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let u = view.tensor("u").unwrap();
        assert_eq!((u.shape(), u.dtype()), ([2, 3].as_slice(), Dtype::F64));
        assert_eq!(u.data()[40..48], 5.0f64.to_le_bytes());
        assert!(write_arrays(&file, &[NamedArray::new("u", [2, 2], vec![0.0; 6])]).is_err());
        assert!(!file.exists());
    }
}
