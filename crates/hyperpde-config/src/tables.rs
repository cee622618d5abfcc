//! Tables of numbers from CSV and NPY files: observations, points to evaluate at.

use std::path::Path;

use super::input;

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 4 << 30;
/// Characters of a bad cell that are shown.
const SHOWN: usize = 40;

/// What a table must have.
pub struct Wanted<'a> {
    /// Names of the columns, in the order in which they are given back.
    pub columns: &'a [&'a str],
    /// Whether the header may name further columns, which are passed over.
    pub others: bool,
    /// Most rows.
    pub most: usize,
}

enum Format {
    Csv,
    Npy,
}

fn format(path: &Path) -> Result<Format, String> {
    match path.extension().map(|e| e.to_string_lossy().to_lowercase()).as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("npy") => Ok(Format::Npy),
        _ => Err("it must end in .csv or .npy".into()),
    }
}

/// The bytes of a file with a table.
pub fn contents(path: &Path) -> Result<Vec<u8>, String> {
    format(path)?;
    input::bytes(path, MAX_BYTES)
}

/// Rows of finite numbers, row-major `[n, columns]`, from the contents of a file; `path` tells the format. At least one row.
///
/// CSV: with a header, columns in any order; without, in that of `wanted`. NPY: float64.
pub fn read(path: &Path, bytes: &[u8], wanted: &Wanted<'_>) -> Result<Vec<f64>, String> {
    let rows = match format(path)? {
        Format::Csv => read_csv(bytes, wanted)?,
        Format::Npy => read_npy(bytes, wanted)?,
    };
    if rows.is_empty() { Err("it has no rows".into()) } else { Ok(rows) }
}

impl Wanted<'_> {
    fn width(&self, columns: usize) -> Result<(), String> {
        let needed = self.columns.len();
        if columns == needed {
            return Ok(());
        }
        Err(format!("it has {columns} columns, needed are {needed} ({})", self.columns.join(", ")))
    }

    /// Where each wanted column stands in the header.
    fn places(&self, header: &csv::StringRecord) -> Result<Vec<usize>, String> {
        let heads: Vec<String> = header.iter().map(shown).collect();
        let twice = heads.iter().enumerate().find(|(i, h)| heads[..*i].contains(h)).map(|(_, h)| h);
        if let Some(twice) = twice.filter(|h| !self.others || self.columns.contains(&h.as_str())) {
            return Err(format!("line 1 names the column '{twice}' twice"));
        }
        let place = |name: &&str| header.iter().position(|cell| cell == *name);
        let needed = self.columns.join(", ");
        let places: Option<Vec<usize>> = self.columns.iter().map(place).collect();
        let places = places.ok_or_else(|| format!("its columns are {}, needed are {needed}", heads.join(", ")))?;
        match header.iter().find(|cell| !self.columns.contains(cell)) {
            Some(other) if !self.others => {
                Err(format!("line 1 has the unknown column '{}'; needed are {needed}", shown(other)))
            }
            _ => Ok(places),
        }
    }
}

fn read_csv(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Vec<f64>, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        format!("line {line} is no text: byte {} of the file is not UTF-8", e.valid_up_to())
    })?;
    // Spreadsheets mark UTF-8 by a sign of no width.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(format!("it is empty; needed are the columns {}", wanted.columns.join(", ")));
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut places: Vec<usize> = (0..wanted.columns.len()).collect();
    let (mut width, mut rows) = (0, Vec::new());
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|e| e.to_string())?;
        let line = || line_of(text, &record);
        if i == 0 {
            width = record.len();
            if record.iter().any(|cell| cell.parse::<f64>().is_err()) {
                places = wanted.places(&record)?;
                continue;
            }
            wanted.width(width)?;
        }
        if record.len() != width {
            return Err(format!("line {} has {} columns, the first has {width}", line(), record.len()));
        }
        if rows.len() >= wanted.most.saturating_mul(wanted.columns.len()) {
            return Err(format!("it has more than {} rows", wanted.most));
        }
        for (&place, name) in places.iter().zip(wanted.columns) {
            let cell = record.get(place).unwrap_or_default();
            let value: f64 = cell.parse().map_err(|_| {
                format!("line {} has '{}' in the column {name}, which is no number", line(), shown(cell))
            })?;
            if !value.is_finite() {
                return Err(format!("line {} has {value} in the column {name}; all numbers must be finite", line()));
            }
            rows.push(value);
        }
    }
    Ok(rows)
}

/// Line of a record, from 1; the reader's own count stands before the empty lines that it passes over.
fn line_of(text: &str, record: &csv::StringRecord) -> usize {
    let start = record.position().map_or(0, |p| p.byte() as usize);
    let rest = text.get(start..).unwrap_or_default();
    let empty = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    text.get(..start + empty).unwrap_or_default().matches('\n').count() + 1
}

fn read_npy(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Vec<f64>, String> {
    let array = npyz::NpyFile::new(bytes).map_err(|e| format!("it is no NPY file: {e}"))?;
    let shape = array.shape().to_vec();
    let [rows, columns] = shape[..] else {
        return Err(format!("its shape is {shape:?}, needed is a table of two dimensions"));
    };
    // The header alone must not make us ask for memory.
    let size = rows.checked_mul(columns).and_then(|n| n.checked_mul(8));
    if rows > wanted.most as u64 || size.is_none_or(|size| size > bytes.len() as u64) {
        return Err(format!("its shape is {shape:?}, which does not fit its {} bytes of float64", bytes.len()));
    }
    let (rows, columns) = (rows as usize, columns as usize);
    wanted.width(columns)?;
    let by_columns = array.order() == npyz::Order::Fortran;
    let stored = array.into_vec::<f64>().map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => format!("it ends before the last of its {rows} x {columns} numbers"),
        _ => format!("{e}; needed is float64"),
    })?;
    let at = |i: usize| if by_columns { stored[(i % columns) * rows + i / columns] } else { stored[i] };
    let values: Vec<f64> = (0..stored.len()).map(at).collect();
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => {
            let (row, name) = (i / columns + 1, wanted.columns[i % columns]);
            Err(format!("row {row} has {} in the column {name}; all numbers must be finite", values[i]))
        }
        None => Ok(values),
    }
}

/// A cell as it goes into a message.
fn shown(cell: &str) -> String {
    let mut text: String = cell.chars().take(SHOWN).collect();
    if text.len() < cell.len() {
        text.push_str("...");
    }
    text.escape_debug().to_string()
}
