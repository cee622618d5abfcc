//! The figures of a solution over one, two and three coordinates: files, sizes, orientation, common scales, and SVG.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/common/folder.rs"]
mod folder;
#[path = "../../../tests/common/image.rs"]
mod image;
#[path = "../../../tests/common/xml.rs"]
mod xml;

use folder::Folder;
use hyperpde_kernels::Points;
use hyperpde_pde::{Collocation, Domain, SampleSizes, Sampler, TestGrid};
use hyperpde_plot::{FieldData, Figure, FigureData, FigureError, LINES_SIZE, PANEL_SIZE, panels_size, solution_set};
use hyperpde_problems::Burgers;
use image::{HIGHEST, Image, LOWEST, alike};
use xml::elements;

/// An equidistant grid on the unit box, and interior points on its diagonal.
fn setting(shape: &[usize]) -> (TestGrid, Collocation) {
    let d = shape.len();
    let names = ["x", "y", "z", "w"];
    let domain = Domain::space((0..d).map(|i| (names[i], 0.0, 1.0))).unwrap();
    let diagonal = (1..10).flat_map(|k| vec![f64::from(k) / 10.0; d]).collect();
    let points = Points::new(d, diagonal).unwrap();
    let collocation = Collocation {
        interior: points.clone(),
        boundary: Vec::new(),
        pool: points,
        observations: Vec::new(),
        boundary_pool: Vec::new(),
    };
    (TestGrid::uniform(&domain, shape).unwrap(), collocation)
}

fn on(grid: &TestGrid, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    grid.points().rows().map(f).collect()
}

fn names(figures: &[Figure]) -> Vec<String> {
    let files = figures.iter().flat_map(|f| [&f.png, &f.svg]);
    files.map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Shape of the grid, names of the figures without extension, and their sizes.
type Case<'a> = (&'a [usize], &'a [&'a str], &'a [(u32, u32)]);

#[test]
fn every_figure_is_written_as_png_and_as_well_formed_svg() {
    let cases: [Case<'_>; 3] = [
        (&[30], &["solution_u", "length_scales"], &[panels_size(2), LINES_SIZE]),
        (&[8, 5], &["solution_u", "deviation_u", "length_scales"], &[panels_size(3), PANEL_SIZE, panels_size(2)]),
        (
            &[6, 5, 7],
            &["solution_u", "deviation_u", "length_scales"],
            &[panels_size(9), panels_size(3), panels_size(6)],
        ),
    ];
    for (shape, stems, sizes) in cases {
        let folder = Folder::new();
        let (grid, collocation) = setting(shape);
        let u = on(&grid, |x| x.iter().map(|c| (3.0 * c).sin()).product());
        let truth: Vec<f64> = u.iter().enumerate().map(|(k, v)| v + 1e-3 * (k as f64).cos()).collect();
        let deviation = on(&grid, |x| 1e-3 * (1.1 + x[0]));
        let fields =
            vec![FieldData { name: "u", file: "u", solution: &u, reference: Some(&truth), deviation: &deviation }];
        let kernel_fields = vec![("a <scale> & more".to_owned(), deviation.clone()), ("b".to_owned(), u.clone())];
        let data = FigureData { grid: &grid, collocation: &collocation, fields, kernel_fields };
        let figures = solution_set(folder.path(), &data).unwrap();

        let expected: Vec<String> = stems.iter().flat_map(|s| [format!("{s}.png"), format!("{s}.svg")]).collect();
        assert_eq!(names(&figures), expected);
        let mut sorted = expected.clone();
        sorted.sort();
        assert_eq!(folder.names(), sorted);
        for (figure, size) in figures.iter().zip(sizes) {
            assert_eq!(Image::read(&figure.png).size, *size, "{:?}", figure.png);
            let svg = std::fs::read_to_string(&figure.svg).unwrap();
            let found = elements(&svg, &[]);
            assert_eq!(found[0].name, "svg");
            assert_eq!(found[0].attribute("viewBox"), Some(format!("0 0 {} {}", size.0, size.1).as_str()));
            assert!(found.iter().filter_map(|e| e.attribute("href")).all(|h| h.starts_with("data:image/png;base64,")));
            assert!(figure.caption.ends_with('.') && !figure.inline.is_empty());
            figure.inline.iter().for_each(|part| assert!(!elements(&part.svg, &[]).is_empty()));
        }
        // The same data give the same bytes.
        let again = Folder::new();
        for (a, b) in figures.iter().zip(solution_set(again.path(), &data).unwrap()) {
            assert!(std::fs::read(&a.png).unwrap() == std::fs::read(&b.png).unwrap());
            assert!(std::fs::read(&a.svg).unwrap() == std::fs::read(&b.svg).unwrap());
        }
    }
}

#[test]
fn the_first_coordinate_of_a_problem_runs_to_the_right_and_the_second_upwards() {
    let folder = Folder::new();
    let problem = Burgers::default().problem().unwrap();
    let sizes = SampleSizes { interior: 7, boundary: 6, validation: 1 };
    let collocation = problem.sample(&sizes, Sampler::Uniform, 1).unwrap();
    let grid = TestGrid::uniform(problem.domain(), &[4, 9]).unwrap();
    for axis in 0..2 {
        let values = on(&grid, |x| x[axis]);
        let fields = vec![FieldData { name: "u", file: "u", solution: &values, reference: None, deviation: &values }];
        let data = FigureData { grid: &grid, collocation: &collocation, fields, kernel_fields: Vec::new() };
        let figures = solution_set(folder.path(), &data).unwrap();
        assert_eq!(names(&figures), ["solution_u.png", "solution_u.svg", "deviation_u.png", "deviation_u.svg"]);
        for figure in &figures {
            let image = Image::read(&figure.png);
            assert_eq!(image.size, PANEL_SIZE);
            let (left, right) = image.coloured(image.size.1 / 2)[0];
            let [a, b, c, d] =
                [(left + 4, 680), (right - 4, 680), (left + 4, 100), (right - 4, 100)].map(|at| image.at(at));
            if axis == 0 {
                assert!(alike(a, LOWEST) && a == c && alike(b, HIGHEST) && b == d, "{a:?} {b:?} {c:?} {d:?}");
            } else {
                assert!(a == b && c == d && a[0] < 80 && c[0] > 150, "from violet to yellow: {a:?} {c:?}");
            }
        }
    }
}

#[test]
fn planes_share_one_scale() {
    let folder = Folder::new();
    let (grid, collocation) = setting(&[5, 5, 5]);
    // On z = 0.5 the field is 1, a tenth of its largest value on the other planes.
    let u = on(&grid, |x| 20.0 * x[2] - 9.0);
    let fields = vec![FieldData { name: "u", file: "u", solution: &u, reference: None, deviation: &u }];
    let data = FigureData { grid: &grid, collocation: &collocation, fields, kernel_fields: Vec::new() };
    let figures = solution_set(folder.path(), &data).unwrap();
    let image = Image::read(&figures[0].png);
    assert_eq!(image.size, panels_size(3));
    let runs = image.coloured(image.size.1 / 2);
    assert_eq!(runs.len(), 6, "three planes and three bars: {runs:?}");
    let middle = image.at(((runs[0].0 + runs[0].1) / 2, 300));
    assert!(alike(middle, [36, 138, 141]), "the value in the middle of the scale: {middle:?}");
    let top = image.at(((runs[2].0 + runs[2].1) / 2, 160));
    assert!(top[0] > 180 && top[1] > 200, "near the largest value: {top:?}");
}

#[test]
fn constants_names_and_wrong_lengths() {
    let folder = Folder::new();
    for shape in [&[4][..], &[4, 3], &[3, 3, 3]] {
        let (grid, collocation) = setting(shape);
        let zero = on(&grid, |_| 0.0);
        let field =
            FieldData { name: "a/../b", file: "a/../b", solution: &zero, reference: Some(&zero), deviation: &zero };
        let data =
            FigureData { grid: &grid, collocation: &collocation, fields: vec![field], kernel_fields: Vec::new() };
        let figures = solution_set(folder.path(), &data).unwrap();
        assert_eq!(names(&figures)[0], "solution_a____b.png");

        let short = FieldData { reference: Some(&zero[1..]), ..field };
        let error = solution_set(folder.path(), &FigureData { fields: vec![short], ..data.clone() }).unwrap_err();
        assert!(matches!(&error, FigureError::Length { what, .. } if what.contains("reference")), "{error}");
    }
    let (grid, collocation) = setting(&[2, 2, 2, 2]);
    let zero = on(&grid, |_| 0.0);
    let fields = vec![FieldData { name: "u", file: "u", solution: &zero, reference: None, deviation: &zero }];
    let data = FigureData { grid: &grid, collocation: &collocation, fields, kernel_fields: Vec::new() };
    assert_eq!(solution_set(folder.path(), &data).unwrap(), []);
}
