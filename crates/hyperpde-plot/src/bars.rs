//! Errors beside published ones, as horizontal bars on a logarithmic scale.

use std::path::Path;

use super::error::{FigureError, check_values};
use super::figure::{Figure, write_scene};
use super::frame::{
    GAP, LABEL_SIZE, TICK, TICK_SIZE, TITLE_SIZE, border, bottom_margin, horizontal, vertical, write, write_fitted,
};
use super::scale::Scale;
use super::scene::{Anchor, Item, Paint, Rect, Scene};
use super::text::width;

/// Width of the figure, pixels.
const WIDTH: i32 = 1500;
/// Widest label, pixels.
const LABELS: i32 = 640;
/// Height of a bar, pixels; a row has two.
const BAR: i32 = 15;
const ROW: i32 = 2 * BAR + GAP;
/// Above the plot: title and legend.
const TOP: i32 = TITLE_SIZE + TICK_SIZE + 4 * GAP;
/// Most rows in one figure.
const MAX_ROWS: usize = 60;
const PUBLISHED: Paint = Paint::Data([165, 165, 165]);
const OURS: Paint = Paint::Data([0, 114, 178]);

/// One row: a published error and ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// What the errors are of.
    pub label: String,
    /// The published error.
    pub published: f64,
    /// Our error.
    pub ours: f64,
    /// The smallest and the largest of ours, drawn as a line.
    pub spread: (f64, f64),
}

/// Draws the rows from top to bottom, the image as high as they need; `path` gets the extensions `png` and `svg`.
///
/// # Errors
/// [`FigureError`] for errors that are negative or not finite, for no rows or too many, or when a file can't be written.
pub fn bars(path: &Path, title: &str, rows: &[Bars]) -> Result<Figure, FigureError> {
    if !(1..=MAX_ROWS).contains(&rows.len()) {
        return Err(FigureError::Count { what: "rows".to_owned(), got: rows.len(), limit: MAX_ROWS });
    }
    let numbers = |row: &Bars| [row.published, row.ours, row.spread.0, row.spread.1];
    for row in rows {
        check_values(&row.label, numbers(row).into_iter(), true)?;
    }
    let scale = Scale::covering("error", rows.iter().flat_map(numbers), true)?.widened(0.06);
    let plot = Rect::new(LABELS + 2 * GAP, TOP, WIDTH - 3 * GAP, TOP + rows.len() as i32 * ROW + GAP);
    let mut scene = Scene::new((WIDTH as u32, (plot.y1 + bottom_margin("error") + GAP) as u32));
    let at = (f64::from(WIDTH) / 2.0, f64::from(GAP + TITLE_SIZE / 2));
    write_fitted(&mut scene, title, TITLE_SIZE, WIDTH - 2 * GAP, at, Anchor::Middle)?;
    legend(&mut scene, plot.x0)?;
    for tick in scale.ticks(8) {
        let x = plot.column(tick.at);
        vertical(&mut scene, x, [plot.y0, plot.y1], Paint::Grid);
        vertical(&mut scene, x, [plot.y1, plot.y1 + TICK], Paint::Ink);
        let y = f64::from(plot.y1 + TICK + GAP + TICK_SIZE / 3);
        write(&mut scene, &tick.label, TICK_SIZE, (x, y), Anchor::Middle);
    }
    let below = f64::from(plot.y1 + TICK + GAP + TICK_SIZE + GAP / 2 + LABEL_SIZE / 3);
    write(&mut scene, "error", LABEL_SIZE, (f64::from(plot.x0 + plot.x1) / 2.0, below), Anchor::Middle);
    for (row, top) in rows.iter().zip((plot.y0 + GAP..).step_by(ROW as usize)) {
        draw_row(&mut scene, plot, &scale, row, top)?;
    }
    border(&mut scene, plot);
    let (png, svg) = write_scene(path, title, &scene)?;
    Ok(Figure { caption: title.to_owned(), png, svg, inline: Vec::new() })
}

fn draw_row(scene: &mut Scene, plot: Rect, scale: &Scale, row: &Bars, top: i32) -> Result<(), FigureError> {
    let at = (f64::from(plot.x0 - GAP), f64::from(top + BAR));
    write_fitted(scene, &row.label, TICK_SIZE - 3, LABELS, at, Anchor::End)?;
    let column = |value: f64| plot.column(scale.unit(value)).round() as i32;
    for (value, paint, top) in [(row.published, PUBLISHED, top), (row.ours, OURS, top + BAR)] {
        scene.add(Item::Box { rect: Rect::new(plot.x0, top, column(value), top + BAR - 2), paint });
    }
    let (from, to) = (column(row.spread.0), column(row.spread.1));
    if to > from {
        let middle = f64::from(top + BAR) + f64::from(BAR) / 2.0 - 1.0;
        horizontal(scene, middle, [from, to], Paint::Ink);
        for x in [from, to] {
            vertical(scene, f64::from(x), [top + BAR + 2, top + 2 * BAR - 4], Paint::Ink);
        }
    }
    Ok(())
}

fn legend(scene: &mut Scene, mut x: i32) -> Result<(), FigureError> {
    let y = TITLE_SIZE + 3 * GAP;
    for (name, paint) in [("published", PUBLISHED), ("ours: median, with the smallest and the largest", OURS)] {
        scene.add(Item::Box { rect: Rect::new(x, y - BAR / 2, x + 2 * BAR, y + BAR / 2), paint });
        write(scene, name, TICK_SIZE, (f64::from(x + 2 * BAR + GAP / 2), f64::from(y)), Anchor::Start);
        x += 2 * BAR + width(name, TICK_SIZE)?.ceil() as i32 + 3 * GAP;
    }
    Ok(())
}
