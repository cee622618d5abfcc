//! A checkpoint as arrays and integers.

use std::collections::HashMap;

use hyperpde_bilevel::{OptimizerSnapshot, PointsSnapshot, Snapshot, SolveSnapshot, Termination};
use serde::{Deserialize, Serialize};

use super::state::{Checkpoint, Origin};
use crate::arrays::NamedArray;
use crate::report::{StepLine, StepRecord};

/// Everything but floating-point numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meta {
    origin: Origin,
    gauss_newton: usize,
    retries: usize,
    batch_position: u64,
    termination: Option<Termination>,
    idle: usize,
    safe: bool,
    best: bool,
    /// Name of the optimizer.
    optimizer: String,
    /// Its vectors.
    vectors: usize,
}

/// Numbers of a step of the history: Gauss-Newton step, outer step, which of the next three are there, loss, residual, error, seconds.
const COLUMNS: usize = 7;

pub(super) fn pack(checkpoint: &Checkpoint) -> (Vec<NamedArray>, Meta) {
    let Checkpoint { origin, snapshot, history } = checkpoint;
    let Snapshot {
        gauss_newton,
        theta,
        safe,
        retries,
        optimizer,
        batch_position,
        iterate,
        best,
        idle,
        seconds,
        termination,
    } = snapshot;
    let OptimizerSnapshot { optimizer, scalars, vectors } = optimizer;
    let mut arrays = vec![vector("theta", theta), vector("optimizer.scalars", scalars), vector("seconds", &[*seconds])];
    arrays.extend(safe.iter().map(|safe| vector("safe", safe)));
    arrays.extend(vectors.iter().enumerate().map(|(i, v)| vector(&format!("optimizer.{i}"), v)));
    arrays.extend(solve("iterate", iterate));
    if let Some((residual, best)) = best {
        arrays.push(vector("best.residual", &[*residual]));
        arrays.extend(solve("best", best));
    }
    arrays.push(NamedArray::new("history", [history.len(), COLUMNS], history.iter().flat_map(row).collect()));
    let meta = Meta {
        origin: origin.clone(),
        gauss_newton: *gauss_newton,
        retries: *retries,
        batch_position: *batch_position,
        termination: *termination,
        idle: *idle,
        safe: safe.is_some(),
        best: best.is_some(),
        optimizer: optimizer.clone(),
        vectors: vectors.len(),
    };
    (arrays, meta)
}

pub(super) fn unpack(arrays: Vec<NamedArray>, meta: Meta) -> Result<Checkpoint, String> {
    let mut arrays = Arrays(arrays.into_iter().map(|a| (a.name.clone(), a)).collect());
    let best = if meta.best { Some((arrays.number("best.residual")?, arrays.solve("best")?)) } else { None };
    let mut vectors = Vec::new();
    for i in 0..meta.vectors {
        vectors.push(arrays.vector(&format!("optimizer.{i}"))?);
    }
    let snapshot = Snapshot {
        gauss_newton: meta.gauss_newton,
        theta: arrays.vector("theta")?,
        safe: if meta.safe { Some(arrays.vector("safe")?) } else { None },
        retries: meta.retries,
        optimizer: OptimizerSnapshot {
            optimizer: meta.optimizer,
            scalars: arrays.vector("optimizer.scalars")?,
            vectors,
        },
        batch_position: meta.batch_position,
        iterate: arrays.solve("iterate")?,
        best,
        idle: meta.idle,
        seconds: arrays.number("seconds")?,
        termination: meta.termination,
    };
    let history = arrays.rows("history")?.chunks_exact(COLUMNS).map(step).collect();
    Ok(Checkpoint { origin: meta.origin, snapshot, history })
}

fn vector(name: &str, values: &[f64]) -> NamedArray {
    NamedArray::new(name, [values.len()], values.to_vec())
}

fn solve(name: &str, snapshot: &SolveSnapshot) -> Vec<NamedArray> {
    let SolveSnapshot { about, theta, fraction, points } = snapshot;
    let count = about.first().map_or(0, Vec::len);
    let mut arrays = vec![
        NamedArray::new(format!("{name}.about"), [about.len(), count], about.concat()),
        vector(&format!("{name}.theta"), theta),
        vector(&format!("{name}.fraction"), &[*fraction]),
    ];
    if let Some(PointsSnapshot { dim, interior, pool }) = points {
        for (what, points) in [("interior", interior), ("pool", pool)] {
            arrays.push(NamedArray::new(format!("{name}.{what}"), [points.len() / dim, *dim], points.clone()));
        }
    }
    arrays
}

fn row(record: &StepRecord) -> [f64; COLUMNS] {
    let StepLine { gauss_newton, outer, loss, residual, error } = record.step;
    let flags: u8 = [loss, residual, error].iter().enumerate().map(|(i, v)| u8::from(v.is_some()) << i).sum();
    let flags = f64::from(flags);
    let or_zero = |v: Option<f64>| v.unwrap_or(0.0);
    [gauss_newton as f64, outer as f64, flags, or_zero(loss), or_zero(residual), or_zero(error), record.seconds]
}

fn step(row: &[f64]) -> StepRecord {
    let flags = row[2] as u8;
    let value = |i: usize| (flags & (1 << i) != 0).then_some(row[3 + i]);
    let step = StepLine {
        gauss_newton: row[0] as usize,
        outer: row[1] as usize,
        loss: value(0),
        residual: value(1),
        error: value(2),
    };
    StepRecord { step, seconds: row[6] }
}

/// Arrays by name, each taken once.
struct Arrays(HashMap<String, NamedArray>);

impl Arrays {
    fn take(&mut self, name: &str) -> Result<NamedArray, String> {
        self.0.remove(name).ok_or_else(|| format!("the array {name} is missing"))
    }

    fn vector(&mut self, name: &str) -> Result<Vec<f64>, String> {
        Ok(self.take(name)?.values)
    }

    fn number(&mut self, name: &str) -> Result<f64, String> {
        match self.vector(name)?[..] {
            [number] => Ok(number),
            _ => Err(format!("the array {name} is not one number")),
        }
    }

    /// Rows of the history, one after the other.
    fn rows(&mut self, name: &str) -> Result<Vec<f64>, String> {
        let array = self.take(name)?;
        if array.shape.get(1) == Some(&COLUMNS) { Ok(array.values) } else { Err(format!("the shape of {name}")) }
    }

    fn solve(&mut self, name: &str) -> Result<SolveSnapshot, String> {
        let array = self.take(&format!("{name}.about"))?;
        let [unknowns, points] = array.shape[..] else { return Err(format!("the shape of {name}.about")) };
        let about = (0..unknowns).map(|j| array.values[j * points..(j + 1) * points].to_vec()).collect();
        let theta = self.vector(&format!("{name}.theta"))?;
        let points = match self.0.remove(&format!("{name}.interior")) {
            None => None,
            Some(NamedArray { shape, values: interior, .. }) => {
                let dim = shape.get(1).copied().ok_or_else(|| format!("the shape of {name}.interior"))?;
                Some(PointsSnapshot { dim, interior, pool: self.vector(&format!("{name}.pool"))? })
            }
        };
        Ok(SolveSnapshot { about, theta, fraction: self.number(&format!("{name}.fraction"))?, points })
    }
}
