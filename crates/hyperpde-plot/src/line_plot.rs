//! What a line plot shows.

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name in the legend.
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

/// The area between two curves, in the colour of the first series.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Name in the legend.
    pub name: String,
    /// `(x, lower y, upper y)`, x not decreasing.
    pub points: Vec<(f64, f64, f64)>,
}

/// A point that stands out, with a line down the plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Name in the legend.
    pub name: String,
    /// Where.
    pub at: (f64, f64),
}

/// Several lines in one plot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LinePlot<'a> {
    /// Title above the plot.
    pub title: &'a str,
    /// Name of the horizontal axis, with the unit if there is one.
    pub x_label: &'a str,
    /// Name of the vertical axis, with the unit if there is one.
    pub y_label: &'a str,
    /// Whether the vertical axis is logarithmic; takes no negative values, zeros are drawn at the bottom.
    pub log_y: bool,
    /// The lines, 1 to 14. A legend names them when there are several, or a band or a mark.
    pub series: Vec<Series>,
    /// An area behind the lines. It widens the vertical axis by no more than the lines' own extent at each end.
    pub band: Option<Band>,
    /// A point that stands out.
    pub mark: Option<Mark>,
    /// Places on the horizontal axis to mark with short strokes, such as collocation points.
    pub rug: Vec<f64>,
}
