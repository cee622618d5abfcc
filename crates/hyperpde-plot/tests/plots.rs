//! Line plots and histories: what is drawn, judged by the pixels of the PNG files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/common/folder.rs"]
mod folder;
#[path = "../../../tests/common/image.rs"]
mod image;

use folder::Folder;
use hyperpde_plot::{Band, Bars, FigureError, LINES_SIZE, LinePlot, Mark, Series, bars, history, lines};
use hyperpde_run::{StepLine, StepRecord};
use image::Image;

#[test]
fn lines_are_drawn_in_their_colours() {
    let folder = Folder::new();
    let path = folder.join("l.png");
    let falling = |from: f64| (0..20).map(|k| (f64::from(k), from * 0.5f64.powi(k))).collect::<Vec<_>>();
    let series = vec![Series::new("loss", falling(1.0)), Series::new("error", falling(30.0)).dashed()];
    let plot = LinePlot { title: "learning", x_label: "step", log_y: true, series, ..LinePlot::default() };
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
        let plot = LinePlot { title: "t", x_label: "x", y_label: "y", log_y, series, ..LinePlot::default() };
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
        history(&folder.join("h.png"), steps).unwrap().unwrap();
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
    assert_eq!(history(&folder.join("h.png"), &[]).unwrap(), None);
    let nothing = [record(1, 0, None), record(2, 0, Some(0.0))];
    assert_eq!(history(&folder.join("h.png"), &nothing).unwrap(), None);
    assert!(folder.names().is_empty());
}

/// How much of the image is darker or more colourful than paper and grid, in pixels.
fn ink(image: &Image) -> f64 {
    let (width, height) = image.size;
    let pixels = (0..width).flat_map(|x| (0..height).map(move |y| (x, y)));
    pixels.map(|at| 1.0 - f64::from(*image.at(at).iter().min().unwrap()) / 255.0).sum()
}

#[test]
fn a_noisy_history_has_the_ink_of_its_length() {
    let folder = Folder::new();
    let drawn = |name: &str, y: &dyn Fn(usize) -> f64| {
        // The first and last points fix the axis, so that all plots have the same frame.
        let mut points: Vec<(f64, f64)> = (0..=400).map(|k| (k as f64, y(k))).collect();
        (points[0].1, points[400].1) = (0.0, 1.0);
        let series = vec![Series::new("loss", points)];
        let plot = LinePlot { title: "t", x_label: "step", series, ..LinePlot::default() };
        lines(&folder.join(name), &plot).unwrap();
        ink(&Image::read(&folder.join(name)))
    };
    // Teeth of 0.2 between neighbours, far steeper than wide; and the same teeth four times as slow.
    let flat = drawn("flat.png", &|_| 0.5);
    let slow = drawn("slow.png", &|k| 0.5 + 0.1 * [0.0, 1.0, 0.0, -1.0][k / 4 % 4]);
    let fast = drawn("fast.png", &|k| 0.5 + 0.1 * [0.0, 1.0, 0.0, -1.0][k % 4]);
    let [slow, fast] = [slow - flat, fast - flat];
    // The fast line is about four times as long; neighbouring strokes overlap in part.
    assert!(slow > 0.0 && fast > 1.5 * slow, "{slow} {fast}");
    let image = Image::read(&folder.join("fast.png"));
    let blue = |x: u32| (0..image.size.1).filter(|y| image.at((x, *y)) == [0, 114, 178]).count();
    let weights: Vec<usize> = (image.size.0 / 4..3 * image.size.0 / 4).map(blue).collect();
    assert!(*weights.iter().min().unwrap() > 20, "a column without full ink: {weights:?}");
}

#[test]
fn a_band_lies_behind_the_line_and_does_not_hide_its_shape() {
    let folder = Folder::new();
    let points: Vec<(f64, f64)> = (0..=50).map(|k| (f64::from(k), f64::from(k))).collect();
    let band = |half: f64| {
        let points = points.iter().map(|(x, y)| (*x, y - half, y + half)).collect();
        Some(Band { name: "two standard deviations".into(), points })
    };
    let plot = LinePlot { title: "u", series: vec![Series::new("u", points.clone())], ..LinePlot::default() };
    let size = |name: &str, half: f64| {
        lines(&folder.join(name), &LinePlot { band: band(half), ..plot.clone() }).unwrap();
        let image = Image::read(&folder.join(name));
        let tint = [191, 220, 236];
        (image.count(tint), image.count([0, 114, 178]))
    };
    let (narrow, wide) = (size("narrow.png", 1.0), size("wide.png", 10.0));
    assert!(narrow.0 > 5_000 && wide.0 > 5 * narrow.0, "{narrow:?} {wide:?}");
    assert!(size("huge.png", 1e9).1 > wide.1 / 3, "a huge band leaves the line a third of the height");
    let nan = Some(Band { name: "b".into(), points: vec![(0.0, 1.0, f64::NAN)] });
    let error = lines(&folder.join("n.png"), &LinePlot { band: nan, ..plot.clone() }).unwrap_err();
    assert!(matches!(error, FigureError::NotFinite { index: 1, .. }), "{error}");
    let mark = Some(Mark { name: "best".into(), at: (f64::NAN, 0.0) });
    assert!(lines(&folder.join("n.png"), &LinePlot { mark, ..plot.clone() }).is_err());
    assert!(lines(&folder.join("n.png"), &LinePlot { rug: vec![f64::INFINITY], ..plot.clone() }).is_err());
    assert!(!folder.join("n.png").exists());
}

#[test]
fn the_best_iterate_is_the_first_with_the_smallest_residual() {
    let folder = Folder::new();
    let residuals = [0.5, 0.01, 0.2, 0.01];
    let steps: Vec<StepRecord> = residuals
        .into_iter()
        .enumerate()
        .map(|(k, residual)| {
            let mut step = record(k + 1, 0, None);
            step.step.residual = Some(residual);
            step
        })
        .collect();
    let figure = history(&folder.join("h"), &steps).unwrap().unwrap();
    let svg = std::fs::read_to_string(&figure.svg).unwrap();
    assert!(svg.contains("smallest residual, step 2<"), "{svg}");
    assert!(figure.caption.contains("residual") && !figure.caption.contains("loss"), "{}", figure.caption);
}

#[test]
fn bars_are_as_long_as_the_errors_and_have_a_row_each() {
    let folder = Folder::new();
    let row = |published: f64, ours: f64, most: f64| Bars {
        label: format!("error {published}"),
        published,
        ours,
        spread: (ours, most),
    };
    // From 1e-6 to 1e-2: a factor of ten is a fixed length.
    let rows = [row(1e-2, 1e-3, 1e-3), row(1e-4, 1e-5, 1e-5), row(1e-6, 1e-2, 1e-2)];
    let figure = bars(&folder.join("table"), "errors", &rows).unwrap();
    let image = Image::read(&figure.png);
    // Below the title and the legend.
    let mut ends: Vec<u32> = (120..image.size.1).filter_map(|y| image.coloured(y).first().map(|run| run.1)).collect();
    ends.dedup();
    assert_eq!(ends.len(), 3, "{ends:?}");
    let decade = (f64::from(ends[2]) - f64::from(ends[0])).round();
    assert!((f64::from(ends[0] - ends[1]) - 2.0 * decade).abs() <= 2.0, "{ends:?}");
    assert!(folder.names().contains(&"table.svg".to_owned()));
    let higher = bars(&folder.join("more"), "errors", &[rows.clone(), rows].concat()).unwrap();
    assert!(Image::read(&higher.png).size.1 > image.size.1);

    let refused = |rows: &[Bars]| bars(&folder.join("bad"), "errors", rows).unwrap_err();
    assert!(matches!(refused(&[]), FigureError::Count { .. }));
    assert!(matches!(refused(&[row(1e-3, f64::NAN, 1.0)]), FigureError::NotFinite { .. }));
    assert!(matches!(refused(&[row(-1e-3, 1.0, 1.0)]), FigureError::Negative { .. }));
    assert!(!folder.names().contains(&"bad.png".to_owned()));
}
