//! Polylines as ink on pixels: coverage by distance, and dashes.

use super::scene::Rect;

/// How much ink lies on each pixel of a rectangle.
pub(crate) struct Mask {
    pub rect: Rect,
    pub ink: Vec<f32>,
}

impl Mask {
    fn raise(&mut self, x: i32, y: i32, coverage: f64) {
        let at = (y - self.rect.y0) as usize * self.rect.width() as usize + (x - self.rect.x0) as usize;
        self.ink[at] = self.ink[at].max(coverage as f32);
    }
}

/// Raises the mask to the coverage of the segment from `a` to `b`, row by row within its reach.
pub(crate) fn stroke(mask: &mut Mask, a: (f64, f64), b: (f64, f64), reach: f64) {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length2 = dx * dx + dy * dy;
    let rect = mask.rect;
    let first = ((a.1.min(b.1) - reach).floor() as i32).max(rect.y0);
    let last = ((a.1.max(b.1) + reach).ceil() as i32).min(rect.y1);
    for y in first..last {
        let middle = f64::from(y) + 0.5;
        // The part of the segment within reach of this row bounds the columns to look at.
        let near = |to: f64| ((to - a.1) / dy).clamp(0.0, 1.0);
        let (s, t) = if dy.abs() > 1e-9 { (near(middle - reach), near(middle + reach)) } else { (0.0, 1.0) };
        let (left, right) = ((a.0 + s * dx).min(a.0 + t * dx), (a.0 + s * dx).max(a.0 + t * dx));
        for x in ((left - reach).floor() as i32).max(rect.x0)..((right + reach).ceil() as i32).min(rect.x1) {
            let (px, py) = (f64::from(x) + 0.5 - a.0, middle - a.1);
            let along = if length2 > 0.0 { ((px * dx + py * dy) / length2).clamp(0.0, 1.0) } else { 0.0 };
            let distance = (px - along * dx).hypot(py - along * dy);
            mask.raise(x, y, (reach - distance).min(1.0));
        }
    }
}

/// The dashes of a polyline, the first beginning at its start.
pub(crate) fn dashes(points: &[(f64, f64)], [dash, gap]: [f64; 2]) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = Vec::new();
    let (mut on, mut left) = (true, dash);
    let mut piece: Vec<(f64, f64)> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let at = (a.0 + (b.0 - a.0) * done / length, a.1 + (b.1 - a.1) * done / length);
            if on {
                piece.push(at);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![at];
            }
            on = !on;
            left = if on { dash } else { gap };
        }
        left -= length - done;
        if on {
            piece.push(b);
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_their_share() {
        let points = [(10.0, 10.0), (110.0, 10.0), (110.0, 110.0)];
        let pieces = dashes(&points, [10.0, 15.0]);
        assert_eq!(pieces.len(), 8);
        let length = |piece: &Vec<(f64, f64)>| -> f64 {
            piece.windows(2).map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1)).sum()
        };
        assert!(pieces.iter().all(|p| (length(p) - 10.0).abs() < 1e-9), "{pieces:?}");
        assert_eq!(pieces[4], [(110.0, 10.0), (110.0, 20.0)]);
    }

    #[test]
    fn a_stroke_reaches_every_pixel_within_reach_and_no_other() {
        // Against the distance to many points of the segment, for segments of every slope.
        for (dx, dy) in [(30.0, 0.0), (0.0, 30.0), (30.0, 1.0), (-20.0, 25.0), (1.5, -30.0), (0.0, 0.0)] {
            let mut mask = Mask { rect: Rect::new(0, 0, 80, 80), ink: vec![0.0; 6400] };
            let (a, b) = ((40.2, 39.7), (40.2 + dx, 39.7 + dy));
            stroke(&mut mask, a, b, 3.5);
            for (index, ink) in mask.ink.iter().enumerate() {
                let (x, y) = ((index % 80) as f64 + 0.5, (index / 80) as f64 + 0.5);
                let to = |k: i32| (x - a.0 - dx * f64::from(k) / 1e3).hypot(y - a.1 - dy * f64::from(k) / 1e3);
                let distance = (0..=1000).map(to).fold(f64::INFINITY, f64::min);
                let expected = (3.5 - distance).clamp(0.0, 1.0);
                assert!((f64::from(*ink) - expected).abs() < 2e-3, "({x}, {y}): {ink}, expected {expected}");
            }
        }
    }
}
