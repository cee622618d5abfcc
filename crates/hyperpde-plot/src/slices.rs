//! Planes of a grid: all of a grid over two coordinates; three orthogonal planes through the middle of one over three.

use hyperpde_kernels::Points;
use hyperpde_pde::TestGrid;

use super::heatmap::Axis;

/// Points at most this far from a plane, as a part of the width across it, are drawn on it.
const NEAR: f64 = 0.05;

/// A plane of a grid, its first coordinate to the right and its second upwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice<'a> {
    grid: &'a TestGrid,
    /// The coordinates along the plane.
    along: [usize; 2],
    /// The coordinate that is held, and at which grid line.
    held: Option<(usize, usize)>,
}

/// The planes to draw of a grid over two or three coordinates; none of others.
pub(crate) fn slices(grid: &TestGrid) -> Vec<Slice<'_>> {
    match grid.axes() {
        [_, _] => vec![Slice { grid, along: [0, 1], held: None }],
        [a, b, c] => [([0, 1], 2, c), ([0, 2], 1, b), ([1, 2], 0, a)]
            .map(|(along, across, nodes)| Slice { grid, along, held: Some((across, middle(nodes))) })
            .to_vec(),
        _ => Vec::new(),
    }
}

/// The grid line nearest to the middle, the first of two.
fn middle(nodes: &[f64]) -> usize {
    let (first, last) = ends(nodes);
    let off = |k: &usize| (nodes[*k] - (first + last) / 2.0).abs();
    // Rounding must not decide between two grid lines equally far.
    let slack = 1e-9 * (last - first).abs();
    (0..nodes.len()).reduce(|best, k| if off(&k) < off(&best) - slack { k } else { best }).unwrap_or(0)
}

fn ends(nodes: &[f64]) -> (f64, f64) {
    (nodes.first().copied().unwrap_or(0.0), nodes.last().copied().unwrap_or(1.0))
}

impl<'a> Slice<'a> {
    /// The axes of the plane.
    pub fn axes(&self) -> [Axis<'a>; 2] {
        self.along.map(|i| Axis { label: &self.grid.names()[i], nodes: &self.grid.axes()[i] })
    }

    /// `text`, and where the plane lies if it is one of several.
    pub fn title(&self, text: &str) -> String {
        match self.held {
            Some((across, k)) => {
                format!("{text}, {} = {}", self.grid.names()[across], shortest(self.grid.axes()[across][k]))
            }
            None => text.to_owned(),
        }
    }

    /// The values on the plane, the second coordinate slowest, of `values` on the whole grid (the first slowest).
    pub fn values(&self, values: &[f64]) -> Vec<f64> {
        let shape = self.grid.shape();
        let stride = |i: usize| shape[i + 1..].iter().product::<usize>();
        let start = self.held.map_or(0, |(across, k)| k * stride(across));
        let [right, up] = self.along;
        (0..shape[up])
            .flat_map(|j| (0..shape[right]).map(move |i| (i, j)))
            .map(|(i, j)| values[start + i * stride(right) + j * stride(up)])
            .collect()
    }

    /// The points on the plane or near it.
    pub fn points(&self, points: &Points) -> Vec<(f64, f64)> {
        let near = |x: &&[f64]| {
            self.held.is_none_or(|(across, k)| {
                let nodes = &self.grid.axes()[across];
                let (first, last) = ends(nodes);
                (x[across] - nodes[k]).abs() <= NEAR * (last - first)
            })
        };
        points.rows().filter(near).map(|x| (x[self.along[0]], x[self.along[1]])).collect()
    }
}

/// A coordinate with three significant digits at most.
fn shortest(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn grid(axes: &[&[f64]]) -> TestGrid {
        let names = ["x", "y", "z", "w"][..axes.len()].iter().map(|n| (*n).to_owned()).collect();
        TestGrid::new(names, axes.iter().map(|a| a.to_vec()).collect()).unwrap()
    }

    #[test]
    fn three_planes_through_the_middle_hold_the_grids_own_values() {
        let grid = grid(&[&[0.0, 1.0], &[0.0, 0.5, 1.0], &[-1.0, -0.4, 0.4, 1.0]]);
        let value = |p: &[f64]| 100.0 * p[0] + 10.0 * p[1] + p[2];
        let all: Vec<f64> = grid.points().rows().map(value).collect();
        let planes = slices(&grid);
        let titles: Vec<String> = planes.iter().map(|s| s.title("u")).collect();
        assert_eq!(titles, ["u, z = -0.4", "u, y = 0.5", "u, x = 0"]);
        for (plane, held) in planes.iter().zip([(2, -0.4), (1, 0.5), (0, 0.0)]) {
            let [right, up] = plane.axes();
            let mut expected = Vec::new();
            for b in up.nodes {
                for a in right.nodes {
                    let mut p = vec![held.1; 3];
                    let [i, j] =
                        [right.label, up.label].map(|name| grid.names().iter().position(|n| n == name).unwrap());
                    (p[i], p[j]) = (*a, *b);
                    assert!(i != held.0 && j != held.0 && i < j);
                    expected.push(value(&p));
                }
            }
            assert_eq!(plane.values(&all), expected);
        }
        let points = Points::new(3, vec![0.1, 0.2, -0.45, 0.3, 0.4, 0.0, 0.02, 0.9, 0.9]).unwrap();
        assert_eq!(planes[0].points(&points), [(0.1, 0.2)]);
        assert_eq!(planes[2].points(&points), [(0.9, 0.9)]);
    }

    #[test]
    fn a_plane_is_shown_whole_and_other_dimensions_not_at_all() {
        let plane = grid(&[&[0.0, 1.0], &[0.0, 1.0, 2.0]]);
        let [whole] = slices(&plane)[..] else { unreachable!("one plane") };
        assert_eq!(whole.values(&[0.0, 1.0, 2.0, 10.0, 11.0, 12.0]), [0.0, 10.0, 1.0, 11.0, 2.0, 12.0]);
        assert_eq!(whole.title("u"), "u");
        for axes in [1, 4] {
            assert!(slices(&grid(&vec![&[0.0, 1.0][..]; axes])).is_empty());
        }
    }

    #[test]
    fn coordinates_are_written_short() {
        for (value, text) in [(0.526315789, "0.526"), (0.5, "0.5"), (0.0, "0"), (-1234.0, "-1230"), (1.0, "1")] {
            assert_eq!(shortest(value), text);
        }
    }
}
