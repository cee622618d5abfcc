//! Files that come from outside, read with a bound, and words from outside made fit to be shown.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest content of what is no regular file: a pipe or a device tells no length, and may have no end.
const MAX_STREAM: u64 = 64 << 20;

/// The bytes of a file with at most `most` of them.
pub fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let regular = file.metadata().map_err(|e| e.to_string())?.is_file();
    let most = if regular { most } else { most.min(MAX_STREAM) };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > most { Err(format!("it is too long: at most {most} bytes are read")) } else { Ok(bytes) }
}

/// A text without the control characters by which it could steer a terminal; line ends and tabs stay, and so do the places of all other bytes.
pub fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && !"\n\r\t".contains(c);
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) { clean.extend(std::iter::repeat_n('?', c.len_utf8())) } else { clean.push(c) }
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced_byte_by_byte() {
        assert_eq!(printable("a\u{1b}[31m\u{85}\u{7f}ß\tb\r\n"), "a?[31m???ß\tb\r\n");
        assert!(matches!(printable("ν = 1\n"), Cow::Borrowed(_)));
    }
}
