//! Why a figure was not drawn.

use hyperpde_run::FileError;

/// Why a figure was not drawn. Nothing of it is written then, except when a file can't be.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// A value to draw is NaN or infinite.
    #[error("{what} holds {value} at index {index}; a figure takes finite numbers only")]
    NotFinite {
        /// Title of the panel or name of the series.
        what: String,
        /// Index of the first such value.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A negative value on a logarithmic scale. (Zeros are drawn at the lower end of the scale.)
    #[error(
        "{what} holds {value} at index {index}; a logarithmic scale takes no negative numbers, draw the absolute value"
    )]
    Negative {
        /// Title of the panel or name of the series.
        what: String,
        /// Index of the first such value.
        index: usize,
        /// The value.
        value: f64,
    },
    /// The number of values doesn't fit the grid, or the grid has no extent.
    #[error(
        "{what} holds {got} values for a grid of {ny} by {nx}; expected {ny} * {nx} values, at least two per direction"
    )]
    Shape {
        /// Title of the panel.
        what: String,
        /// Grid points along y.
        ny: usize,
        /// Grid points along x.
        nx: usize,
        /// Values given.
        got: usize,
    },
    /// The values of a field don't fit the grid of a solution.
    #[error("{what} holds {got} values for a grid of {expected} points; evaluate it on that grid")]
    Length {
        /// The field.
        what: String,
        /// Values given.
        got: usize,
        /// Points of the grid.
        expected: usize,
    },
    /// An axis or a colour range is reversed, without width, not finite, or wider than a number can hold.
    #[error("the range of {what} is {min} to {max}; expected finite numbers, the first below the second")]
    Range {
        /// The axis, or the title of the panel.
        what: String,
        /// Lower end.
        min: f64,
        /// Upper end.
        max: f64,
    },
    /// Nothing to draw, or more than one figure can show legibly.
    #[error("a figure shows 1 to {limit} {what}, got {got}; split it")]
    Count {
        /// "panels", "series" or "points of a series".
        what: String,
        /// Number given.
        got: usize,
        /// Largest number drawn.
        limit: usize,
    },
    /// The font or the drawing library failed.
    #[error("drawing failed: {0}")]
    Draw(String),
    /// The image could not be encoded.
    #[error("the image could not be encoded as PNG")]
    Encode(#[from] png::EncodingError),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

/// Checks that all values can be drawn: finite, and not negative on a logarithmic scale.
pub(crate) fn check_values(what: &str, values: impl Iterator<Item = f64>, log_scale: bool) -> Result<(), FigureError> {
    for (index, value) in values.enumerate() {
        if !value.is_finite() {
            return Err(FigureError::NotFinite { what: what.to_owned(), index, value });
        }
        if log_scale && value < 0.0 {
            return Err(FigureError::Negative { what: what.to_owned(), index, value });
        }
    }
    Ok(())
}
