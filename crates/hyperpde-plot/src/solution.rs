//! The figures of a solved problem: solution, reference, error, posterior standard deviation and the kernel's fields, over one, two
//! or three coordinates.

use std::path::Path;

use hyperpde_pde::{Collocation, TestGrid};

use super::error::FigureError;
use super::figure::{Figure, PANEL_SIZE, Plot, write_panels, write_single};
use super::heatmap::{Heatmap, Panel};
use super::line_plot::{Band, LinePlot, Series};
use super::lines::{LINES_SIZE, LinePanel};
use super::slices::{Slice, slices};

/// Most coordinates that figures of a solution show.
const MAX_DIMENSIONS: usize = 3;

/// What is known about a solution; all values on the `n` points of the grid, the first coordinate slowest.
#[derive(Debug, Clone)]
pub struct FigureData<'a> {
    /// The grid.
    pub grid: &'a TestGrid,
    /// The points of the solve, drawn on the errors.
    pub collocation: &'a Collocation,
    /// The fields that were solved for.
    pub fields: Vec<FieldData<'a>>,
    /// Named fields that belong to the kernels, such as length scales; may be empty.
    pub kernel_fields: Vec<(String, Vec<f64>)>,
}

/// One field of a solution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldData<'a> {
    /// Name.
    pub name: &'a str,
    /// Name in file names; not all file systems tell `a` from `A`.
    pub file: &'a str,
    /// The solution, `[n]`.
    pub solution: &'a [f64],
    /// The reference, `[n]`, if there is one.
    pub reference: Option<&'a [f64]>,
    /// Posterior standard deviation, `[n]`.
    pub deviation: &'a [f64],
}

/// Draws the figures of a solution into `folder`, as `solution_FILE`, `deviation_FILE` and `length_scales`, each with the
/// extensions `png` and `svg`.
///
/// One coordinate: lines, with a band of two standard deviations in place of a figure of the deviation. Two: heat maps. Three: heat
/// maps on the planes through the middle, with a common scale. Of more coordinates nothing is drawn, and the log says so.
///
/// # Errors
/// [`FigureError`] for values that can't be drawn or a file that can't be written.
pub fn solution_set(folder: &Path, data: &FigureData<'_>) -> Result<Vec<Figure>, FigureError> {
    data.check()?;
    let mut figures = Vec::new();
    let dimensions = data.grid.axes().len();
    match dimensions {
        1 => {
            for field in &data.fields {
                figures.push(line_solution(folder, data, field)?);
            }
            if !data.kernel_fields.is_empty() {
                figures.push(line_scales(folder, data)?);
            }
        }
        2..=MAX_DIMENSIONS => {
            let planes = slices(data.grid);
            for field in &data.fields {
                figures.push(plane_solution(folder, data, field, &planes)?);
                figures.push(plane_deviation(folder, field, &planes)?);
            }
            if !data.kernel_fields.is_empty() {
                let maps: Vec<Map<'_>> =
                    data.kernel_fields.iter().flat_map(|(name, values)| maps(&planes, name, values)).collect();
                let title = "learned length scales";
                let caption = "Fields of the learned kernel: its length scales over the domain.";
                figures.push(write_panels(&folder.join("length_scales"), title, caption, &plots(&maps)?)?);
            }
        }
        _ => log::info!("no figures of the solution: at most {MAX_DIMENSIONS} coordinates are drawn, not {dimensions}"),
    }
    Ok(figures)
}

impl FigureData<'_> {
    fn check(&self) -> Result<(), FigureError> {
        let expected = self.grid.points().len();
        let of = |what: String, values: &[f64]| {
            let got = values.len();
            if got == expected { Ok(()) } else { Err(FigureError::Length { what, got, expected }) }
        };
        for field in &self.fields {
            of(format!("the solution {}", field.name), field.solution)?;
            of(format!("the reference of {}", field.name), field.reference.unwrap_or(field.solution))?;
            of(format!("the standard deviation of {}", field.name), field.deviation)?;
        }
        self.kernel_fields.iter().try_for_each(|(name, values)| of(name.clone(), values))
    }
}

/// A name as part of a file's name.
fn file_name(prefix: &str, name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "-_".contains(c) { c } else { '_' };
    format!("{prefix}_{}", name.chars().map(safe).collect::<String>())
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect()
}

/// Solution, reference and band, and if there is a reference beside it the error against two standard deviations.
fn line_solution(folder: &Path, data: &FigureData<'_>, field: &FieldData<'_>) -> Result<Figure, FigureError> {
    let x = &data.grid.axes()[0];
    let x_label = data.grid.names()[0].as_str();
    let name = field.name;
    let curve = |values: &[f64]| -> Vec<(f64, f64)> { x.iter().copied().zip(values.iter().copied()).collect() };
    let rug: Vec<f64> = data.collocation.interior.rows().map(|p| p[0]).collect();
    let title = format!("solution {name}");
    let mut series = vec![Series::new("solution", curve(field.solution))];
    series.extend(field.reference.map(|truth| Series::new("reference", curve(truth)).dashed()));
    let around = x.iter().zip(field.solution.iter().zip(field.deviation));
    let band = Band {
        name: "two standard deviations".to_owned(),
        points: around.map(|(x, (u, s))| (*x, u - 2.0 * s, u + 2.0 * s)).collect(),
    };
    let solution = LinePlot {
        title: &title,
        x_label,
        y_label: name,
        series,
        band: Some(band),
        rug: rug.clone(),
        ..LinePlot::default()
    };
    let path = folder.join(file_name("solution", field.file));
    let points = "short strokes mark the collocation points";
    let Some(truth) = field.reference else {
        let caption = format!("Solution {name} with a band of two posterior standard deviations; {points}.");
        return write_single(&path, LINES_SIZE, &caption, &LinePanel::new(solution)?);
    };
    let twice: Vec<f64> = field.deviation.iter().map(|s| 2.0 * s).collect();
    let error = LinePlot {
        title: "absolute error",
        x_label,
        log_y: true,
        series: vec![
            Series::new("absolute error", curve(&difference(field.solution, truth))),
            Series::new("two standard deviations", curve(&twice)).dashed(),
        ],
        rug,
        ..LinePlot::default()
    };
    let caption = format!(
        "Solution {name}, its reference and a band of two posterior standard deviations; absolute error against that band; {points}."
    );
    let plots = [Box::new(LinePanel::new(solution)?) as Box<dyn Plot + '_>, Box::new(LinePanel::new(error)?)];
    write_panels(&path, &format!("{name}: solution, reference and error"), &caption, &plots)
}

fn line_scales(folder: &Path, data: &FigureData<'_>) -> Result<Figure, FigureError> {
    let x = &data.grid.axes()[0];
    let curve = |values: &[f64]| x.iter().copied().zip(values.iter().copied()).collect();
    let series = data.kernel_fields.iter().map(|(name, values)| Series::new(name, curve(values)));
    let title = "learned length scales";
    let plot = LinePlot { title, x_label: &data.grid.names()[0], series: series.collect(), ..LinePlot::default() };
    let caption = "Fields of the learned kernel: its length scales over the domain.";
    write_single(&folder.join("length_scales"), LINES_SIZE, caption, &LinePanel::new(plot)?)
}

/// A heat map that owns what it shows.
struct Map<'a> {
    slice: Slice<'a>,
    title: String,
    values: Vec<f64>,
    interior: Vec<(f64, f64)>,
    boundary: Vec<(f64, f64)>,
    range: Option<(f64, f64)>,
}

/// The field `values` of the whole grid on each plane, with a common scale.
fn maps<'a>(planes: &[Slice<'a>], title: &str, values: &[f64]) -> Vec<Map<'a>> {
    let mut maps: Vec<Map<'a>> = planes
        .iter()
        .map(|slice| Map {
            slice: *slice,
            title: slice.title(title),
            values: slice.values(values),
            interior: Vec::new(),
            boundary: Vec::new(),
            range: None,
        })
        .collect();
    share_range(&mut maps);
    maps
}

/// Gives all maps the scale that covers all; each its own if there is nothing to see (differences at rounding level).
fn share_range(maps: &mut [Map<'_>]) {
    let all = maps.iter().flat_map(|map| map.values.iter().copied());
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
    let range = (high - low > 1e-12 * low.abs().max(high.abs())).then_some((low, high));
    maps.iter_mut().for_each(|map| map.range = range);
}

fn plots<'m>(maps: &'m [Map<'_>]) -> Result<Vec<Box<dyn Plot + 'm>>, FigureError> {
    maps.iter()
        .map(|map| {
            let [x, y] = map.slice.axes();
            Panel::new(&Heatmap {
                title: &map.title,
                x,
                y,
                values: &map.values,
                interior: &map.interior,
                boundary: &map.boundary,
                log_scale: false,
                unit: "",
                range: map.range,
            })
            .map(|panel| Box::new(panel) as Box<dyn Plot + 'm>)
        })
        .collect()
}

/// Solution, reference and error with the points on it: side by side, or one below the other when there are several planes.
fn plane_solution(
    folder: &Path,
    data: &FigureData<'_>,
    field: &FieldData<'_>,
    planes: &[Slice<'_>],
) -> Result<Figure, FigureError> {
    let name = field.name;
    let path = folder.join(file_name("solution", field.file));
    let mut shown = maps(planes, &format!("solution {name}"), field.solution);
    let where_ = if planes.len() > 1 { " on three planes through the middle" } else { "" };
    let Some(truth) = field.reference else {
        let caption = format!("Solution {name}{where_}.");
        return match shown.len() {
            1 => write_single(&path, PANEL_SIZE, &caption, plots(&shown)?.remove(0).as_ref()),
            _ => write_panels(&path, &format!("solution {name}"), &caption, &plots(&shown)?),
        };
    };
    shown.extend(maps(planes, "reference", truth));
    share_range(&mut shown);
    let mut errors = maps(planes, "absolute error", &difference(field.solution, truth));
    for map in &mut errors {
        map.interior = map.slice.points(&data.collocation.interior);
        map.boundary = data.collocation.boundary.iter().flat_map(|b| map.slice.points(&b.sites()[0])).collect();
    }
    shown.extend(errors);
    let points =
        if planes.len() > 1 { "those collocation points that lie near the plane" } else { "the collocation points" };
    let caption = format!("{name}{where_}: solution, reference, and absolute error with {points}.");
    write_panels(&path, &format!("{name}: solution, reference and error"), &caption, &plots(&shown)?)
}

fn plane_deviation(folder: &Path, field: &FieldData<'_>, planes: &[Slice<'_>]) -> Result<Figure, FigureError> {
    let path = folder.join(file_name("deviation", field.file));
    let title = format!("posterior standard deviation of {}", field.name);
    let caption = format!("Posterior standard deviation of {}.", field.name);
    let shown = maps(planes, if planes.len() > 1 { "deviation" } else { &title }, field.deviation);
    match shown.len() {
        1 => write_single(&path, PANEL_SIZE, &caption, plots(&shown)?.remove(0).as_ref()),
        _ => write_panels(&path, &title, &caption, &plots(&shown)?),
    }
}
