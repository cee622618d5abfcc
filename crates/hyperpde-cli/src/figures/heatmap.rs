//! Heat maps: a field on a regular grid in colours (viridis) with a colour bar, one or several side by side.

use std::path::Path;

use colorgrad::Gradient;
use colorgrad::preset::viridis;
use plotters::element::{Circle, Rectangle};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor, WHITE};

use super::canvas::{
    Area, Frame, GAP, INK, LABEL_SIZE, Rect, TICK, TICK_SIZE, TITLE_SIZE, border, bottom_margin, failed, left_margin,
    line, render, vertical_ticks, widest, write, write_fitted, write_upwards,
};
use super::scale::{Scale, Tick};
use super::{FigureError, check_values};

/// Width and height of one panel, pixels.
pub const PANEL_SIZE: (u32, u32) = (1000, 840);
/// Height of the title above several panels, pixels.
const HEADING: u32 = 80;
/// Most panels in one figure.
const MAX_PANELS: usize = 24;
/// Width of the colour bar.
const BAR: i32 = 34;
/// Points this far outside the axes, as a part of their length, are still drawn on the edge: boundary points of a grid
/// that starts just inside the domain.
const POINT_SLACK: f64 = 0.02;
const BOUNDARY_COLOR: RGBColor = RGBColor(230, 60, 40);

/// One axis of a heat map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis<'a> {
    /// Name, with the unit if there is one.
    pub label: &'a str,
    /// Coordinate of the first grid line.
    pub min: f64,
    /// Coordinate of the last grid line.
    pub max: f64,
}

/// A field on a regular grid, drawn with bilinear interpolation between the grid points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heatmap<'a> {
    /// Title of the panel.
    pub title: &'a str,
    /// Horizontal axis.
    pub x: Axis<'a>,
    /// Vertical axis, upwards.
    pub y: Axis<'a>,
    /// Grid points along y and along x, `[ny, nx]`, edges of the axes included.
    pub shape: [usize; 2],
    /// Values, row-major `[ny, nx]`: entry `j * nx + i` is the value at the i-th x and the j-th y.
    pub values: &'a [f64],
    /// Interior points to draw on top, `(x, y)`, as white dots; may be empty.
    pub interior: &'a [(f64, f64)],
    /// Boundary points to draw on top, `(x, y)`, as red squares; may be empty.
    pub boundary: &'a [(f64, f64)],
    /// Whether colours follow the logarithm of the values; takes no negative values, zeros get the lowest colour.
    pub log_scale: bool,
    /// What the colours measure, beside the colour bar; may be empty.
    pub unit: &'a str,
    /// Values of the first and last colour; those of the data if `None`. Give two panels the same to compare them.
    pub range: Option<(f64, f64)>,
}

/// Draws the sign of a class of points at a place.
type Marker = fn(&Area<'_>, (i32, i32)) -> Result<(), FigureError>;

/// Draws one field as an image of [`PANEL_SIZE`] pixels.
///
/// # Errors
/// [`FigureError`] for values or ranges that can't be drawn, or when the file can't be written.
pub fn heatmap(path: &Path, map: &Heatmap<'_>) -> Result<(), FigureError> {
    let panel = Panel::new(map)?;
    render(path, PANEL_SIZE, |area| {
        let margins = panel.margins(area)?;
        panel.draw(area, &margins)
    })
}

/// Pixels of a figure of `count` panels: up to three side by side, four as two by two, more in rows of three.
#[must_use]
pub fn panels_size(count: usize) -> (u32, u32) {
    let (rows, columns) = arrangement(count);
    (columns as u32 * PANEL_SIZE.0, HEADING + rows as u32 * PANEL_SIZE.1)
}

/// Draws several fields in one image of [`panels_size`] pixels, under a common title.
///
/// # Errors
/// As [`heatmap`], and [`FigureError::Count`] without panels or with more than 24.
pub fn panels(path: &Path, title: &str, maps: &[Heatmap<'_>]) -> Result<(), FigureError> {
    if !(1..=MAX_PANELS).contains(&maps.len()) {
        return Err(FigureError::Count { what: "panels".to_owned(), got: maps.len(), limit: MAX_PANELS });
    }
    let all = maps.iter().map(Panel::new).collect::<Result<Vec<_>, _>>()?;
    let size = panels_size(maps.len());
    render(path, size, |area| {
        let width = size.0 as i32;
        write_fitted(area, title, TITLE_SIZE + 8, width - 4 * GAP, (width / 2, HEADING as i32 / 2 + 8), HPos::Center)?;
        // Equal margins keep the plots of a row and a column in line.
        let mut margins = Margins::default();
        for panel in &all {
            margins = margins.max(panel.margins(area)?);
        }
        let (_, below) = area.split_vertically(HEADING);
        for (panel, cell) in all.iter().zip(below.split_evenly(arrangement(maps.len()))) {
            panel.draw(&cell, &margins)?;
        }
        Ok(())
    })
}

/// `(rows, columns)`.
fn arrangement(count: usize) -> (usize, usize) {
    let columns = match count {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    (count.div_ceil(columns).max(1), columns)
}

/// Space around the plot, pixels.
#[derive(Debug, Clone, Copy, Default)]
struct Margins {
    left: i32,
    right: i32,
    bottom: i32,
}

impl Margins {
    fn max(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// A checked heat map with its scales.
struct Panel<'a> {
    map: &'a Heatmap<'a>,
    x: Scale,
    y: Scale,
    colors: Scale,
}

impl<'a> Panel<'a> {
    fn new(map: &'a Heatmap<'a>) -> Result<Self, FigureError> {
        let [ny, nx] = map.shape;
        if ny < 2 || nx < 2 || ny.checked_mul(nx) != Some(map.values.len()) {
            return Err(FigureError::Shape { what: map.title.to_owned(), ny, nx, got: map.values.len() });
        }
        check_values(map.title, map.values.iter().copied(), map.log_scale)?;
        for (class, points) in [("interior", map.interior), ("boundary", map.boundary)] {
            let what = format!("{}, x of the {class} points", map.title);
            check_values(&what, points.iter().map(|p| p.0), false)?;
            let what = format!("{}, y of the {class} points", map.title);
            check_values(&what, points.iter().map(|p| p.1), false)?;
        }
        let colors = match map.range {
            Some((min, max)) => Scale::exact(map.title, min, max, map.log_scale)?,
            None => Scale::covering(map.title, map.values.iter().copied(), map.log_scale)?,
        };
        let axis = |name: &str, axis: &Axis<'_>| {
            Scale::exact(&format!("the {name} axis of {}", map.title), axis.min, axis.max, false)
        };
        Ok(Self { map, x: axis("x", &map.x)?, y: axis("y", &map.y)?, colors })
    }

    fn has_points(&self) -> bool {
        !(self.map.interior.is_empty() && self.map.boundary.is_empty())
    }

    fn bar_ticks(&self) -> Vec<Tick> {
        vertical_ticks(&self.colors, PANEL_SIZE.1 as i32 * 3 / 4)
    }

    fn margins(&self, area: &Area<'_>) -> Result<Margins, FigureError> {
        let ticks = vertical_ticks(&self.y, PANEL_SIZE.1 as i32 * 3 / 4);
        let tick_width = widest(area, ticks.iter().map(|t| t.label.as_str()), TICK_SIZE)?;
        let bar_labels = self.bar_ticks();
        let bar_width = widest(area, bar_labels.iter().map(|t| t.label.as_str()), TICK_SIZE)?;
        let unit = if self.map.unit.is_empty() { 0 } else { LABEL_SIZE + GAP };
        let legend = if self.has_points() { TICK_SIZE + GAP } else { 0 };
        Ok(Margins {
            left: left_margin(tick_width, self.map.y.label),
            right: 2 * GAP + BAR + TICK + GAP / 2 + bar_width + unit + 2 * GAP,
            bottom: bottom_margin(self.map.x.label) + legend + GAP,
        })
    }

    fn draw(&self, area: &Area<'_>, margins: &Margins) -> Result<(), FigureError> {
        let (width, height) = area.dim_in_pixel();
        let (width, height) = (width as i32, height as i32);
        let rect =
            Rect { x0: margins.left, y0: TITLE_SIZE + 3 * GAP, x1: width - margins.right, y1: height - margins.bottom };
        let middle = (rect.x0 + rect.x1) / 2;
        let room = 2 * (middle - GAP).min(width - GAP - middle);
        write_fitted(area, self.map.title, TITLE_SIZE, room, (middle, GAP + TITLE_SIZE / 2), HPos::Center)?;
        self.fill(area, rect)?;
        let frame = Frame { rect, x: self.x, y: self.y, x_label: self.map.x.label, y_label: self.map.y.label };
        frame.draw(area)?;
        self.draw_points(area, rect)?;
        self.draw_bar(area, rect)?;
        if self.has_points() {
            self.draw_legend(area, middle, height - GAP - TICK_SIZE / 3)?;
        }
        Ok(())
    }

    /// Colours every pixel of the plot.
    fn fill(&self, area: &Area<'_>, rect: Rect) -> Result<(), FigureError> {
        let [ny, nx] = self.map.shape;
        let units: Vec<f64> = self.map.values.iter().map(|v| self.colors.unit(*v)).collect();
        let palette = palette();
        // Between which two grid lines a pixel lies, and how far along.
        let cell = |pixel: i32, length: i32, n: usize| {
            let at = f64::from(pixel) / f64::from(length) * (n - 1) as f64;
            let low = (at as usize).min(n - 2);
            (low, at - low as f64)
        };
        for row in rect.y0..=rect.y1 {
            let (j, t) = cell(rect.y1 - row, rect.y1 - rect.y0, ny);
            for column in rect.x0..=rect.x1 {
                let (i, s) = cell(column - rect.x0, rect.x1 - rect.x0, nx);
                let at = |j: usize, i: usize| units[j * nx + i];
                let below = at(j, i) * (1.0 - s) + at(j, i + 1) * s;
                let above = at(j + 1, i) * (1.0 - s) + at(j + 1, i + 1) * s;
                let color = pick(&palette, below * (1.0 - t) + above * t);
                area.draw_pixel((column, row), &color).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn draw_points(&self, area: &Area<'_>, rect: Rect) -> Result<(), FigureError> {
        let position = |point: &(f64, f64)| {
            let (x, y) = (self.x.unclamped(point.0), self.y.unclamped(point.1));
            let near = -POINT_SLACK..=1.0 + POINT_SLACK;
            let visible = near.contains(&x) && near.contains(&y);
            visible.then(|| (rect.column(x.clamp(0.0, 1.0)), rect.row(y.clamp(0.0, 1.0))))
        };
        for at in self.map.interior.iter().filter_map(position) {
            interior_mark(area, at)?;
        }
        for at in self.map.boundary.iter().filter_map(position) {
            boundary_mark(area, at)?;
        }
        Ok(())
    }

    fn draw_bar(&self, area: &Area<'_>, rect: Rect) -> Result<(), FigureError> {
        let bar = Rect { x0: rect.x1 + 2 * GAP, x1: rect.x1 + 2 * GAP + BAR, ..rect };
        let palette = palette();
        for row in bar.y0..=bar.y1 {
            let color = pick(&palette, f64::from(bar.y1 - row) / f64::from(bar.y1 - bar.y0));
            area.draw(&Rectangle::new([(bar.x0, row), (bar.x1, row + 1)], color.filled())).map_err(failed)?;
        }
        border(area, bar)?;
        let ticks = self.bar_ticks();
        for tick in &ticks {
            let y = bar.row(tick.at);
            line(area, [(bar.x1, y), (bar.x1 + TICK, y)], INK)?;
            write(area, &tick.label, TICK_SIZE, (bar.x1 + TICK + GAP / 2, y), HPos::Left)?;
        }
        let tick_width = widest(area, ticks.iter().map(|t| t.label.as_str()), TICK_SIZE)?;
        let x = bar.x1 + TICK + GAP / 2 + tick_width + GAP + LABEL_SIZE / 3;
        write_upwards(area, self.map.unit, LABEL_SIZE, (x, (bar.y0 + bar.y1) / 2))
    }

    /// The marks and their names in one line around column `middle`.
    fn draw_legend(&self, area: &Area<'_>, middle: i32, y: i32) -> Result<(), FigureError> {
        let count = |name: &str, points: &[(f64, f64)]| format!("{} {name} points", points.len());
        let (inner, outer) = (count("interior", self.map.interior), count("boundary", self.map.boundary));
        let mut entries: Vec<(&str, Marker)> = Vec::new();
        if !self.map.interior.is_empty() {
            entries.push((&inner, interior_mark));
        }
        if !self.map.boundary.is_empty() {
            entries.push((&outer, boundary_mark));
        }
        let mut widths = Vec::new();
        for (text, _) in &entries {
            widths.push(2 * GAP + widest(area, std::iter::once(*text), TICK_SIZE)?);
        }
        let mut x = middle - (widths.iter().sum::<i32>() + (entries.len() as i32 - 1) * 3 * GAP) / 2;
        for ((text, mark), width) in entries.iter().zip(widths) {
            mark(area, (x + GAP / 2, y))?;
            write(area, text, TICK_SIZE, (x + 2 * GAP, y), HPos::Left)?;
            x += width + 3 * GAP;
        }
        Ok(())
    }
}

fn interior_mark(area: &Area<'_>, at: (i32, i32)) -> Result<(), FigureError> {
    area.draw(&Circle::new(at, 4, INK.filled())).map_err(failed)?;
    area.draw(&Circle::new(at, 3, WHITE.filled())).map_err(failed)
}

fn boundary_mark(area: &Area<'_>, (x, y): (i32, i32)) -> Result<(), FigureError> {
    for (half, color) in [(5, INK), (4, BOUNDARY_COLOR)] {
        let corners = [(x - half, y - half), (x + half, y + half)];
        area.draw(&Rectangle::new(corners, color.filled())).map_err(failed)?;
    }
    Ok(())
}

/// The colours from low to high.
fn palette() -> Vec<RGBColor> {
    let gradient = viridis();
    (0..=u8::MAX)
        .map(|i| {
            let [r, g, b, _] = gradient.at(f32::from(i) / 255.0).to_rgba8();
            RGBColor(r, g, b)
        })
        .collect()
}

/// The colour at `unit` in [0, 1].
fn pick(palette: &[RGBColor], unit: f64) -> RGBColor {
    let last = palette.len() - 1;
    palette[((unit * last as f64).round() as usize).min(last)]
}
