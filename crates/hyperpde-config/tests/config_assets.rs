//! Every configuration under `assets/configs` says what the built-in problem and its example say: equations, conditions, points, kernels, settings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::Device;
use hyperpde_bilevel::{ObjectiveKind, OptimizerKind, StepControl};
use hyperpde_config::{Config, RunSettings, catalogue_names, commented};
use hyperpde_kernels::{
    AnyKernel, Backend, Convention, GaussianConfig, GibbsConfig, LengthScales, PeriodicConfig, parameters,
};
use hyperpde_pde::{Problem, Sampler, seeded};
use hyperpde_problems as problems;
use random::Random;

#[path = "../../../tests/common/random.rs"]
mod random;

fn device() -> Device {
    Backend::default().device().unwrap()
}

fn configuration(name: &str) -> Config {
    Config::parse(&format!("{name}.toml"), commented(name).unwrap(), ".").unwrap_or_else(|e| panic!("{name}:\n{e:?}"))
}

/// The kernels of the example binaries, built from their configurations in Rust.
fn kernels_of_example(name: &str, device: &Device) -> Vec<AnyKernel> {
    let gaussian = |c: GaussianConfig| AnyKernel::from(c.init(device).unwrap());
    let gibbs = |scales, divisor| vec![AnyKernel::from(GibbsConfig::new(2, scales, divisor).init(0, device).unwrap())];
    let periodic = || {
        let config = PeriodicConfig::new([None, Some(10.0)], [1.0, 1.0]).with_convention(Convention::Unit);
        AnyKernel::from(config.init(device).unwrap())
    };
    let reaction = || gaussian(GaussianConfig::ard([1.0, 1.0]).with_convention(Convention::Unit));
    match name {
        "burgers" => gibbs(LengthScales::PerDimension, 4.0),
        "eikonal" => gibbs(LengthScales::Isotropic, 3.0),
        "elliptic" => vec![gaussian(GaussianConfig::isotropic(1.0))],
        "elliptic-3d" => vec![gaussian(GaussianConfig::isotropic(0.5))],
        "poisson" => vec![gaussian(GaussianConfig::isotropic(0.3))],
        "heat" => vec![gaussian(GaussianConfig::ard([0.5, 0.5]))],
        "allen-cahn" => vec![gaussian(GaussianConfig::ard([0.5, 0.2]))],
        "darcy" => vec![gaussian(GaussianConfig::isotropic(0.5)), gaussian(GaussianConfig::isotropic(0.5))],
        "schrodinger" => vec![periodic(), periodic()],
        _ => vec![reaction(), reaction()],
    }
}

/// The settings of the example binaries: as published but for what they change.
fn settings_of_example(name: &str, published: RunSettings) -> RunSettings {
    let few = RunSettings { optimizer: OptimizerKind::Lbfgs, ..published };
    match name {
        "elliptic" => {
            RunSettings { batch: 900, outer_steps: 20, loss_tolerance: 4.5e-5, increment_tolerance: 1e-6, ..few }
        }
        "eikonal" => RunSettings { warm_up: 10, batch: 900, step_control: StepControl::Full, ..published },
        "schrodinger" => RunSettings {
            batch: 500,
            outer_steps: 12,
            increment_tolerance: 1e-4,
            step_control: StepControl::Full,
            ..few
        },
        "darcy" => RunSettings {
            batch: 200,
            gauss_newton_steps: 8,
            outer_steps: 30,
            increment_tolerance: 1e-4,
            nugget: 1e-8,
            ..few
        },
        _ if name.starts_with("gray-scott") => {
            RunSettings { batch: 600, loss_tolerance: 0.0, increment_tolerance: 1e-6, ..few }
        }
        _ => published,
    }
}

fn sampler_of_example(name: &str) -> Sampler {
    if name == "eikonal" { Sampler::Sobol } else { Sampler::Halton }
}

fn close(a: f64, b: f64, what: &str) {
    assert!((a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1.0), "{what}: {a} and {b}");
}

fn each_close(a: &[f64], b: &[f64], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    a.iter().zip(b).for_each(|(a, b)| close(*a, *b, what));
}

/// Residuals, coefficients and right-hand sides at random states, of size one and of size ten.
fn same_equations(name: &str, text: &Problem, built_in: &Problem) {
    let (ours, theirs) = (text.equations(), built_in.equations());
    assert_eq!(ours.unknowns(), theirs.unknowns(), "{name}");
    let mut rng = Random(7);
    let x = Sampler::Uniform.interior(built_in.domain(), 50, &mut seeded(7, 0)).unwrap();
    for size in [1.0, 10.0] {
        let unknowns = ours.unknowns().len();
        let u: Vec<Vec<f64>> = (0..unknowns).map(|_| (0..x.len()).map(|_| size * rng.number()).collect()).collect();
        for (a, b) in ours.residual(&x, &u).unwrap().iter().zip(&theirs.residual(&x, &u).unwrap()) {
            each_close(a, b, &format!("{name}: residual"));
        }
        let (a, b) = (ours.linearise(&x, &u).unwrap(), theirs.linearise(&x, &u).unwrap());
        assert_eq!(a.rhs.len(), b.rhs.len());
        for e in 0..a.rhs.len() {
            each_close(&a.rhs[e], &b.rhs[e], &format!("{name}: right-hand side {e}"));
            for j in 0..unknowns {
                each_close(&a.coefficients[e][j], &b.coefficients[e][j], &format!("{name}: coefficient {e}, {j}"));
            }
        }
    }
}

/// The same points exactly, and the same rows of conditions and observations on them.
fn same_draw(name: &str, config: &Config, built_in: &Problem) {
    let (sizes, seed) = (config.run_settings().sizes(), config.run_settings().seed);
    let ours = config.problem().sample(&sizes, config.sampler(), seed).unwrap();
    let theirs = built_in.sample(&sizes, sampler_of_example(name), 0).unwrap();
    assert_eq!(ours.interior.as_slice(), theirs.interior.as_slice(), "{name}");
    assert_eq!(ours.pool.as_slice(), theirs.pool.as_slice(), "{name}");
    for (a, b) in [(&ours.boundary, &theirs.boundary), (&ours.observations, &theirs.observations)] {
        assert_eq!(a.len(), b.len(), "{name}");
        for (a, b) in a.iter().zip(b) {
            let what = format!("{name}: {}", a.name());
            assert_eq!(a.sites().len(), b.sites().len());
            a.sites().iter().zip(b.sites()).for_each(|(a, b)| assert_eq!(a.as_slice(), b.as_slice(), "{what}"));
            assert_eq!((a.terms().len(), a.noise_variance()), (b.terms().len(), b.noise_variance()), "{what}");
            for (a, b) in a.terms().iter().zip(b.terms()) {
                assert_eq!((a.field, &a.operator, a.site), (b.field, &b.operator, b.site), "{what}");
                each_close(&a.coefficients, &b.coefficients, &what);
            }
            each_close(a.rhs(), b.rhs(), &what);
        }
    }
}

#[test]
fn each_says_what_the_built_in_problem_says() {
    for name in catalogue_names() {
        let (config, built_in) = (configuration(name), problems::by_name(name).unwrap());
        let problem = config.problem();
        assert_eq!(problem.name(), name);
        assert_eq!((problem.domain(), problem.fields()), (built_in.domain(), built_in.fields()), "{name}");
        same_equations(name, problem, &built_in);
        same_draw(name, &config, &built_in);
        let grids = (problem.test_grid(), built_in.test_grid());
        assert_eq!(grids.0.shape(), grids.1.shape(), "{name}");
        each_close(grids.0.points().as_slice(), grids.1.points().as_slice(), name);
        let scores = |p: &Problem| p.scores().iter().map(|s| s.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(scores(problem), scores(&built_in), "{name}");
    }
}

#[test]
fn closed_forms_are_the_references() {
    for name in ["elliptic", "elliptic-3d", "poisson", "heat", "allen-cahn"] {
        let (config, built_in) = (configuration(name), problems::by_name(name).unwrap());
        let points = built_in.test_grid().points();
        let ours = config.problem().reference().unwrap().evaluate(points).unwrap();
        let theirs = built_in.reference().unwrap().evaluate(points).unwrap();
        ours.iter().zip(&theirs).for_each(|(a, b)| each_close(a, b, name));
    }
}

#[test]
fn kernels_and_settings_are_those_of_the_examples() {
    let device = device();
    for name in catalogue_names() {
        let (config, built_in) = (configuration(name), problems::by_name(name).unwrap());
        let ours = parameters(&config.kernels(0, &device).unwrap()).unwrap();
        assert_eq!(ours, parameters(&kernels_of_example(name, &device)).unwrap(), "{name}");
        let expected = settings_of_example(name, RunSettings::of(built_in.defaults()));
        assert_eq!(config.run_settings(), expected, "{name}");
        let bilevel = config.bilevel_settings();
        assert_eq!(
            (bilevel.loss_tolerance, bilevel.optimizer),
            (expected.loss_tolerance, expected.optimizer),
            "{name}"
        );
        assert_eq!((bilevel.seed, bilevel.monitor, bilevel.retries), (0, 500, 10), "{name}");
        assert_eq!(config.sampler(), sampler_of_example(name), "{name}");
        assert_eq!((config.held_out(), config.folds()), (0.0, (name == "darcy").then_some(5)), "{name}");
    }
}

#[test]
fn a_name_alone_is_the_same_and_may_be_overridden() {
    for name in catalogue_names() {
        let (long, short) =
            (configuration(name), Config::parse("c.toml", &format!("problem = \"{name}\""), ".").unwrap());
        assert_eq!(short.run_settings(), long.run_settings(), "{name}");
        assert_eq!(short.spec().kernels, long.spec().kernels, "{name}");
        assert_eq!(
            (short.sampler(), short.held_out(), short.folds()),
            (long.sampler(), long.held_out(), long.folds()),
            "{name}"
        );
    }
    let text = "problem = \"burgers\"\n[sampling]\nvalidation = 50\nsampler = \"sobol\"\n[outer]\nsteps = 3\n[kernel.u]\nkind = \"gaussian\"\nlength_scales = [0.2]";
    let config = Config::parse("c.toml", text, ".").unwrap();
    let run = config.run_settings();
    assert_eq!((run.validation, run.batch, run.outer_steps, run.gauss_newton_steps), (50, 50, 3, 20));
    assert_eq!(config.sampler(), Sampler::Sobol);
    assert_eq!(config.kernels(0, &device()).unwrap().len(), 1);
}

#[test]
fn an_objective_of_ones_own_takes_no_tolerance_in_the_units_of_another() {
    let with = |keys: &str| {
        let text = format!("problem = \"burgers\"\n[outer]\n{keys}");
        Config::parse("c.toml", &text, ".").unwrap()
    };
    let published = with("");
    let of = |config: &Config| (config.run_settings().objective, config.run_settings().loss_tolerance);
    assert_eq!(of(&published), (ObjectiveKind::Published, 1e-5));
    for &kind in ObjectiveKind::ALL.iter().filter(|kind| **kind != ObjectiveKind::Published) {
        let key = format!("objective = \"{}\"", kind.name());
        let own = with(&key);
        assert_eq!(of(&own), (kind, 0.0));
        assert_eq!(own.bilevel_settings().objective.name(), kind.name());
        assert_eq!(of(&with(&format!("{key}\ntolerance = 1e-3"))), (kind, 1e-3));
        // A resumed run of another objective is refused by this text.
        assert_ne!(own.fingerprint().unwrap(), with("tolerance = 0.0").fingerprint().unwrap());
    }
}

#[test]
fn resolved_configurations_read_back_equal() {
    for name in catalogue_names() {
        for config in [configuration(name), Config::parse("c.toml", &format!("problem = \"{name}\""), ".").unwrap()] {
            let text = config.to_toml().unwrap();
            let again = Config::parse("resolved.toml", &text, ".").unwrap_or_else(|e| panic!("{text}\n{e:?}"));
            assert_eq!(again, config, "{name}:\n{text}");
            assert_eq!(again.to_toml().unwrap(), text, "{name}");
            for key in [
                "interior",
                "sampler",
                "seed",
                "nugget",
                "assembly",
                "batch",
                "objective",
                "optimizer",
                "step_control",
                "gain_tolerance",
                "gain_steps",
                "regularisation",
                "held_out",
                "larger",
                "precision",
                "checkpoint_every",
            ] {
                assert!(text.contains(key), "{name}: {key} is not written");
            }
        }
    }
}

#[test]
fn the_example_of_the_documentation_is_read() {
    let folder = std::env::temp_dir().join(format!("hyperpde-documentation-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("data.csv"), "t,x,u\n0.5,1.0,0.3\n").unwrap();
    let pages = include_str!("../../../docs/configuration.md");
    let example = pages.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let config = Config::parse("configuration.md", example, &folder).unwrap_or_else(|e| panic!("{e:?}"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(config.problem().fields(), ["u", "v"]);
    let again = Config::parse("resolved.toml", &config.to_toml().unwrap(), &folder);
    // The data file is gone; nothing else may be wrong.
    assert!(again.unwrap_err().to_string().contains("data.csv"));
}
