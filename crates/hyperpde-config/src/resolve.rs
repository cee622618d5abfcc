//! Defaults for everything that a configuration leaves open.

use std::collections::BTreeMap;

use hyperpde_bilevel::{ObjectiveKind, OptimizerState};
use hyperpde_kernels::{Backend, GaussianConfig, KernelConfig, Precision};
use hyperpde_pde::{Defaults, Problem, Sampler};
use toml::Spanned;

use super::catalogue;
use super::document::{
    AssemblyChoice, BackendSection, CloudsSection, Document, OuterSection, SamplingSection, SolverSection, plain,
};
use super::error::ConfigError;
use super::reader::Reader;
use super::settings::RunSettings;
use super::values::Grid;

impl Reader<'_> {
    /// Fills the gaps: from the problem's own configuration if it is built in, else from the defaults of the library.
    pub(crate) fn complete(&self, mut document: Document, problem: &Problem) -> Result<Document, ConfigError> {
        let built_in = match &document.problem {
            Some(name) => match catalogue::commented(name.get_ref()) {
                Some(text) => Some(toml::from_str::<Document>(text).map_err(|e| {
                    ConfigError::without_place(format!(
                        "the configuration of the built-in problem '{name}': {}",
                        e.message()
                    ))
                })?),
                None => None,
            },
            None => None,
        };
        let defaults = *problem.defaults();
        document.name.get_or_insert_with(|| problem.name().to_owned());
        let (sampling, solver, outer, kernel, clouds) =
            built_in.map(|d| (d.sampling, d.solver, d.outer, d.kernel, d.clouds)).unwrap_or_default();
        let sampling_span = document.sampling.as_ref().map_or(0..0, Spanned::span);
        let own = document.sampling.take().map(Spanned::into_inner).unwrap_or_default();
        let base = sampling.map(Spanned::into_inner).unwrap_or_default();
        let sampling = complete_sampling(own, base, &defaults, problem, document.problem.is_some());
        document.sampling = Some(Spanned::new(sampling_span, sampling));
        let solver = complete_solver(document.solver.take().unwrap_or_default(), solver.unwrap_or_default(), &defaults);
        let steps = solver.gauss_newton_steps.as_ref().map_or(defaults.gauss_newton_steps, |v| *v.get_ref());
        document.solver = Some(solver);
        let has_data = !problem.observations().is_empty();
        let pool = document.sampling.as_ref().and_then(|s| s.get_ref().validation.as_ref().map(|v| *v.get_ref()));
        let outer = complete_outer(
            document.outer.take().unwrap_or_default(),
            outer.unwrap_or_default(),
            if document.problem.is_some() { RunSettings::of(&defaults) } else { RunSettings::untuned(&defaults) },
            steps,
            pool,
            has_data,
        );
        document.outer = Some(outer);
        self.complete_kernels(&mut document, kernel, problem)?;
        document.backend = Some(complete_backend(document.backend.take().unwrap_or_default()));
        document.clouds = Some(complete_clouds(document.clouds.take(), clouds));
        let output = document.output.get_or_insert_default();
        output.checkpoint_every = first(output.checkpoint_every.take(), None, 1);
        Ok(document)
    }

    /// Every field gets a kernel: its own, that of the built-in problem, or a Gaussian as wide as a third of the domain.
    fn complete_kernels(
        &self,
        document: &mut Document,
        mut built_in: BTreeMap<Spanned<String>, Spanned<KernelConfig>>,
        problem: &Problem,
    ) -> Result<(), ConfigError> {
        for name in document.kernel.keys() {
            if !problem.fields().contains(name.get_ref()) {
                let what = format!("a kernel for '{name}', which is no field");
                let help = format!("fields: {}", problem.fields().join(", "));
                return Err(self.source.error(name.span(), what, "not a field").with_help(help));
            }
        }
        let widths: Vec<f64> = problem.domain().axes().iter().map(|a| 0.3 * a.width()).collect();
        for field in problem.fields() {
            if !document.kernel.contains_key(field.as_str()) {
                let gaussian = || Spanned::new(0..0, KernelConfig::Gaussian(GaussianConfig::ard(widths.clone())));
                let kernel = built_in.remove(field.as_str()).unwrap_or_else(gaussian);
                document.kernel.insert(Spanned::new(0..0, field.clone()), Spanned::new(0..0, kernel.into_inner()));
            }
        }
        Ok(())
    }
}

/// The first that is there; the built-in one and the default without their places, which are not in this file.
fn first<T>(own: Option<Spanned<T>>, base: Option<Spanned<T>>, default: T) -> Option<Spanned<T>> {
    own.or_else(|| plain(base.map_or(default, Spanned::into_inner)))
}

/// The first backend, its first device; on the host in float64, while in what precision a GPU computes by default is found out when it
/// is opened.
fn complete_backend(own: BackendSection) -> BackendSection {
    let name = own.name.or_else(|| plain(Backend::default().name().to_owned()));
    let on_host = |name: &Spanned<String>| name.get_ref().parse::<Backend>().is_ok_and(Backend::is_host);
    let default = name.as_ref().filter(|name| on_host(name)).and_then(|_| plain(Precision::F64.name().to_owned()));
    BackendSection { name, device: own.device.or_else(|| plain(0)), precision: own.precision.or(default) }
}

fn complete_sampling(
    own: SamplingSection,
    base: SamplingSection,
    defaults: &Defaults,
    problem: &Problem,
    built_in: bool,
) -> SamplingSection {
    let boundary = if problem.patches().is_empty() { 0 } else { defaults.boundary };
    SamplingSection {
        interior: first(own.interior, base.interior, defaults.interior),
        boundary: first(own.boundary, base.boundary, boundary),
        validation: first(own.validation, base.validation, defaults.validation),
        sampler: first(own.sampler, base.sampler, Sampler::Halton),
        seed: first(own.seed, base.seed, 0),
        // A built-in problem has a grid of its own.
        test_grid: if built_in {
            own.test_grid
        } else {
            own.test_grid.or_else(|| plain(Grid::of_dimension(problem.domain().dim())))
        },
    }
}

/// A section of one's own takes the place of the built-in problem's as a whole: clouds have no other way to be left out.
fn complete_clouds(own: Option<CloudsSection>, base: Option<CloudsSection>) -> CloudsSection {
    let CloudsSection { larger, fresh, transfer } = own.unwrap_or_else(|| {
        let base = base.unwrap_or_default();
        CloudsSection {
            larger: base.larger.and_then(|v| plain(v.into_inner())),
            fresh: base.fresh.and_then(|v| plain(v.into_inner())),
            transfer: base.transfer.and_then(|v| plain(v.into_inner())),
        }
    });
    CloudsSection { larger: first(larger, None, false), fresh, transfer }
}

fn complete_solver(own: SolverSection, base: SolverSection, defaults: &Defaults) -> SolverSection {
    let rest = RunSettings::of(defaults).solver_section();
    own.or(base).or(SolverSection { assembly: Some(AssemblyChoice::Auto), ..rest })
}

fn complete_outer(
    mut own: OuterSection,
    mut base: OuterSection,
    mut run: RunSettings,
    steps: usize,
    pool: Option<usize>,
    has_data: bool,
) -> OuterSection {
    // A batch that nobody asked for shrinks to a pool that somebody made smaller.
    let batch = base.batch.take().map_or(run.batch, Spanned::into_inner);
    run.batch = pool.map_or(batch, |pool| batch.min(pool));
    // A tolerance that nobody asked for is in the units of the published objective.
    if own.objective.or(base.objective).unwrap_or(run.objective) != ObjectiveKind::Published {
        (base.tolerance, run.loss_tolerance) = (None, 0.0);
    } else {
        // As published, all steps are taken.
        run.gain_tolerance = 0.0;
    }
    // A warm-up that nobody asked for leaves most of a run that somebody made shorter to learning.
    run.warm_up = base.warm_up.take().map_or(run.warm_up, Spanned::into_inner).min(steps / 3);
    // Folds take the place of a held-out fraction, and the other way round.
    let folds = base.folds.take().filter(|_| own.held_out.is_none());
    own.folds = own.folds.or_else(|| plain(folds?.into_inner()));
    if own.folds.is_some() {
        base.held_out = None;
    }
    let fraction = if has_data && own.folds.is_none() { 0.25 } else { 0.0 };
    let rest = OuterSection {
        optimizer_state: Some(OptimizerState::default()),
        held_out: plain(fraction),
        ..run.outer_section()
    };
    own.or(base).or(rest)
}
