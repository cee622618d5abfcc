//! The specification of a run: complete, plain, and the same through JSON and TOML.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hyperpde_config::{Config, RunSpec, Statement, Target, catalogue_names, commented};
use hyperpde_kernels::{Backend, Precision};

fn there_and_back(config: &Config) {
    let spec = config.spec();
    let json = serde_json::to_string(spec).unwrap();
    let read: RunSpec = serde_json::from_str(&json).unwrap();
    assert_eq!(&read, spec, "{json}");
    let again = Config::parse_with_data("again.toml", &read.to_toml().unwrap(), config.data().clone()).unwrap();
    assert_eq!(&again, config);
    assert_eq!(again.to_toml().unwrap(), config.to_toml().unwrap());
}

#[test]
fn built_in_problems_by_name_and_in_full() {
    for name in catalogue_names() {
        let spec = RunSpec::built_in(name).unwrap();
        assert_eq!(spec.problem, Statement::BuiltIn(name.to_owned()));
        there_and_back(&Config::from_spec(&spec, ".").unwrap());
        let written_out = Config::parse("c.toml", commented(name).unwrap(), ".").unwrap();
        there_and_back(&written_out);
        assert_eq!(
            (written_out.spec().settings, &written_out.spec().kernels),
            (spec.settings, &spec.kernels),
            "{name}"
        );
    }
    assert!(RunSpec::built_in("no such problem").is_err());
}

#[test]
fn each_change_edits_one_thing() {
    let config = Config::parse("c.toml", "problem = \"burgers\"", ".").unwrap();
    let own = config.spec().clone();
    let seeded = config.clone().with_seed(7).unwrap();
    let mut expected = own.clone();
    expected.settings.seed = 7;
    assert_eq!(seeded.spec(), &expected);
    there_and_back(&seeded);
    let target = Target { backend: Backend::Flex, device: 0, precision: Some(Precision::F64) };
    assert_eq!(config.clone().with_target(target).spec(), &RunSpec { target, ..own.clone() });
    let mut expected = own;
    expected.settings.outer_steps = 0;
    assert_eq!(config.without_learning().spec(), &expected);
}

#[test]
fn a_specification_is_checked_like_a_file() {
    let mut spec = RunSpec::built_in("burgers").unwrap();
    spec.settings.batch = spec.settings.validation + 1;
    let error = Config::from_spec(&spec, ".").unwrap_err();
    assert!(error.message().contains("the validation pool has"), "{error}");
    spec.settings.batch = 1;
    spec.problem = Statement::Text("fields = [".to_owned());
    assert_eq!(Config::from_spec(&spec, ".").unwrap_err().place(), Some((1, 11)));
}
