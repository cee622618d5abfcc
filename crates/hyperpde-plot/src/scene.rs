//! What a figure consists of, before it becomes pixels or SVG: both are made from the same list of items.

/// A rectangle of pixels, `x0 < x1` and `y0 < y1` (y grows downwards).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rect {
    pub x0: i32,
    pub y0: i32,
    pub x1: i32,
    pub y1: i32,
}

impl Rect {
    pub fn new(x0: i32, y0: i32, x1: i32, y1: i32) -> Self {
        Self { x0, y0, x1, y1 }
    }

    pub fn width(&self) -> i32 {
        self.x1 - self.x0
    }

    pub fn height(&self) -> i32 {
        self.y1 - self.y0
    }

    /// Where `unit` in [0, 1] lies between left and right.
    pub fn column(&self, unit: f64) -> f64 {
        f64::from(self.x0) + unit * f64::from(self.width())
    }

    /// Where `unit` in [0, 1] lies between bottom and top.
    pub fn row(&self, unit: f64) -> f64 {
        f64::from(self.y1) - unit * f64::from(self.height())
    }
}

/// A colour by what it is for, so that a page can change ink and paper (dark mode) but not the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Text, frames and ticks.
    Ink,
    /// The background.
    Paper,
    /// Lines across a plot.
    Grid,
    /// Data.
    Data([u8; 3]),
}

impl Paint {
    pub fn rgb(self) -> [u8; 3] {
        match self {
            Self::Ink => [30; 3],
            Self::Paper => [255; 3],
            Self::Grid => [225; 3],
            Self::Data(rgb) => rgb,
        }
    }
}

/// Which end of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Shape of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Round,
    Square,
}

/// Values on a grid as positions in the palette, interpolated bilinearly.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    /// Where the grid lines lie, increasing from 0 to 1, to the right and upwards.
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// `[ny, nx]`, in [0, 1].
    pub units: Vec<f64>,
    /// Pixels of the image that stands for the field in SVG, `[width, height]`.
    pub resolution: [usize; 2],
}

impl Field {
    /// The field in the middle of each of `width` by `height` equal cells, row by row from the top.
    pub fn sample(&self, width: usize, height: usize) -> Vec<f64> {
        let columns = places(&self.x, width);
        let mut rows = places(&self.y, height);
        rows.reverse();
        let nx = self.x.len();
        let mut samples = Vec::with_capacity(width * height);
        for (j, t) in rows {
            for (i, s) in &columns {
                let at = |j: usize, i: usize| self.units[j * nx + i];
                let below = at(j, *i) * (1.0 - s) + at(j, i + 1) * s;
                let above = at(j + 1, *i) * (1.0 - s) + at(j + 1, i + 1) * s;
                samples.push(below * (1.0 - t) + above * t);
            }
        }
        samples
    }
}

/// For the middle of each of `count` cells of [0, 1]: the grid line before it and the share of the way to the next.
fn places(lines: &[f64], count: usize) -> Vec<(usize, f64)> {
    (0..count)
        .map(|k| {
            let at = (k as f64 + 0.5) / count as f64;
            let low = lines.partition_point(|line| *line <= at).clamp(1, lines.len() - 1) - 1;
            (low, ((at - lines[low]) / (lines[low + 1] - lines[low])).clamp(0.0, 1.0))
        })
        .collect()
}

/// One thing drawn; later items cover earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// A filled rectangle with sharp edges.
    Box { rect: Rect, paint: Paint },
    /// A polyline with round joints and ends; `dash` holds the lengths of a dash and of a gap.
    Line { points: Vec<(f64, f64)>, width: f64, paint: Paint, dash: Option<[f64; 2]> },
    /// The area between two curves: `(x, y of one, y of the other)`, x not decreasing.
    Band { points: Vec<(f64, f64, f64)>, paint: Paint, opacity: f64 },
    /// Marks of one shape, `size` wide.
    Marks { at: Vec<(f64, f64)>, shape: Shape, size: f64, paint: Paint },
    /// A field in colours.
    Field { rect: Rect, field: Field },
    /// A line of text; `at` is the middle of its capital letters' height, and its start, middle or end. Upwards, it is
    /// turned by a quarter.
    Text { text: String, size: i32, at: (f64, f64), anchor: Anchor, upwards: bool },
}

/// A drawing of a given size in pixels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    pub size: (u32, u32),
    pub items: Vec<Item>,
}

impl Scene {
    /// An empty sheet.
    pub fn new(size: (u32, u32)) -> Self {
        Self { size, items: Vec::new() }
    }

    /// All of the sheet.
    pub fn rect(&self) -> Rect {
        Rect::new(0, 0, self.size.0 as i32, self.size.1 as i32)
    }

    pub fn add(&mut self, item: Item) {
        self.items.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_interpolated_between_its_own_grid_lines() {
        // x = 0, 0.1, 1 holds x itself; the samples are x in the middle of ten cells.
        let x = vec![0.0, 0.1, 1.0];
        let field = Field { units: [x.clone(), x.clone()].concat(), x, y: vec![0.0, 1.0], resolution: [1, 1] };
        for (k, sample) in field.sample(10, 3).into_iter().enumerate() {
            let expected = ((k % 10) as f64 + 0.5) / 10.0;
            assert!((sample - expected).abs() < 1e-12, "{k}: {sample}");
        }
        let up = Field { x: vec![0.0, 1.0], y: vec![0.0, 1.0], units: vec![0.0, 0.0, 1.0, 1.0], resolution: [1, 1] };
        assert_eq!(up.sample(1, 4), [0.875, 0.625, 0.375, 0.125], "the top row comes first");
    }
}
