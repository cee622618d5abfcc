//! Arrays in the safetensors format, float64: `safetensors.numpy.load_file("solution.safetensors")` reads them in Python.

use std::collections::HashMap;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::atomic::write_atomic;
use crate::error::RunError;

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
/// [`RunError::Input`] if a shape does not fit its values or two arrays have one name, [`RunError::Io`] if the file can't be written.
pub fn write_arrays(path: &Path, arrays: &[NamedArray]) -> Result<(), RunError> {
    let bytes =
        to_bytes(arrays, None).map_err(|why| RunError::Input(format!("arrays for {}: {why}", path.display())))?;
    Ok(write_atomic(path, &bytes)?)
}

/// Reads what [`write_arrays`] wrote.
///
/// # Errors
/// [`RunError::Io`] if the file can't be read, [`RunError::Input`] if it holds anything but float64 arrays.
pub fn read_arrays(path: &Path) -> Result<Vec<NamedArray>, RunError> {
    let bytes = std::fs::read(path).map_err(|e| RunError::io("read", path, e))?;
    let (arrays, _) =
        from_bytes(&bytes).map_err(|why| RunError::Input(format!("{} is no file of arrays: {why}", path.display())))?;
    Ok(arrays)
}

/// The key of the one text that goes along with arrays.
const NOTE: &str = "hyperpde";

/// Arrays as safetensors, with a text beside them. Their names differ.
pub(crate) fn to_bytes(arrays: &[NamedArray], note: Option<String>) -> Result<Vec<u8>, String> {
    let bytes: Vec<Vec<u8>> = arrays.iter().map(|a| a.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let mut views = Vec::with_capacity(arrays.len());
    for (i, (array, bytes)) in arrays.iter().zip(&bytes).enumerate() {
        if arrays[..i].iter().any(|before| before.name == array.name) {
            return Err(format!("two have the name '{}'", array.name));
        }
        let view = TensorView::new(Dtype::F64, array.shape.clone(), bytes).map_err(|e| e.to_string())?;
        views.push((array.name.as_str(), view));
    }
    serialize(views, note.map(|text| HashMap::from([(NOTE.to_owned(), text)]))).map_err(|e| e.to_string())
}

/// What [`to_bytes`] was given, the arrays in whatever order.
pub(crate) fn from_bytes(bytes: &[u8]) -> Result<(Vec<NamedArray>, Option<String>), String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let note = header.metadata().as_ref().and_then(|entries| entries.get(NOTE).cloned());
    let mut arrays = Vec::new();
    for (name, view) in SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?.tensors() {
        if view.dtype() != Dtype::F64 {
            return Err(format!("{name} is no array of float64"));
        }
        let number = |b: &[u8]| b.try_into().map(f64::from_le_bytes).unwrap_or(f64::NAN);
        let values = view.data().chunks_exact(8).map(number).collect();
        arrays.push(NamedArray::new(name, view.shape(), values));
    }
    Ok((arrays, note))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_wrong_shapes_are_refused() {
        let file = std::env::temp_dir().join(format!("hyperpde-arrays-{}.safetensors", std::process::id()));
        let u = NamedArray::new("u", [2, 3], (0..6).map(f64::from).collect());
        write_arrays(&file, std::slice::from_ref(&u)).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(read_arrays(&file).unwrap(), [u]);
        std::fs::remove_file(&file).unwrap();
        let view = SafeTensors::deserialize(&bytes).unwrap();
        let u = view.tensor("u").unwrap();
        assert_eq!((u.shape(), u.dtype()), ([2, 3].as_slice(), Dtype::F64));
        assert_eq!(u.data()[40..48], 5.0f64.to_le_bytes());
        assert!(from_bytes(&bytes[..bytes.len() - 1]).is_err());
        assert!(write_arrays(&file, &[NamedArray::new("u", [2, 2], vec![0.0; 6])]).is_err());
        let twice = [NamedArray::new("u", [1], vec![0.0]), NamedArray::new("u", [1], vec![1.0])];
        assert_eq!(to_bytes(&twice, None), Err("two have the name 'u'".into()));
        assert!(!file.exists());
    }

    #[test]
    fn every_bit_of_a_number_is_kept() {
        let values = vec![f64::NAN, -0.0, f64::MIN_POSITIVE / 4.0, f64::INFINITY, 0.1 + 0.2];
        let arrays = [NamedArray::new("a", [5], values.clone()), NamedArray::new("none", [0, 3], Vec::new())];
        let (mut read, note) = from_bytes(&to_bytes(&arrays, Some("text".into())).unwrap()).unwrap();
        read.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(read[0].values.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert_eq!((read[1].shape.as_slice(), note.as_deref()), ([0, 3].as_slice(), Some("text")));
    }
}
