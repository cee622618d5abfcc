//! Line plots: loss and error histories, one-dimensional slices.

use std::path::Path;

use plotters::element::{Circle, DashedPathElement, PathElement};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::canvas::{
    Area, Frame, GAP, Rect, TICK_SIZE, TITLE_SIZE, bottom_margin, failed, left_margin, render, vertical_ticks, widest,
    write_fitted,
};
use super::scale::Scale;
use super::{FigureError, check_values};

/// Width and height of a line plot, pixels.
pub const LINES_SIZE: (u32, u32) = (1400, 840);
/// Colours that stay apart for the colour-blind (Okabe and Ito), without the yellow that is too pale on white.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];
/// Most series in one plot: every colour, solid and dashed.
const MAX_SERIES: usize = 14;
/// Longest series; more points than that can't be seen in 1400 pixels.
const MAX_POINTS: usize = 10_000_000;
/// Length of the line in front of a legend entry.
const SAMPLE: i32 = 50;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name in the legend, which is drawn when there are several series.
    pub name: String,
    /// Points `(x, y)` in drawing order.
    pub points: Vec<(f64, f64)>,
    /// Dashed instead of solid, for a line that lies on another one.
    pub dashed: bool,
}

impl Series {
    /// A solid line through `points`.
    #[must_use]
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, dashed: false }
    }

    /// The same, dashed.
    #[must_use]
    pub fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }
}

/// Several lines in one plot.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePlot<'a> {
    /// Title above the plot.
    pub title: &'a str,
    /// Name of the horizontal axis, with the unit if there is one.
    pub x_label: &'a str,
    /// Name of the vertical axis, with the unit if there is one.
    pub y_label: &'a str,
    /// Whether the vertical axis is logarithmic; takes no negative values, zeros are drawn at the bottom.
    pub log_y: bool,
    /// The lines, 1 to 14.
    pub series: Vec<Series>,
}

/// Draws the lines as an image of [`LINES_SIZE`] pixels.
///
/// # Errors
/// [`FigureError`] for values that can't be drawn, for no series or too many, or when the file can't be written.
pub fn lines(path: &Path, plot: &LinePlot<'_>) -> Result<(), FigureError> {
    if !(1..=MAX_SERIES).contains(&plot.series.len()) {
        return Err(FigureError::Count { what: "series".to_owned(), got: plot.series.len(), limit: MAX_SERIES });
    }
    for series in &plot.series {
        if !(1..=MAX_POINTS).contains(&series.points.len()) {
            let what = format!("points of the series {}", series.name);
            return Err(FigureError::Count { what, got: series.points.len(), limit: MAX_POINTS });
        }
        check_values(&format!("{}, x", series.name), series.points.iter().map(|p| p.0), false)?;
        check_values(&series.name, series.points.iter().map(|p| p.1), plot.log_y)?;
    }
    let all = || plot.series.iter().flat_map(|s| s.points.iter());
    let x = Scale::covering(plot.x_label, all().map(|p| p.0), false)?.widened(0.01);
    let y = Scale::covering(plot.y_label, all().map(|p| p.1), plot.log_y)?.widened(0.04);
    render(path, LINES_SIZE, |area| draw(area, plot, x, y))
}

fn draw(area: &Area<'_>, plot: &LinePlot<'_>, x: Scale, y: Scale) -> Result<(), FigureError> {
    let (width, height) = (LINES_SIZE.0 as i32, LINES_SIZE.1 as i32);
    let (top, bottom) = (TITLE_SIZE + 3 * GAP, height - bottom_margin(plot.x_label) - GAP);
    let ticks = vertical_ticks(&y, bottom - top);
    let tick_width = widest(area, ticks.iter().map(|t| t.label.as_str()), TICK_SIZE)?;
    let legend = if plot.series.len() > 1 {
        let names = widest(area, plot.series.iter().map(|s| s.name.as_str()), TICK_SIZE)?;
        names.min(width / 4)
    } else {
        0
    };
    let right = if legend > 0 { 2 * GAP + SAMPLE + GAP + legend + 2 * GAP } else { 4 * GAP };
    let rect = Rect { x0: left_margin(tick_width, plot.y_label), y0: top, x1: width - right, y1: bottom };
    let middle = (rect.x0 + rect.x1) / 2;
    let room = 2 * (middle - GAP).min(width - GAP - middle);
    write_fitted(area, plot.title, TITLE_SIZE, room, (middle, GAP + TITLE_SIZE / 2), HPos::Center)?;

    let frame = Frame { rect, x, y, x_label: plot.x_label, y_label: plot.y_label };
    frame.draw_grid(area)?;
    for (index, series) in plot.series.iter().enumerate() {
        let pixels = series.points.iter().map(|p| (rect.column(x.unit(p.0)), rect.row(y.unit(p.1)))).collect();
        draw_series(area, pixels, look(index, series))?;
        if plot.series.len() > 1 {
            let left = rect.x1 + 2 * GAP;
            let at = rect.y0 + GAP + index as i32 * (TICK_SIZE + GAP);
            draw_series(area, vec![(left, at), (left + SAMPLE, at)], look(index, series))?;
            write_fitted(area, &series.name, TICK_SIZE, legend, (left + SAMPLE + GAP, at), HPos::Left)?;
        }
    }
    frame.draw(area)
}

/// Colour and whether dashed. The second time round the colours, the dashes are the other way.
fn look(index: usize, series: &Series) -> (RGBColor, bool) {
    (COLORS[index % COLORS.len()], series.dashed != (index >= COLORS.len()))
}

fn draw_series(
    area: &Area<'_>,
    mut pixels: Vec<(i32, i32)>,
    (color, dashed): (RGBColor, bool),
) -> Result<(), FigureError> {
    // Repeated pixels have no direction, which a thick line needs at its joints.
    pixels.dedup();
    let style: ShapeStyle = color.stroke_width(4);
    if let [only] = pixels.as_slice() {
        return area.draw(&Circle::new(*only, 6, color.filled())).map_err(failed);
    }
    if dashed {
        area.draw(&DashedPathElement::new(pixels, 14, 10, style)).map_err(failed)
    } else {
        area.draw(&PathElement::new(pixels, style)).map_err(failed)
    }
}
