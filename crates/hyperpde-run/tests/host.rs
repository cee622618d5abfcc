//! A run and its host: what is told, and an end that the host asks for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/common/folder.rs"]
mod folder;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::path::Path;

use folder::Folder;
use hyperpde_config::{Config, RunSpec};
use hyperpde_run::{Experiment, Goal, Host, Picture, Plan, RunError, RunReport, StepLine, runs};

/// Keeps all it is told, and wants an end once it knows of `most` Gauss-Newton steps.
struct Notes {
    most: usize,
    goals: RefCell<Vec<Goal>>,
    steps: RefCell<Vec<StepLine>>,
    ends: RefCell<Vec<String>>,
    drawn: Cell<usize>,
}

impl Notes {
    fn new(most: usize) -> Self {
        Self {
            most,
            goals: RefCell::default(),
            steps: RefCell::default(),
            ends: RefCell::default(),
            drawn: Cell::new(0),
        }
    }
}

impl Host for Notes {
    fn begin(&self, goal: &Goal) {
        self.goals.borrow_mut().push(*goal);
    }

    fn step(&self, step: &StepLine) {
        self.steps.borrow_mut().push(*step);
    }

    fn finish(&self, message: &str) {
        self.ends.borrow_mut().push(message.to_owned());
    }

    fn interrupted(&self) -> bool {
        self.steps.borrow().last().is_some_and(|step| step.gauss_newton >= self.most)
    }

    fn draw(
        &self,
        folder: &Path,
        picture: &Picture<'_>,
        report: &RunReport,
        _: &[String],
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        assert!(folder.join("report.json").is_file() && folder.join("solution.safetensors").is_file());
        let n = picture.problem.test_grid().points().len();
        assert_eq!((picture.quantities.len(), picture.quantities[0].estimate.len()), (1, n));
        assert_eq!(report.problem, "poisson");
        self.drawn.set(self.drawn.get() + 1);
        Ok(())
    }
}

fn config() -> Config {
    let mut spec = RunSpec::built_in("poisson").unwrap();
    (spec.settings.interior, spec.settings.boundary) = (30, 12);
    (spec.settings.validation, spec.settings.batch) = (20, 10);
    (spec.settings.gauss_newton_steps, spec.settings.outer_steps, spec.settings.loss_tolerance) = (4, 3, 0.0);
    spec.settings.increment_tolerance = 0.0;
    Config::from_spec(&spec, ".").unwrap()
}

#[test]
fn every_step_of_the_loop_is_told_and_no_other() {
    let config = config();
    let host = Notes::new(usize::MAX);
    let report = Experiment::from_config(&config).run(&Plan::of(config.spec()), &host).unwrap();
    assert_eq!(*host.goals.borrow(), [Goal { gauss_newton_steps: 4, outer_steps: 3, resumed: None }]);
    assert_eq!(*host.steps.borrow(), report.history.iter().map(|record| record.step).collect::<Vec<_>>());
    assert_eq!(*host.ends.borrow(), ["learned in 12 outer steps; the equations are linear"]);
    assert_eq!(report.termination.as_deref(), Some("steps-taken"));
    assert_eq!(host.drawn.get(), 0, "there is no folder to draw into");
}

#[test]
fn a_run_that_the_host_ends_goes_on_to_the_same_numbers() {
    let place = Folder::new();
    let (whole, cut) = (place.join("whole"), place.join("cut"));
    let expected = runs::start(&config(), &whole, None, &()).unwrap();
    let error = runs::start(&config(), &cut, None, &Notes::new(2)).unwrap_err();
    assert!(matches!(&error, RunError::Interrupted { folder: Some(folder) } if *folder == cut), "{error:?}");
    assert!(!cut.join("report.json").exists());
    let host = Notes::new(usize::MAX);
    let resumed = runs::resume(&cut, None, &host).unwrap();
    let from = host.goals.borrow()[0].resumed.unwrap().gauss_newton;
    assert!((1..4).contains(&from), "it went on after {from}");
    assert_eq!(host.drawn.get(), 1);
    let numbers = |report: &RunReport| {
        let steps: Vec<StepLine> = report.history.iter().map(|record| record.step).collect();
        (report.linf.clone(), report.hyperparameters.clone(), report.termination.clone(), steps)
    };
    assert_eq!(numbers(&resumed), numbers(&expected));
}

#[test]
fn a_host_that_can_t_draw_ends_the_run_after_its_numbers_are_written() {
    struct Broken;
    impl Host for Broken {
        fn draw(
            &self,
            _: &Path,
            _: &Picture<'_>,
            _: &RunReport,
            _: &[String],
        ) -> Result<(), Box<dyn Error + Send + Sync>> {
            Err("no paper".into())
        }
    }
    let place = Folder::new();
    let error = runs::start(&config(), &place.join("run"), None, &Broken).unwrap_err();
    assert!(matches!(error, RunError::Draw(_)) && error.to_string() == "no paper", "{error:?}");
    assert!(place.join("run/report.json").is_file() && place.join("run/model.safetensors").is_file());
}
