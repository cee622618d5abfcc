//! Arrays in a file that can tell whether it is whole.
//!
//! ```text
//! 8 bytes   what the file is
//! 4 bytes   version of its format
//! 8 bytes   length of the rest
//! 4 bytes   CRC-32 of version, length and rest
//! the rest  safetensors: float64 arrays, and a JSON object as text in the metadata
//! ```
//!
//! Numbers are little-endian. A flipped bit anywhere, a missing end and bytes too many are noticed.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arrays::{self, NamedArray};

/// Bytes before the arrays.
const HEADER: usize = 24;

/// What a file is, and the newest format of it that this program reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub magic: [u8; 8],
    pub version: u32,
}

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsealed {
    /// Something else.
    OtherKind,
    /// A format of the future.
    Newer { version: u32 },
    /// The end is missing.
    Truncated { bytes: u64, expected: u64 },
    /// Bits changed, or the content makes no sense.
    Corrupted(String),
}

/// The content of a file: arrays, and what `meta` says, which holds no floating-point numbers.
pub(crate) fn seal(kind: Kind, arrays: &[NamedArray], meta: &impl Serialize) -> Result<Vec<u8>, String> {
    let meta = serde_json::to_string(meta).map_err(|e| e.to_string())?;
    let rest = arrays::to_bytes(arrays, Some(meta))?;
    let (version, length) = (kind.version.to_le_bytes(), (rest.len() as u64).to_le_bytes());
    let mut bytes = Vec::with_capacity(HEADER + rest.len());
    bytes.extend_from_slice(&kind.magic);
    bytes.extend_from_slice(&version);
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&checksum(version, length, &rest).to_le_bytes());
    bytes.extend_from_slice(&rest);
    Ok(bytes)
}

/// What [`seal`] was given, the arrays in whatever order.
pub(crate) fn unseal<M: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Result<(Vec<NamedArray>, M), Unsealed> {
    let short = |expected: u64| Unsealed::Truncated { bytes: bytes.len() as u64, expected };
    if !bytes.starts_with(&kind.magic[..bytes.len().min(kind.magic.len())]) || bytes.is_empty() {
        return Err(Unsealed::OtherKind);
    }
    let fixed = || -> Option<([u8; 4], [u8; 8], [u8; 4])> {
        let part = |from: usize, to: usize| bytes.get(from..to);
        Some((part(8, 12)?.try_into().ok()?, part(12, 20)?.try_into().ok()?, part(20, 24)?.try_into().ok()?))
    };
    let Some((version, length, sum)) = fixed() else { return Err(short(HEADER as u64)) };
    let number = u32::from_le_bytes(version);
    if number > kind.version {
        return Err(Unsealed::Newer { version: number });
    }
    let rest = bytes.get(HEADER..).unwrap_or_default();
    let expected = u64::from_le_bytes(length).saturating_add(HEADER as u64);
    if (bytes.len() as u64) < expected {
        return Err(short(expected));
    }
    if checksum(version, length, rest) != u32::from_le_bytes(sum) {
        return Err(Unsealed::Corrupted("its checksum does not fit".into()));
    }
    let (arrays, meta) = arrays::from_bytes(rest).map_err(Unsealed::Corrupted)?;
    let meta = serde_json::from_str(&meta.unwrap_or_default()).map_err(|e| Unsealed::Corrupted(e.to_string()))?;
    Ok((arrays, meta))
}

fn checksum(version: [u8; 4], length: [u8; 8], rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&version);
    hasher.update(&length);
    hasher.update(rest);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KIND: Kind = Kind { magic: *b"TESTFILE", version: 2 };

    fn open(bytes: &[u8]) -> Result<(Vec<NamedArray>, u64), Unsealed> {
        unseal(KIND, bytes)
    }

    #[test]
    fn whole_files_are_read_and_all_others_refused() {
        let array = NamedArray::new("a", [2], vec![1.5, -0.0]);
        let bytes = seal(KIND, std::slice::from_ref(&array), &7u64).unwrap();
        assert_eq!(open(&bytes).unwrap(), (vec![array], 7));
        // Every byte matters, and so does every length.
        for i in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[i] ^= 1 << (i % 8);
            let expected = match i {
                0..8 => |e: &Unsealed| *e == Unsealed::OtherKind,
                // A version may become older or newer, a length longer or shorter.
                8..12 => |e: &Unsealed| matches!(e, Unsealed::Newer { .. } | Unsealed::Corrupted(_)),
                12..20 => |e: &Unsealed| matches!(e, Unsealed::Truncated { .. } | Unsealed::Corrupted(_)),
                _ => |e: &Unsealed| matches!(e, Unsealed::Corrupted(_)),
            };
            let error = open(&damaged).unwrap_err();
            assert!(expected(&error), "byte {i}: {error:?}");
            let cut = open(&bytes[..i]).unwrap_err();
            let expected = if i == 0 { cut == Unsealed::OtherKind } else { matches!(cut, Unsealed::Truncated { .. }) };
            assert!(expected, "{i} bytes: {cut:?}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(matches!(open(&longer), Err(Unsealed::Corrupted(_))));
        let newer = seal(Kind { version: 3, ..KIND }, &[], &7u64).unwrap();
        assert_eq!(open(&newer), Err(Unsealed::Newer { version: 3 }));
    }
}
