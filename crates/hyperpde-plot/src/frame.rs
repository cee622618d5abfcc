//! The frame with ticks and labels that all plots share, and the helpers to write on a scene.

use super::error::FigureError;
use super::scale::{Scale, Tick};
use super::scene::{Anchor, Item, Paint, Rect, Scene};
use super::text::{fit, widest};

pub(crate) const TITLE_SIZE: i32 = 36;
pub(crate) const LABEL_SIZE: i32 = 31;
pub(crate) const TICK_SIZE: i32 = 27;
/// Space between neighbouring things.
pub(crate) const GAP: i32 = 14;
/// Length of a tick mark.
pub(crate) const TICK: i32 = 8;
/// Thickness of frames, ticks and grid lines.
const THIN: i32 = 2;

/// Space around a plot, pixels. Equal margins keep the plots of a row and a column in line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Margins {
    pub left: i32,
    pub right: i32,
    pub top: i32,
    pub bottom: i32,
}

impl Margins {
    pub fn max(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            right: self.right.max(other.right),
            top: self.top.max(other.top),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// What they leave of `cell`.
    pub fn inside(&self, cell: Rect) -> Rect {
        Rect::new(cell.x0 + self.left, cell.y0 + self.top, cell.x1 - self.right, cell.y1 - self.bottom)
    }
}

/// Writes `text` with the middle of its capital letters at height `y`, and at `x` its start, middle or end.
pub(crate) fn write(scene: &mut Scene, text: &str, size: i32, at: (f64, f64), anchor: Anchor) {
    scene.add(Item::Text { text: text.to_owned(), size, at, anchor, upwards: false });
}

/// Writes `text` in at most `room` pixels, smaller or cut if it must be.
pub(crate) fn write_fitted(
    scene: &mut Scene,
    text: &str,
    size: i32,
    room: i32,
    at: (f64, f64),
    anchor: Anchor,
) -> Result<(), FigureError> {
    let (text, size) = fit(text, size, room)?;
    write(scene, &text, size, at, anchor);
    Ok(())
}

/// Writes `text` upwards in at most `room` pixels around height `y`, the middle of its capital letters at column `x`.
pub(crate) fn write_upwards(
    scene: &mut Scene,
    text: &str,
    size: i32,
    room: i32,
    at: (f64, f64),
) -> Result<(), FigureError> {
    let (text, size) = fit(text, size, room)?;
    scene.add(Item::Text { text, size, at, anchor: Anchor::Middle, upwards: true });
    Ok(())
}

/// Writes the title of a plot above it, within its cell.
pub(crate) fn write_title(scene: &mut Scene, title: &str, cell: Rect, plot: Rect) -> Result<(), FigureError> {
    let middle = (plot.x0 + plot.x1) / 2;
    let room = 2 * (middle - cell.x0 - GAP).min(cell.x1 - GAP - middle);
    let at = (f64::from(middle), f64::from(cell.y0 + GAP + TITLE_SIZE / 2));
    write_fitted(scene, title, TITLE_SIZE, room, at, Anchor::Middle)
}

/// Space that a title takes.
pub(crate) const TITLE_MARGIN: i32 = TITLE_SIZE + 3 * GAP;

/// Ticks of a vertical axis `height` pixels high.
pub(crate) fn vertical_ticks(scale: &Scale, height: i32) -> Vec<Tick> {
    scale.ticks((height / 90).clamp(2, 10) as usize)
}

/// Width of the widest label.
pub(crate) fn tick_width(ticks: &[Tick]) -> Result<i32, FigureError> {
    widest(ticks.iter().map(|t| t.label.as_str()), TICK_SIZE)
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

/// Two axes around a plot.
pub(crate) struct Frame<'a> {
    pub rect: Rect,
    pub x: Scale,
    pub y: Scale,
    pub x_label: &'a str,
    pub y_label: &'a str,
}

impl Frame<'_> {
    /// Lines across the plot at the ticks; drawn before the data.
    pub fn draw_grid(&self, scene: &mut Scene) -> Result<(), FigureError> {
        let Rect { x0, y0, x1, y1 } = self.rect;
        for tick in self.x_ticks()? {
            vertical(scene, self.rect.column(tick.at), [y0, y1], Paint::Grid);
        }
        for tick in vertical_ticks(&self.y, y1 - y0) {
            horizontal(scene, self.rect.row(tick.at), [x0, x1], Paint::Grid);
        }
        Ok(())
    }

    /// The border, ticks and labels; drawn after the data.
    pub fn draw(&self, scene: &mut Scene) -> Result<(), FigureError> {
        let Rect { x0, y0, x1, y1 } = self.rect;
        border(scene, self.rect);
        for tick in self.x_ticks()? {
            let x = self.rect.column(tick.at);
            vertical(scene, x, [y1, y1 + TICK], Paint::Ink);
            write(scene, &tick.label, TICK_SIZE, (x, f64::from(y1 + TICK + GAP + TICK_SIZE / 3)), Anchor::Middle);
        }
        let ticks = vertical_ticks(&self.y, y1 - y0);
        for tick in &ticks {
            let y = self.rect.row(tick.at);
            horizontal(scene, y, [x0 - TICK, x0], Paint::Ink);
            write(scene, &tick.label, TICK_SIZE, (f64::from(x0 - TICK - GAP / 2), y), Anchor::End);
        }
        let below = f64::from(y1 + TICK + GAP + TICK_SIZE + GAP / 2 + LABEL_SIZE / 3);
        let middle = f64::from(x0 + x1) / 2.0;
        write_fitted(scene, self.x_label, LABEL_SIZE, x1 - x0, (middle, below), Anchor::Middle)?;
        let left = f64::from(x0 - TICK - GAP / 2 - tick_width(&ticks)? - GAP - LABEL_SIZE / 3);
        write_upwards(scene, self.y_label, LABEL_SIZE, y1 - y0, (left, f64::from(y0 + y1) / 2.0))
    }

    /// As many ticks, up to nine, as have room for their labels side by side.
    fn x_ticks(&self) -> Result<Vec<Tick>, FigureError> {
        for count in (3..=9).rev() {
            let ticks = self.x.ticks(count);
            let label = tick_width(&ticks)?;
            let step = ticks.windows(2).map(|w| w[1].at - w[0].at).fold(1.0, f64::min);
            if step * f64::from(self.rect.width()) >= f64::from(label + 2 * GAP) {
                return Ok(ticks);
            }
        }
        Ok(self.x.ticks(2))
    }
}

/// A thin line across column `x`, sharp on the pixels.
pub(crate) fn vertical(scene: &mut Scene, x: f64, [y0, y1]: [i32; 2], paint: Paint) {
    let x = x.round() as i32 - THIN / 2;
    scene.add(Item::Box { rect: Rect::new(x, y0, x + THIN, y1), paint });
}

/// A thin line across row `y`, sharp on the pixels.
pub(crate) fn horizontal(scene: &mut Scene, y: f64, [x0, x1]: [i32; 2], paint: Paint) {
    let y = y.round() as i32 - THIN / 2;
    scene.add(Item::Box { rect: Rect::new(x0, y, x1, y + THIN), paint });
}

/// The outline of a rectangle.
pub(crate) fn border(scene: &mut Scene, Rect { x0, y0, x1, y1 }: Rect) {
    let (near, far) = (THIN / 2, THIN - THIN / 2);
    for x in [x0, x1] {
        vertical(scene, f64::from(x), [y0 - near, y1 + far], Paint::Ink);
    }
    for y in [y0, y1] {
        horizontal(scene, f64::from(y), [x0 - near, x1 + far], Paint::Ink);
    }
}
