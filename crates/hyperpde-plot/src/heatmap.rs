//! Heat maps: a field on a grid in colours (viridis) with a colour bar, one or several side by side.

use std::path::Path;

use super::error::{FigureError, check_values};
use super::figure::{Figure, INLINE_PANEL, InlineWidth, PANEL_SIZE, Plot, write_panels, write_single};
use super::frame::{
    Frame, GAP, LABEL_SIZE, Margins, TICK, TICK_SIZE, TITLE_MARGIN, border, bottom_margin, horizontal, left_margin,
    tick_width, vertical_ticks, write, write_title, write_upwards,
};
use super::scale::Scale;
use super::scene::{Anchor, Field, Item, Paint, Rect, Scene, Shape};
use super::text::widest;

/// Width of the colour bar.
const BAR: i32 = 34;
/// Points this far outside the axes, as a part of their length, are still drawn on the edge: boundary points of a grid
/// that starts just inside the domain.
const POINT_SLACK: f64 = 0.02;
const BOUNDARY_COLOR: Paint = Paint::Data([230, 60, 40]);
const WHITE: Paint = Paint::Data([255; 3]);
const BLACK: Paint = Paint::Data([30; 3]);
/// Width of a plot with marks of full size.
const FULL_WIDTH: f64 = 700.0;
/// What the rim adds to a mark.
const RIM: f64 = 2.4;
/// Pixels per direction of the image in SVG, at least and at most.
const IMAGE_PIXELS: (usize, usize) = (256, 640);

/// One axis of a heat map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis<'a> {
    /// Name, with the unit if there is one.
    pub label: &'a str,
    /// Coordinates of the grid lines, at least two, increasing; the first and last are the edges of the plot.
    pub nodes: &'a [f64],
}

/// A field on a grid, drawn with bilinear interpolation between the grid points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heatmap<'a> {
    /// Title of the panel.
    pub title: &'a str,
    /// Horizontal axis, `[nx]`.
    pub x: Axis<'a>,
    /// Vertical axis, upwards, `[ny]`.
    pub y: Axis<'a>,
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

/// Draws one field as an image of [`PANEL_SIZE`] pixels; `path` gets the extensions `png` and `svg`.
///
/// # Errors
/// [`FigureError`] for values or ranges that can't be drawn, or when a file can't be written.
pub fn heatmap(path: &Path, map: &Heatmap<'_>) -> Result<Figure, FigureError> {
    write_single(path, PANEL_SIZE, map.title, &Panel::new(map)?)
}

/// Draws several fields in one image of [`panels_size`](super::panels_size) pixels, under a common title that is also the caption;
/// `path` gets the extensions `png` and `svg`.
///
/// # Errors
/// As [`heatmap`], and [`FigureError::Count`] without panels or with more than 24.
pub fn panels(path: &Path, title: &str, maps: &[Heatmap<'_>]) -> Result<Figure, FigureError> {
    let plots = maps
        .iter()
        .map(|map| Ok(Box::new(Panel::new(map)?) as Box<dyn Plot + '_>))
        .collect::<Result<Vec<_>, FigureError>>()?;
    write_panels(path, title, title, &plots)
}

/// A checked heat map with its scales.
pub(crate) struct Panel<'a> {
    map: Heatmap<'a>,
    x: Scale,
    y: Scale,
    colors: Scale,
}

impl<'a> Panel<'a> {
    pub fn new(map: &Heatmap<'a>) -> Result<Self, FigureError> {
        let (nx, ny) = (map.x.nodes.len(), map.y.nodes.len());
        if ny < 2 || nx < 2 || ny * nx != map.values.len() {
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
            let what = format!("the {name} axis of {}", map.title);
            for pair in axis.nodes.windows(2) {
                // Nothing compares with NaN, which is refused as well.
                if pair[0].partial_cmp(&pair[1]) != Some(std::cmp::Ordering::Less) {
                    return Err(FigureError::Range { what, min: pair[0], max: pair[1] });
                }
            }
            Scale::exact(&what, axis.nodes[0], axis.nodes[axis.nodes.len() - 1], false)
        };
        Ok(Self { map: *map, x: axis("x", &map.x)?, y: axis("y", &map.y)?, colors })
    }

    fn has_points(&self) -> bool {
        !(self.map.interior.is_empty() && self.map.boundary.is_empty())
    }

    fn field(&self) -> Field {
        let lines = |axis: &Axis<'_>, scale: &Scale| axis.nodes.iter().map(|x| scale.unit(*x)).collect();
        let pixels = |nodes: &[f64]| (2 * nodes.len()).clamp(IMAGE_PIXELS.0, IMAGE_PIXELS.1);
        Field {
            x: lines(&self.map.x, &self.x),
            y: lines(&self.map.y, &self.y),
            units: self.map.values.iter().map(|v| self.colors.unit(*v)).collect(),
            resolution: [pixels(self.map.x.nodes), pixels(self.map.y.nodes)],
        }
    }

    fn draw_points(&self, scene: &mut Scene, rect: Rect) {
        let position = |point: &(f64, f64)| {
            let (x, y) = (self.x.unclamped(point.0), self.y.unclamped(point.1));
            let near = -POINT_SLACK..=1.0 + POINT_SLACK;
            let visible = near.contains(&x) && near.contains(&y);
            visible.then(|| (rect.column(x.clamp(0.0, 1.0)), rect.row(y.clamp(0.0, 1.0))))
        };
        let scale = mark_scale(rect);
        interior_marks(scene, self.map.interior.iter().filter_map(position).collect(), scale);
        boundary_marks(scene, self.map.boundary.iter().filter_map(position).collect(), scale);
    }

    fn draw_bar(&self, scene: &mut Scene, rect: Rect) -> Result<(), FigureError> {
        let bar = Rect::new(rect.x1 + 2 * GAP, rect.y0, rect.x1 + 2 * GAP + BAR, rect.y1);
        let ends = vec![0.0, 1.0];
        let field = Field { x: ends.clone(), y: ends, units: vec![0.0, 0.0, 1.0, 1.0], resolution: [1, 256] };
        scene.add(Item::Field { rect: bar, field });
        border(scene, bar);
        let ticks = vertical_ticks(&self.colors, bar.height());
        for tick in &ticks {
            let y = bar.row(tick.at);
            horizontal(scene, y, [bar.x1, bar.x1 + TICK], Paint::Ink);
            write(scene, &tick.label, TICK_SIZE, (f64::from(bar.x1 + TICK + GAP / 2), y), Anchor::Start);
        }
        let x = bar.x1 + TICK + GAP / 2 + tick_width(&ticks)? + GAP + LABEL_SIZE / 3;
        let at = (f64::from(x), f64::from(bar.y0 + bar.y1) / 2.0);
        write_upwards(scene, self.map.unit, LABEL_SIZE, bar.height(), at)
    }

    /// The marks and their names in one line around column `middle`.
    fn draw_legend(&self, scene: &mut Scene, middle: f64, y: f64) -> Result<(), FigureError> {
        let mut entries: Vec<(String, Marker)> = Vec::new();
        if !self.map.interior.is_empty() {
            entries.push((format!("{} interior points", self.map.interior.len()), interior_marks));
        }
        if !self.map.boundary.is_empty() {
            entries.push((format!("{} boundary points", self.map.boundary.len()), boundary_marks));
        }
        let mut widths = Vec::new();
        for (text, _) in &entries {
            widths.push(2 * GAP + widest([text.as_str()], TICK_SIZE)?);
        }
        let mut x = middle - f64::from(widths.iter().sum::<i32>() + (entries.len() as i32 - 1) * 3 * GAP) / 2.0;
        for ((text, mark), width) in entries.iter().zip(widths) {
            mark(scene, vec![(x + f64::from(GAP) / 2.0, y)], 1.0);
            write(scene, text, TICK_SIZE, (x + f64::from(2 * GAP), y), Anchor::Start);
            x += f64::from(width + 3 * GAP);
        }
        Ok(())
    }
}

impl Plot for Panel<'_> {
    fn title(&self) -> &str {
        self.map.title
    }

    fn margins(&self, size: (u32, u32)) -> Result<Margins, FigureError> {
        // The height of the plot depends on nothing but the labels' number of lines.
        let legend = if self.has_points() { TICK_SIZE + GAP } else { 0 };
        let bottom = bottom_margin(self.map.x.label) + legend + GAP;
        let height = size.1 as i32 - TITLE_MARGIN - bottom;
        let unit = if self.map.unit.is_empty() { 0 } else { LABEL_SIZE + GAP };
        let bar_width = tick_width(&vertical_ticks(&self.colors, height))?;
        Ok(Margins {
            left: left_margin(tick_width(&vertical_ticks(&self.y, height))?, self.map.y.label),
            right: 2 * GAP + BAR + TICK + GAP / 2 + bar_width + unit + 2 * GAP,
            top: TITLE_MARGIN,
            bottom,
        })
    }

    fn draw(&self, scene: &mut Scene, cell: Rect, margins: &Margins) -> Result<(), FigureError> {
        let rect = margins.inside(cell);
        write_title(scene, self.map.title, cell, rect)?;
        scene.add(Item::Field { rect, field: self.field() });
        let frame = Frame { rect, x: self.x, y: self.y, x_label: self.map.x.label, y_label: self.map.y.label };
        frame.draw(scene)?;
        self.draw_points(scene, rect);
        self.draw_bar(scene, rect)?;
        if self.has_points() {
            self.draw_legend(scene, f64::from(rect.x0 + rect.x1) / 2.0, f64::from(cell.y1 - GAP - TICK_SIZE / 3))?;
        }
        Ok(())
    }

    fn inline_sizes(&self) -> &'static [((u32, u32), InlineWidth)] {
        &[(INLINE_PANEL, InlineWidth::Any)]
    }
}

/// Marks shrink with the plot, so that a small drawing is not covered by them.
fn mark_scale(plot: Rect) -> f64 {
    (f64::from(plot.width()) / FULL_WIDTH).clamp(0.4, 1.0)
}

/// Draws the signs of a class of points, at a scale.
type Marker = fn(&mut Scene, Vec<(f64, f64)>, f64);

fn interior_marks(scene: &mut Scene, at: Vec<(f64, f64)>, scale: f64) {
    outlined(scene, at, Shape::Round, 7.0 * scale, WHITE);
}

fn boundary_marks(scene: &mut Scene, at: Vec<(f64, f64)>, scale: f64) {
    outlined(scene, at, Shape::Square, 9.0 * scale, BOUNDARY_COLOR);
}

/// Marks with a dark rim, which stands out on light colours.
fn outlined(scene: &mut Scene, at: Vec<(f64, f64)>, shape: Shape, size: f64, paint: Paint) {
    if !at.is_empty() {
        scene.add(Item::Marks { at: at.clone(), shape, size: size + RIM, paint: BLACK });
        scene.add(Item::Marks { at, shape, size, paint });
    }
}
