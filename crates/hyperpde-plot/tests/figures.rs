//! Heat maps and panels: what is drawn, judged by the pixels of the PNG files, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/common/folder.rs"]
mod folder;
#[path = "../../../tests/common/image.rs"]
mod image;

use std::collections::HashSet;

use folder::Folder;
use hyperpde_plot::{Axis, FigureError, Heatmap, PANEL_SIZE, heatmap, panels, panels_size};
use image::{HIGHEST, Image, LOWEST, Pixel, alike, is_coloured};

/// The middle of viridis, between matplotlib's table and the spline that is drawn, which differ by 7 each way.
const MIDDLE: Pixel = [36, 138, 141];
const BOUNDARY: Pixel = [230, 60, 40];
const WHITE: Pixel = [255; 3];

/// `count` places from `from` to `to`, for as long as the tests run.
fn nodes(from: f64, to: f64, count: usize) -> &'static [f64] {
    let last = count.saturating_sub(1).max(1) as f64;
    (0..count).map(|k| from + (to - from) * k as f64 / last).collect::<Vec<_>>().leak()
}

/// `values` `[ny, nx]` over t in [0, 1] and x in [-1, 1].
fn map(values: &[f64], shape: [usize; 2]) -> Heatmap<'_> {
    Heatmap {
        title: "a field",
        x: Axis { label: "t", nodes: nodes(0.0, 1.0, shape[1]) },
        y: Axis { label: "x", nodes: nodes(-1.0, 1.0, shape[0]) },
        values,
        interior: &[],
        boundary: &[],
        log_scale: false,
        unit: "",
        range: None,
    }
}

fn drawn(map: &Heatmap<'_>) -> Image {
    let folder = Folder::new();
    heatmap(&folder.join("map.png"), map).unwrap();
    assert_eq!(folder.names(), ["map.png", "map.svg"]);
    Image::read(&folder.join("map.png"))
}

/// First and last coloured row of column `x` below the titles.
fn rows(image: &Image, x: u32) -> (u32, u32) {
    let coloured = |y: &u32| is_coloured(image.at((x, *y)));
    ((0..image.size.1).find(coloured).unwrap(), (0..image.size.1).rev().find(coloured).unwrap())
}

/// The bar in columns `run` holds all of viridis, from the lowest colour at the bottom to the highest at the top.
fn check_bar(image: &Image, run: (u32, u32)) {
    let x = (run.0 + run.1) / 2;
    let (top, bottom) = rows(image, x);
    assert!(bottom - top > 500, "a bar of {} pixels", bottom - top);
    let at = |y: u32| image.at((x, y));
    assert!(alike(at(bottom), LOWEST) && alike(at(top), HIGHEST), "{:?} to {:?}", at(bottom), at(top));
    assert!(alike(at((top + bottom) / 2), MIDDLE), "{:?}", at((top + bottom) / 2));
    assert!((top..=bottom).all(|y| is_coloured(at(y))), "a gap in the bar");
    let distinct = (top..=bottom).map(at).collect::<HashSet<_>>().len();
    assert!(distinct > 200, "{distinct} colours");
}

#[test]
fn a_field_is_drawn_the_right_way_round_with_a_coloured_bar() {
    let along_x: Vec<f64> = (0..15).map(|k| f64::from(k % 5)).collect();
    let image = drawn(&map(&along_x, [3, 5]));
    assert_eq!(image.size, PANEL_SIZE);
    let runs = image.coloured(image.size.1 / 2);
    let [plot, bar] = runs.as_slice() else { panic!("plot and colour bar, got {runs:?}") };
    assert!(plot.1 - plot.0 > 600 && bar.1 - bar.0 > 25, "{runs:?}");
    check_bar(&image, *bar);
    let y = image.size.1 / 2;
    assert!(alike(image.at((plot.0, y)), LOWEST) && alike(image.at((plot.1, y)), HIGHEST));

    let along_y: Vec<f64> = (0..15).map(|k| f64::from(k / 5)).collect();
    let image = drawn(&map(&along_y, [3, 5]));
    let plot = image.coloured(y)[0];
    for x in [plot.0 + 5, plot.1 - 5] {
        let (top, bottom) = rows(&image, x);
        assert!(alike(image.at((x, bottom)), LOWEST) && alike(image.at((x, top)), HIGHEST), "y upwards");
    }
}

#[test]
fn every_panel_has_its_bar_and_equal_plots() {
    let small: Vec<f64> = (0..12).map(|k| 1e-5 * f64::from(k)).collect();
    let large: Vec<f64> = (0..12).map(|k| -1e4 * f64::from(k)).collect();
    let one = map(&small, [3, 4]);
    let maps = [one, Heatmap { unit: "metres", ..map(&large, [3, 4]) }, Heatmap { log_scale: true, ..one }];
    let folder = Folder::new();
    panels(&folder.join("p.png"), "three fields", &maps).unwrap();
    let image = Image::read(&folder.join("p.png"));
    assert_eq!(image.size, panels_size(3));
    let runs = image.coloured(image.size.1 / 2);
    assert_eq!(runs.len(), 6, "{runs:?}");
    for (k, pair) in runs.chunks(2).enumerate() {
        check_bar(&image, pair[1]);
        let panel = k as u32 * PANEL_SIZE.0;
        assert!(pair[0].0 > panel && pair[1].1 < panel + PANEL_SIZE.0, "inside its panel: {runs:?}");
        assert!((pair[0].1 - pair[0].0).abs_diff(runs[0].1 - runs[0].0) <= 1, "plots of equal width: {runs:?}");
    }
}

#[test]
fn panels_are_arranged_in_rows() {
    let (w, h) = PANEL_SIZE;
    let heading = panels_size(1).1 - h;
    for (count, columns, rows) in [(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 2, 2), (5, 3, 2), (7, 3, 3)] {
        assert_eq!(panels_size(count), (columns * w, heading + rows * h), "{count}");
    }
}

#[test]
fn points_lie_on_the_field_where_they_belong() {
    let values: Vec<f64> = (0..9).map(f64::from).collect();
    let plain = drawn(&map(&values, [3, 3]));
    assert_eq!(plain.count(BOUNDARY), 0);
    // The third boundary point is just outside, and moved to the edge; the last is far outside, and left out.
    let boundary = [(0.25, -0.5), (0.25, 0.5), (1.005, 0.0), (3.0, 0.0)];
    let image = drawn(&Heatmap { interior: &[(0.5, 0.0)], boundary: &boundary, ..map(&values, [3, 3]) });
    let (left, right) = image.coloured(200)[0];
    let (top, bottom) = rows(&image, left + 20);
    let pixel = |x: f64, y: f64| {
        let place =
            |from: u32, to: u32, at: f64| (f64::from(from) + at * (f64::from(to) - f64::from(from))).round() as u32;
        (place(left, right, x), place(bottom, top, (y + 1.0) / 2.0))
    };
    assert_eq!(image.at(pixel(0.5, 0.0)), WHITE);
    for (x, y) in &boundary[..3] {
        assert_eq!(image.at(pixel(x.min(0.998), *y)), BOUNDARY, "({x}, {y})");
    }
    let single = drawn(&Heatmap { boundary: &boundary[..1], ..map(&values, [3, 3]) }).count(BOUNDARY);
    assert!(single > 2 * 30);
    // Three points and one sample in the legend, against one and one; rims differ with the place within a pixel.
    let count = image.count(BOUNDARY);
    assert!((1.7..2.3).contains(&(count as f64 / single as f64)), "{count} {single}");
}

#[test]
fn a_constant_field_has_the_middle_colour() {
    for value in [0.0, -3.0, 1e-300, 1e300] {
        let image = drawn(&map(&[value; 6], [2, 3]));
        let runs = image.coloured(image.size.1 / 2);
        let plot = ((runs[0].0 + runs[0].1) / 2, image.size.1 / 2);
        assert!(alike(image.at(plot), MIDDLE), "{value}: {:?}", image.at(plot));
        check_bar(&image, runs[1]);
    }
}

#[test]
fn zeros_on_a_logarithmic_scale_have_the_lowest_colour() {
    // Columns 0, 1e-8, 1e-4, 1: equal steps from the second on.
    let values: Vec<f64> = (0..8).map(|k| [0.0, 1e-8, 1e-4, 1.0][k % 4]).collect();
    let image = drawn(&Heatmap { log_scale: true, ..map(&values, [2, 4]) });
    let y = image.size.1 / 2;
    let runs = image.coloured(y);
    let at = |share: f64| image.at(((f64::from(runs[0].0) + share * f64::from(runs[0].1 - runs[0].0)) as u32, y));
    assert!(
        alike(at(0.0), LOWEST)
            && alike(at(1.0 / 3.0), LOWEST)
            && alike(at(2.0 / 3.0), MIDDLE)
            && alike(at(1.0), HIGHEST)
    );
    let image = drawn(&Heatmap { log_scale: true, ..map(&[0.0; 4], [2, 2]) });
    assert!(alike(image.at(((runs[0].0 + runs[0].1) / 2, y)), LOWEST));
}

#[test]
fn unequal_steps_of_a_grid_are_drawn_as_they_are() {
    // The field is x itself, so the colours must rise evenly although the grid lines crowd on the left.
    let places = [0.0, 0.1, 0.2, 1.0];
    let values = [places, places].concat();
    let image = drawn(&Heatmap { x: Axis { label: "t", nodes: &places }, ..map(&values, [2, 4]) });
    let y = image.size.1 / 2;
    let (left, right) = image.coloured(y)[0];
    assert!(alike(image.at(((left + right) / 2, y)), MIDDLE), "{:?}", image.at(((left + right) / 2, y)));
}

#[test]
fn a_given_range_fixes_the_colours() {
    let image = drawn(&Heatmap { range: Some((-1.0, 3.0)), ..map(&[1.0; 4], [2, 2]) });
    let runs = image.coloured(image.size.1 / 2);
    assert!(alike(image.at(((runs[0].0 + runs[0].1) / 2, image.size.1 / 2)), MIDDLE));
}

#[test]
fn the_title_is_written_in_ink() {
    let dark = |title: &str| {
        let image = drawn(&Heatmap { title, ..map(&[0.0, 1.0, 2.0, 3.0], [2, 2]) });
        let strip = (0..image.size.0).flat_map(|x| (0..60).map(move |y| (x, y)));
        strip.filter(|at| image.at(*at).iter().all(|c| *c < 120)).count()
    };
    assert_eq!(dark(""), 0);
    let (short, long) = (dark("u"), dark("solution and reference"));
    assert!(short > 10 && long > 5 * short, "{short} {long}");
}

#[test]
fn what_cannot_be_drawn_is_refused_and_leaves_no_file() {
    let folder = Folder::new();
    let refused = |map: &Heatmap<'_>| {
        let single = heatmap(&folder.join("f.png"), map).unwrap_err();
        let several = panels(&folder.join("f.png"), "p", &[*map]).unwrap_err();
        assert_eq!(single.to_string(), several.to_string());
        single
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = refused(&map(&[0.0, 1.0, bad, 2.0], [2, 2]));
        assert!(matches!(&error, FigureError::NotFinite { what, index: 2, .. } if what == "a field"), "{error}");
        let error = refused(&Heatmap { interior: &[(0.0, 0.0), (0.5, bad)], ..map(&[0.0; 4], [2, 2]) });
        assert!(
            matches!(&error, FigureError::NotFinite { what, index: 1, .. } if what.contains("interior")),
            "{error}"
        );
    }
    let error = refused(&Heatmap { log_scale: true, ..map(&[1.0, -1.0, 1.0, 2.0], [2, 2]) });
    assert!(matches!(error, FigureError::Negative { index: 1, .. }), "{error}");
    for (count, shape) in [(4, [1, 4]), (4, [2, 3]), (0, [0, 0])] {
        assert!(matches!(refused(&map(&vec![0.0; count], shape)), FigureError::Shape { .. }), "{shape:?}");
    }
    for bad in [[1.0, 0.0], [0.0, 0.0], [0.0, f64::NAN], [f64::NEG_INFINITY, 0.0]] {
        let x = Axis { label: "t", nodes: &bad };
        assert!(matches!(refused(&Heatmap { x, ..map(&[0.0; 4], [2, 2]) }), FigureError::Range { .. }), "{bad:?}");
    }
    let empty = Heatmap { range: Some((2.0, 2.0)), ..map(&[0.0; 4], [2, 2]) };
    assert!(matches!(refused(&empty), FigureError::Range { .. }));
    assert!(matches!(panels(&folder.join("f.png"), "p", &[]), Err(FigureError::Count { got: 0, .. })));
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
fn a_file_that_cannot_be_written_is_told_with_its_path() {
    let folder = Folder::new();
    std::fs::write(folder.join("file"), "").unwrap();
    let error = heatmap(&folder.join("file/map.png"), &map(&[0.0; 4], [2, 2])).unwrap_err();
    assert!(matches!(error, FigureError::Write(_)), "{error:?}");
    assert!(error.to_string().contains("file"), "{}", error.to_string());
}
