//! From plots to files: one figure is one PNG file and one SVG file of the same drawing, and small drawings of its parts
//! for pages.

use std::path::{Path, PathBuf};

use super::error::FigureError;
use super::frame::{GAP, Margins, TITLE_SIZE, write_fitted};
use super::raster::png;
use super::scene::{Anchor, Rect, Scene};
use super::svg::svg;
use hyperpde_run::write_atomic;

/// Width and height of one panel, pixels.
pub const PANEL_SIZE: (u32, u32) = (1000, 840);
/// Size of a panel on a page, where letters are larger against the plot.
pub(crate) const INLINE_PANEL: (u32, u32) = (700, 600);
/// Height of the title above several panels, pixels.
const HEADING: u32 = 80;
/// Most panels in one figure.
pub(crate) const MAX_PANELS: usize = 24;

/// A figure that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it shows, one sentence.
    pub caption: String,
    /// The image as pixels.
    pub png: PathBuf,
    /// The same as SVG.
    pub svg: PathBuf,
    /// Drawings of its parts for a page that arranges them itself.
    pub inline: Vec<Inline>,
}

/// An SVG element for a page, with ink, paper and grid in classes `ink`, `ink-line`, `paper`, `paper-line`, `grid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// The element.
    pub svg: String,
    /// Where it is of use.
    pub width: InlineWidth,
}

/// For which widths of a page a drawing is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InlineWidth {
    /// A third of a wide page or all of a narrow one.
    Any,
    /// Only a wide page; an [`InlineWidth::Narrow`] drawing of the same follows.
    Wide,
    /// Only a narrow page.
    Narrow,
}

/// A checked plot, whatever it shows.
pub(crate) trait Plot {
    /// Title above it.
    fn title(&self) -> &str;

    /// Margins that its texts need on a sheet of this size.
    fn margins(&self, size: (u32, u32)) -> Result<Margins, FigureError>;

    /// Draws it into a cell of the scene.
    fn draw(&self, scene: &mut Scene, cell: Rect, margins: &Margins) -> Result<(), FigureError>;

    /// Sizes in which a page shows it if it stands alone.
    fn inline_sizes(&self) -> &'static [((u32, u32), InlineWidth)];
}

/// A plot alone on a sheet.
fn alone(plot: &dyn Plot, size: (u32, u32), margins: &Margins) -> Result<Scene, FigureError> {
    let mut scene = Scene::new(size);
    let cell = scene.rect();
    plot.draw(&mut scene, cell, margins)?;
    Ok(scene)
}

/// Pixels of a figure of `count` panels: up to three side by side, four as two by two, more in rows of three.
#[must_use]
pub fn panels_size(count: usize) -> (u32, u32) {
    let (rows, columns) = arrangement(count);
    (columns as u32 * PANEL_SIZE.0, HEADING + rows as u32 * PANEL_SIZE.1)
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

/// Panels under a common title, on a sheet of [`panels_size`].
fn panel_scene(title: &str, plots: &[Box<dyn Plot + '_>]) -> Result<Scene, FigureError> {
    if !(1..=MAX_PANELS).contains(&plots.len()) {
        return Err(FigureError::Count { what: "panels".to_owned(), got: plots.len(), limit: MAX_PANELS });
    }
    let mut scene = Scene::new(panels_size(plots.len()));
    let width = scene.size.0 as i32;
    let at = (f64::from(width) / 2.0, f64::from(HEADING) / 2.0 + 8.0);
    write_fitted(&mut scene, title, TITLE_SIZE + 8, width - 4 * GAP, at, Anchor::Middle)?;
    let margins = common_margins(plots, PANEL_SIZE)?;
    let (_, columns) = arrangement(plots.len());
    let (w, h) = (PANEL_SIZE.0 as i32, PANEL_SIZE.1 as i32);
    for (k, plot) in plots.iter().enumerate() {
        let (x, y) = ((k % columns) as i32 * w, HEADING as i32 + (k / columns) as i32 * h);
        plot.draw(&mut scene, Rect::new(x, y, x + w, y + h), &margins)?;
    }
    Ok(scene)
}

/// Margins in which each of the plots has room.
fn common_margins(plots: &[Box<dyn Plot + '_>], size: (u32, u32)) -> Result<Margins, FigureError> {
    plots.iter().try_fold(Margins::default(), |all, plot| Ok(all.max(plot.margins(size)?)))
}

/// Writes a figure of several panels; `path` gets the extensions `png` and `svg`.
pub(crate) fn write_panels(
    path: &Path,
    title: &str,
    caption: &str,
    plots: &[Box<dyn Plot + '_>],
) -> Result<Figure, FigureError> {
    let (png, svg) = write_scene(path, caption, &panel_scene(title, plots)?)?;
    let margins = common_margins(plots, INLINE_PANEL)?;
    let inline = plots.iter().map(|plot| inline(plot.as_ref(), INLINE_PANEL, &margins, InlineWidth::Any));
    Ok(Figure { caption: caption.to_owned(), png, svg, inline: inline.collect::<Result<_, _>>()? })
}

/// Writes a figure of one plot, `size` pixels large.
pub(crate) fn write_single(
    path: &Path,
    size: (u32, u32),
    caption: &str,
    plot: &dyn Plot,
) -> Result<Figure, FigureError> {
    let (png, svg) = write_scene(path, caption, &alone(plot, size, &plot.margins(size)?)?)?;
    let inline = plot.inline_sizes().iter().map(|(size, width)| inline(plot, *size, &plot.margins(*size)?, *width));
    Ok(Figure { caption: caption.to_owned(), png, svg, inline: inline.collect::<Result<_, _>>()? })
}

fn inline(plot: &dyn Plot, size: (u32, u32), margins: &Margins, width: InlineWidth) -> Result<Inline, FigureError> {
    Ok(Inline { svg: svg(&alone(plot, size, margins)?, plot.title())?, width })
}

pub(crate) fn write_scene(path: &Path, label: &str, scene: &Scene) -> Result<(PathBuf, PathBuf), FigureError> {
    let written = |extension: &str, bytes: &[u8]| {
        let file = path.with_extension(extension);
        write_atomic(&file, bytes).map(|()| file).map_err(FigureError::from)
    };
    // Both are made before either is written.
    let (pixels, drawing) = (png(scene)?, svg(scene, label)?);
    Ok((written("png", &pixels)?, written("svg", drawing.as_bytes())?))
}
