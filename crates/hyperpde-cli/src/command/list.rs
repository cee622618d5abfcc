//! `hyperpde list`: what a configuration can choose from.

use std::fmt::Write as _;

use burn::tensor::Device;
use hyperpde_kernels::Backend;
use hyperpde_pde::problems;

use crate::CliError;
use crate::expression::{Function, LAPLACIAN};

/// Arguments of `hyperpde list`: none.
#[derive(Debug, clap::Args)]
pub struct List {}

/// Kinds of kernels with their formulas.
const KERNELS: [(&str, &str); 10] = [
    ("gaussian", "exp(-r^2/2), one length scale or one per coordinate"),
    ("periodic", "periodic in some coordinates, Gaussian in the others"),
    ("matern", "Matern of order 5/2, 7/2 or 9/2: 2, 3 or 4 derivatives"),
    ("rational-quadratic", "(1 + r^2/(2 a))^-a"),
    ("polynomial", "(a x.y + c)^p"),
    ("gibbs", "Gaussian with length scales that a network gives at each point"),
    ("deep", "any kernel of the outputs of a network"),
    ("scaled", "a kernel times an amplitude"),
    ("sum", "a sum of kernels"),
    ("product", "a product of kernels"),
];

const SAMPLERS: [(&str, &str); 4] = [
    ("uniform", "independent points"),
    ("latin-hypercube", "one point in each of n intervals per coordinate"),
    ("halton", "Halton sequence with a random shift"),
    ("sobol", "Sobol sequence with a random digital shift"),
];

const OPTIMIZERS: [(&str, &str); 2] = [
    ("adam", "for networks on random batches, as published"),
    ("lbfgs", "L-BFGS with a line search, for a handful of hyperparameters"),
];

impl List {
    pub(super) fn run(&self) -> Result<(), CliError> {
        super::print(&Self::text())
    }

    /// What is printed.
    pub fn text() -> String {
        let mut out = String::new();
        section(&mut out, "Problems", problems::catalogue().iter().map(|e| (e.name, e.description)));
        section(&mut out, "Kernels", KERNELS);
        section(&mut out, "Samplers", SAMPLERS);
        section(&mut out, "Optimizers", OPTIMIZERS);
        let state = |b: Backend| if b.is_available() { "compiled in" } else { "not in this program" };
        section(&mut out, "Backends", Backend::ALL.map(|b| (b.name(), state(b))));
        let devices = Backend::available().into_iter().filter_map(|b| Some((b.name(), b.device().ok()?)));
        let devices: Vec<_> = devices.map(|(name, device)| (name, device_name(&device))).collect();
        section(&mut out, "Devices", devices.iter().map(|(name, device)| (*name, device.as_str())));
        // Writing to a String can't fail.
        let _ = writeln!(out, "Functions in expressions\n  {}, {LAPLACIAN}", Function::ALL.join(", "));
        out
    }
}

/// What burn calls a device, and for a processor its cores.
fn device_name(device: &Device) -> String {
    let name = format!("{device:?}");
    let name = name.trim_start_matches("Device<").trim_end_matches('>');
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if name.contains("Cpu") { format!("{name}, {cores} threads") } else { name.to_owned() }
}

fn section<'a>(out: &mut String, title: &str, entries: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let _ = writeln!(out, "{title}");
    for (name, description) in entries {
        let _ = writeln!(out, "  {name:<20}{description}");
    }
    out.push('\n');
}
