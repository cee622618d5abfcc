//! The page of a run: complete, self-contained, and safe with hostile names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/common/folder.rs"]
mod folder;
#[path = "../../../tests/common/xml.rs"]
mod xml;

use folder::Folder;
use hyperpde_config::RunSettings;
use hyperpde_kernels::{Backend, Precision};
use hyperpde_pde::{Defaults, FieldErrors};
use hyperpde_plot::html::{Page, render, write_report};
use hyperpde_plot::{Figure, Inline, InlineWidth};
use hyperpde_run::{CloudErrors, KernelState, PerField, RunReport, StepLine, StepRecord};
use serde_json::json;
use xml::elements;

const VOID: [&str; 1] = ["meta"];

fn report(problem: &str) -> RunReport {
    let settings = RunSettings { seed: 11, ..RunSettings::of(&Defaults::default()) };
    let mut report = RunReport::new(problem, Backend::Flex, Precision::F64, &settings);
    let errors = |field: &str, linf: f64| (field.into(), FieldErrors { linf, rmse: linf / 10.0, rel_l2: linf / 5.0 });
    report.set_initial_errors(&[errors("u", 0.5), errors("v", 2.0)]);
    report.set_errors(&[errors("u", 1.25e-4), errors("v", 2.5)]);
    let larger = [errors("u", 1e-5), errors("v", 1.0)];
    report.clouds.push(CloudErrors::new("larger", KernelState::Learned, problem, (100, 24), &larger));
    report.coverage_2sd = PerField(vec![("u".into(), 0.954), ("v".into(), 0.5)]);
    report.hyperparameters.insert("length_scale".into(), json!([0.25, 1.5e-7]));
    report.hyperparameters.insert("kernel".into(), json!("gaussian"));
    (report.seconds_learn, report.seconds_total, report.peak_rss_mb) = (34.21, 135.0, Some(512.3));
    (report.rows, report.outer_steps) = (84, 6);
    report.version = "1.2.3".into();
    // A few settings of their own: the page must not depend on which settings a run has.
    report.settings.clear();
    report.settings.insert("gauss_newton_steps".into(), json!(2));
    report.settings.insert("nugget".into(), json!(1e-10));
    let step = StepLine { gauss_newton: 1, outer: 3, loss: Some(1.0), residual: Some(0.031), error: None };
    report.history.push(StepRecord { step, seconds: 1.0 });
    report
}

fn figure(caption: &str, widths: &[InlineWidth]) -> Figure {
    let part = |width: &InlineWidth| Inline { svg: format!("<svg data-width=\"{width:?}\"></svg>\n"), width: *width };
    Figure {
        caption: caption.into(),
        png: "f.png".into(),
        svg: "f.svg".into(),
        inline: widths.iter().map(part).collect(),
    }
}

/// Without the style, which is no business of the structure.
fn skeleton(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, tail) = rest.split_once("</style>").unwrap();
    format!("{head}<style>...</style>{tail}")
}

#[test]
fn the_page_has_its_parts_in_order() {
    let report = report("burgers");
    let history = figure("The history.", &[InlineWidth::Wide, InlineWidth::Narrow]);
    let figures = [figure("The solution.", &[InlineWidth::Any; 3]), figure("The deviation.", &[InlineWidth::Any])];
    let warnings = ["jitter 1e-12 was needed".to_owned()];
    let page = Page { report: &report, history: Some(&history), figures: &figures, warnings: &warnings };
    insta::assert_snapshot!(skeleton(&render(&page)));
}

#[test]
fn hostile_text_stays_text_and_nothing_is_loaded() {
    let evil = "</title><script src=\"https://evil.example/x.js\">alert('1')</script>&\u{0}";
    let mut report = report(evil);
    report.version = evil.into();
    report.hyperparameters.insert(evil.into(), json!([evil, {evil: evil}]));
    report.settings.insert(evil.into(), json!(evil));
    for errors in [&mut report.linf, &mut report.rmse] {
        errors.0[0].0 = evil.into();
    }
    let caption = figure(evil, &[InlineWidth::Any]);
    let warnings = [evil.to_owned()];
    let folder = Folder::new();
    let page = Page { report: &report, history: Some(&caption), figures: &[], warnings: &warnings };
    write_report(&folder.join("report.html"), &page).unwrap();
    let html = std::fs::read_to_string(folder.join("report.html")).unwrap();
    let found = elements(&html, &VOID);
    assert!(html.matches("&lt;script").count() >= 9);
    assert!(found.iter().all(|e| !["script", "link", "iframe", "object", "img"].contains(&e.name.as_str())));
    for element in &found {
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on"), "{element:?}");
            assert!(!["src", "href"].contains(&name.as_str()) || value.starts_with("data:"), "{element:?}");
        }
    }
    assert!(!html.contains("url(") && !html.contains("@import"));
}

#[test]
fn a_run_without_reference_or_figures_has_a_page() {
    let mut plain = report("p");
    (plain.linf, plain.rmse, plain.rel_l2) = Default::default();
    (plain.linf_initial, plain.rmse_initial, plain.rel_l2_initial, plain.larger_cloud) = (None, None, None, None);
    plain.history.clear();
    plain.hyperparameters.clear();
    plain.peak_rss_mb = None;
    let html = render(&Page { report: &plain, history: None, figures: &[], warnings: &[] });
    elements(&html, &VOID);
    assert!(html.contains("no reference solution"));
    for absent in ["Warnings", "<figure", "Learned hyperparameters", "memory", "residual"] {
        assert!(!skeleton(&html).contains(absent), "{absent}");
    }
}
