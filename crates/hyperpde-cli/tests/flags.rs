//! The common flags: what they accept, what they refuse and in which words, and how they meet a problem's defaults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;
use common::parse;
use hyperpde_bilevel::{ObjectiveKind, OptimizerKind, StepControl};
use hyperpde_cli::{CliError, TargetFlags};
use hyperpde_config::{RunSettings, Target};
use hyperpde_kernels::{Backend, Precision};
use hyperpde_pde::{Defaults, SampleSizes, Sampler};

const DEFAULTS: RunSettings = RunSettings {
    seed: 1,
    interior: 20,
    boundary: 30,
    validation: 400,
    batch: 50,
    gauss_newton_steps: 6,
    outer_steps: 7,
    warm_up: 0,
    nugget: 8e-8,
    learning_rate: 9e-3,
    loss_tolerance: 1e-5,
    objective: ObjectiveKind::Published,
    optimizer: OptimizerKind::Adam,
    step_control: StepControl::Backtracking,
    increment_tolerance: 0.0,
    gain_tolerance: 0.0,
    gain_steps: 3,
    regularisation: 0.0,
};

/// The message with which `words` are refused, on one line.
fn refusal(words: &[&str]) -> String {
    let error = parse(words).expect_err(&format!("{words:?} must be refused"));
    assert_eq!(error.exit_code(), 2, "{words:?}");
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_command_is_consistent() {
    common::Program::command().debug_assert();
}

#[test]
fn without_flags_everything_is_left_to_the_problem() {
    let flags = parse(&[]).unwrap();
    assert_eq!(flags.target, TargetFlags::default());
    assert_eq!(flags.target.over(Target::default()).backend, Backend::default());
    assert_eq!(flags.seed, None);
    let counts =
        [flags.interior, flags.boundary, flags.validation, flags.batch, flags.gauss_newton_steps, flags.outer_steps];
    assert_eq!(counts, [None; 6]);
    assert_eq!([flags.nugget, flags.learning_rate], [None; 2]);
    assert_eq!(flags.sampler, None);
    assert_eq!([flags.out, flags.json], [None, None]);
    assert!(!flags.quiet);
    assert_eq!(parse(&[]).unwrap().resolve(&DEFAULTS).unwrap(), DEFAULTS);
}

#[test]
fn every_flag_reaches_its_setting() {
    let words = "--backend flex --device 2 --precision f64 --seed 18446744073709551615 --interior 1 --boundary 12 --validation 13 \
                 --batch 13 --gauss-newton-steps 15 --outer-steps 0 --nugget 1e-7 --learning-rate 2.5 --sampler sobol \
                 --objective validation --optimizer lbfgs --step-control full \
                 --out some/folder --json report.json --baselines --quiet";
    let flags = parse(&words.split_whitespace().collect::<Vec<_>>()).unwrap();
    let target = flags.target.over(Target::default());
    assert_eq!(target, Target { backend: Backend::Flex, device: 2, precision: Some(Precision::F64) });
    assert!(flags.quiet);
    assert!(flags.baselines);
    assert_eq!(flags.sampler, Some(Sampler::Sobol));
    assert_eq!(flags.out.as_deref(), Some(Path::new("some/folder")));
    assert_eq!(flags.json.as_deref(), Some(Path::new("report.json")));
    let resolved = flags.resolve(&DEFAULTS).unwrap();
    let expected = RunSettings {
        seed: u64::MAX,
        interior: 1,
        boundary: 12,
        validation: 13,
        batch: 13,
        gauss_newton_steps: 15,
        outer_steps: 0,
        warm_up: 0,
        nugget: 1e-7,
        learning_rate: 2.5,
        // That of the problem is in the units of another objective.
        loss_tolerance: 0.0,
        objective: ObjectiveKind::Validation,
        optimizer: OptimizerKind::Lbfgs,
        step_control: StepControl::Full,
        increment_tolerance: 0.0,
        gain_tolerance: 0.0,
        gain_steps: 3,
        regularisation: 0.0,
    };
    assert_eq!(resolved, expected);
    assert_eq!(resolved.sizes(), SampleSizes { interior: 1, boundary: 12, validation: 13 });
}

#[test]
fn limits_are_allowed() {
    assert_eq!(parse(&["--nugget", "0"]).unwrap().nugget, Some(0.0));
    assert_eq!(parse(&["--nugget", "1"]).unwrap().nugget, Some(1.0));
    assert_eq!(parse(&["--interior", "1000000"]).unwrap().interior, Some(1_000_000));
}

#[test]
fn a_bad_value_is_refused_with_what_is_allowed() {
    let counts = ["--interior", "--boundary", "--validation", "--batch", "--gauss-newton-steps"];
    for flag in counts {
        for value in ["0", "-3", "1.5", "1000001", "many", "99999999999999999999", ""] {
            let message = refusal(&[flag, value]);
            assert!(message.contains("must be a whole number from 1 to 1000000"), "{flag} {value}: {message}");
            assert!(message.contains(flag), "names the flag: {message}");
        }
    }
    let others = [
        ("--outer-steps", &["-1", "1e3", "1000001"][..], "must be a whole number from 0 to 1000000"),
        ("--seed", &["-1", "0.5", "18446744073709551616"], "must be a whole number from 0 to 18446744073709551615"),
        ("--nugget", &["-1e-10", "1.1", "nan", "inf", "small"], "must be a number from 0 to 1, such as 1e-10"),
        ("--learning-rate", &["0", "-1", "nan", "inf", "fast"], "must be a finite number above 0, such as 1e-2"),
        ("--objective", &["residual", "Published", ""], "must be published, validation, "),
        ("--optimizer", &["sgd", "Adam", ""], "must be adam or lbfgs"),
        ("--step-control", &["none", ""], "must be full or backtracking"),
        ("--sampler", &["grid", "Sobol", ""], "must be uniform, latin-hypercube, halton or sobol"),
    ];
    for (flag, values, allowed) in others {
        for value in values {
            let message = refusal(&[flag, value]);
            assert!(message.contains(allowed) && message.contains(flag), "{flag} {value}: {message}");
        }
    }
}

#[test]
fn samplers_go_by_their_names() {
    let names = [
        ("uniform", Sampler::Uniform),
        ("latin-hypercube", Sampler::LatinHypercube),
        ("latin_hypercube", Sampler::LatinHypercube),
        ("halton", Sampler::Halton),
        ("sobol", Sampler::Sobol),
    ];
    for (name, sampler) in names {
        assert_eq!(parse(&["--sampler", name]).unwrap().sampler, Some(sampler));
    }
}

#[test]
fn an_unknown_backend_is_told_what_there_is() {
    let message = refusal(&["--backend", "abacus"]);
    assert!(message.contains("no such backend"), "{message}");
    for backend in Backend::ALL {
        if backend.is_available() {
            assert!(message.contains(backend.name()), "{message}");
            assert_eq!(parse(&["--backend", backend.name()]).unwrap().target.backend, Some(backend));
        } else {
            let message = refusal(&["--backend", backend.name()]);
            assert!(message.contains(&format!("--features {}", backend.name())), "{message}");
        }
    }
}

#[test]
fn devices_and_precisions_go_by_number_and_name() {
    for precision in Precision::ALL {
        assert_eq!(parse(&["--precision", precision.name()]).unwrap().target.precision, Some(precision));
    }
    for precision in ["f16", "F64", ""] {
        let message = refusal(&["--precision", precision]);
        assert!(message.contains("use f64, f32 or mixed"), "{precision}: {message}");
    }
    assert_eq!(parse(&["--device", "7"]).unwrap().target.device, Some(7));
    for device in ["-1", "65536", "first", "1.0", ""] {
        let message = refusal(&["--device", device]);
        assert!(message.contains("must be a whole number from 0 to 65535"), "{device}: {message}");
    }
}

#[test]
fn a_misspelt_flag_or_a_missing_value_is_refused() {
    assert_eq!(parse(&["--interiors", "5"]).unwrap_err().kind(), ErrorKind::UnknownArgument);
    assert_eq!(parse(&["stray"]).unwrap_err().kind(), ErrorKind::UnknownArgument);
    assert!(refusal(&["--nugget"]).contains("--nugget"));
    assert_eq!(parse(&["--seed", "1", "--seed", "2"]).unwrap_err().kind(), ErrorKind::ArgumentConflict);
}

#[test]
fn a_batch_larger_than_the_pool_is_an_input_error() {
    for (words, pool) in [(&["--batch", "401"][..], 400), (&["--batch", "61", "--validation", "60"], 60)] {
        let error = parse(words).unwrap().resolve(&DEFAULTS).unwrap_err();
        assert!(matches!(error, CliError::Input(_)), "{error:?}");
        assert_eq!(error.status(), 2);
        let message = error.to_string();
        assert!(message.contains(words[1]) && message.contains(&format!("validation pool of {pool} ")), "{message}");
        assert!(message.contains("lower --batch or raise --validation"), "{message}");
    }
    assert_eq!(parse(&["--batch", "400"]).unwrap().resolve(&DEFAULTS).unwrap().batch, 400);
}

#[test]
fn a_default_batch_shrinks_with_the_pool() {
    assert_eq!(parse(&["--validation", "10"]).unwrap().resolve(&DEFAULTS).unwrap().batch, 10);
    assert_eq!(parse(&["--validation", "60"]).unwrap().resolve(&DEFAULTS).unwrap().batch, 50);
}

#[test]
fn a_problem_gives_its_published_settings() {
    let published = Defaults { interior: 3, boundary: 4, validation: 5, batch: 2, nugget: 1e-6, ..Defaults::default() };
    let settings = RunSettings::of(&published);
    assert_eq!((settings.seed, settings.interior, settings.boundary), (0, 3, 4));
    assert_eq!((settings.validation, settings.batch, settings.nugget), (5, 2, 1e-6));
    assert_eq!((settings.gauss_newton_steps, settings.outer_steps, settings.learning_rate), (30, 50, 1e-2));
}
