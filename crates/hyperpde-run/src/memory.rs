//! Whether there is as much memory as a run takes.

use std::fs;
use std::path::Path;

use hyperpde_config::{AssemblyChoice, Config};
use hyperpde_kernels::{JetSpace, Kernel, Operator, fused};
use hyperpde_pde::{Collocation, Problem};

use crate::cost::{MIB, Size, Tensors, kibibytes, shown};
use crate::error::RunError;
use crate::rows::{count, judged};
use crate::trial;

/// The variable that lowers or raises the limit, in MiB.
pub const LIMIT_VARIABLE: &str = "HYPERPDE_MEMORY_LIMIT_MIB";

/// The least of it per pair of derivatives, and per derivative: what a Gaussian kernel takes. A trial can't see what it takes in a process that holds on to
/// memory from earlier work.
const LEAST_LEARNING: f64 = 3.0;
const LEAST_SCORING: f64 = 4.0;

/// The size of a run with these points.
///
/// # Errors
/// [`RunError::Numerical`] if a trial fails that tells what tensor operations take.
pub fn size(config: &Config, collocation: &Collocation) -> Result<Size, RunError> {
    let (problem, run) = (config.problem(), config.run_settings());
    let equations = problem.equations().equations();
    let observed = count(&collocation.observations);
    let rows = equations * collocation.interior.len() + count(&collocation.boundary) + observed;
    let held_out = match config.folds() {
        Some(folds) => observed.div_ceil(folds),
        None => (config.held_out() * observed as f64).ceil() as usize,
    };
    let terms = if run.outer_steps > 0 { config.folds().unwrap_or(1) } else { 0 };
    // Objectives that score conditions draw as large a part of their pool as of the other one.
    let conditions = if run.objective.build().scores_conditions() {
        (count(&collocation.boundary_pool) * run.batch).div_ceil(run.validation.max(1))
    } else {
        0
    };
    let mut clouds = if run.outer_steps > 0 { clouds(config, collocation) } else { Vec::new() };
    clouds.extend(judged(rows, observed).map(|rows| (rows, collocation.interior.len())));
    let blocks = collocation.boundary.iter().chain(&collocation.observations).map(hyperpde_gp::RowBlock::len);
    Ok(Size {
        rows,
        largest: blocks.max().unwrap_or(0).max(collocation.interior.len()),
        validation: equations * run.batch + conditions + held_out,
        terms,
        grid: problem.test_grid().points().len().max(config.bilevel_settings().monitor),
        fields: problem.fields().len(),
        unknowns: problem.equations().unknowns().len(),
        clouds,
        tensors: tensors(config)?,
    })
}

/// Rows, and most rows of one kind, of `[clouds]`; conditions of another problem are taken to be as many per point as here.
fn clouds(config: &Config, collocation: &Collocation) -> Vec<(usize, usize)> {
    let (problem, points) = (config.problem(), config.run_settings().boundary.max(1));
    let (conditions, observed) = (count(&collocation.boundary), count(&collocation.observations));
    let size = |problem: &Problem, interior: usize, boundary: usize| {
        let conditions = (conditions * boundary).div_ceil(points);
        (problem.equations().equations() * interior + conditions + observed, interior.max(conditions))
    };
    let plan = config.clouds();
    let larger = plan.larger.then(|| size(problem, collocation.interior.len() + collocation.pool.len(), points));
    let fresh = plan.fresh.map(|(interior, boundary)| size(problem, interior, boundary));
    let transfers = plan.transfers.iter().map(|p| size(p, p.defaults().interior, p.defaults().boundary));
    larger.into_iter().chain(fresh).chain(transfers).collect()
}

/// What tensor operations hold, nothing if the fused stage takes all kernels and rows.
fn tensors(config: &Config) -> Result<Option<Tensors>, RunError> {
    let (problem, device) = (config.problem(), config.target().drafting()?);
    let kernels = config
        .kernels(config.run_settings().seed, &device)
        .map_err(|e| RunError::numerical("building the kernels", e))?;
    let dim = problem.domain().dim();
    let (mut fused, mut most) = (config.assembly() == AssemblyChoice::Auto, 0.0);
    for (field, kernel) in kernels.iter().enumerate() {
        let space = JetSpace::of_operators(dim, &operators(problem, field));
        fused &= kernel.form(dim).is_some_and(|form| fused::supports(form, dim, &space));
        most = f64::max(most, space.indices().len() as f64);
    }
    if fused {
        return Ok(None);
    }
    let least = Tensors { learning: LEAST_LEARNING * most * most, scoring: LEAST_SCORING * most };
    Ok(Some(trial::tensors(config)?.map_or(least, |found| Tensors {
        learning: found.learning.max(least.learning),
        scoring: found.scoring.max(least.scoring),
    })))
}

/// All operators that equations, conditions and observations apply to a field.
fn operators(problem: &Problem, field: usize) -> Vec<Operator> {
    let unknowns = problem.equations().unknowns();
    let equations = unknowns.iter().filter(|q| q.field == field).map(|q| q.operator.clone());
    let terms = problem.conditions().iter().flat_map(|c| c.terms());
    let conditions = terms.filter(|t| t.field == field).map(|t| t.operator.clone());
    let data = problem.observations().iter().filter(|o| o.field() == field).map(|o| o.operator().clone());
    equations.chain(conditions).chain(data).collect()
}

/// Peak memory of a run, estimated, in MiB. Where tensor operations assemble, a trial on a few points tells how much they take, which is seen best in a
/// process that has done nothing else before.
///
/// # Errors
/// As [`Config::sample`], and [`RunError::Numerical`] if such a trial fails.
pub fn estimate_mib(config: &Config) -> Result<f64, RunError> {
    Ok(size(config, &config.sample()?)?.mib())
}

/// Memory that a run may take, in MiB: what [`LIMIT_VARIABLE`] says, else the least of what the system has left (`MemAvailable` of Linux) and what is
/// left to the process's control groups. `None` where the system doesn't tell.
///
/// # Errors
/// [`RunError::Input`] for a variable that is no number.
pub fn available_mib() -> Result<Option<f64>, RunError> {
    if let Some(text) = std::env::var_os(LIMIT_VARIABLE) {
        let number = text.to_str().and_then(|t| t.trim().parse::<f64>().ok()).filter(|n| *n > 0.0);
        let refused =
            || RunError::Input(format!("{LIMIT_VARIABLE} is {}: it must be a number above 0", text.display()));
        return number.map(Some).ok_or_else(refused);
    }
    let system = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kibibytes(&text, "MemAvailable:"));
    let groups =
        fs::read_to_string("/proc/self/cgroup").ok().and_then(|text| group_limit(Path::new("/sys/fs/cgroup"), &text));
    Ok(system.into_iter().chain(groups).reduce(f64::min).map(|bytes| bytes / MIB))
}

/// Refuses a run that would not fit into memory, before it starts.
///
/// # Errors
/// [`RunError::Input`] with the estimate and the limit, and as [`estimate_mib`].
pub fn ensure_fits(config: &Config) -> Result<(), RunError> {
    let size = size(config, &config.sample()?)?;
    fits(&size, available_mib()?)
}

/// Holds an estimate to a limit in MiB.
///
/// # Errors
/// [`RunError::Input`] with both.
pub fn fits(size: &Size, available: Option<f64>) -> Result<(), RunError> {
    let needed = size.mib();
    match available.filter(|available| needed > *available) {
        None => Ok(()),
        Some(available) => Err(RunError::Input(format!(
            "the run would take about {} of memory for {} rows, and {} are available; lower `interior`, `boundary` or `batch` \
             (half of the rows take a quarter), or set {LIMIT_VARIABLE} if there is more",
            shown(needed),
            size.rows,
            shown(available)
        ))),
    }
}

/// Bytes that the process's control groups leave it, from the folder where they are mounted and the text of `/proc/self/cgroup`: the least over the
/// group and those above it, version 2 or 1.
fn group_limit(mount: &Path, groups: &str) -> Option<f64> {
    let mut least: Option<f64> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let (root, files) = match controllers {
            "" => (mount.to_path_buf(), ["memory.max", "memory.current"]),
            "memory" => (mount.join("memory"), ["memory.limit_in_bytes", "memory.usage_in_bytes"]),
            _ => continue,
        };
        // Inside a container the group's own path may not be mounted; its root then is.
        for folder in root.join(group.trim_start_matches('/')).ancestors().take_while(|f| f.starts_with(&root)) {
            let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<f64>().ok();
            if let (Some(limit), Some(used)) = (number(files[0]), number(files[1])) {
                // Files in the cache count as used, and go when the memory is needed.
                let cached = fs::read_to_string(folder.join("memory.stat")).ok().and_then(|text| inactive(&text));
                let left = (limit - used + cached.unwrap_or(0.0)).max(0.0);
                least = Some(least.map_or(left, |l| l.min(left)));
            }
        }
    }
    least
}

/// Bytes of files in the cache that nobody needs, in `memory.stat`.
fn inactive(stat: &str) -> Option<f64> {
    let value = |key: &str| stat.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(' ')?.parse().ok());
    value("total_inactive_file").or_else(|| value("inactive_file"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn limits_of_control_groups() {
        let mount = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = mount.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        assert_eq!(group_limit(mount.path(), "0::/a/b\n"), None);
        write("a/b/memory.max", "max\n");
        write("a/b/memory.current", "100\n");
        assert_eq!(group_limit(mount.path(), "0::/a/b\n"), None);
        // The group above has the limit.
        write("a/memory.max", "1000\n");
        write("a/memory.current", "400\n");
        assert_eq!(group_limit(mount.path(), "0::/a/b\n"), Some(600.0));
        write("a/memory.stat", "file 300\ninactive_file 200\n");
        assert_eq!(group_limit(mount.path(), "1:cpu:/a\n0::/a/b\n"), Some(800.0));
        // Version 1, whose path is not mounted in the container.
        write("memory/memory.limit_in_bytes", "500\n");
        write("memory/memory.usage_in_bytes", "450\n");
        assert_eq!(group_limit(mount.path(), "4:memory:/docker/0f\n"), Some(50.0));
        assert_eq!(group_limit(mount.path(), "rubbish\n:\n"), None);
    }

    #[test]
    fn numbers_of_the_system() {
        assert_eq!(kibibytes("MemTotal: 9 kB\nMemAvailable:   12 kB\n", "MemAvailable:"), Some(12.0 * 1024.0));
        assert_eq!(kibibytes("MemAvailable: lots\n", "MemAvailable:"), None);
    }
}
