//! What is kept of a run.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use hyperpde_run::{RunError, write_atomic};

/// One run of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// Name of the experiment.
    pub experiment: String,
    /// Seed of the run.
    pub seed: u64,
    /// Digest of everything the result depends on.
    pub digest: String,
    /// Wall time of the process, s.
    pub seconds: f64,
    /// What came of it.
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// The run's report.
    Report(Value),
    /// Why it failed.
    Failed(String),
}

/// What a file says about a run.
#[derive(Debug, PartialEq)]
pub(super) enum Stored {
    /// A finished run with the digest that was asked for.
    Finished(Record),
    /// Nothing usable, with the reason if there was something.
    Missing(Option<String>),
}

impl Record {
    pub fn write(&self, path: &Path) -> Result<(), RunError> {
        Ok(write_atomic(path, serde_json::to_string_pretty(self)?.as_bytes())?)
    }

    /// The record in `path`, if it is that of a finished run with this digest.
    pub fn read(path: &Path, digest: &str) -> Stored {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Stored::Missing(None),
            Err(e) => return Stored::Missing(Some(format!("it can't be read: {e}"))),
        };
        match serde_json::from_str::<Self>(&text) {
            Err(e) => Stored::Missing(Some(format!("it is damaged: {e}"))),
            Ok(record) if record.digest != digest => {
                Stored::Missing(Some("it was made with other settings or another version".to_owned()))
            }
            Ok(Self { outcome: Outcome::Failed(_), .. }) => Stored::Missing(Some("the run failed then".to_owned())),
            Ok(record) => Stored::Finished(record),
        }
    }

    /// The report, if the run finished.
    pub fn report(&self) -> Option<&Value> {
        match &self.outcome {
            Outcome::Report(report) => Some(report),
            Outcome::Failed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_finished_run_with_the_same_digest_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs/x-1.json");
        let report = serde_json::json!({"linf": 1.5e-5});
        let record = |outcome| Record { experiment: "x".into(), seed: 1, digest: "d".into(), seconds: 2.5, outcome };
        let why = |digest: &str| match Record::read(&file, digest) {
            Stored::Missing(why) => why,
            Stored::Finished(_) => Some("finished".to_owned()),
        };
        assert_eq!(why("d"), None);
        let finished = record(Outcome::Report(report));
        finished.write(&file).unwrap();
        assert_eq!(Record::read(&file, "d"), Stored::Finished(finished));
        assert!(why("e").unwrap().contains("other settings"));
        record(Outcome::Failed("why".into())).write(&file).unwrap();
        assert!(why("d").unwrap().contains("failed"));
        for damaged in ["", "{\"experiment\": \"x\", \"se", "[]", "\u{0}\u{1}", "{}"] {
            std::fs::write(&file, damaged).unwrap();
            assert!(why("d").unwrap().contains("damaged"), "{damaged:?}");
        }
        std::fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
        assert!(why("d").unwrap().contains("can't be read"));
    }
}
