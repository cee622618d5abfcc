//! `hyperpde list`: what a configuration can choose from.

use std::fmt::Write as _;

use burn::tensor::Device;
use hyperpde_bilevel::{ObjectiveKind, OptimizerKind};
use hyperpde_gp::Assembly;
use hyperpde_kernels::{Backend, Check, KERNELS, Precision, probe};
use hyperpde_pde::Sampler;
use hyperpde_problems as problems;

use hyperpde_run::mebibytes;

use crate::error::CliError;
use hyperpde_expr::{Function, LAPLACIAN};

/// Arguments of `hyperpde list`: none.
#[derive(Debug, clap::Args)]
pub struct List {}

impl List {
    pub(super) fn run(&self) -> Result<(), CliError> {
        super::print(&Self::text())
    }

    /// What is printed.
    pub fn text() -> String {
        let mut out = String::new();
        section(&mut out, "Problems", problems::catalogue().iter().map(|e| (e.name, e.description)));
        section(&mut out, "Kernels", KERNELS.iter().copied());
        section(&mut out, "Samplers", Sampler::all().iter().map(|s| (s.name(), s.description())));
        section(&mut out, "Objectives", ObjectiveKind::ALL.iter().map(|o| (o.name(), o.description())));
        section(&mut out, "Optimizers", OptimizerKind::ALL.iter().map(|o| (o.name(), o.description())));
        section(&mut out, "Assemblies of the inner step", Assembly::ALL.map(|a| (a.name(), a.description())));
        let state = |b: Backend| if b.is_available() { "compiled in" } else { "not in this program" };
        section(&mut out, "Backends", Backend::ALL.map(|b| (b.name(), state(b))));
        out.push_str(&devices());
        // Writing to a String can't fail.
        let _ = writeln!(out, "Functions in expressions\n  {}, {LAPLACIAN}", Function::ALL.join(", "));
        out
    }
}

/// Every device of every backend that is compiled in, with what was found by computing on it.
fn devices() -> String {
    let mut rows = vec![["backend", "device", "memory", "f64", "f32", "mixed", "name"].map(str::to_owned).to_vec()];
    for backend in Backend::available() {
        let found = backend.devices().unwrap_or_default();
        if found.is_empty() {
            rows.push(
                [backend.name(), "none", "-", "-", "-", "-", "no device on this machine"].map(str::to_owned).to_vec(),
            );
        }
        for (index, device) in found.iter().enumerate() {
            let mut row = vec![backend.name().to_owned(), index.to_string()];
            row.extend(abilities(backend, device));
            rows.push(row);
        }
    }
    format!(
        "Devices, and the largest relative errors of the operations that each precision rests on, computed there\n{}\n",
        columns(&rows)
    )
}

/// Memory, the three precisions, name.
fn abilities(backend: Backend, device: &Device) -> Vec<String> {
    let shown = |check: &Check| match check {
        Check::Right { error } => format!("{error:.0e}"),
        Check::Wrong { operation, .. } => format!("no: {operation} is wrong"),
        Check::Missing { .. } => "no".to_owned(),
    };
    match probe(device) {
        Err(why) => vec!["unknown".into(), "no".into(), "no".into(), "no".into(), why],
        Ok(found) => {
            let memory =
                found.memory.map_or("unknown".to_owned(), |bytes| mebibytes(bytes as f64 / f64::from(1 << 20)));
            let name = if found.software { format!("{} (software device)", found.name) } else { found.name.clone() };
            // The host has nothing to gain from less than float64, and does not offer it.
            if backend.is_host() {
                return vec![memory, shown(&found.f64), "-".into(), "-".into(), name];
            }
            let [f64, f32, mixed] =
                [Precision::F64, Precision::F32, Precision::Mixed].map(|p| shown(found.precision(p)));
            vec![memory, f64, f32, mixed, name]
        }
    }
}

/// Rows in columns, each as wide as its widest entry.
fn columns(rows: &[Vec<String>]) -> String {
    let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        // Writing to a String can't fail.
        let _ = writeln!(out, "  {}", cells.join("  ").trim_end());
    }
    out
}

fn section<'a>(out: &mut String, title: &str, entries: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let _ = writeln!(out, "{title}");
    for (name, description) in entries {
        let _ = writeln!(out, "  {name:<20}{description}");
    }
    out.push('\n');
}
