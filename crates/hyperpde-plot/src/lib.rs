//! Figures and the web page of a run, from its report and its solution on the test grid.
//!
//! [`draw_run`] makes everything that a run's folder shows; [`heatmap`], [`panels`], [`lines`], [`bars`], [`history`] and [`solution_set`] are its parts.
//! Figures are PNG and SVG files: fields as heat maps, histories and functions of one coordinate as lines.
//!
//! A figure is described once, as a list of lines, marks, fields and texts (`scene.rs`, to be read first); both files are made from it. Text is
//! measured and drawn with a font that is compiled in, so a machine without fonts draws the same picture. Files are written
//! with [`hyperpde_run::write_atomic`].

mod bars;
mod draw;
mod error;
mod figure;
mod frame;
mod heatmap;
mod history;
pub mod html;
mod legend;
mod line_plot;
mod lines;
mod palette;
mod raster;
mod scale;
mod scene;
mod slices;
mod solution;
mod strokes;
mod svg;
mod text;

pub use bars::{Bars, bars};
pub use draw::draw_run;
pub use error::FigureError;
pub use figure::{Figure, Inline, InlineWidth, PANEL_SIZE, panels_size};
pub use heatmap::{Axis, Heatmap, heatmap, panels};
pub use history::history;
pub use line_plot::{Band, LinePlot, Mark, Series};
pub use lines::{LINES_SIZE, lines};
pub use solution::{FieldData, FigureData, solution_set};
