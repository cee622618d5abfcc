//! From the reports of all runs to the rows of the tables.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::record::{Outcome, Record};
use super::study::{Entry, Published, Study};
use hyperpde_plot::Bars;

/// All that the tables say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Version of HyperPDE.
    pub version: String,
    /// Whether this is `--quick`, whose errors say nothing about the method.
    pub quick: bool,
    /// Errors against published ones.
    pub errors: Vec<ErrorSummary>,
    /// What learning took, and what was learned.
    pub costs: Vec<CostSummary>,
    /// Sums over everything.
    pub totals: Totals,
}

/// One error of one experiment over all seeds. A run that failed counts as an infinite error, which is `null` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorSummary {
    /// Name of the experiment.
    pub experiment: String,
    /// What is solved.
    pub label: String,
    /// Which error of which quantity.
    pub metric: String,
    /// The published error.
    pub published: f64,
    /// The error that passes.
    pub bar: f64,
    /// Median over the seeds; none before the first run.
    pub median: Option<f64>,
    /// Smallest.
    pub min: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// Per seed.
    pub values: BTreeMap<u64, f64>,
    /// Whether the median is at or below the bar.
    pub pass: Option<bool>,
    /// Median with the initial hyperparameters.
    pub initial: Option<f64>,
    /// The published error with the initial hyperparameters.
    pub published_initial: Option<f64>,
    /// Median with the best constant length scales.
    pub constant: Option<f64>,
    /// Median fraction of true values inside two posterior standard deviations, on the training cloud.
    pub coverage_2sd: Option<f64>,
}

/// What an experiment took, medians over the seeds that finished.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostSummary {
    /// Name of the experiment.
    pub experiment: String,
    /// Seeds that finished.
    pub seeds: Vec<u64>,
    /// Why others failed.
    pub failed: BTreeMap<u64, String>,
    /// Learned hyperparameters.
    pub learned: BTreeMap<String, f64>,
    /// The best constant length scales.
    pub constant: BTreeMap<String, f64>,
    /// Wall time of learning, s.
    pub seconds_learn: Option<f64>,
    /// Wall time without baselines, s.
    pub seconds_total: Option<f64>,
    /// Wall time of the baselines, s.
    pub seconds_baselines: Option<f64>,
    /// Published wall time of learning, s.
    pub published_seconds: Option<f64>,
    /// Peak resident memory, MiB.
    pub peak_rss_mb: Option<f64>,
    /// Kernel updates.
    pub outer_steps: Option<f64>,
}

/// Sums over all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Totals {
    /// Runs that finished.
    pub runs: usize,
    /// Runs that failed.
    pub failed: usize,
    /// Rows that pass.
    pub passed: usize,
    /// Rows that miss.
    pub missed: usize,
    /// Wall time of all runs without baselines, s.
    pub seconds: f64,
    /// Wall time of all baselines, s.
    pub seconds_baselines: f64,
}

impl Summary {
    pub(super) fn new(study: &Study, entries: &[&Entry], records: &[Record], quick: bool) -> Self {
        let mine = |name: &str| records.iter().filter(|r| r.experiment == name).collect::<Vec<_>>();
        let chosen = |p: &&Published| entries.iter().any(|e| e.name == p.experiment);
        let errors: Vec<ErrorSummary> =
            study.published.iter().filter(chosen).map(|p| ErrorSummary::new(p, &mine(p.experiment))).collect();
        let costs: Vec<CostSummary> = entries.iter().map(|e| CostSummary::new(e, &mine(e.name))).collect();
        let sum = |key: &str| records.iter().filter_map(|r| r.report()?[key].as_f64()).sum();
        let totals = Totals {
            runs: costs.iter().map(|c| c.seeds.len()).sum(),
            failed: costs.iter().map(|c| c.failed.len()).sum(),
            passed: errors.iter().filter(|e| e.pass == Some(true)).count(),
            missed: errors.iter().filter(|e| e.pass == Some(false)).count(),
            seconds: sum("seconds_total"),
            seconds_baselines: sum("seconds_baselines"),
        };
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), quick, errors, costs, totals }
    }
}

impl ErrorSummary {
    fn new(published: &Published, records: &[&Record]) -> Self {
        let at = |record: &Record, kernel: &str| error_in(record.report()?, published, kernel);
        // A run that failed, or whose error is not a number, must not make the median better.
        let values: BTreeMap<u64, f64> =
            records.iter().map(|r| (r.seed, at(r, "learned").unwrap_or(f64::INFINITY))).collect();
        let of = |kernel: &str| median(records.iter().filter_map(|r| at(r, kernel)).collect());
        let all: Vec<f64> = values.values().copied().collect();
        let median_error = median(all.clone());
        let covered = |r: &&Record| of_score(&r.report()?["coverage_2sd"], published.score);
        let coverage = median(records.iter().filter_map(covered).collect());
        Self {
            experiment: published.experiment.to_owned(),
            label: published.label.to_owned(),
            metric: format!("{} of {}", published.measure.name(), published.score),
            published: published.error,
            bar: published.bar,
            median: median_error,
            min: all.iter().copied().reduce(f64::min),
            max: all.iter().copied().reduce(f64::max),
            values,
            pass: median_error.map(|m| m <= published.bar),
            initial: of("initial"),
            published_initial: published.initial,
            constant: of("constant"),
            coverage_2sd: coverage.filter(|_| published.cloud == "training"),
        }
    }

    /// The row as bars of a figure, if there is a number to draw.
    pub(super) fn bars(&self) -> Option<Bars> {
        let ours = self.median.filter(|m| m.is_finite())?;
        let spread = (self.min?, self.max.filter(|m| m.is_finite()).unwrap_or(ours));
        Some(Bars { label: format!("{}, {}", self.label, self.metric), published: self.published, ours, spread })
    }
}

impl CostSummary {
    fn new(entry: &Entry, records: &[&Record]) -> Self {
        let reports: Vec<&Value> = records.iter().filter_map(|r| r.report()).collect();
        let of = |key: &str| median(reports.iter().filter_map(|r| r[key].as_f64()).collect());
        let failed = records.iter().filter_map(|r| match &r.outcome {
            Outcome::Failed(why) => Some((r.seed, why.clone())),
            Outcome::Report(_) => None,
        });
        let mut learned = medians(reports.iter().map(|r| &r["hyperparameters"]));
        learned.retain(|name, _| name.rsplit('.').next() != Some("parameters"));
        Self {
            experiment: entry.name.to_owned(),
            seeds: records.iter().filter(|r| r.report().is_some()).map(|r| r.seed).collect(),
            failed: failed.collect(),
            learned,
            constant: medians(reports.iter().map(|r| &r["constant"]["length_scales"])),
            seconds_learn: of("seconds_learn"),
            seconds_total: of("seconds_total"),
            seconds_baselines: of("seconds_baselines"),
            published_seconds: entry.published_seconds,
            peak_rss_mb: of("peak_rss_mb"),
            outer_steps: of("outer_steps"),
        }
    }
}

/// The error that corresponds to a published one, with one of the kernels.
fn error_in(report: &Value, published: &Published, kernel: &str) -> Option<f64> {
    let clouds = report["clouds"].as_array()?;
    let here = clouds
        .iter()
        .find(|c| c["kernel"] == kernel && c["name"] == published.cloud && c["problem"] == published.problem)?;
    of_score(&here[published.measure.key()], published.score)
}

/// A number per score: one number if there is only one score, else an object.
fn of_score(value: &Value, score: &str) -> Option<f64> {
    value.as_f64().or_else(|| value.get(score)?.as_f64())
}

/// The median of each entry that is a number.
fn medians<'a>(maps: impl Iterator<Item = &'a Value>) -> BTreeMap<String, f64> {
    let mut columns: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in maps.filter_map(Value::as_object).flatten() {
        if let Some(value) = value.as_f64() {
            columns.entry(name.clone()).or_default().push(value);
        }
    }
    columns.into_iter().filter_map(|(name, values)| Some((name, median(values)?))).collect()
}

/// The middle value, or the mean of the two middle ones; none of nothing.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(values[n / 2]),
        _ => Some(0.5 * (values[n / 2 - 1] + values[n / 2])),
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::reproduce::Measure;

    pub fn study() -> Study {
        let entry = |name, published_seconds| Entry {
            name,
            build: || Err(hyperpde_run::RunError::Input("not to be run".into())),
            baselines: true,
            published_seconds,
            expected_seconds: 1.0,
        };
        let published = |measure, error, bar| Published {
            experiment: "x",
            label: "X | equation",
            cloud: "larger",
            problem: "x",
            score: "u",
            measure,
            error,
            bar,
            initial: Some(0.5),
        };
        let y = Published {
            experiment: "y",
            label: "Y",
            cloud: "training",
            score: "A",
            ..published(Measure::RelL2, 0.2, 0.2)
        };
        Study {
            entries: vec![entry("x", Some(100.0)), entry("y", None)],
            published: vec![published(Measure::Linf, 1e-3, 1e-3), published(Measure::Rmse, 1e-4, 1e-6), y],
        }
    }

    pub fn record(experiment: &str, seed: u64, outcome: Outcome) -> Record {
        Record { experiment: experiment.into(), seed, digest: "d".into(), seconds: 3.0, outcome }
    }

    /// A report of `x` with this learned error.
    pub fn report(linf: f64) -> Outcome {
        let cloud = |kernel: &str, linf: f64| json!({"name": "larger", "kernel": kernel, "problem": "x", "linf": linf, "rmse": linf / 10.0});
        let other = json!({"name": "training", "kernel": "learned", "problem": "x", "linf": 7.0, "rmse": 7.0});
        Outcome::Report(json!({
            "clouds": [other, cloud("learned", linf), cloud("initial", 0.3), cloud("constant", 2e-3)],
            "hyperparameters": {"kernel": "Gaussian", "parameters": 1, "length_scale": linf * 100.0},
            "constant": {"length_scales": {"l": 0.1}},
            "seconds_learn": 4.0, "seconds_total": 5.0, "seconds_baselines": 2.0, "peak_rss_mb": 100.0, "outer_steps": 50,
        }))
    }

    #[test]
    fn medians_count_failures_as_infinite() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0]), Some(2.0));
        assert_eq!(median(vec![f64::INFINITY, 1.0, 2.0]), Some(2.0));
        let study = study();
        let entries: Vec<&Entry> = study.entries.iter().collect();
        let failed = || Outcome::Failed("it diverged".into());
        let mut records = vec![record("x", 1, report(5e-4)), record("x", 2, report(8e-4)), record("x", 3, failed())];
        let summary = Summary::new(&study, &entries, &records, false);
        let [linf, rmse, y] = summary.errors.as_slice() else { unreachable!() };
        assert_eq!((linf.median, linf.min, linf.max), (Some(8e-4), Some(5e-4), Some(f64::INFINITY)));
        assert_eq!((linf.pass, rmse.pass, y.pass), (Some(true), Some(false), None));
        assert_eq!((linf.initial, linf.constant, linf.coverage_2sd), (Some(0.3), Some(2e-3), None));
        assert!(linf.bars().unwrap().spread == (5e-4, 8e-4) && y.bars().is_none());
        let x = &summary.costs[0];
        assert_eq!((x.seeds.clone(), x.failed[&3].as_str()), (vec![1, 2], "it diverged"));
        assert!((x.learned["length_scale"] - 0.065).abs() < 1e-12 && x.learned.len() == 1, "{:?}", x.learned);
        assert_eq!((x.constant["l"], x.outer_steps), (0.1, Some(50.0)));
        assert_eq!((summary.totals.runs, summary.totals.failed, summary.totals.seconds), (2, 1, 10.0));

        records[1].outcome = failed();
        let summary = Summary::new(&study, &entries, &records, false);
        assert_eq!((summary.errors[0].median, summary.errors[0].pass), (Some(f64::INFINITY), Some(false)));
        assert!(summary.errors[0].bars().is_none());
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!((&json["errors"][0]["median"], &json["errors"][0]["values"]["1"]), (&Value::Null, &json!(5e-4)));
    }

    #[test]
    fn scores_are_found_by_name_where_there_are_several() {
        let study = study();
        let entries: Vec<&Entry> = study.entries.iter().collect();
        let report = json!({
            "clouds": [{"name": "training", "kernel": "learned", "problem": "x", "rel_l2": {"u": 0.03, "A": 0.21}}],
            "coverage_2sd": {"u": 0.9, "A": 0.8},
        });
        let summary = Summary::new(&study, &entries, &[record("y", 4, Outcome::Report(report))], true);
        let y = &summary.errors[2];
        assert_eq!((y.median, y.pass, y.coverage_2sd), (Some(0.21), Some(false), Some(0.8)));
        assert_eq!(y.metric, "relative L2 of A");
        assert_eq!(summary.errors[0].median, None);
    }
}
