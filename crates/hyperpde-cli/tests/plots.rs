//! Line plots, histories and fields on a problem's grid: what is drawn, judged by the pixels of the PNG files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, HIGHEST, Image, LOWEST, alike};
use hyperpde_cli::figures::{
    Fields, FigureError, LINES_SIZE, LinePlot, PANEL_SIZE, Series, history, lines, panels_size,
};
use hyperpde_cli::{StepLine, StepRecord};
use hyperpde_pde::problems::Burgers;
use hyperpde_pde::{SampleSizes, Sampler, TestGrid};

#[test]
fn lines_are_drawn_in_their_colours() {
    let folder = Folder::new();
    let path = folder.join("l.png");
    let falling = |from: f64| (0..20).map(|k| (f64::from(k), from * 0.5f64.powi(k))).collect::<Vec<_>>();
    let series = vec![Series::new("loss", falling(1.0)), Series::new("error", falling(30.0)).dashed()];
    let plot = LinePlot { title: "learning", x_label: "step", y_label: "", log_y: true, series };
    lines(&path, &plot).unwrap();
    let image = Image::read(&path);
    assert_eq!(image.size, LINES_SIZE);
    let (solid, dashed) = (image.count([0, 114, 178]), image.count([213, 94, 0]));
    assert!(solid > 2000 && dashed > 800 && dashed < 9 * solid / 10, "{solid} {dashed}");

    // Zeros at the bottom of a logarithmic axis, a single point, a constant.
    for points in [vec![(0.0, 0.0), (1.0, 1.0)], vec![(2.0, 3.0)], vec![(0.0, 5.0), (1.0, 5.0)]] {
        lines(&path, &LinePlot { series: vec![Series::new("u", points)], ..plot.clone() }).unwrap();
        assert!(Image::read(&path).count([0, 114, 178]) > 50);
    }
}

#[test]
fn lines_that_cannot_be_drawn_are_refused() {
    let folder = Folder::new();
    let attempt = |log_y: bool, series: Vec<Series>| {
        let plot = LinePlot { title: "t", x_label: "x", y_label: "y", log_y, series };
        lines(&folder.join("l.png"), &plot).unwrap_err()
    };
    let one = |x: f64, y: f64| vec![Series::new("u", vec![(0.0, 1.0), (x, y)])];
    assert!(matches!(attempt(false, one(1.0, f64::NAN)), FigureError::NotFinite { index: 1, .. }));
    assert!(matches!(attempt(false, one(f64::INFINITY, 1.0)), FigureError::NotFinite { index: 1, .. }));
    assert!(matches!(attempt(true, one(1.0, -1.0)), FigureError::Negative { index: 1, .. }));
    assert!(matches!(attempt(false, Vec::new()), FigureError::Count { got: 0, .. }));
    assert!(matches!(attempt(false, vec![one(1.0, 1.0)[0].clone(); 15]), FigureError::Count { got: 15, .. }));
    assert!(matches!(attempt(false, vec![Series::new("u", Vec::new())]), FigureError::Count { got: 0, .. }));
    assert!(folder.names().is_empty());
}

fn record(gauss_newton: usize, outer: usize, loss: Option<f64>) -> StepRecord {
    StepRecord { step: StepLine { gauss_newton, outer, loss, residual: None, error: None }, seconds: 0.0 }
}

#[test]
fn a_history_counts_every_outer_step_once() {
    let folder = Folder::new();
    let drawn = |steps: &[StepRecord]| {
        history(&folder.join("h.png"), steps).unwrap();
        std::fs::read(folder.join("h.png")).unwrap()
    };
    let [a, b, c] = [0.5, 0.1, 0.03].map(Some);
    let plain = drawn(&[record(1, 1, a), record(1, 2, b), record(2, 1, c)]);
    let with_ends = drawn(&[record(1, 1, a), record(1, 2, b), record(1, 2, b), record(2, 1, c), record(2, 1, c)]);
    assert!(plain == with_ends, "the record that ends a Gauss-Newton step adds no outer step");
    let longer = drawn(&[record(1, 1, a), record(1, 2, b), record(1, 3, b), record(2, 1, c)]);
    assert!(plain != longer);
    drawn(&[record(1, 1, Some(0.0)), record(1, 2, a), record(2, 0, None)]);
}

#[test]
fn a_history_without_values_is_not_drawn() {
    let folder = Folder::new();
    history(&folder.join("h.png"), &[]).unwrap();
    history(&folder.join("h.png"), &[record(1, 0, None), record(2, 0, Some(0.0))]).unwrap();
    assert!(folder.names().is_empty());
}

#[test]
fn the_first_coordinate_of_a_problem_runs_to_the_right_and_the_second_upwards() {
    let folder = Folder::new();
    let problem = Burgers::default().problem().unwrap();
    let sizes = SampleSizes { interior: 7, boundary: 6, validation: 1 };
    let collocation = problem.sample(&sizes, Sampler::Uniform, 1).unwrap();
    let grid = TestGrid::uniform(problem.domain(), &[4, 9]).unwrap();
    let fields = Fields { grid: &grid, collocation: &collocation };
    let coordinate = |i: usize| grid.points().rows().map(|p| p[i]).collect::<Vec<f64>>();
    let path = folder.join("f.png");
    // The corners of the plot, [lower left, lower right, upper left, upper right].
    let corners = || {
        let image = Image::read(&path);
        assert_eq!(image.size, PANEL_SIZE);
        let (left, right) = image.coloured(image.size.1 / 2)[0];
        [(left + 4, 680), (right - 4, 680), (left + 4, 100), (right - 4, 100)].map(|at| image.at(at))
    };
    fields.scalar(&path, "t", &coordinate(0)).unwrap();
    let [lower_left, lower_right, upper_left, upper_right] = corners();
    assert!(alike(lower_left, LOWEST) && lower_left == upper_left && alike(lower_right, HIGHEST));
    assert_eq!(lower_right, upper_right);
    fields.scalar(&path, "x", &coordinate(1)).unwrap();
    let [lower_left, lower_right, upper_left, upper_right] = corners();
    assert!(lower_left == lower_right && upper_left == upper_right && lower_left != upper_left);
    assert!(lower_left[0] < 80 && upper_left[0] > 150, "from violet to yellow: {lower_left:?} {upper_left:?}");

    fields.solution(&path, "u", &coordinate(0), Some(&coordinate(1))).unwrap();
    assert_eq!(Image::read(&path).size, panels_size(3));
    fields.solution(&path, "u", &coordinate(0), None).unwrap();
    assert_eq!(Image::read(&path).size, PANEL_SIZE);
    let short = fields.scalar(&path, "short", &coordinate(0)[1..]).unwrap_err();
    assert!(matches!(short, FigureError::NotFinite { .. }), "{short}");
}
