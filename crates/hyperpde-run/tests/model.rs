//! Saved models: the same bits after a round trip, and a sentence for everything that is no model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/common/folder.rs"]
mod folder;
#[path = "../../../tests/common/solved.rs"]
mod solved;

use std::collections::HashMap;
use std::path::Path;

use folder::Folder;
use hyperpde_bilevel::SolveSnapshot;
use hyperpde_config::Config;
use hyperpde_kernels::{Operator, Points};
use hyperpde_run::{MODEL_FILE, Model, RunError};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use solved::{config, saved, solve};

fn grid() -> Points {
    Points::new(2, vec![0.1, 0.2, 0.5, 1.5, 1.0, 0.0, 0.77, 1.99]).unwrap()
}

#[test]
fn a_model_gives_the_bits_that_were_saved() {
    let folder = Folder::new();
    let solution = saved(folder.path());
    // The data file is inside: what lies beside the model later does not matter.
    std::fs::remove_file(folder.join("data.csv")).unwrap();
    for path in [folder.path().to_path_buf(), folder.join(MODEL_FILE)] {
        let model = Model::load(&path).unwrap();
        let posterior = model.posterior().unwrap();
        for field in 0..2 {
            let operator = Operator::partial(2, 1);
            assert_eq!(posterior.values(field, &grid()).unwrap(), solution.values(field, &grid()).unwrap());
            assert_eq!(
                posterior.variance(field, &operator, &grid()).unwrap(),
                solution.variance(field, &operator, &grid()).unwrap()
            );
        }
        assert_eq!(posterior.weights(), solution.weights());
    }
}

#[test]
fn recipes_are_kept_bit_for_bit_and_files_do_not_differ() {
    let folder = Folder::new();
    let config = config(folder.path());
    let outcome = solve(&config);
    // A part of a step, and numbers that text would lose.
    let recipe = SolveSnapshot { fraction: 0.3, ..outcome.recipe.clone() };
    let mut odd = recipe.clone();
    odd.about[0][1] = f64::from_bits(0x3ff0_0000_0000_0001);
    odd.about[1][0] = -0.0;
    odd.theta[0] = f64::MIN_POSITIVE / 8.0;
    let (first, second) = (folder.join("a.safetensors"), folder.join("b.safetensors"));
    for recipe in [&recipe, &odd] {
        Model::save(&first, &config, recipe).unwrap();
        Model::save(&second, &config, recipe).unwrap();
        assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
        let model = Model::load(&first).unwrap();
        let bits = |s: &SolveSnapshot| {
            s.about.concat().iter().chain(&s.theta).chain([&s.fraction]).map(|v| v.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(model.recipe()), bits(recipe));
        assert_eq!(model.config(), &config);
        assert_eq!(model.target(), config.target());
    }
    // The part of a step differs from the whole, and is what the solver itself would take.
    let kernels = config.kernels(7, &config.backend().device().unwrap()).unwrap();
    let direct = recipe.solve(config.problem(), config.sample().unwrap(), kernels, &config.bilevel_settings()).unwrap();
    Model::save(&first, &config, &recipe).unwrap();
    let posterior = Model::load(&first).unwrap().posterior().unwrap();
    assert_eq!(posterior.weights(), direct.weights());
    assert_ne!(posterior.weights(), outcome.last.weights());
}

#[test]
fn a_solution_of_another_configuration_is_not_saved() {
    let folder = Folder::new();
    let config = config(folder.path());
    let mut recipe = solve(&config).recipe;
    recipe.about[1].pop();
    let error = Model::save(&folder.join(MODEL_FILE), &config, &recipe).unwrap_err();
    assert!(matches!(error, RunError::Input(_)) && error.to_string().contains("another configuration"), "{error}");
    assert!(!folder.join(MODEL_FILE).exists());
}

fn refusal(path: &Path) -> String {
    let error = Model::load(path).err().unwrap_or_else(|| panic!("{} was read", path.display()));
    assert!(matches!(error, RunError::Input(_)), "{error:?}");
    let text = error.full_message();
    assert!(text.starts_with("cannot use the model ") && !text.contains('\n'), "{text}");
    text
}

/// The model with another header, its checksum set right by the rule of the format.
fn with_header(bytes: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(bytes).unwrap();
    let text = change(&metadata.metadata().as_ref().unwrap()["hyperpde"]);
    let mut arrays = file.tensors();
    arrays.retain(|(name, _)| name != "checksum");
    arrays.sort_by(|a, b| a.0.cmp(&b.0));
    let mut all = text.clone().into_bytes();
    for (name, view) in &arrays {
        all.extend(format!("{name} {:?} {}", view.shape(), view.data().len()).bytes());
        all.extend(view.data());
    }
    let sum = crc32fast::hash(&all).to_le_bytes();
    arrays.push(("checksum".into(), TensorView::new(Dtype::U32, vec![1], &sum).unwrap()));
    serialize(arrays, Some(HashMap::from([("hyperpde".to_owned(), text)]))).unwrap()
}

#[test]
fn what_is_no_model_is_refused_in_a_sentence() {
    let folder = Folder::new();
    saved(folder.path());
    let good = std::fs::read(folder.join(MODEL_FILE)).unwrap();
    let file = folder.join("bad.safetensors");
    let check = |bytes: &[u8], expected: &str| {
        std::fs::write(&file, bytes).unwrap();
        let text = refusal(&file);
        assert!(text.contains(expected), "{expected}: {text}");
    };
    assert_eq!(with_header(&good, str::to_owned), good, "the rule of the checksum");
    check(b"", "truncated");
    check(b"[domain]\nspace = 1\n", "no model");
    check(&[0xff; 300], "no model");
    let zeros = [0u8; 8];
    let other = TensorView::new(Dtype::F64, vec![1], &zeros).unwrap();
    check(&serialize([("u", &other)], None).unwrap(), "no model of this program");
    let metadata = Some(HashMap::from([("hyperpde".to_owned(), "{}".to_owned())]));
    check(&serialize([("u", &other)], metadata).unwrap(), "no model of this program");
    check(&with_header(&good, |h| h.replace("\"format_version\":1", "\"format_version\":2")), "version 2");
    check(&with_header(&good, |h| h.replace("u_t - 0.1*u_xx", "u_t - 0.1*u_xx + w")), "unknown name 'w'");
    check(&with_header(&good, |h| h.replace("data.csv", "data.txt")), "must end in .csv or .npy");
    check(&with_header(&good, |h| h.replace("\"backend\":\"", "\"backend\":\"x")), "header can't be read");
    assert!(refusal(&folder.join("none.safetensors")).contains("No such file"));
    let empty = folder.join("empty");
    std::fs::create_dir(&empty).unwrap();
    assert!(refusal(&empty).contains(MODEL_FILE));
    // A configuration that draws other points is found when the solution is asked for.
    std::fs::write(&file, with_header(&good, |h| h.replace("seed = 7", "seed = 8"))).unwrap();
    let error = Model::load(&file).unwrap().posterior().unwrap_err();
    assert!(matches!(error, RunError::Input(_)) && error.to_string().contains("other points"), "{error}");
}

#[test]
fn every_truncated_or_altered_byte_is_noticed() {
    let folder = Folder::new();
    saved(folder.path());
    let good = std::fs::read(folder.join(MODEL_FILE)).unwrap();
    let file = folder.join("bad.safetensors");
    for length in (0..good.len()).step_by(97).chain([8, good.len() - 1]) {
        std::fs::write(&file, &good[..length]).unwrap();
        let text = refusal(&file);
        assert!(text.contains("truncated"), "{length} of {} bytes: {text}", good.len());
    }
    let mut bad = good.clone();
    for at in (0..good.len()).step_by(3) {
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&file, &bad).unwrap();
        refusal(&file);
        bad[at] = good[at];
    }
}

#[test]
fn configurations_keep_what_they_read() {
    let folder = Folder::new();
    let config = config(folder.path());
    let data = config.data().clone();
    assert_eq!(data.len(), 1);
    std::fs::remove_file(folder.join("data.csv")).unwrap();
    assert!(Config::parse("again.toml", solved::TEXT, folder.path()).is_err());
    let again = Config::parse_with_data("again.toml", solved::TEXT, data).unwrap();
    assert_eq!(again.problem().observations()[0].values(), Some([0.3, 0.8, -0.1].as_slice()));
}
