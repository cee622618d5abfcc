//! A scene as pixels, with antialiased edges.
//!
//! The ink of a line in a pixel is `clamp(w/2 + 1/2 − d, 0, 1)` with `d` the distance from the pixel's middle to the
//! polyline and `w` the line's width: joints and ends come out round, and a jagged line keeps its weight. Text is drawn
//! four times as large and averaged.

use super::error::FigureError;
use super::palette::palette;
use super::scene::{Anchor, Field, Item, Paint, Rect, Scene, Shape};
use super::strokes::{Mask, dashes, stroke};
use super::text;

/// Text is drawn this many times as large as needed.
const OVERSAMPLING: i32 = 4;

/// The scene as a PNG file, 8-bit RGB.
pub(crate) fn png(scene: &Scene) -> Result<Vec<u8>, FigureError> {
    let pixels = pixels(scene)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, scene.size.0, scene.size.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// Rows from the top, three bytes per pixel.
fn pixels(scene: &Scene) -> Result<Vec<u8>, FigureError> {
    let (width, height) = (scene.size.0 as i32, scene.size.1 as i32);
    let mut sheet = Sheet { width, height, pixels: vec![255; 3 * width as usize * height as usize] };
    for item in &scene.items {
        match item {
            Item::Box { rect, paint } => sheet.fill(*rect, *paint),
            Item::Line { points, width, paint, dash } => match dash {
                Some(dash) => sheet.line(&dashes(points, *dash), *width, *paint),
                None => sheet.line(&[points.as_slice()], *width, *paint),
            },
            Item::Band { points, paint, opacity } => sheet.band(points, *paint, *opacity),
            Item::Marks { at, shape, size, paint } => sheet.marks(at, *shape, *size, *paint),
            Item::Field { rect, field } => sheet.field(*rect, field),
            Item::Text { text, size, at, anchor, upwards } => sheet.text(text, *size, *at, *anchor, *upwards)?,
        }
    }
    Ok(sheet.pixels)
}

struct Sheet {
    width: i32,
    height: i32,
    pixels: Vec<u8>,
}

impl Sheet {
    fn blend(&mut self, x: i32, y: i32, rgb: [u8; 3], coverage: f64) {
        if coverage <= 0.0 || !(0..self.width).contains(&x) || !(0..self.height).contains(&y) {
            return;
        }
        let start = 3 * (y as usize * self.width as usize + x as usize);
        for (below, above) in self.pixels[start..start + 3].iter_mut().zip(rgb) {
            let mixed = f64::from(*below) + (f64::from(above) - f64::from(*below)) * coverage.min(1.0);
            *below = mixed.round() as u8;
        }
    }

    fn fill(&mut self, rect: Rect, paint: Paint) {
        for y in rect.y0..rect.y1 {
            for x in rect.x0..rect.x1 {
                self.blend(x, y, paint.rgb(), 1.0);
            }
        }
    }

    /// Polylines of one colour, which don't darken where they cross.
    fn line<P: AsRef<[(f64, f64)]>>(&mut self, lines: &[P], width: f64, paint: Paint) {
        let all = || lines.iter().flat_map(|line| line.as_ref());
        let Some(mut mask) = self.mask(all(), width / 2.0 + 1.0) else { return };
        let reach = width / 2.0 + 0.5;
        for line in lines {
            let points = line.as_ref();
            if let [only] = points {
                stroke(&mut mask, *only, *only, reach);
            }
            for pair in points.windows(2) {
                stroke(&mut mask, pair[0], pair[1], reach);
            }
        }
        self.blend_mask(&mask, paint);
    }

    /// An empty mask around `points`, cut at the sheet's edges; `None` if it is all outside.
    fn mask<'p>(&self, points: impl Iterator<Item = &'p (f64, f64)>, margin: f64) -> Option<Mask> {
        let far = (f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
        let (x0, y0, x1, y1) = points.fold(far, |b, p| (b.0.min(p.0), b.1.min(p.1), b.2.max(p.0), b.3.max(p.1)));
        // Casts saturate, so that points far outside do no harm.
        let rect = Rect::new(
            ((x0 - margin).floor() as i32).max(0),
            ((y0 - margin).floor() as i32).max(0),
            ((x1 + margin).ceil() as i32).min(self.width),
            ((y1 + margin).ceil() as i32).min(self.height),
        );
        let empty = rect.x0 >= rect.x1 || rect.y0 >= rect.y1;
        (!empty).then(|| Mask { rect, ink: vec![0.0; (rect.width() * rect.height()) as usize] })
    }

    fn blend_mask(&mut self, mask: &Mask, paint: Paint) {
        let width = mask.rect.width();
        for (index, ink) in mask.ink.iter().enumerate() {
            let index = index as i32;
            self.blend(mask.rect.x0 + index % width, mask.rect.y0 + index / width, paint.rgb(), f64::from(*ink));
        }
    }

    fn band(&mut self, points: &[(f64, f64, f64)], paint: Paint, opacity: f64) {
        let mut segment = 0;
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
        for x in first.0.floor().max(0.0) as i32..(last.0.ceil() as i32).min(self.width) {
            let middle = (f64::from(x) + 0.5).clamp(first.0, last.0);
            while segment + 2 < points.len() && points[segment + 1].0 < middle {
                segment += 1;
            }
            let [a, b] = [points[segment], points[(segment + 1).min(points.len() - 1)]];
            let share = if b.0 > a.0 { ((middle - a.0) / (b.0 - a.0)).clamp(0.0, 1.0) } else { 0.0 };
            let ends = [a.1 + share * (b.1 - a.1), a.2 + share * (b.2 - a.2)];
            let (top, bottom) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            for y in top.floor().max(0.0) as i32..(bottom.ceil() as i32).min(self.height) {
                let inside = bottom.min(f64::from(y) + 1.0) - top.max(f64::from(y));
                self.blend(x, y, paint.rgb(), opacity * inside);
            }
        }
    }

    fn marks(&mut self, at: &[(f64, f64)], shape: Shape, size: f64, paint: Paint) {
        let reach = size / 2.0 + 0.5;
        for (cx, cy) in at {
            for y in (cy - reach).floor() as i32..=(cy + reach).ceil() as i32 {
                for x in (cx - reach).floor() as i32..=(cx + reach).ceil() as i32 {
                    let (dx, dy) = (f64::from(x) + 0.5 - cx, f64::from(y) + 0.5 - cy);
                    let coverage = match shape {
                        Shape::Round => (reach - dx.hypot(dy)).min(1.0),
                        Shape::Square => (reach - dx.abs()).clamp(0.0, 1.0) * (reach - dy.abs()).clamp(0.0, 1.0),
                    };
                    self.blend(x, y, paint.rgb(), coverage);
                }
            }
        }
    }

    fn field(&mut self, rect: Rect, field: &Field) {
        let (width, height) = (rect.width().max(0) as usize, rect.height().max(0) as usize);
        let palette = palette();
        for (index, unit) in field.sample(width, height).into_iter().enumerate() {
            let (x, y) = (rect.x0 + (index % width) as i32, rect.y0 + (index / width) as i32);
            self.blend(x, y, palette.at(unit), 1.0);
        }
    }

    fn text(
        &mut self,
        text: &str,
        size: i32,
        at: (f64, f64),
        anchor: Anchor,
        upwards: bool,
    ) -> Result<(), FigureError> {
        let wide = text::width(text, size)?;
        let back = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => wide / 2.0,
            Anchor::End => wide,
        };
        let scaled = |v: f64| (v * f64::from(OVERSAMPLING)).round() as i32;
        // Start of the baseline, in fine pixels.
        let (x0, y0) = if upwards {
            (scaled(at.0 + text::baseline(size)), scaled(at.1 + back))
        } else {
            (scaled(at.0 - back), scaled(at.1 + text::baseline(size)))
        };
        let mut fine = Vec::new();
        text::glyphs(text, size * OVERSAMPLING, |x, y, coverage| {
            fine.push(if upwards { (x0 + y, y0 - 1 - x, coverage) } else { (x0 + x, y0 + y, coverage) });
        })?;
        let corners: Vec<(f64, f64)> = fine
            .iter()
            .map(|(x, y, _)| (f64::from(x.div_euclid(OVERSAMPLING)), f64::from(y.div_euclid(OVERSAMPLING))))
            .collect();
        let Some(mut mask) = self.mask(corners.iter(), 1.0) else { return Ok(()) };
        let part = 1.0 / f64::from(OVERSAMPLING * OVERSAMPLING);
        for (x, y, coverage) in fine {
            let (x, y) = (x.div_euclid(OVERSAMPLING), y.div_euclid(OVERSAMPLING));
            let rect = mask.rect;
            if (rect.x0..rect.x1).contains(&x) && (rect.y0..rect.y1).contains(&y) {
                let at = (y - rect.y0) as usize * rect.width() as usize + (x - rect.x0) as usize;
                mask.ink[at] += (coverage * part) as f32;
            }
        }
        self.blend_mask(&mask, Paint::Ink);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn drawn(item: Item) -> Vec<f64> {
        let pixels = pixels(&Scene { size: (200, 200), items: vec![item] }).unwrap();
        pixels.chunks_exact(3).map(|p| 1.0 - f64::from(p[0]) / 255.0).collect()
    }

    fn line(points: &[(f64, f64)], width: f64) -> Item {
        Item::Line { points: points.to_vec(), width, paint: Paint::Data([0; 3]), dash: None }
    }

    #[test]
    fn the_ink_of_a_line_is_its_area_in_every_direction() {
        for degrees in (0..180).step_by(7) {
            for width in [1.0, 2.0, 4.0, 7.5] {
                let (s, c) = f64::from(degrees).to_radians().sin_cos();
                let ends = [(100.0 - 60.0 * c, 100.0 - 60.0 * s), (100.0 + 60.0 * c, 100.0 + 60.0 * s)];
                let ink: f64 = drawn(line(&ends, width)).iter().sum();
                let area = 120.0 * width + std::f64::consts::PI * width * width / 4.0;
                assert!((ink / area - 1.0).abs() < 0.02, "{degrees} {width}: {ink} of {area}");
            }
        }
    }

    #[test]
    fn a_noisy_line_keeps_its_weight_at_every_joint() {
        // Up and down within a few pixels, where a mitred outline folds over itself and loses its ink.
        let mut state = 7u64;
        let mut noise = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as f64 / f64::from(1u32 << 31)
        };
        let points: Vec<(f64, f64)> = (0..60).map(|k| (10.0 + 3.0 * f64::from(k), 20.0 + 160.0 * noise())).collect();
        let ink = drawn(line(&points, 4.0));
        let at = |x: f64, y: f64| ink[y as usize * 200 + x as usize];
        for pair in points.windows(2) {
            for step in 0..=20 {
                let t = f64::from(step) / 20.0;
                let (x, y) = (pair[0].0 + t * (pair[1].0 - pair[0].0), pair[0].1 + t * (pair[1].1 - pair[0].1));
                // A pixel's middle is at most 0.71 from the line, and the ink is full up to 1.5.
                assert!(at(x, y) > 0.99, "({x}, {y}): {}", at(x, y));
            }
        }
    }

    #[test]
    fn a_band_and_marks_have_their_areas() {
        let points = vec![(20.5, 50.0, 70.0), (100.0, 50.0, 90.0), (180.5, 40.25, 90.0)];
        let exact = 79.5 * 30.0 + 80.5 * (40.0 + 49.75) / 2.0;
        let ink: f64 = drawn(Item::Band { points, paint: Paint::Data([0; 3]), opacity: 0.5 }).iter().sum();
        assert!((ink / (0.5 * exact) - 1.0).abs() < 0.01, "{ink} of {exact}");
        for (shape, area) in [(Shape::Round, std::f64::consts::PI * 25.0), (Shape::Square, 100.0)] {
            let at = vec![(50.3, 60.8), (120.0, 30.5)];
            let ink: f64 = drawn(Item::Marks { at, shape, size: 10.0, paint: Paint::Data([0; 3]) }).iter().sum();
            assert!((ink / (2.0 * area) - 1.0).abs() < 0.02, "{shape:?}: {ink}");
        }
    }

    #[test]
    fn what_lies_outside_the_sheet_is_cut() {
        let far = drawn(line(&[(-1e9, 50.0), (1e9, 50.0)], 2.0));
        assert_eq!(far.iter().filter(|ink| **ink > 0.9).count(), 400);
        assert_eq!(drawn(line(&[(-50.0, -50.0), (-10.0, -20.0)], 2.0)).iter().sum::<f64>(), 0.0);
    }

    #[test]
    fn turned_text_has_the_ink_of_upright_text() {
        let ink = |upwards: bool| -> Vec<f64> {
            let text =
                Item::Text { text: "length".into(), size: 30, at: (100.0, 100.0), anchor: Anchor::Middle, upwards };
            drawn(text)
        };
        let (upright, turned) = (ink(false), ink(true));
        let [a, b] = [&upright, &turned].map(|v| v.iter().sum::<f64>());
        assert!(a > 100.0 && (a / b - 1.0).abs() < 0.02, "{a} {b}");
        let wide = (0..200).filter(|x| (0..200).any(|y| upright[y * 200 + x] > 0.3)).count();
        let high = (0..200).filter(|y| (0..200).any(|x| turned[y * 200 + x] > 0.3)).count();
        assert!(wide.abs_diff(high) <= 2 && wide > 50, "{wide} {high}");
    }
}
