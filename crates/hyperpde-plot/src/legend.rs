//! What lines, bands and marks look like, and the legend that names them.

use super::error::FigureError;
use super::frame::{GAP, TICK_SIZE, TITLE_MARGIN, write_fitted};
use super::line_plot::{LinePlot, Series};
use super::scene::{Anchor, Item, Paint, Rect, Scene, Shape};
use super::text::widest;

/// Colours that stay apart for the colour-blind (Okabe and Ito), without the yellow that is too pale on white.
const COLORS: [Paint; 7] = [
    Paint::Data([0, 114, 178]),
    Paint::Data([213, 94, 0]),
    Paint::Data([0, 158, 115]),
    Paint::Data([204, 121, 167]),
    Paint::Data([86, 180, 233]),
    Paint::Data([230, 159, 0]),
    Paint::Ink,
];
/// Width of a line.
const WEIGHT: f64 = 3.6;
/// Dash and gap between the middles of round ends.
const DASH: [f64; 2] = [11.0, 11.0];
const BAND_OPACITY: f64 = 0.25;
/// Length of the line in front of a legend entry.
const SAMPLE: i32 = 50;
/// Height of a line of the legend.
const LINE: i32 = TICK_SIZE + GAP;

/// A sign of the legend, and its text.
enum Entry<'p> {
    Line(usize, &'p Series),
    Band(&'p str),
    Mark(&'p str),
}

impl Entry<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Line(_, series) => &series.name,
            Self::Band(name) | Self::Mark(name) => name,
        }
    }
}

/// None for a single line, which the title names.
fn entries<'p>(plot: &'p LinePlot<'_>) -> Vec<Entry<'p>> {
    let series = plot.series.iter().enumerate().map(|(index, series)| Entry::Line(index, series));
    let band = plot.band.as_ref().map(|band| Entry::Band(&band.name));
    let mark = plot.mark.as_ref().map(|mark| Entry::Mark(&mark.name));
    let entries: Vec<Entry<'_>> = series.chain(band).chain(mark).collect();
    if entries.len() > 1 { entries } else { Vec::new() }
}

/// Entries with their widths, as many side by side as there is room for.
fn rows<'p>(plot: &'p LinePlot<'_>, room: i32) -> Result<Vec<Vec<(Entry<'p>, i32)>>, FigureError> {
    let mut rows: Vec<Vec<(Entry<'p>, i32)>> = Vec::new();
    let mut used = 0;
    for entry in entries(plot) {
        let width = (SAMPLE + GAP + widest([entry.name()], TICK_SIZE)?).min(room);
        match rows.last_mut() {
            Some(row) if used + 3 * GAP + width <= room => {
                used += 3 * GAP + width;
                row.push((entry, width));
            }
            _ => {
                used = width;
                rows.push(vec![(entry, width)]);
            }
        }
    }
    Ok(rows)
}

/// Height of the legend in `room` pixels of width.
pub(crate) fn legend_height(plot: &LinePlot<'_>, room: i32) -> Result<i32, FigureError> {
    let count = rows(plot, room)?.len() as i32;
    Ok(if count > 0 { count * LINE + GAP } else { 0 })
}

/// Draws the legend from column `first` on in `room` pixels of width, below the title of `cell`.
pub(crate) fn draw_legend(
    scene: &mut Scene,
    plot: &LinePlot<'_>,
    cell: Rect,
    first: i32,
    room: i32,
) -> Result<(), FigureError> {
    for (k, row) in rows(plot, room)?.into_iter().enumerate() {
        let y = f64::from(cell.y0 + TITLE_MARGIN + k as i32 * LINE + LINE / 2 - GAP);
        let mut left = first;
        for (entry, width) in row {
            let ends = vec![(f64::from(left), y), (f64::from(left + SAMPLE), y)];
            match entry {
                Entry::Line(index, series) => scene.add(drawn(ends, look(index, series))),
                Entry::Band(_) => {
                    let half = f64::from(TICK_SIZE) / 3.0;
                    let points = ends.iter().map(|(x, y)| (*x, y - half, y + half)).collect();
                    scene.add(drawn_band(points));
                }
                Entry::Mark(_) => {
                    scene.add(mark_line(ends));
                    mark_disc(scene, (f64::from(left + SAMPLE / 2), y));
                }
            }
            let at = (f64::from(left + SAMPLE + GAP), y);
            write_fitted(scene, entry.name(), TICK_SIZE, width - SAMPLE - GAP, at, Anchor::Start)?;
            left += width + 3 * GAP;
        }
    }
    Ok(())
}

/// Colour and whether dashed. The second time round the colours, the dashes are the other way.
pub(crate) fn look(index: usize, series: &Series) -> (Paint, bool) {
    (COLORS[index % COLORS.len()], series.dashed != (index >= COLORS.len()))
}

/// A line through `points`, or a disc for a single one.
pub(crate) fn drawn(points: Vec<(f64, f64)>, (paint, dashed): (Paint, bool)) -> Item {
    if points.len() == 1 {
        return Item::Marks { at: points, shape: Shape::Round, size: 12.0, paint };
    }
    Item::Line { points, width: WEIGHT, paint, dash: dashed.then_some(DASH) }
}

/// A band behind the lines.
pub(crate) fn drawn_band(points: Vec<(f64, f64, f64)>) -> Item {
    Item::Band { points, paint: COLORS[0], opacity: BAND_OPACITY }
}

/// The line down the plot at a mark.
pub(crate) fn mark_line(points: Vec<(f64, f64)>) -> Item {
    Item::Line { points, width: 2.0, paint: Paint::Ink, dash: Some([2.0, 7.0]) }
}

/// The sign of a mark.
pub(crate) fn mark_disc(scene: &mut Scene, at: (f64, f64)) {
    for (size, paint) in [(17.0, Paint::Ink), (11.0, Paint::Paper)] {
        scene.add(Item::Marks { at: vec![at], shape: Shape::Round, size, paint });
    }
}
