//! The number type of a matrix on a device.

use cubecl::CubeElement;
use cubecl::ir::{ElemType, FloatKind};

use crate::JitterPolicy;

/// Number type of a matrix on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32-bit floats, on every device.
    F32,
    /// 64-bit floats, where the device has them.
    F64,
}

impl Element {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Element::F32 => 4,
            Element::F64 => 8,
        }
    }

    /// `float32` or `float64`.
    pub fn name(self) -> &'static str {
        match self {
            Element::F32 => "float32",
            Element::F64 => "float64",
        }
    }

    /// Jitter that makes a difference in this type: the usual policy for float64, for float32 from 1e-7 (about its
    /// rounding error) by factors of ten up to 1e-3.
    pub fn jitter(self) -> JitterPolicy {
        match self {
            Element::F32 => JitterPolicy::float32(),
            Element::F64 => JitterPolicy::default(),
        }
    }

    /// The type as CubeCL names it.
    pub(super) fn elem_type(self) -> ElemType {
        ElemType::Float(match self {
            Element::F32 => FloatKind::F32,
            Element::F64 => FloatKind::F64,
        })
    }

    /// The bytes of `values`, rounded to this type.
    pub(super) fn encode(self, values: &[f64]) -> Vec<u8> {
        match self {
            Element::F32 => f32::as_bytes(&values.iter().map(|&v| v as f32).collect::<Vec<_>>()).to_vec(),
            Element::F64 => f64::as_bytes(values).to_vec(),
        }
    }

    /// The numbers in `bytes`.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f64> {
        match self {
            Element::F32 => f32::from_bytes(bytes).iter().map(|&v| f64::from(v)).collect(),
            Element::F64 => f64::from_bytes(bytes).to_vec(),
        }
    }
}
