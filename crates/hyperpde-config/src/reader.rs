//! A configuration being read: each part of it is read by a method of [`Reader`], in the file that is named after the part.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::Source;

/// Contents of data files, one per set of observations that has one, in their order.
pub type DataFiles = Vec<Arc<[u8]>>;

/// Where data files are.
pub(crate) enum Files {
    In(PathBuf),
    Given(DataFiles),
}

/// A configuration being read: where faults point, where data files are, and those that were read so far.
pub(crate) struct Reader<'a> {
    pub source: &'a Source,
    pub files: Files,
    pub used: RefCell<DataFiles>,
}
