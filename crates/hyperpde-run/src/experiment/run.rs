//! A run: solve, learn, solve again, score, write.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use hyperpde_bilevel::{Bilevel, BilevelError, BilevelSettings, Event, ObjectiveKind, Outcome, Snapshot};
use hyperpde_config::Opened;
use hyperpde_gp::{Posterior, RowBlock};
use hyperpde_kernels::{Kernel, parameters};
use hyperpde_pde::{Collocation, Problem};
use serde_json::json;

use super::choice::Comparison;
use super::cloud::{Cloud, CloudPlan, sampling};
use super::definition::{Experiment, ScoredData};
use super::judge::Case;
use super::picture::Picture;
use super::plan::Plan;
use super::solve::{Solved, check, frozen_settings};
use super::spread::Spread;
use super::watch::Watch;
use crate::error::RunError;
use crate::host::Host;
use crate::model::{MODEL_FILE, Model};
use crate::per_field::PerField;
use crate::report::{KernelState, LargerCloud, RunReport, peak_rss_mb};
use crate::rows::MOST_JUDGED_TWICE;
use crate::runs::journal::Journal;
use crate::warnings::warnings_in;

/// Where a loop is written down, and who is told of it.
type Outside<'a> = (Option<&'a mut Journal>, &'a dyn Host);

impl<K: Kernel> Experiment<K> {
    /// Runs the experiment as the plan says, writes the numbers where asked, and lets the host draw them.
    ///
    /// # Errors
    /// [`RunError::Input`] for a plan that does not fit the problem, [`RunError::Numerical`] if learning or a solve with the learned
    /// kernel fails, [`RunError::Io`] or [`RunError::Draw`] for output that can't be written.
    pub fn run(&self, plan: &Plan, host: &dyn Host) -> Result<RunReport, RunError> {
        self.carry_out(plan, None, host)
    }

    /// The same in the folder of a journal, from where the journal says.
    pub(crate) fn run_in_folder(
        &self,
        plan: &Plan,
        journal: &mut Journal,
        host: &dyn Host,
    ) -> Result<RunReport, RunError> {
        self.carry_out(plan, Some(journal), host)
    }

    fn carry_out(
        &self,
        plan: &Plan,
        mut journal: Option<&mut Journal>,
        host: &dyn Host,
    ) -> Result<RunReport, RunError> {
        let own = self.bilevel(plan);
        let started = Instant::now();
        let learner = plan.target.open()?;
        // In mixed precision all that is delivered or compared is solved on the host, and only learning uses the device.
        let solver = learner.for_final_solves()?;
        learner.announce(&own);
        // Before the work, not after it: a folder that can't be made should cost nothing.
        for folder in plan.out.iter().map(PathBuf::as_path).chain(plan.json.iter().filter_map(|file| file.parent())) {
            std::fs::create_dir_all(folder).map_err(|e| RunError::io("create the folder", folder, e))?;
        }
        if let Some(file) = plan.json.iter().find(|file| file.is_dir()) {
            return Err(RunError::Input(format!(
                "{} is a folder; the report needs the name of a file",
                file.display()
            )));
        }
        let (settings, bilevel) = (&plan.settings, &solver.settings(&own));
        let collocation = self.problem.sample(&settings.sizes(), plan.sampler, settings.seed).map_err(sampling)?;
        let initial = self.built(settings.seed, &solver)?;
        let mut report = RunReport::new(self.problem.name(), plan.target.backend, learner.precision, settings);
        report.settings.insert("sampler".into(), json!(plan.sampler));
        if !plan.target.backend.is_host() {
            report.settings.insert("device".into(), json!(plan.target.device));
            report.settings.insert("nugget".into(), json!(bilevel.nugget));
        }
        let training = Cloud { name: "training", problem: &self.problem, collocation };

        let (after, solution) = if plan.learn {
            let before = self.initial(&training, &initial, bilevel, host)?;
            if let Some(before) = &before {
                report.set_initial_errors(&before.errors);
                report.clouds.push(training.errors(KernelState::Initial, before));
            }
            let (points, learning) = (&training.collocation, learner.settings(&own));
            let solution =
                self.learn(points, initial.clone(), plan, &learning, (journal.as_deref_mut(), host), &mut report)?;
            let after = training.solve(solution.kernels(), bilevel, Some(&solution), host)?;
            report.clouds.push(training.errors(KernelState::Learned, &after));
            match before {
                // What was published is reproduced as it was; with data, equations and conditions don't tell which solution is better.
                Some(before)
                    if settings.objective != ObjectiveKind::Published && self.problem.observations().is_empty() =>
                {
                    let comparison = Comparison::new(&self.problem, settings, plan.sampler)?;
                    let [untouched, learned] = [&before, &after].map(|s| comparison.score(&self.problem, s));
                    if untouched < learned {
                        log::warn!(
                            "the kernels as they were meet equations and conditions better at new points ({untouched:.1e}) than the \
                             learned ones ({learned:.1e}): they are kept"
                        );
                        report.kept_initial = true;
                        let solution = before.posterior.clone();
                        (before, solution)
                    } else {
                        (after, solution)
                    }
                }
                _ => (after, solution),
            }
        } else {
            let points = &training.collocation;
            let after = self.solve(points, &initial, bilevel, (journal.as_deref_mut(), host), &mut report)?;
            report.clouds.push(training.errors(KernelState::Initial, &after));
            let solution = after.posterior.clone();
            (after, solution)
        };
        let learned = after.posterior.kernels();
        report.set_errors(&after.errors);
        let case = Case {
            problem: &self.problem,
            collocation: &training.collocation,
            solved: &after,
            settings: bilevel,
            run: settings,
            sampler: plan.sampler,
            host,
        };
        // The variance keeps a factor as large as the system: of a large one it comes after the second solution, unless that is judged by it.
        let early = (case.noisy() || report.rows <= MOST_JUDGED_TWICE)
            .then(|| Spread::of(&self.problem, &after))
            .transpose()?;
        report.verdict = Some(case.verdict(early.as_ref())?);
        let spread = match early {
            Some(spread) => spread,
            None => Spread::of(&self.problem, &after)?,
        };
        let covered = |times: usize| PerField(spread.coverage.iter().map(|(s, c)| (s.clone(), c[times - 1])).collect());
        (report.coverage_1sd, report.coverage_2sd) = (covered(1), covered(2));
        self.describe_kernels(learned, &mut report)?;
        let mut clouds = Vec::new();
        for (index, cloud_plan) in self.clouds.iter().enumerate().filter(|_| plan.learn) {
            let cloud = cloud_plan.points(index, &training, settings, &self.settings, plan.sampler)?;
            let start = (!matches!(cloud_plan, CloudPlan::Transfer(_))).then_some(&solution);
            let errors = cloud.errors(KernelState::Learned, &cloud.solve(learned, bilevel, start, host)?);
            if matches!(cloud_plan, CloudPlan::Larger) {
                report.larger_cloud = Some(LargerCloud::from(&errors));
            }
            report.clouds.push(errors);
            clouds.push(cloud);
        }
        report.seconds_total = started.elapsed().as_secs_f64();
        report.peak_rss_mb = peak_rss_mb();

        if plan.baselines {
            self.baselines(&training, &clouds, &initial, bilevel, (&solver.device, host), &mut report)?;
        }
        let fields = match &self.kernel_fields {
            Some(fields) if plan.out.is_some() => fields(learned, self.problem.test_grid().points())
                .map_err(|e| RunError::numerical("evaluating the kernel's fields", e))?,
            _ => Vec::new(),
        };
        let picture =
            Picture::new(&self.problem, &training.collocation).with_fields(&after.predictions, &spread, fields)?;
        if let (Some(config), Some(journal)) = (&self.config, &journal) {
            let solved = config.clone().with_target(solver.target);
            Model::save(&journal.folder().join(MODEL_FILE), &solved, &after.recipe)?;
        }
        self.write(plan, &report, &picture, journal.is_some(), host)?;
        Ok(report)
    }

    /// The kernels of the run's beginning on a device, tracked.
    fn built(&self, seed: u64, opened: &Opened) -> Result<Vec<K>, RunError> {
        (self.kernels)(seed, &opened.device.clone().autodiff())
            .map_err(|e| RunError::numerical("building the kernels", e))
    }

    /// Solution, report, figures. The numbers first: they stay if a figure can't be drawn. A folder with a report is finished but for its
    /// figures, so the solution comes before it.
    fn write(
        &self,
        plan: &Plan,
        report: &RunReport,
        picture: &Picture<'_>,
        with_log: bool,
        host: &dyn Host,
    ) -> Result<(), RunError> {
        if let Some(folder) = &plan.out {
            picture.write_solution(&folder.join("solution.safetensors"))?;
        }
        let own = plan.out.as_ref().map(|folder| folder.join("report.json"));
        for file in plan.json.iter().chain(&own) {
            report.write_json(file)?;
        }
        if let Some(folder) = &plan.out {
            // The log of a folder has the warnings of a run that was interrupted too.
            let warnings = if with_log {
                warnings_in(&std::fs::read_to_string(folder.join("log.txt")).unwrap_or_default())
            } else {
                host.take_warnings()
            };
            host.draw(folder, picture, report, &warnings).map_err(RunError::Draw)?;
        }
        Ok(())
    }

    /// A solve with the initial kernel. It may well fail, which is no failure of the run.
    fn initial(
        &self,
        cloud: &Cloud<'_>,
        kernels: &[K],
        settings: &BilevelSettings,
        host: &dyn Host,
    ) -> Result<Option<Solved<K>>, RunError> {
        match cloud.solve(kernels, settings, None, host) {
            Ok(solved) => Ok(Some(solved)),
            Err(e @ RunError::Interrupted { .. }) => Err(e),
            Err(e) => {
                let problem = cloud.problem.name();
                log::warn!("{problem} can't be solved with the initial hyperparameters: {}", e.full_message());
                Ok(None)
            }
        }
    }

    /// The best solution on the way, with the learned kernels it was solved with; history and counts in `report`.
    fn learn(
        &self,
        collocation: &Collocation,
        kernels: Vec<K>,
        plan: &Plan,
        settings: &BilevelSettings,
        outside: Outside<'_>,
        report: &mut RunReport,
    ) -> Result<Arc<Posterior<K>>, RunError> {
        // Learning sees the observations but those held out; the solves before and after fit all of them.
        let all = collocation.observations.clone();
        let (mut inner, mut scored, mut folds) = (all.clone(), Vec::new(), Vec::new());
        match self.scored {
            ScoredData::None => {}
            ScoredData::HeldOut(fraction) => {
                (inner, scored) = collocation.split_observations(fraction, plan.settings.seed)?;
            }
            ScoredData::Folds(count) => folds = collocation.observation_folds(count, plan.settings.seed)?,
            ScoredData::Fitted => scored = all.into_iter().map(RowBlock::regularised).collect(),
        }
        let learned_on = Collocation { observations: inner, ..collocation.clone() };
        let begin = |snapshot: Option<&Snapshot>| {
            let mut run = begun(&self.problem, learned_on, kernels, settings, snapshot)?.with_folds(folds);
            for rows in scored {
                let weight = hyperpde_pde::misfit_weight(&rows);
                run = run.with_scored_rows(rows, weight);
            }
            Ok(run)
        };
        let outcome = self.follow(begin, settings, outside, report)?;
        Ok(delivered(&self.problem, outcome))
    }

    /// One solve with the kernels as they are, to convergence.
    fn solve(
        &self,
        collocation: &Collocation,
        kernels: &[K],
        settings: &BilevelSettings,
        outside: Outside<'_>,
        report: &mut RunReport,
    ) -> Result<Solved<K>, RunError> {
        let settings = frozen_settings(settings);
        let kernels = kernels.iter().map(Module::valid).collect();
        let begin =
            |snapshot: Option<&Snapshot>| begun(&self.problem, collocation.clone(), kernels, &settings, snapshot);
        Solved::of(&self.problem, self.follow(begin, &settings, outside, report)?)
    }

    /// Begins a loop, or goes on with it, and shows and records it to its end.
    fn follow(
        &self,
        begin: impl FnOnce(Option<&Snapshot>) -> Result<Bilevel<K>, RunError>,
        settings: &BilevelSettings,
        (mut journal, host): Outside<'_>,
        report: &mut RunReport,
    ) -> Result<Outcome<K>, RunError> {
        let (snapshot, history) = journal.as_deref_mut().and_then(Journal::take_start).unzip();
        if let Some(snapshot) = &snapshot {
            log::info!("going on after Gauss-Newton step {}", snapshot.gauss_newton);
        }
        let mut watch = Watch::new(&self.problem, settings, host, history.unwrap_or_default());
        let run = begin(snapshot.as_ref())?;
        report.rows = run.rows();
        let outcome = drive(run, &mut watch, journal, host)?;
        (report.outer_steps, report.seconds_learn) = (watch.outer_steps(), watch.seconds());
        report.termination = serde_json::to_value(outcome.termination)?.as_str().map(str::to_owned);
        report.linear = outcome.linear;
        report.history = watch.finish(outcome.linear);
        Ok(outcome)
    }

    /// The solves that the learned kernel is compared with; they count neither in the run's time nor in its memory.
    fn baselines(
        &self,
        training: &Cloud<'_>,
        clouds: &[Cloud<'_>],
        initial: &[K],
        settings: &BilevelSettings,
        (device, host): (&Device, &dyn Host),
        report: &mut RunReport,
    ) -> Result<(), RunError> {
        let started = Instant::now();
        for cloud in clouds {
            if let Some(solved) = self.initial(cloud, initial, settings, host)? {
                report.clouds.push(cloud.errors(KernelState::Initial, &solved));
            }
        }
        if let Some(scales) = &self.constant {
            let own = clouds.iter().rfind(|c| c.problem.name() == self.problem.name()).unwrap_or(training);
            if let Some((constant, errors)) = scales.best(own, settings, device, host)? {
                report.constant = Some(constant);
                report.clouds.push(errors);
            }
        }
        report.seconds_baselines = Some(started.elapsed().as_secs_f64());
        Ok(())
    }

    fn describe_kernels(&self, learned: &[K], report: &mut RunReport) -> Result<(), RunError> {
        let several = learned.len() > 1;
        for (kernel, field) in learned.iter().zip(self.problem.fields()) {
            let key = |name: &str| if several { format!("{field}.{name}") } else { name.to_owned() };
            let count = parameters(kernel).map_err(|e| RunError::numerical("reading the kernel", e))?.len();
            report.hyperparameters.insert(key("kernel"), json!(kernel.name()));
            report.hyperparameters.insert(key("parameters"), json!(count));
            for (name, value) in kernel.summary() {
                report.hyperparameters.insert(key(&name), json!(value));
            }
        }
        Ok(())
    }
}

/// The iterate that a run delivers: without observations the one with the smallest residual on independent points, with observations the last one.
///
/// With observations the equations' residual alone does not tell which iterate is best: a smooth one that ignores the data has the smallest.
fn delivered<K: Kernel>(problem: &Problem, outcome: Outcome<K>) -> Arc<Posterior<K>> {
    if problem.observations().is_empty() { outcome.best } else { outcome.last }
}

/// A loop at its beginning, or where a snapshot has it.
fn begun<K: Kernel>(
    problem: &Problem,
    collocation: Collocation,
    kernels: Vec<K>,
    settings: &BilevelSettings,
    snapshot: Option<&Snapshot>,
) -> Result<Bilevel<K>, RunError> {
    match snapshot {
        None => {
            Bilevel::init(problem, collocation, kernels, settings.clone()).map_err(|e| RunError::Input(e.to_string()))
        }
        Some(snapshot) => Bilevel::restore(problem, collocation, kernels, settings.clone(), snapshot)
            .map_err(|e| RunError::numerical("going on from the checkpoint", e)),
    }
}

/// Steps through a loop to its end, or until the host wants it to end.
fn drive<K: Kernel>(
    mut run: Bilevel<K>,
    watch: &mut Watch<'_>,
    mut journal: Option<&mut Journal>,
    host: &dyn Host,
) -> Result<Outcome<K>, RunError> {
    let doing = if watch.learns() { "learning the kernel" } else { "solving with the kernel as it is" };
    let failed = |e: BilevelError| RunError::numerical(doing, e);
    loop {
        if host.interrupted() {
            if let Some(journal) = &mut journal {
                journal.flush()?;
            }
            check(host)?;
        }
        let record = match run.step().map_err(failed)? {
            Event::Outer(record) => watch.outer(&record),
            Event::GaussNewton(record, posterior) => watch.gauss_newton(&record, &posterior),
            Event::Done(_) => return run.run(&mut ()).map_err(failed),
        };
        if let Some(journal) = &mut journal {
            journal.step(&record)?;
            if let Some(snapshot) = run.snapshot() {
                journal.save(snapshot, watch.history())?;
            }
        }
    }
}
