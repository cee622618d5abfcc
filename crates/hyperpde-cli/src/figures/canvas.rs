//! The drawing surface: PNG out, text in, and the frame with ticks that all figures share.

use std::path::Path;

use plotters::backend::BitMapBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, TextStyle, WHITE, register_font,
};

use super::FigureError;
use super::scale::{Scale, Tick};
use crate::write_atomic;

/// A region of the image, in pixels from its upper left corner.
pub(crate) type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

pub(crate) const TITLE_SIZE: i32 = 36;
pub(crate) const LABEL_SIZE: i32 = 31;
pub(crate) const TICK_SIZE: i32 = 27;
/// Space between neighbouring things.
pub(crate) const GAP: i32 = 14;
/// Length of a tick mark.
pub(crate) const TICK: i32 = 8;
pub(crate) const INK: RGBColor = RGBColor(30, 30, 30);
const GRID: RGBColor = RGBColor(225, 225, 225);
const FONT: &str = "hyperpde";

/// A rectangle of pixels, `x0 < x1` and `y0 < y1` (y grows downwards).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rect {
    pub x0: i32,
    pub y0: i32,
    pub x1: i32,
    pub y1: i32,
}

impl Rect {
    /// Pixel column of `unit` in [0, 1].
    pub fn column(&self, unit: f64) -> i32 {
        self.x0 + (unit * f64::from(self.x1 - self.x0)).round() as i32
    }

    /// Pixel row of `unit` in [0, 1], 0 at the bottom.
    pub fn row(&self, unit: f64) -> i32 {
        self.y1 - (unit * f64::from(self.y1 - self.y0)).round() as i32
    }
}

/// Draws an image of `size` pixels on white and writes it to `path`.
pub(crate) fn render(
    path: &Path,
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), FigureError>,
) -> Result<(), FigureError> {
    register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| FigureError::Draw("the font that is compiled in was not accepted".to_owned()))?;
    let mut pixels = vec![0; 3 * size.0 as usize * size.1 as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        draw(&area)?;
        area.present().map_err(failed)?;
    }

    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    write_atomic(path, &bytes).map_err(|e| FigureError::Write(Box::new(e)))
}

/// The drawing library's error, in our type.
pub(crate) fn failed(error: impl std::fmt::Display) -> FigureError {
    FigureError::Draw(error.to_string())
}

fn style(size: i32, align: HPos) -> TextStyle<'static> {
    let font = FontDesc::new(FontFamily::Name(FONT), f64::from(size), FontStyle::Normal);
    TextStyle::from(font).color(&INK).pos(Pos::new(align, VPos::Top))
}

/// Width of `text` in pixels.
pub(crate) fn text_width(area: &Area<'_>, text: &str, size: i32) -> Result<i32, FigureError> {
    let (width, _) = area.estimate_text_size(text, &style(size, HPos::Left)).map_err(failed)?;
    Ok(width as i32)
}

/// Width of the widest of `texts`, 0 without any.
pub(crate) fn widest<'a>(area: &Area<'_>, texts: impl Iterator<Item = &'a str>, size: i32) -> Result<i32, FigureError> {
    texts.map(|text| text_width(area, text, size)).try_fold(0, |most, width| Ok(most.max(width?)))
}

/// Writes `text` with the middle of its capital letters at height `y`, and at `x` its start, middle or end.
pub(crate) fn write(
    area: &Area<'_>,
    text: &str,
    size: i32,
    (x, y): (i32, i32),
    align: HPos,
) -> Result<(), FigureError> {
    area.draw_text(text, &style(size, align), (x, y - cap_middle(size))).map_err(failed)
}

/// Writes `text` upwards with the middle of its capital letters at column `x`, and its middle at height `y`.
pub(crate) fn write_upwards(area: &Area<'_>, text: &str, size: i32, (x, y): (i32, i32)) -> Result<(), FigureError> {
    let style = style(size, HPos::Center).transform(FontTransform::Rotate270);
    area.draw_text(text, &style, (x - cap_middle(size), y)).map_err(failed)
}

/// The drawing library puts the baseline half a size below the top; capitals are about six tenths of a size high.
fn cap_middle(size: i32) -> i32 {
    size / 5
}

/// Writes a line in at most `width` pixels: in a smaller size if needed (down to two thirds), then cut with an ellipsis.
pub(crate) fn write_fitted(
    area: &Area<'_>,
    text: &str,
    size: i32,
    width: i32,
    at: (i32, i32),
    align: HPos,
) -> Result<(), FigureError> {
    let (text, size) = fit(area, text, size, width)?;
    write(area, &text, size, at, align)
}

fn fit(area: &Area<'_>, text: &str, size: i32, width: i32) -> Result<(String, i32), FigureError> {
    let smallest = 2 * size / 3;
    for size in (smallest..=size).rev() {
        if text_width(area, text, size)? <= width {
            return Ok((text.to_owned(), size));
        }
    }
    // Far longer texts than this never fit, and measuring them letter by letter would take quadratic time.
    let mut letters: Vec<char> = text.chars().take(200).collect();
    loop {
        let cut: String = letters.iter().chain(&['…']).collect();
        if letters.is_empty() || text_width(area, &cut, smallest)? <= width {
            return Ok((cut, smallest));
        }
        letters.pop();
    }
}

/// Two axes around a plot.
pub(crate) struct Frame<'a> {
    pub rect: Rect,
    pub x: Scale,
    pub y: Scale,
    pub x_label: &'a str,
    pub y_label: &'a str,
}

/// Ticks of a vertical axis `height` pixels high.
pub(crate) fn vertical_ticks(scale: &Scale, height: i32) -> Vec<Tick> {
    scale.ticks((height / 90).clamp(2, 10) as usize)
}

/// Space that the labels left of a frame take, for ticks as wide as `tick_width`.
pub(crate) fn left_margin(tick_width: i32, label: &str) -> i32 {
    let label = if label.is_empty() { 0 } else { LABEL_SIZE + GAP };
    GAP + label + tick_width + GAP / 2 + TICK
}

/// Space that the labels below a frame take.
pub(crate) fn bottom_margin(label: &str) -> i32 {
    let label = if label.is_empty() { 0 } else { LABEL_SIZE + GAP };
    TICK + GAP + TICK_SIZE + label + GAP / 2
}

impl Frame<'_> {
    /// Lines across the plot at the ticks; drawn before the data.
    pub fn draw_grid(&self, area: &Area<'_>) -> Result<(), FigureError> {
        let Rect { x0, y0, x1, y1 } = self.rect;
        for tick in self.x_ticks(area)? {
            let x = self.rect.column(tick.at);
            line(area, [(x, y0), (x, y1)], GRID)?;
        }
        for tick in vertical_ticks(&self.y, y1 - y0) {
            let y = self.rect.row(tick.at);
            line(area, [(x0, y), (x1, y)], GRID)?;
        }
        Ok(())
    }

    /// The border, ticks and labels; drawn after the data.
    pub fn draw(&self, area: &Area<'_>) -> Result<(), FigureError> {
        let Rect { x0, y0, x1, y1 } = self.rect;
        border(area, self.rect)?;
        for tick in self.x_ticks(area)? {
            let x = self.rect.column(tick.at);
            line(area, [(x, y1), (x, y1 + TICK)], INK)?;
            write(area, &tick.label, TICK_SIZE, (x, y1 + TICK + GAP + TICK_SIZE / 3), HPos::Center)?;
        }
        let ticks = vertical_ticks(&self.y, y1 - y0);
        for tick in &ticks {
            let y = self.rect.row(tick.at);
            line(area, [(x0 - TICK, y), (x0, y)], INK)?;
            write(area, &tick.label, TICK_SIZE, (x0 - TICK - GAP / 2, y), HPos::Right)?;
        }
        let below = y1 + TICK + GAP + TICK_SIZE + GAP / 2 + LABEL_SIZE / 3;
        write_fitted(area, self.x_label, LABEL_SIZE, x1 - x0, ((x0 + x1) / 2, below), HPos::Center)?;
        let tick_width = widest(area, ticks.iter().map(|t| t.label.as_str()), TICK_SIZE)?;
        let left = x0 - TICK - GAP / 2 - tick_width - GAP - LABEL_SIZE / 3;
        let (label, size) = fit(area, self.y_label, LABEL_SIZE, y1 - y0)?;
        write_upwards(area, &label, size, (left, (y0 + y1) / 2))
    }

    /// As many ticks, up to nine, as have room for their labels side by side.
    fn x_ticks(&self, area: &Area<'_>) -> Result<Vec<Tick>, FigureError> {
        for count in (3..=9).rev() {
            let ticks = self.x.ticks(count);
            let label = widest(area, ticks.iter().map(|t| t.label.as_str()), TICK_SIZE)?;
            let step = ticks.windows(2).map(|w| w[1].at - w[0].at).fold(1.0, f64::min);
            if step * f64::from(self.rect.x1 - self.rect.x0) >= f64::from(label + 2 * GAP) {
                return Ok(ticks);
            }
        }
        Ok(self.x.ticks(2))
    }
}

/// A thin line.
pub(crate) fn line(area: &Area<'_>, ends: [(i32, i32); 2], color: RGBColor) -> Result<(), FigureError> {
    area.draw(&PathElement::new(ends, color.stroke_width(2))).map_err(failed)
}

/// The outline of a rectangle.
pub(crate) fn border(area: &Area<'_>, rect: Rect) -> Result<(), FigureError> {
    for inset in 0..2 {
        let corners = [(rect.x0 - inset, rect.y0 - inset), (rect.x1 + inset, rect.y1 + inset)];
        area.draw(&Rectangle::new(corners, INK.stroke_width(1))).map_err(failed)?;
    }
    Ok(())
}
