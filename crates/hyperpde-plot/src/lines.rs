//! Line plots: histories, one-dimensional solutions.

use std::path::Path;

use super::error::{FigureError, check_values};
use super::figure::{Figure, InlineWidth, Plot, write_single};
use super::frame::{
    Frame, GAP, Margins, TITLE_MARGIN, bottom_margin, left_margin, tick_width, vertical, vertical_ticks, write_title,
};
use super::legend::{draw_legend, drawn, drawn_band, legend_height, look, mark_disc, mark_line};
use super::line_plot::LinePlot;
use super::scale::Scale;
use super::scene::{Paint, Rect, Scene};

/// Width and height of a line plot, pixels.
pub const LINES_SIZE: (u32, u32) = (1400, 840);
/// Sizes of a single line plot on a wide and on a narrow page.
const INLINE_WIDE: (u32, u32) = (1600, 760);
const INLINE_NARROW: (u32, u32) = (700, 700);
/// Space right of a plot.
const RIGHT: i32 = 4 * GAP;
/// Most series in one plot: every colour, solid and dashed.
const MAX_SERIES: usize = 14;
/// Longest series; more points than that can't be seen in 1400 pixels.
const MAX_POINTS: usize = 10_000_000;

/// Draws the lines as an image of [`LINES_SIZE`] pixels; `path` gets the extensions `png` and `svg`.
///
/// # Errors
/// [`FigureError`] for values that can't be drawn, for no series or too many, or when a file can't be written.
pub fn lines(path: &Path, plot: &LinePlot<'_>) -> Result<Figure, FigureError> {
    write_single(path, LINES_SIZE, plot.title, &LinePanel::new(plot.clone())?)
}

/// A checked line plot with its scales.
pub(crate) struct LinePanel<'a> {
    plot: LinePlot<'a>,
    x: Scale,
    y: Scale,
}

impl<'a> LinePanel<'a> {
    pub fn new(plot: LinePlot<'a>) -> Result<Self, FigureError> {
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
        if let Some(band) = &plot.band {
            check_values(&format!("{}, x", band.name), band.points.iter().map(|p| p.0), false)?;
            check_values(&band.name, band.points.iter().flat_map(|p| [p.1, p.2]), plot.log_y)?;
        }
        if let Some(mark) = &plot.mark {
            check_values(&format!("{}, x", mark.name), [mark.at.0].into_iter(), false)?;
            check_values(&mark.name, [mark.at.1].into_iter(), plot.log_y)?;
        }
        check_values(&format!("{}, marked places", plot.title), plot.rug.iter().copied(), false)?;
        let all = || plot.series.iter().flat_map(|s| s.points.iter());
        let x = Scale::covering(plot.x_label, all().map(|p| p.0), false)?.widened(0.01);
        let lines = Scale::covering(plot.y_label, all().map(|p| p.1), plot.log_y)?;
        let y = match &plot.band {
            Some(band) => lines.including(band.points.iter().flat_map(|p| [p.1, p.2]), 1.0),
            None => lines,
        };
        Ok(Self { plot, x, y: y.widened(0.04) })
    }
}

impl Plot for LinePanel<'_> {
    fn title(&self) -> &str {
        self.plot.title
    }

    fn margins(&self, size: (u32, u32)) -> Result<Margins, FigureError> {
        let bottom = bottom_margin(self.plot.x_label) + GAP;
        // The legend's lines depend on the width, which depends on the ticks, which depend on the height: begin without.
        let height = size.1 as i32 - TITLE_MARGIN - bottom;
        let left = left_margin(tick_width(&vertical_ticks(&self.y, height))?, self.plot.y_label);
        let legend = legend_height(&self.plot, size.0 as i32 - left - RIGHT)?;
        Ok(Margins { left, right: RIGHT, top: TITLE_MARGIN + legend, bottom })
    }

    fn draw(&self, scene: &mut Scene, cell: Rect, margins: &Margins) -> Result<(), FigureError> {
        let rect = margins.inside(cell);
        write_title(scene, self.plot.title, cell, rect)?;
        // As wide as for the plot's own margins, on which the legend's height was based.
        let own = self.margins((cell.width() as u32, cell.height() as u32))?.inside(cell);
        draw_legend(scene, &self.plot, cell, rect.x0, own.width())?;
        let frame = Frame { rect, x: self.x, y: self.y, x_label: self.plot.x_label, y_label: self.plot.y_label };
        frame.draw_grid(scene)?;
        let place = |x: f64, y: f64| (rect.column(self.x.unit(x)), rect.row(self.y.unit(y)));
        if let Some(band) = &self.plot.band {
            let points = band.points.iter().map(|(x, low, high)| {
                let (column, low) = place(*x, *low);
                (column, low, place(*x, *high).1)
            });
            scene.add(drawn_band(points.collect()));
        }
        for x in &self.plot.rug {
            let unit = self.x.unclamped(*x);
            if (0.0..=1.0).contains(&unit) {
                vertical(scene, rect.column(unit), [rect.y1 - GAP, rect.y1], Paint::Ink);
            }
        }
        if let Some(mark) = &self.plot.mark {
            let x = rect.column(self.x.unit(mark.at.0));
            scene.add(mark_line(vec![(x, f64::from(rect.y0)), (x, f64::from(rect.y1))]));
        }
        for (index, series) in self.plot.series.iter().enumerate() {
            let points = visible(series.points.iter().map(|p| place(p.0, p.1)));
            scene.add(drawn(points, look(index, series)));
        }
        if let Some(mark) = &self.plot.mark {
            mark_disc(scene, place(mark.at.0, mark.at.1));
        }
        frame.draw(scene)
    }

    fn inline_sizes(&self) -> &'static [((u32, u32), InlineWidth)] {
        &[(INLINE_WIDE, InlineWidth::Wide), (INLINE_NARROW, InlineWidth::Narrow)]
    }
}

/// Of consecutive points in one column of pixels the first, lowest, highest and last, in their order: the others can't
/// be seen, and a long history would make a large file.
fn visible(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept = Vec::new();
    let mut column: Vec<(f64, f64)> = Vec::new();
    for point in points {
        if column.first().is_some_and(|first| first.0.floor() != point.0.floor()) {
            close(&mut column, &mut kept);
        }
        column.push(point);
    }
    close(&mut column, &mut kept);
    kept.dedup();
    kept
}

fn close(column: &mut Vec<(f64, f64)>, kept: &mut Vec<(f64, f64)>) {
    let extreme = |sign: f64| (0..column.len()).max_by(|a, b| (sign * column[*a].1).total_cmp(&(sign * column[*b].1)));
    if let (Some(lowest), Some(highest)) = (extreme(1.0), extreme(-1.0)) {
        let mut order = [0, lowest, highest, column.len() - 1];
        order.sort_unstable();
        kept.extend(order.map(|index| column[index]));
    }
    column.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_pixels_keeps_its_ends_and_extremes() {
        let points = [(1.1, 5.0), (1.2, 9.0), (1.3, 6.0), (1.4, 1.0), (1.5, 4.0), (2.0, 7.0), (2.0, 7.0)];
        assert_eq!(visible(points.into_iter()), [(1.1, 5.0), (1.2, 9.0), (1.4, 1.0), (1.5, 4.0), (2.0, 7.0)]);
        assert_eq!(visible(std::iter::once((1.0, 2.0))), [(1.0, 2.0)]);
        let long = visible((0..100_000).map(|k| (f64::from(k) * 0.01, f64::from(k % 7))));
        assert!(long.len() <= 4 * 1001, "{}", long.len());
    }
}
